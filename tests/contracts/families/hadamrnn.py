"""HadamRNN: every mixture of size, input, bias, answer and state width, from random integers.

A family's table holds PAPER, what its README cites; CASES, parameters by name; CI, the names of
those that CI simulates, the first on three schedules; UNBUILT (if any), more cases by name, which
have no hardware yet; REFUSED, what must not be built, and why;
and `fake_quantized`, the integer network a second time, in float64 torch.
"""

from dataclasses import replace
from itertools import product

import numpy as np
import numpy.typing as npt
import torch
from contracts.fake import add, exact, largest, narrow
from sylvan.model.arrays import Array, Constant
from sylvan.model.cells.hadamrnn.step import HadamParameters
from sylvan.model.numbers import Format
from sylvan.model.program import READS, NumericInput, Read, SymbolInput
from torch import Tensor

PAPER = "2502.00047"
SIZES = ((1, 1), (20, 4), (8, 8), (32, 32), (48, 16))
"""(hidden, block): 8 and 32 are 2 * 4**j, so those have two phases."""
INPUTS = {"one": 1, "three": 3, "symbols": 0, "embedded": 2}
BIASES = ("relu", "loop", "none")
OUTPUTS = 5


def parameters(
    hidden: int,
    block: int,
    input: str,
    bias: str,
    read: Read,
    argmax: bool,
    state_bits: int,
    tied: bool = False,
) -> HadamParameters:
    """Random integers where training would put its own."""
    reads = 0 if isinstance(read, str) else len(read)
    tables = 0 if tied else reads
    rng = np.random.default_rng(hidden * state_bits + len(input + bias))
    period = 1 + (block.bit_length() - 1) % 2
    state = Format.signed_bits(state_bits, 3 - state_bits)
    fine = state.exp - block.bit_length() // 2
    size = INPUTS[input]
    numeric, embedding = None, None
    if input == "embedded":
        embedding = rng.integers(-90, 91, (4, size))
    elif size:
        numeric = NumericInput(size, Format(-100, 120, -6), (1.0,) * size, (0.0,) * size)
    vector = Format(-90, 90) if numeric is None else numeric.format
    phased = size > 0 and period == 2
    weights = rng.integers(-7, 8, (1, hidden, size))
    if not size:
        weights = rng.integers(-50, 51, (period, hidden, 4))

    def constant(count: int, exp: int, rows: int = period) -> Constant:
        top = max(1, round(2.0**-exp))
        return Constant(rng.integers(-top, top + 1, (rows, count)), exp)

    return HadamParameters(
        input=numeric or SymbolInput(4),
        block=block,
        signs=rng.choice([-1, 1], hidden),
        input_weights=weights,
        input_exp=fine if not size else -3 if numeric else -8,
        input_factors=Constant(np.array([[46341], [65536]]), -16) if phased else None,
        scaled_input=vector.aligned(min(fine, vector.exp)) if phased else None,
        state=state,
        bias=constant(hidden, fine) if bias == "loop" else None,
        threshold=constant(hidden, state.exp, 1 if tied else reads or period)
        if bias == "relu"
        else None,
        output_weights=rng.integers(-7, 8, (*((tables,) if tables else ()), OUTPUTS, hidden)),
        output_exp=0,
        output_bias=constant(OUTPUTS, state.exp, 1 if reads else period),
        output_unit=0.25,
        state_unit=0.5,
        read=read,
        argmax=argmax,
        embedding=embedding,
    )


MIXTURES = list(product(SIZES, INPUTS, BIASES, READS, (False, True)))
CASES: dict[str, HadamParameters] = {
    f"{size[0]}of{size[1]}-{input}-{bias}-{read}-{'argmax' if argmax else 'logits'}-{bits}bits": (
        parameters(*size, input, bias, read, argmax, bits)
    )
    for number, (size, input, bias, read, argmax) in enumerate(MIXTURES)
    for bits in (6 + number % 7,)
}
TIMESTEPS = ((0, 3, 8), (2, 7), (5,))
"""Reads of both phases, and one alone; the contract's sequences have 9 timesteps."""
UNBUILT: dict[str, HadamParameters] = {
    f"{size[0]}of{size[1]}-{input}-{bias}-at{'_'.join(map(str, read))}-{argmax}": (
        parameters(*size, input, bias, read, argmax, 6 + number % 7)
    )
    for number, (size, input, bias, read, argmax) in enumerate(
        product(SIZES, INPUTS, BIASES, TIMESTEPS, (False, True))
    )
}
UNBUILT |= {
    f"{size[0]}of{size[1]}-{input}-{bias}-tied-{argmax}": (
        parameters(*size, input, bias, (2, 4, 8), argmax, 7 + number % 5, tied=True)
    )
    for number, (size, input, bias, argmax) in enumerate(
        product(SIZES, INPUTS, BIASES, (False, True))
    )
}
CI = [
    "20of4-three-relu-last-logits-12bits",
    "1of1-one-loop-every-logits-10bits",
    "20of4-symbols-loop-last-argmax-8bits",
    "8of8-three-loop-every-logits-6bits",
    "32of32-one-relu-last-logits-12bits",
    "32of32-symbols-none-every-argmax-8bits",
    "32of32-embedded-relu-last-logits-6bits",
    "48of16-three-relu-last-argmax-10bits",
]
LISTED = UNBUILT["8of8-three-relu-at0_3_8-False"]
TIED = UNBUILT["8of8-three-relu-tied-False"]
PHASED = CASES["8of8-three-loop-every-logits-6bits"]
REFUSED = [
    (lambda: replace(PHASED, block=3), "block must be a power of two, got 3"),
    (lambda: replace(PHASED, block=16), "8 signs are no multiple of the block 16"),
    (
        lambda: replace(PHASED, input_factors=None),
        "blocks of 8 have two phases: numeric input needs input_factors and scaled_input",
    ),
    (
        lambda: replace(PHASED, input=SymbolInput(4)),
        r"input_weights must have shape \(2, 8, 4\), got \(1, 8, 3\)",
    ),
    (
        lambda: replace(PHASED, bias=Constant(np.zeros((1, 8), np.int64), 0)),
        r"bias must have shape \(2, 8\), got \(1, 8\)",
    ),
    (
        lambda: replace(LISTED, read=(0, 3)),
        r"output_weights must have shape \(2, 5, 8\), got \(3, 5, 8\)",
    ),
    (
        lambda: replace(LISTED, threshold=Constant(np.zeros((2, 8), np.int64), 0)),
        r"threshold must have shape \(3, 8\), got \(2, 8\)",
    ),
    (
        lambda: replace(TIED, read=(2, 5)),
        r"reads that share V' must be of one phase, got \(2, 5\)",
    ),
    (
        lambda: replace(TIED, threshold=Constant(np.zeros((3, 8), np.int64), 0)),
        r"threshold must have shape \(1, 8\), got \(3, 8\)",
    ),
    (
        lambda: replace(LISTED, output_bias=Constant(np.zeros((2, 5), np.int64), 0)),
        r"output_bias must have shape \(1, 5\), got \(2, 5\)",
    ),
]


