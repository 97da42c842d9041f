"""How many bits the factors of a folded normalization need, in programs of trained gated cells.

    python bench/factors.py RUN ...

prints, for every run, the error of the integer network's logits against the float layer's on the
test split (root mean square, % of theirs), at 16 bits of state and several widths of the factors.
"""

import sys
from pathlib import Path

import numpy as np
import torch
from sylvan.model import gated
from sylvan.model.export import Trained, load_trained, quantized
from sylvan.model.interpret import run
from sylvan.model.units import real_answers

FACTOR_BITS = (6, 8, 10, 12, 14, 16)
GATE_BITS = (8, 10)
STATE_BITS = 16


def error(trained: Trained) -> float:
    """Root mean square error of the logits, % of theirs."""
    inputs = trained.task.test.inputs
    program = quantized(trained, STATE_BITS)
    got = real_answers(program, run(program, inputs), inputs.shape[1])
    with torch.no_grad():
        wanted = trained.layer.eval()(torch.from_numpy(trained.task.values(inputs))).numpy()
    return float(100 * np.sqrt(np.square(got - wanted).mean() / np.square(wanted).mean()))


def main(folders: list[str]) -> None:
    print("run, gate bits | " + " | ".join(f"{bits} bits" for bits in FACTOR_BITS))
    for folder in folders:
        trained = load_trained(Path(folder))
        assert isinstance(trained.layer, gated.Gated), f"{folder} is no gated cell"
        for trained.layer.gate_bits in GATE_BITS:
            errors = []
            for gated.FACTOR_BITS in FACTOR_BITS:
                errors.append(f"{error(trained):.1f}")
            print(f"{folder}, {trained.layer.gate_bits} | " + " | ".join(errors), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
