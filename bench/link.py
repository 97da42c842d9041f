"""How many timesteps per second the host's software moves, no board and no line: docs/host.md.

A program of one 5-bit input and four 8-bit outputs that answers every timestep: a byte in, four
out. The board is another process that answers whatever comes, behind a pseudo-terminal. Bar:
20,000, what 3 Mbaud carry. Golden's rate is that of `--check` on a program of the gallery.
"""

import argparse
import os
import subprocess
import sys
import time
import tty
from pathlib import Path
from statistics import median

import numpy as np
from marks import put_between
from sylvan.boards.link.client import Link
from sylvan.boards.link.frames import NUMBERS, Decoder, Frame, Kind
from sylvan.boards.link.vectors import Identity
from sylvan.model.builder import Builder
from sylvan.model.interpret import Machine
from sylvan.model.matrices import Dense
from sylvan.model.numbers import Format
from sylvan.model.program import NumericInput, Program
from sylvan.model.storage import load

ROOT = Path(__file__).parent.parent
PAGE, MARKS = ROOT / "docs" / "host.md", ("<!-- rates: begin -->", "<!-- rates: end -->")
CHECKED = "digits"
"""In the gallery: 256 units, 64 timesteps a sequence."""
ROUNDS = 5
WINDOW = 64
BAUD = 3_000_000


def network() -> Program:
    """Its answers are 0, whatever comes."""
    b = Builder(NumericInput(1, Format(0, 16), (1.0,), (0.0,)))
    state = b.state("h", 4, Format.signed_bits(8))
    new = b.narrow(b.matvec(Dense(np.zeros((4, 1), np.int64)), b.input), state.format)
    b.write(state, new)
    b.layer("zeros", new)
    return b.program(b.input, "every")


def answer(identity: Identity) -> None:
    """The other process: frames that are ready before they are asked for."""
    payload = bytes(identity.answer_bytes)
    flags, ready = ((False, False), (True, False), (False, True)), []
    for k in range(NUMBERS):
        told = k, (k + 1) % NUMBERS, 0, (k + 1 + WINDOW) % NUMBERS
        ready.append([Frame(Kind.ANSWER, *told, *some, payload).encode() for some in flags])
    decoder, number = Decoder(), 0
    while True:
        out = []
        for frame in decoder.feed(os.read(0, 1 << 16)):
            if frame.kind is Kind.OPEN:
                number, who = 0, identity.encode()
                opened = Frame(Kind.IDENTITY, frame.number, 0, frame.context, WINDOW, payload=who)
                out.append(opened.encode())
            elif frame.kind is Kind.STEP:
                out.append(ready[number % NUMBERS][frame.first + 2 * frame.last])
                number += 1
        os.write(0, b"".join(out))


def measured(program: Program, count: int) -> tuple[float, float]:
    """Timesteps per second, and per second of processor time."""
    theirs, ours = os.openpty()
    tty.setraw(ours)
    child = subprocess.Popen([sys.executable, __file__, "--child"], stdin=theirs)
    inputs = np.random.default_rng(0).integers(0, 17, (count // 1000, 1000, 1))
    try:
        with Link(os.ttyname(ours), program, baud=BAUD) as link:
            began, busy = time.perf_counter(), time.process_time()
            link.run(inputs)
            return (
                inputs.size / (time.perf_counter() - began),
                inputs.size / (time.process_time() - busy),
            )
    finally:
        child.kill()
        child.wait()


def golden() -> float:
    """Timesteps per second that golden computes one by one."""
    machine = Machine(load(ROOT / "gallery" / CHECKED))
    source = machine.program.input.value
    count = 2_000
    raw = np.random.default_rng(0).integers(0, source.format.hi + 1, (count, source.size, 1))
    began = time.perf_counter()
    for column in raw:
        machine.step(column)
    return count / (time.perf_counter() - began)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--timesteps", type=int, default=40_000, help="how many to time (40000)")
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    program = network()
    identity = Identity.of(program)
    if arguments.child:
        answer(identity)
    rounds = [measured(program, arguments.timesteps) for _ in range(ROUNDS)]
    rates = {
        f"a line of {BAUD / 1e6:g} Mbaud carries": identity.highest_rate(BAUD),
        "the host's software, beside a board that is another process": median(r for r, _ in rounds),
        "the same per second of processor time": median(r for _, r in rounds),
        f"golden on `gallery/{CHECKED}`, timestep by timestep, for `--check`": golden(),
    }
    rows = [f"| {what} | {rate:,.0f} |" for what, rate in rates.items()]
    put_between(PAGE, MARKS, "\n".join(["| timesteps per second | |", "|---|---:|", *rows]))
    print("\n".join(rows))


if __name__ == "__main__":
    main()
