"""A build directory, read: its report, its program, its parts, and what the tools found."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from sylvan.hw.build import MODULE
from sylvan.hw.critical import Hop
from sylvan.hw.report import Report, load_report
from sylvan.model.errors import UserError
from sylvan.model.files import parse_json
from sylvan.model.program import Program
from sylvan.model.storage import load, program_hash

from .microprogram import Microprogram
from .parts import Figures, LayerBuilt, Part, layers_of

RESOURCES = ("luts", "ffs", "brams", "sprams", "dsps")


@dataclass(frozen=True)
class Built:
    """A build directory. Raises UserError where a file is missing, damaged or of another version.

    Attributes: folder, report, program; interval and rest, the pace of the plan; layers, or instead
    of them a microprogram; modules, figures by module of the Verilog, none for a build without a
    part; paths, (seed, MHz, critical path) of each seed.
    """

    folder: Path
    report: Report
    program: Program
    interval: int
    rest: int
    layers: tuple[LayerBuilt, ...]
    microprogram: Microprogram | None
    modules: Mapping[str, Figures]
    paths: Sequence[tuple[int, float, tuple[Hop, ...]]]

    @classmethod
    def load(cls, folder: Path) -> "Built":
        report, program = load_report(folder / "report.json"), load(folder / "program")
        if program_hash(program) != report["program_sha256"]:
            raise UserError(
                f"{folder / 'program'} is not the program that was built: build it again"
            )
        plan, synthesis = _json(folder / "plan.json"), {}
        if (folder / "synthesis.json").is_file():
            synthesis = _json(folder / "synthesis.json")
        try:
            modules = {
                str(name): {str(key): int(count) for key, count in figures.items()}
                for name, figures in synthesis.get("modules", {}).items()
            }
            layers = tuple(layers_of(plan, modules))
            words = plan["microprogram"]
            microprogram = None if words is None else Microprogram.of(words)
            expected = [] if microprogram else [layer.name for layer in program.layers]
            if [layer.name for layer in layers] != expected:
                raise ValueError("the layers are not those of the program")
            paths = [
                (int(run["seed"]), float(run["fmax_mhz"]), tuple(map(_hop, run["path"])))
                for run in synthesis.get("runs", [])
                if run.get("path")
            ]
            pace = int(plan["cycles"]["interval"]), int(plan["cycles"]["rest"])
            return cls(folder, report, program, *pace, layers, microprogram, modules, paths)
        except (KeyError, TypeError, ValueError, AttributeError, ZeroDivisionError) as error:
            raise UserError(
                f"what {folder} says of its plan or its synthesis is damaged, or another version "
                f"made it ({error!r}): build it again"
            ) from None

    @cached_property
    def parts(self) -> list[Part]:
        """The parts of all layers."""
        return [part for layer in self.layers for part in layer.parts]

    @property
    def control(self) -> Figures:
        """What no part has: sequencers, strobes, and the queues at the borders."""
        whole = self.modules.get(MODULE, {})
        known = [part.figures or {} for part in self.parts]
        return {
            name: whole.get(name, 0) - sum(figures.get(name, 0) for figures in known)
            for name in RESOURCES
        }

    def owner(self, module: str) -> Part | None:
        """The part that a module is, or is inside of."""
        inside = (p for p in self.parts if f"{module}.".startswith(f"{p.module}."))
        return max(inside, key=lambda part: len(part.module), default=None)


def _json(path: Path) -> dict[str, Any]:
    try:
        tree = parse_json(path.read_text())
    except (OSError, ValueError) as error:
        raise UserError(f"{path} cannot be read: {error}") from None
    if not isinstance(tree, dict):
        raise UserError(f"{path} is damaged: an object was expected")
    return tree


def _hop(told: Mapping[str, Any]) -> Hop:
    times = float(told["logic_ns"]), float(told["routing_ns"])
    return Hop(str(told["module"]), int(told["cells"]), *times)
