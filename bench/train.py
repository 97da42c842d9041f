"""How fast training is: whole iterations by the fast forms against a dense loop, in one run.

An iteration is forward, cross-entropy over all answers, backward, Adam, with random data, fixed
signs, 4-bit U and V. The dense loop is what the equation says and the paper's authors' code does,
`h = h W' + z_t`, a d x d product per timestep through autograd; what it injects and reads is
computed for all timesteps at once, and fixed signs spare it the gradient of W, both to its favour.
Each side runs with the best of 1 and all threads of torch (the compiled loops take all cores in any
case), and the two sides take turns. Bars on two cores: 50 times the loop's speed for permuted
MNIST's shape, 10 times for the copy task's.
"""

import argparse
import json
import os
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from sylvan.model.answers import answers
from sylvan.model.interpret import cores
from sylvan.model.kernels import last_state
from sylvan.model.loss import cross_entropy
from sylvan.model.quantize import symmetric
from sylvan.model.recurrence import inject, plain_walk, read_out
from torch import Tensor, nn
from torch.nn import functional

WEIGHT_BITS = 4


@dataclass(frozen=True)
class Shape:
    """A network and its batch; `bar`: how many times the dense loop's speed is asked for."""

    name: str
    length: int
    inputs: int
    hidden: int
    outputs: int
    batch: int
    symbols: bool
    bar: int


SHAPES = (
    Shape("permuted MNIST", 784, 1, 512, 10, 100, False, 50),
    Shape("copy, T = 1000", 1000, 10, 128, 9, 128, True, 10),
)


class Network(nn.Module):
    """One block, read at the last step (numbers) or at every step (symbols)."""

    def __init__(self, shape: Shape, fast: bool) -> None:
        super().__init__()
        random = torch.Generator().manual_seed(0)
        n = shape.hidden
        self.fast, self.symbols = fast, shape.symbols
        self.register_buffer("signs", torch.randint(0, 2, (n,), generator=random) * 2.0 - 1)
        self.u = nn.Parameter(torch.randn(n, shape.inputs, generator=random) / n**0.5)
        self.v = nn.Parameter(torch.randn(shape.outputs, n, generator=random) / n**0.5)
        self.g = nn.Parameter(torch.zeros(n))
        self.c = nn.Parameter(torch.zeros(shape.outputs))

    def forward(self, x: Tensor) -> Tensor:
        signs, n = self.get_buffer("signs"), len(self.g)
        u, v = symmetric(self.u, WEIGHT_BITS), symmetric(self.v, WEIGHT_BITS)
        if self.fast and self.symbols:
            return answers(x, u, signs, n, g=self.g, v=v, c=self.c)
        if self.fast:
            return read_out(last_state(x, u, signs, n), self.g, v, self.c)
        states = plain_walk(inject(x, u), signs, n, x.new_zeros(len(x), n, dtype=u.dtype))
        return read_out(states if self.symbols else states[:, -1], self.g, v, self.c)


def trainer(shape: Shape, fast: bool, threads: int) -> Callable[[], float]:
    """One training iteration, which returns its loss."""
    random = torch.Generator().manual_seed(1)
    if shape.symbols:
        x = torch.randint(0, shape.inputs, (shape.batch, shape.length), generator=random)
        targets = torch.randint(0, shape.outputs, x.shape, generator=random)
    else:
        x = torch.rand(shape.batch, shape.length, shape.inputs, generator=random)
        targets = torch.randint(0, shape.outputs, (shape.batch,), generator=random)
    network = Network(shape, fast)
    optimizer = torch.optim.Adam(network.parameters())

    def iterate() -> float:
        torch.set_num_threads(threads)
        logits = network(x)
        if fast:
            loss = cross_entropy(logits, targets)
        else:
            loss = functional.cross_entropy(logits.flatten(0, -2), targets.flatten())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss.item()

    return iterate


def seconds(iterate: Callable[[], float], times: int = 1) -> tuple[float, float]:
    """Of an iteration: by the clock, and of all cores together, which a busy machine bends less."""
    clock, cpu = time.perf_counter(), time.process_time()
    for _ in range(times):
        iterate()
    return (time.perf_counter() - clock) / times, (time.process_time() - cpu) / times


def measured(shape: Shape, rounds: int) -> dict[str, object]:
    """Medians over `rounds`, in each of which every setting of both sides has its turn."""
    settings = [(fast, threads) for fast in (True, False) for threads in sorted({1, cores()})]
    runs = {setting: trainer(shape, *setting) for setting in settings}
    losses = {setting: round(iterate(), 3) for setting, iterate in runs.items()}
    assert len(set(losses.values())) == 1, f"the two sides differ: {losses}"
    times = {setting: [seconds(run)] for setting, run in runs.items()}
    for _ in range(rounds):
        for setting, run in runs.items():
            times[setting].append(seconds(run, 10 if setting[0] else 1))
    figures: dict[str, object] = {"bar": shape.bar}
    clocks = []
    for side, name in ((True, "fast"), (False, "dense")):
        medians = {
            threads: [statistics.median(column) for column in zip(*taken, strict=True)]
            for (fast, threads), taken in times.items()
            if fast is side
        }
        threads = min(medians, key=lambda threads: medians[threads][0])
        clock, cpu = medians[threads]
        clocks.append(clock)
        figures[f"{name}_ms"] = round(clock * 1e3, 2)
        figures[f"{name}_cpu_ms"] = round(cpu * 1e3, 2)
        figures[f"{name}_torch_threads"] = threads
    return figures | {"ratio": round(clocks[1] / clocks[0], 1)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7, help="how many to take the median of (7)")
    parser.add_argument("--out", type=Path, default=Path(__file__).with_name("train.json"))
    arguments = parser.parse_args()
    figures: dict[str, object] = {"cores": cores(), "weight_bits": WEIGHT_BITS}
    print(
        f"Training iterations on {cores()} cores, medians of {arguments.rounds} rounds", flush=True
    )
    for shape in SHAPES:
        row = figures[shape.name] = measured(shape, arguments.rounds)
        print(
            f"{shape.name:<16} fast {row['fast_ms']:>7} ms   dense loop {row['dense_ms']:>8} ms   "
            f"{row['ratio']} times (bar: {shape.bar}); of all cores together "
            f"{row['fast_cpu_ms']} and {row['dense_cpu_ms']} ms",
            flush=True,
        )
    writing = arguments.out.with_suffix(".writing")
    writing.write_text(json.dumps(figures, indent=1) + "\n")
    os.replace(writing, arguments.out)
    print(f"Written to {arguments.out}")


if __name__ == "__main__":
    main()
