"""A build directory around the hand-written core of accumulator.v, and its golden model."""

import json
from pathlib import Path
from typing import Any

import numpy as np
from sylvan.sim.stimulus import Timesteps

TRANSFERS_IN, WORK, TRANSFERS_OUT = 2, 5, 3


def accumulate(steps: Timesteps, read: str) -> list[tuple[int, np.ndarray[Any, Any]]]:
    """What accumulator.v computes, from its comment."""
    state = np.zeros(3, np.int64)
    answers = []
    for t, (x, first, last) in enumerate(zip(steps.values, steps.first, steps.last, strict=True)):
        state = (0 if first else 3) * state + x
        state = (state + 128) % 256 - 128
        if last or read == "every":
            answers.append((t, state))
    return answers


def accumulator(
    folder: Path,
    fault: str | None = None,
    read: str = "last",
    sha256: str = "0" * 64,
    **promises: int,
) -> Path:
    """A build directory around accumulator.v with one fault, and a plan with these promises."""
    folder.mkdir()
    defines = {"WORK": WORK, "EVERY": int(read == "every")}
    lines = [f"`define {name} {value}\n" for name, value in defines.items()]
    if fault is not None:
        lines.append(f"`define FAULT_{fault}\n")
    core = Path(__file__).with_name("accumulator.v").read_text()
    (folder / "core.v").write_text("".join(lines) + core)
    ports = {
        "module": "core",
        "program_sha256": sha256,
        "input": {
            "kind": "numeric",
            "elements": 3,
            "elements_per_transfer": 2,
            "transfers": TRANSFERS_IN,
            "element_bits": 4,
            "signed": True,
            "format": [-8, 7, 0],
        },
        "output": {
            "name": "logits",
            "elements": 3,
            "elements_per_transfer": 1,
            "transfers": TRANSFERS_OUT,
            "element_bits": 8,
            "signed": True,
            "format": [-128, 127, 0],
        },
        "read": read,
        "period": 1,
        "contexts": 1,
    }
    ordinary, closing = TRANSFERS_IN + WORK, TRANSFERS_IN + WORK + TRANSFERS_OUT
    cycles = {
        "cycles_per_step": closing if read == "every" else ordinary,
        "closing_cycles": closing,
        "latency_cycles": WORK + 1,
    }
    (folder / "ports.json").write_text(json.dumps(ports))
    (folder / "plan.json").write_text(json.dumps({"cycles": cycles | promises, "room": 1}))
    return folder
