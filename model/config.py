"""What a training run is made from, as plain data that is checked, and the names of its files."""

import dataclasses
import typing
from dataclasses import dataclass, field
from typing import Any

from .errors import UserError, nearest, shortened
from .kinds import check_kind

VERSION = 1
"""Of a run's files."""
CONFIG_FILE, CHECKPOINT_FILE = "config.json", "checkpoint.safetensors"
TRAINING_FILE = "training.safetensors"
METRICS_FILE, CURVES_FILE, WIDTHS_FILE = "metrics.json", "curves.png", "widths.png"
PAGE_FILE = "report.html"
PROGRAM_FOLDER = "program"
LARGEST = 1 << 20
MOST_LAYERS = 64


@dataclass(frozen=True)
class Config:
    """Everything that decides a training run; equal configs train equal weights.

    Attributes:
        task: what is learned, a name that `load_task` knows.
        task_options: what it is told besides.
        cell: the family.
        hidden: units of a layer.
        layers: one above the other, each on what the one below hands on.
        block, weight_bits, cell_options: handed to the family's layer where they are not None.
        epochs: passes over the training split.
        batch: sequences, or streams of text, per step.
        rate: the optimizer's largest rate, reached after a short warm-up and lowered as half a
            cosine.
        decay: by which the rate is multiplied after every epoch instead, from its largest on.
        smoothing: of the labels, 0 to below 1.
        clip: largest norm of a gradient, 0 for any.
        patience: epochs without a better validation score after which to stop, 0 for never.
        refit: train on the validation split too, and keep the last epoch.
        temperature: at the end, multiply the kept answers by the power of two that gives the least
            validation loss (Guo et al., ICML 2017, arXiv 1706.04599); no answer changes.
        threads: of torch; another number may change the last bits.
        seed: of the weights, the signs and the order of the batches.
    """

    task: str
    cell: str = "hadamrnn"
    hidden: int = 256
    layers: int = 1
    block: int | None = None
    weight_bits: int | None = None
    epochs: int = 60
    batch: int = 64
    rate: float = 0.01
    decay: float | None = None
    smoothing: float = 0.0
    clip: float = 0.0
    patience: int = 0
    refit: bool = False
    temperature: bool = False
    threads: int = 1
    seed: int = 0
    task_options: dict[str, Any] = field(default_factory=dict)
    cell_options: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, hint in typing.get_type_hints(Config).items():
            check_kind(f"config: {name}", getattr(self, name), hint)
        for name in ("hidden", "layers", "epochs", "batch", "threads"):
            most = MOST_LAYERS if name == "layers" else LARGEST
            if not 1 <= getattr(self, name) <= most:
                raise UserError(f"config: {name} must lie in 1..{most}, got {getattr(self, name)}")
        if not 0 < self.rate <= LARGEST:
            raise UserError(f"config: rate must lie in 0..{LARGEST} (0 excluded), got {self.rate}")
        if not 0 <= self.smoothing < 1:
            raise UserError(
                f"config: smoothing must lie in 0..1 (1 excluded), got {self.smoothing}"
            )
        if self.decay is not None and not 0 < self.decay <= 1:
            raise UserError(f"config: decay must lie in 0..1 (0 excluded), got {self.decay}")
        for name in ("clip", "patience"):
            if not 0 <= getattr(self, name) <= LARGEST:
                raise UserError(
                    f"config: {name} must lie in 0..{LARGEST}, got {getattr(self, name)}"
                )
        if not 0 <= self.seed < 1 << 31:
            raise UserError(f"config: seed must lie in 0..2**31 - 1, got {self.seed}")

    def tree(self) -> dict[str, Any]:
        """As JSON data."""
        return {"version": VERSION} | dataclasses.asdict(self)

    @classmethod
    def from_tree(cls, tree: Any, where: object) -> "Config":
        """The config of JSON data that `tree` wrote. Raises UserError naming `where`."""
        if not isinstance(tree, dict) or "version" not in tree:
            raise UserError(f"{where} is no config of a training run")
        given = dict(tree)
        version = given.pop("version")
        if version != VERSION:
            raise UserError(
                f"{where} has version {shortened(repr(version))}, this Sylvan reads version "
                f"{VERSION}"
            )
        names = [f.name for f in dataclasses.fields(cls)]
        for name in given:
            if name not in names:
                raise UserError(
                    f"{where} has an unknown entry {shortened(repr(name))}{nearest(name, names)}"
                )
        if "task" not in given:
            raise UserError(f"{where} names no task")
        try:
            return cls(**given)
        except UserError as error:
            raise UserError(f"{where}: {shortened(str(error))}") from None
