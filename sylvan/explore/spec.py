"""A search as a file: what is learned, which networks and schedules, for which parts, and why.

docs/spec.md says what may stand in it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from sylvan.hw.schedule import MOST_CONTEXTS
from sylvan.hw.targets import Target, target
from sylvan.model.config import Config
from sylvan.model.errors import UserError, shortened
from sylvan.model.presets import configured
from sylvan.model.tasks import data_set, task_options

from . import ranges
from .lines import Lines
from .networks import Space
from .questions import Aim, Question, bound, check_figure

SECTIONS = ("task", "numeric", "schedule", "targets", "constraints", "objectives", "search")
METHODS = ("grid", "random", "nsga2", "tpe")
MOST_NETWORKS = 100_000
ANY, WORD = "any", "word"


@dataclass(frozen=True)
class Schedules:
    """Which schedules are looked at; empty means all that make sense.

    Attributes:
        lanes, digits: those alone, and no microprogram; a digit of 0 is the whole word.
        contexts: each of these numbers; empty: as many as find time in the core.
        dsps: whether DSP blocks may make products.
    """

    lanes: tuple[int, ...] = ()
    digits: tuple[int, ...] = ()
    contexts: tuple[int, ...] = (1,)
    dsps: bool = False

    def admits(self, keys: Mapping[str, Any]) -> bool:
        """Whether a schedule's knobs, as reports have them, are among these."""
        if keys["microcode"] and (self.lanes or self.digits):
            return False
        digit = 0 if keys["words"] else keys["digit"]
        wanted = (
            (self.lanes, keys["lanes"]),
            (self.digits, digit),
            (self.contexts, keys["contexts"]),
        )
        return all(not few or found in few for few, found in wanted)


@dataclass(frozen=True)
class Search:
    """How networks are chosen, and how much is spent.

    Attributes:
        method: all of them ("grid"), a seeded sample ("random"), or proposed by what was found so
            far ("nsga2", "tpe").
        networks: at most so many are trained and exported; None: all, which only a grid allows.
        builds: cores that are placed for each target.
        seed: of the proposals.
    """

    method: str = "grid"
    networks: int | None = None
    builds: int = 4
    seed: int = 0


@dataclass(frozen=True)
class Spec:
    """A search, checked."""

    path: Path
    text: str
    space: Space
    schedules: Schedules
    targets: tuple[Target, ...]
    clock_hz: float | None
    question: Question
    search: Search
    lines: Lines

    @property
    def task(self) -> str:
        """What is learned."""
        return self.space.base.task


def load_spec(path: Path) -> Spec:
    """Read and check a spec; nothing is run.

    Raises UserError, naming file and line, for what cannot be read, is not known, or is empty.
    """
    lines = Lines(path)
    for name in lines.tree:
        if name not in SECTIONS:
            lines.refuse(name, "", f"there is no section [{name}]; known: {', '.join(SECTIONS)}")
    return Spec(
        path,
        lines.text,
        _space(lines),
        _schedules(lines),
        *_targets(lines),
        _question(lines),
        _search(lines),
        lines,
    )


def _space(lines: Lines) -> Space:
    told = lines.section("task", ("name", "preset", "options"))
    name, preset = told.get("name"), told.get("preset")
    for key, text in told.items():
        if key != "options" and (not isinstance(text, str) or not text):
            lines.refuse("task", key, f"{key} must be a name, got {shortened(repr(text))}")
    if name is None and preset is None:
        lines.refuse("task", "", "[task] names neither a task (name) nor a recipe (preset)")
    changes = {} if name is None else {"task": name}
    options = told.get("options", {})
    try:
        if not isinstance(options, dict):
            raise UserError("options are a table, such as {length = 100}")
        base = configured(preset, changes, [])
        known = task_options(base.task)
        data_set(base.task)
        if unknown := [option for option in options if option not in known]:
            raise UserError(f"task {base.task} has no option {unknown[0]!r}; known: {list(known)}")
        # Networks are chosen by validation data: none is trained on them.
        given = {"task_options": base.task_options | options, "refit": False}
        base = Config.from_tree(base.tree() | given, "[task]")
    except (UserError, TypeError) as error:
        key = next((k for k in ("options", "preset", "name") if k in told), "")
        lines.refuse("task", key, str(error))
    axes = {}
    for axis, given in lines.section("numeric", None).items():
        try:
            axes[axis] = ranges.values(given)
            alone = Space(base, {"cell": axes.get("cell", (base.cell,)), axis: axes[axis]})
            for choice in alone.choices():
                alone.network(choice)
        except (ValueError, UserError) as error:
            lines.refuse("numeric", axis, f"{axis}: {error}")
    space = Space(base, axes)
    if space.size > MOST_NETWORKS:
        most = f"{space.size:,} combinations, more than {MOST_NETWORKS:,}: take fewer values"
        lines.refuse("numeric", "", f"[numeric] has {most}")
    return space


