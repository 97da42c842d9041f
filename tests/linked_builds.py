# amaranth: UnusedElaboratable=no
"""Build directories with a link, of programs that are small and forget nothing."""

from pathlib import Path
from typing import Any

import numpy as np
from sylvan.boards.link.described import write_link
from sylvan.boards.link.plan import LinkPlan
from sylvan.hw.build import write_sources
from sylvan.hw.plan import Plan
from sylvan.hw.schedule import Schedule
from sylvan.model.builder import Builder
from sylvan.model.matrices import Dense, Hadamard
from sylvan.model.numbers import Format
from sylvan.model.program import NumericInput, Program, Read, SymbolInput

CLOCK_HZ, BAUD = 12e6, 3_000_000


def remembering(size: int, read: Read, symbols: int = 0, layers: int = 1) -> Program:
    """The state is turned and never forgets, and all of it is the answer."""
    real = (1.0,) * size
    source = NumericInput(size, Format.signed_bits(5), real, (0.0,) * size)
    b = Builder(SymbolInput(symbols) if symbols else source)
    rng = np.random.default_rng(size)
    for k in range(layers):
        h = b.state("h", 4, Format.signed_bits(9))
        turned = b.exponent(-1, b.matvec(Hadamard(4, [1, -1, 1, 1]), h))
        if symbols and not k:
            entering = b.lookup(rng.integers(-9, 9, (1, symbols, 4)), 0, b.input)
        else:
            entering = b.matvec(Dense(rng.integers(-2, 3, (4, b.input.size))), b.input)
        new = b.narrow(b.add(turned, entering), h.format)
        b.write(h, new)
        b.layer(f"turning{k}", new)
    return b.program(b.exponent(0, b.input), read)


def write_linked_build(
    folder: Path, program: Program | None = None, baud: int = BAUD, **schedule: Any
) -> Path:
    """Of `remembering(1, "every")` by default."""
    plan = Plan(program or remembering(1, "every"), Schedule(**{"lanes": 2, **schedule}))
    write_sources(plan, folder)
    write_link(LinkPlan(plan, CLOCK_HZ, baud), folder)
    return folder
