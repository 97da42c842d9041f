"""How fast the golden model is: sequential MNIST's shape, 784 steps through 512 units.

Times a HadamRNN of one block with a 12-bit state and random weights on random pixels; speed depends
on neither. Bar: 10,000 images in 60 s on two cores.
"""

import argparse
import json
import os
import time
from pathlib import Path

import numpy as np
from sylvan.model.arrays import Constant
from sylvan.model.cells.hadamrnn.step import HadamParameters, program
from sylvan.model.interpret import cores, run
from sylvan.model.numbers import Format
from sylvan.model.program import NumericInput, Program

STEPS, UNITS, CLASSES, STATE_BITS = 784, 512, 10, 12
WHOLE = 10_000


def network(rng: np.random.Generator) -> Program:
    """Two phases, because 512 is no power of four: the input is scaled by 1/sqrt(2), then by 1."""
    return program(
        HadamParameters(
            input=NumericInput(1, Format(0, 255, -8), (1.0,), (0.0,)),
            block=UNITS,
            signs=rng.choice([-1, 1], UNITS),
            input_weights=rng.integers(-8, 8, (1, UNITS, 1)),
            input_exp=-3,
            input_factors=Constant(np.array([[46341], [65536]]), -16),
            scaled_input=Format(0, 1023, -10),
            state=Format.signed_bits(STATE_BITS, -6, symmetric=True),
            bias=Constant(rng.integers(-9, 9, (2, UNITS)), -6),
            threshold=None,
            output_weights=rng.integers(-8, 8, (CLASSES, UNITS)),
            output_exp=-3,
            output_bias=Constant(rng.integers(-99, 99, (2, CLASSES)), -9),
            output_unit=1.0,
            state_unit=1.0,
            read="last",
        )
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=1000, help="how many to time (1000)")
    parser.add_argument("--out", type=Path, default=Path(__file__).with_name("golden.json"))
    arguments = parser.parse_args()
    rng = np.random.default_rng(0)
    net = network(rng)
    pixels = rng.integers(0, 256, (arguments.images, STEPS, 1))
    run(net, pixels[:1, :2])
    print(f"Golden model: {arguments.images} images, {STEPS} steps, {UNITS} units ...", flush=True)
    start = time.perf_counter()
    run(net, pixels)
    seconds = time.perf_counter() - start
    rate = arguments.images / seconds
    figures = {
        "images": arguments.images,
        "steps": STEPS,
        "units": UNITS,
        "state_bits": STATE_BITS,
        "cores": cores(),
        "seconds": round(seconds, 2),
        "images_per_second": round(rate, 1),
        "seconds_for_10000_images": round(WHOLE / rate, 1),
    }
    writing = arguments.out.with_suffix(".writing")
    writing.write_text(json.dumps(figures, indent=1) + "\n")
    os.replace(writing, arguments.out)
    print(f"{rate:.0f} images/s on {cores()} cores: {WHOLE:,} in {WHOLE / rate:.0f} s (bar: 60 s)")
    print(f"Written to {arguments.out}")


if __name__ == "__main__":
    main()
