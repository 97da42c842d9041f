"""Two wires that whoever is on them may pull down, and the rules of fast mode for what passes."""

from dataclasses import dataclass, field
from typing import Any, Protocol

LEAST = {
    "clock low": 1.3e-6,
    "clock high": 0.6e-6,
    "start after clock": 0.6e-6,
    "clock after start": 0.6e-6,
    "stop after clock": 0.6e-6,
    "start after stop": 1.3e-6,
    "clock after data": 0.1e-6,
}
"""Seconds (UM10204, table 10)."""


class Target(Protocol):
    """What is on the bus besides the controller."""

    present: bool
    pulls_sda: bool

    def lines(self, scl: bool, sda: bool) -> None: ...


@dataclass
class Wires:
    """The levels of both lines, and whether their changes came as close as fast mode allows."""

    targets: list[Target]
    holds_scl: bool = False
    holds_sda: bool = False
    scl: bool = True
    sda: bool = True
    changes: list[tuple[float, str]] = field(default_factory=list)

    def settle(self, now: float, scl_low: bool, sda_low: bool) -> tuple[bool, bool]:
        """The levels, when the controller pulls like this and all targets have had their say."""
        for _ in range(3):
            pulled = any(target.present and target.pulls_sda for target in self.targets)
            scl = not (scl_low or self.holds_scl)
            sda = not (sda_low or self.holds_sda or pulled)
            if (scl, sda) == (self.scl, self.sda):
                break
            self._note(now, scl, sda)
            self.scl, self.sda = scl, sda
            for target in self.targets:
                target.lines(scl, sda)
        return self.scl, self.sda

    def _note(self, now: float, scl: bool, sda: bool) -> None:
        if sda != self.sda:
            start_or_stop = "stop" if sda else "start"
            self.changes.append((now, start_or_stop if self.scl and scl else "data"))
        if scl != self.scl:
            self.changes.append((now, "rise" if scl else "fall"))

    def faults(self) -> list[str]:
        """Every change that came sooner than fast mode allows after another."""
        last: dict[str, float] = {}
        found = []
        for now, what in self.changes:
            for after, name in {
                "rise": [("fall", "clock low"), ("data", "clock after data")],
                "fall": [("rise", "clock high"), ("start", "clock after start")],
                "start": [("rise", "start after clock"), ("stop", "start after stop")],
                "stop": [("rise", "stop after clock")],
                "data": [],
            }[what]:
                if after in last and now - last[after] < LEAST[name] - 1e-12:
                    found.append(f"{name}: {now - last[after]:.2e} s at {now:.6f} s")
            last[what] = now
        return found


class ClockedWires:
    """The wires of a component in Amaranth's simulator, looked at before every rising edge."""

    def __init__(self, dut: Any, targets: list[Target], clock: float = 1e-6) -> None:
        self.dut, self.clock, self.cycle = dut, clock, 0
        self.wires = Wires(targets)

    def watch(self, ctx: Any) -> None:
        """Once in each cycle."""
        self.cycle += 1
        pulls = bool(ctx.get(self.dut.scl_low)), bool(ctx.get(self.dut.sda_low))
        before = self.wires.scl, self.wires.sda
        now = self.wires.settle(self.cycle * self.clock, *pulls)
        if now != before:
            ctx.set(self.dut.scl, now[0])
            ctx.set(self.dut.sda, now[1])