def _schedules(lines: Lines) -> Schedules:
    told = lines.section("schedule", ("lanes", "digit", "contexts", "dsps"))
    found: dict[str, Any] = {}
    for key, most in (("lanes", None), ("digit", None), ("contexts", MOST_CONTEXTS)):
        if key not in told:
            continue
        try:
            given = () if told[key] == ANY else ranges.values(told[key])
        except ValueError as error:
            lines.refuse("schedule", key, f"{key}: {error}")
        numbers = tuple(0 if key == "digit" and value == WORD else value for value in given)
        for value, number in zip(given, numbers, strict=True):
            least = 0 if key == "digit" and value == WORD else 1
            if type(number) is not int or number < least or (most and number > most):
                also = f' or "{WORD}"' if key == "digit" else ""
                limit = f" and at most {most}" if most else ""
                expected = f'whole numbers of at least 1{limit}{also}, or "{ANY}"'
                lines.refuse("schedule", key, f"{key} must be {expected}, got {value!r}")
        found["digits" if key == "digit" else key] = numbers
    dsps = told.get("dsps", False)
    if type(dsps) is not bool:
        lines.refuse("schedule", "dsps", f"dsps must be true or false, got {dsps!r}")
    return Schedules(**found, dsps=dsps)


def _targets(lines: Lines) -> tuple[tuple[Target, ...], float | None]:
    told = lines.section("targets", ("parts", "clock_hz"))
    if "parts" not in told:
        lines.refuse("targets", "", "[targets] names no parts, such as parts = ['ice40-up5k']")
    try:
        found = tuple(target(str(name)) for name in ranges.values(told["parts"]))
    except (ValueError, UserError) as error:
        lines.refuse("targets", "parts", f"parts: {error}")
    for part in found:
        if not part.mapped:
            said = f"{part.name} has no part, so a core has neither a size nor a clock rate there"
            lines.refuse("targets", "parts", said)
        try:
            part.allow(bool(lines.section("schedule", None).get("dsps", False)))
        except UserError:
            lines.refuse("schedule", "dsps", f"{part.name} has no DSP blocks")
    clock = told.get("clock_hz")
    if clock is not None and (type(clock) not in (int, float) or not 1000 <= clock < 1e12):
        lines.refuse(
            "targets", "clock_hz", f"clock_hz is a number in Hz, such as 12e6, got {clock!r}"
        )
    return found, None if clock is None else float(clock)


def _question(lines: Lines) -> Question:
    bounds, aims = [], []
    for figure, text in lines.section("constraints", None).items():
        for one in text if isinstance(text, list) else [text]:
            try:
                bounds.append(bound(figure, one))
            except UserError as error:
                lines.refuse("constraints", figure, str(error))
    for figure, way in lines.section("objectives", None).items():
        try:
            check_figure(figure)
        except UserError as error:
            lines.refuse("objectives", figure, str(error))
        if way not in ("min", "max"):
            said = f'{figure} is to be "min" or "max", got {shortened(repr(way))}'
            lines.refuse("objectives", figure, said)
        aims.append(Aim(figure, way == "max"))
    if not aims:
        lines.refuse("objectives", "", "[objectives] names no figure, such as luts = 'min'")
    return Question(tuple(bounds), tuple(aims))


def _search(lines: Lines) -> Search:
    told = lines.section("search", tuple(field.name for field in fields(Search)))
    method = told.get("method", Search.method)
    if method not in METHODS:
        lines.refuse("search", "method", f"method is one of {', '.join(METHODS)}, got {method!r}")
    for key, least in (("networks", 1), ("builds", 0), ("seed", 0)):
        given = told.get(key, least)
        if type(given) is not int or not least <= given < 1 << 31:
            lines.refuse(
                "search", key, f"{key} must be a whole number of at least {least}, got {given!r}"
            )
    if method != "grid" and "networks" not in told:
        lines.refuse("search", "method", f"a {method} search needs networks: how many to train")
    return Search(**told)