def fake_quantized(parameters: HadamParameters, raw_inputs: npt.ArrayLike) -> Array:
    """The network in raw units, written from the README's equations alone.

    Returns int64 raw answers, (batch, d_out), (batch, T, d_out) or (batch, reads, d_out) as the
    network reads.
    """
    p = parameters
    raw = torch.as_tensor(np.asarray(raw_inputs, np.int64))
    n, stages = len(p.signs), p.block.bit_length() - 1
    period = 1 + stages % 2
    index = torch.arange(p.block)
    parity = sum((index[:, None] & index) >> i & 1 for i in range(max(stages, 1)))
    hadamard = exact(1 - 2 * (parity % 2))
    signs, v = exact(p.signs), exact(p.output_weights)
    # sqrt(2) is left over once in two steps where the block has an odd number of stages.
    shifts = [stages // 2] if period == 1 else [stages // 2 + 1, stages // 2]

    def biased(a: Tensor, a_exp: int, c: Constant | None, phase: int) -> tuple[Tensor, int]:
        return (a, a_exp) if c is None else add(a, a_exp, exact(c.raw[phase % len(c.raw)]), c.exp)

    def inject(x: Tensor, phase: int) -> tuple[Tensor, int]:
        u = exact(p.input_weights[phase % len(p.input_weights)])
        if p.embedding is not None:
            number, exp = exact(p.embedding)[x], 0
        elif isinstance(p.input, SymbolInput):
            return u.T[x], p.input_exp
        else:
            number, exp = exact(x), p.input.format.exp
        if p.input_factors is not None and p.scaled_input is not None:
            number = exact(number * exact(p.input_factors.raw[phase]))
            number = narrow(number, exp + p.input_factors.exp, p.scaled_input)
            exp = p.scaled_input.exp
        return exact(number @ u.T), exp + p.input_exp

    def answer(s: Tensor, phase: int) -> Tensor:
        shifted, exp = biased(s, p.state.exp, p.threshold, phase)
        product = exact(shifted.clamp(min=0) @ v.T)
        logits, _ = biased(product, exp + p.output_exp, p.output_bias, phase)
        return largest(logits) if p.argmax else logits

    def added(sums: Tensor, s: Tensor, read: int) -> Tensor:
        """One more read: the exact sum, which fits whatever holds all that it can be."""
        shifted, exp = biased(s, p.state.exp, p.threshold, read)
        product = exact(shifted.clamp(min=0) @ (v if v.ndim == 2 else v[read]).T)
        both, at = add(sums, sums_exp, product, exp + p.output_exp)
        assert at == sums_exp
        return both

    timesteps = () if isinstance(p.read, str) else p.read
    sums_exp = min(p.output_bias.exp, p.state.exp + p.output_exp)
    sums = exact(p.output_bias.raw[0] << (p.output_bias.exp - sums_exp)).expand(len(raw), -1)
    s, answers = torch.zeros(len(raw), n, dtype=torch.float64), []
    for t in range(raw.shape[1]):
        phase = t % period
        rotated = exact(s.reshape(len(raw), -1, p.block) @ hadamard).reshape(-1, n) * signs
        injected, injected_exp = inject(raw[:, t], phase)
        total, exp = add(rotated, p.state.exp - shifts[phase], injected, injected_exp)
        total, exp = biased(total, exp, p.bias, phase)
        s = narrow(total, exp, p.state)
        if t in timesteps:
            sums = added(sums, s, timesteps.index(t))
            answers.append((largest(sums) if p.argmax else sums).numpy().astype(np.int64))
        elif p.read == "every" or (p.read == "last" and t == raw.shape[1] - 1):
            answers.append(answer(s, phase).numpy().astype(np.int64))
    return answers[0] if p.read == "last" else np.stack(answers, 1)
