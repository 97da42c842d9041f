"""What few bits do to an orthogonal matrix, and to networks whose loop is one.

`matrix` prints how far quantized matrices are from orthogonal, and what is left of a state after
many steps: by the grid of the largest entry, by a power of two as alpha, and by the layer's own
rule. `copy` and `digits` train small networks of every kind, and quantize those of full precision
after training. One seed, short runs: they compare, they do not compete.
"""

import argparse
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from sylvan.model.cells.qornn.layer import QORNN, integer_parameters
from sylvan.model.cells.qornn.step import ACTIVATIONS, program
from sylvan.model.checkpoint import load_checkpoint, sides
from sylvan.model.config import Config
from sylvan.model.evaluate import evaluate
from sylvan.model.orthogonal import defect, haar, henaff
from sylvan.model.quantize import orthogonal_integers
from sylvan.model.scoring import evaluate_float
from sylvan.model.tasks import Task, load_task
from sylvan.model.train import train

UNITS, STATE_BITS, SEED = 128, 12, 0
BITS = (3, 4, 6, 8)
COPY = {"length": 100, "train": 6400, "validation": 100, "test": 500}


def by_largest(w: torch.Tensor, bits: int) -> torch.Tensor:
    """`alpha = max|w| / 2**(bits-1)`, the rule of U and V."""
    top = 2 ** (bits - 1)
    return (w * top / w.abs().max()).round().clamp(-top, top - 1) * w.abs().max() / top


def by_power_of_two(w: torch.Tensor, bits: int) -> torch.Tensor:
    """The closest of the grids whose alpha is a power of two."""
    top = 2 ** (bits - 1) - 1
    grids = [2.0**e * (w * 2.0**-e).round().clamp(-top, top) for e in range(-20, 1)]
    return min(grids, key=lambda found: (found - w).norm().item())


def by_layer(w: torch.Tensor, bits: int, horizon: int = 1) -> torch.Tensor:
    """What the layer does."""
    q, alpha = orthogonal_integers(w, bits, horizon)
    return q * alpha


def by_horizon(w: torch.Tensor, bits: int) -> torch.Tensor:
    """The same, for long sequences."""
    return by_layer(w, bits, 1024)


def matrices() -> None:
    torch.set_num_threads(1)
    random = torch.Generator().manual_seed(SEED)
    rules = {"largest entry": by_largest, "power of two": by_power_of_two}
    rules |= {"ours": by_layer, "horizon 1024": by_horizon}
    print(f"{UNITS} units: norm of W W^T - I; what is left of a state after 100 and 784 steps")
    print("| start | bits | " + " | ".join(rules) + " |\n" + "|---" * (2 + len(rules)) + "|")
    for start in (haar, henaff):
        w = start(UNITS, random).double()
        for bits in (2, *BITS):
            row = []
            for rule in rules.values():
                found = rule(w, bits)
                x = torch.randn(UNITS, 50, generator=random, dtype=torch.float64)
                left, before = [], x.norm()
                for step in range(784):
                    x = found @ x
                    if step + 1 in (100, 784):
                        left.append((x.norm() / before).item())
                norm = torch.linalg.matrix_norm(defect(found), 2).item()
                row.append(", ".join([f"{norm:.2f}", *(f"{part:.2g}" for part in left)]))
            print(f"| {start.__name__} | {bits} | " + " | ".join(row) + " |")


def configs(name: str) -> Iterator[Config]:
    """A config for each kind of network, of full precision last."""
    for strategy in ("projunn", "bjorck"):
        for activation in ACTIVATIONS:
            for bits in (*BITS, None):
                options: dict[str, Any] = {"strategy": strategy, "activation": activation}
                if name == "digits":
                    yield Config("digits", "qornn", 64, None, bits, 20, cell_options=options)
                elif bits in (4, None) or (strategy, activation) == ("projunn", "linear"):
                    rate = 0.01 if activation == "linear" else 0.003
                    yield Config(
                        "copy", "qornn", UNITS, None, bits, 4, rate=rate, task_options=COPY,
                        cell_options=options,
                    )  # fmt: skip


def scores(layer: QORNN, task: Task) -> str:
    """Test scores of the layer and, where it has any, of its integers."""
    layer.eval()
    floating = f"{evaluate_float(layer, task, task.test).score:.1f}"
    if not (layer.weight_bits or layer.ptq_bits):
        return floating
    parameters = integer_parameters(layer, task.input, task.train.inputs, STATE_BITS)
    return f"{floating} / {evaluate(program(parameters), task, task.test).score:.1f}"


def runs(name: str) -> None:
    """A row for each strategy and activation: float / integer scores, quantized after training
    last; and the mean seconds of a training run."""
    late = [f"{bits} after" for bits in BITS]
    columns = ["strategy", "phi", *map(str, BITS), "full", *late, "s"]
    print("| " + " | ".join(columns) + " |\n" + "|---" * len(columns) + "|")
    row: dict[str, str] = {}
    seconds: list[float] = []
    for config in configs(name):
        task = load_task(config.task, **config.task_options)
        with tempfile.TemporaryDirectory() as folder:
            seconds.append(train(config, Path(folder))["seconds_training"])
            layer, _ = load_checkpoint(Path(folder))
        assert isinstance(layer, QORNN)
        row[str(config.weight_bits or "full")] = scores(layer, task)
        if config.weight_bits is None:
            for bits in BITS:
                options = config.cell_options | sides(task) | {"ptq_bits": bits}
                quantized = QORNN(hidden=config.hidden, **options)
                quantized.load_state_dict(layer.state_dict())
                row[f"{bits} after"] = scores(quantized, task)
            row |= config.cell_options | {"phi": layer.activation}
            row["s"] = f"{sum(seconds) / len(seconds):.0f}"
            print("| " + " | ".join(row.get(column, "") for column in columns) + " |", flush=True)
            row, seconds = {}, []


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=("matrix", "copy", "digits"))
    what = parser.parse_args().what
    matrices() if what == "matrix" else runs(what)


if __name__ == "__main__":
    main()
