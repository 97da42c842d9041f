"""What an exploration hands to its page, made up: figures that go together as real ones do."""

from collections.abc import Sequence
from itertools import product
from typing import Any

import numpy as np

SPEC = """\
[explore]
task = "digits"          # <b>not bold</b>

[network]
hidden = [32, 64, 128, 256]
weight_bits = [1, 2, 4]

[constraints]
accuracy = ">= 0.9"
steps_per_s = ">= 20000"
"""
OBJECTIVES = {"accuracy": "max", "luts": "min", "steps_per_s": "max"}
PARTS = {"ice40-up5k": (5280, 24e6), "ecp5-25f": (24288, 65e6)}
Tree = dict[str, Any]


def network(
    rng: np.random.Generator, cell: str, hidden: int, bits: int, state: int
) -> tuple[Tree, float]:
    """A network and its accuracy on validation data, as a fraction."""
    said = {"cell": cell, "hidden": hidden, "block": min(hidden, 32), "weight_bits": bits}
    said |= {"state_bits": state, "seed": 0, "lr": 0.01, "phases": None}
    missed = 0.9 / hidden**0.6 + 0.06 / bits + 0.25 / 2 ** (state - 6) + rng.exponential(0.01)
    return said, round(1 - float(missed), 4)


def point(rng: np.random.Generator, made: Tree, accuracy: float, lanes: int, target: str) -> Tree:
    """One schedule of a network on a part, estimated only."""
    hidden, state = made["hidden"], made["state_bits"]
    cycles = 6 + -(-hidden // lanes) * int(np.log2(hidden))
    luts = int(220 + lanes * state * (9 + 2 * made["weight_bits"]) + hidden)
    fmax = PARTS[target][1] / 1e6 * float(rng.uniform(0.9, 1.1))
    estimate = {
        "luts": luts,
        "ffs": luts * 3 // 4,
        "brams": -(-hidden * state // 4096),
        "dsps": 0,
        "fmax_mhz": fmax,
        "cycles_per_step": cycles,
        "closing_cycles": cycles + 10,
        "latency_cycles": cycles + 14,
        "steps_per_s": fmax * 1e6 / cycles,
        "lut_ns_per_step": luts * cycles * 1e3 / fmax,
    }
    figures = {"accuracy": accuracy, "score": 100 * accuracy, "test_score": 100 * accuracy - 0.5}
    run = f"runs/{made['cell']}-{hidden}-{made['weight_bits']}-{state}"
    schedule = {"lanes": lanes, "digit": state, "words": True, "contexts": 1, "levels": 1}
    flags = dict.fromkeys(("turns", "logic_roms", "dsps", "state_port"), False)
    return {
        "network": made,
        "target": target,
        "schedule": schedule | flags,
        "figures": figures | estimate | {"storage_bits": hidden * 24, "state_bits": state},
        "estimate": estimate,
        "measured": None,
        "meets": accuracy >= 0.9 and luts <= PARTS[target][0],
        "front": False,
        "run": run,
        "program": f"{run}/program-{state}",
        "build": None,
    }


def measure(rng: np.random.Generator, made: Tree, number: int) -> None:
    """Place the point: what was estimated turns out a little different."""
    estimate = made["estimate"]
    luts, fmax = int(estimate["luts"] * rng.uniform(0.93, 1.08)), estimate["fmax_mhz"]
    fmax *= float(rng.uniform(0.85, 1.1))
    known = {"luts": luts, "ffs": luts // 2, "brams": estimate["brams"], "dsps": 0}
    made["measured"] = known | {"fmax_mhz": fmax}
    steps = fmax * 1e6 / estimate["cycles_per_step"]
    made["figures"] |= made["measured"] | {
        "steps_per_s": steps,
        "lut_ns_per_step": luts * 1e9 / steps,
    }
    made["build"] = f"builds/{number:04x}"


def mark_front(points: Sequence[Tree]) -> None:
    """Those that meet the constraints and that no other one of the target beats."""
    signs = [1 if sense == "max" else -1 for sense in OBJECTIVES.values()]
    for target in PARTS:
        able = [p for p in points if p["target"] == target and p["meets"]]
        goods = np.array(
            [[s * p["figures"][k] for s, k in zip(signs, OBJECTIVES, strict=True)] for p in able]
        )
        for good, one in zip(goods, able, strict=True):
            one["front"] = not ((goods >= good).all(1) & (goods > good).any(1)).any()


def explored(hiddens: Sequence[int] = (32, 64, 128, 256), placed: int = 6, copies: int = 1) -> Tree:
    """The whole; 8 schedules on two targets for each of 24 networks per hidden size and copy."""
    rng = np.random.default_rng(7)
    points = []
    for _, *said in product(
        range(copies), ("hadamrnn", "lstm"), hiddens, (1, 2, 4), (6, 8, 10, 12)
    ):
        made, accuracy = network(rng, *said)
        for lanes, target in product((1, 2, 4, 8, 16, 32, 64, 128), PARTS):
            points.append(point(rng, made, accuracy, lanes, target))
    mark_front(points)
    front = [p for p in points if p["front"]]
    for number, chosen in enumerate(front[:: max(1, len(front) // max(placed, 1))][:placed]):
        measure(rng, chosen, number)
    lost = {"cell": "lstm", "hidden": 512, "weight_bits": 4, "state_bits": 6, "seed": 0}
    return {
        "title": "explore-digits",
        "spec": SPEC,
        "task": {"name": "digits", "score_name": "accuracy", "unit": "%", "lower_is_better": False},
        "objectives": OBJECTIVES,
        "constraints": {"accuracy": ">= 0.9", "steps_per_s": ">= 20000"},
        "axes": ["cell", "hidden", "block", "weight_bits", "state_bits"],
        "points": points,
        "failures": [
            {
                "network": lost,
                "stage": "train",
                "target": None,
                "reason": "pruned after 3 epochs: <low>",
            },
            {
                "network": lost,
                "stage": "build",
                "target": "ice40-up5k",
                "reason": "nextpnr found no place",
            },
        ],
        "spent": {
            "trained": 24 * len(hiddens) * copies,
            "reused": 4,
            "seconds_training": 345.6,
            "seconds_building": 120.5,
            "planned": len(points),
            "built": placed,
        },
    }
