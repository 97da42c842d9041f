"""What a factor 1/sqrt(2) per step costs: phases of the state's unit, or a fixed-point constant.

A block of 512 points leaves 1/sqrt(2) over in `S_512 / sqrt(512)`. Phases make every step an exact
shift; a constant of a few bits multiplies every state at every step, and its own error by itself.
Prints, for 784 steps on random pixels with a 4-bit U: what is left of the first pixel (a power of
the constant's error, no simulation needed), and how far the integer state ends from the exact one:
as amplitude (by projection) and as noise (the rest).
"""

import argparse

import numpy as np
from sylvan.model.matrices import Hadamard

UNITS, SEQUENCES = 512, 20
CONSTANTS = (16, 14, 13, 12)
SYLVESTER = Hadamard(UNITS, np.ones(UNITS, np.int64)).dense().astype(float)


def exact(signs: np.ndarray, u: np.ndarray, x: np.ndarray) -> np.ndarray:
    """States in double precision, in units of U's scale, after each step."""
    h, states = np.zeros((UNITS, x.shape[1])), []
    for pixels in x:
        h = apply(signs, h) / np.sqrt(UNITS) + u[:, None] * pixels
        states.append(h)
    return np.array(states)


def apply(signs: np.ndarray, h: np.ndarray) -> np.ndarray:
    """`diag(u) S_512 h`."""
    return np.asarray(signs[:, None] * (SYLVESTER @ h))


def rounded(bits: int) -> float:
    """1/sqrt(2) with `bits` fraction bits."""
    return float(np.rint(np.sqrt(0.5) * 2**bits) / 2**bits)


def phases(signs: np.ndarray, u: np.ndarray, x: np.ndarray, lsb: float, top: int) -> np.ndarray:
    """Shifts by 5, then by 4; the state's unit is sqrt(2) after the first step, then 1 again."""
    s = np.zeros((UNITS, x.shape[1]))
    for t, pixels in enumerate(x):
        shift, unit = (5, np.sqrt(2)) if t % 2 == 0 else (4, 1.0)
        # The injected constants differ by phase; here they keep 4 bits below the state's.
        injected = np.rint(u[:, None] * pixels / unit / lsb * 16) / 16
        s = np.rint(apply(signs, s) * 2.0**-shift + injected).clip(-top - 1, top)
    return s * lsb * unit


def constant(
    signs: np.ndarray, u: np.ndarray, x: np.ndarray, lsb: float, top: int, bits: int
) -> np.ndarray:
    """Every step multiplies by 1/sqrt(2) rounded to `bits` fraction bits, then shifts by 4."""
    factor = rounded(bits)
    s = np.zeros((UNITS, x.shape[1]))
    for pixels in x:
        injected = np.rint(u[:, None] * pixels / lsb * 16) / 16
        s = np.rint(apply(signs, s) * factor / 16 + injected).clip(-top - 1, top)
    return s * lsb


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=784, help="timesteps (784)")
    parser.add_argument("--seed", type=int, default=0, help="of signs, U and pixels (0)")
    arguments = parser.parse_args()
    rng = np.random.default_rng(arguments.seed)
    signs = rng.choice([-1, 1], UNITS)
    u = rng.integers(-8, 8, UNITS).astype(float)
    # Mostly dark, as handwriting is: one pixel in five is lit.
    lit = rng.random((arguments.steps, SEQUENCES)) < 0.2
    x = lit * rng.integers(0, 256, (arguments.steps, SEQUENCES)) / 256
    wanted = exact(signs, u, x)
    peak, end = np.abs(wanted).max(), wanted[-1]
    print(
        f"{UNITS} units, {arguments.steps} steps, seed {arguments.seed}, largest state {peak:.0f}"
    )
    oldest = {f"{b} bits": (np.sqrt(2) * rounded(b)) ** arguments.steps for b in CONSTANTS}
    print("| state bits | 1/sqrt(2) | first pixel | whole state | noise, % of its rms |")
    print("|---|---|---|---|---|")
    for state_bits in (12, 10, 8):
        top = 2 ** (state_bits - 1) - 1
        lsb = 2.0 ** np.ceil(np.log2(peak / top))
        forms = {"phases": phases(signs, u, x, lsb, top)}
        for bits in CONSTANTS:
            forms[f"{bits} bits"] = constant(signs, u, x, lsb, top, bits)
        for name, got in forms.items():
            amplitude = (got * end).sum() / (end * end).sum()
            noise = np.sqrt(((got - amplitude * end) ** 2).sum() / (end * end).sum())
            first = 1.0 if name == "phases" else oldest[name]
            print(f"| {state_bits} | {name} | {first:.4f} | {amplitude:.4f} | {100 * noise:.1f} |")


if __name__ == "__main__":
    main()
