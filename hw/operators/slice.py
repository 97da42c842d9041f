"""Part of a vector: the same lanes, later, where need be of two beats side by side."""

from amaranth import Module, Value
from sylvan.model.numbers import Format

from ..beats import Pattern, Tag
from .base import Cost, Operator, start_result
from .delay import delay_cost, delayed


class Slice(Operator):
    """`o = a[start : start + size]`.

    Parameters: taken, pattern of the operand; pattern, of the result: beats of as many cycles, on
        the lanes of the operand, or fewer of one beat; start; format.
    Latency: the beats before the first, `start // lanes`, one more where elements that pass
        together come in two, each of `dwell` cycles. Interval: `taken.cycles`.
    Cost: none; where elements come in two beats, registers for those in the first of them.
    Refuses a result of several beats on other lanes, and elements that the operand does not have.
    """

    def __init__(
        self, taken: Pattern, pattern: Pattern, start: int, format: Format, tag: Tag
    ) -> None:
        if not 0 <= start <= taken.size - pattern.size:
            raise ValueError(f"{pattern.size} elements from {start} are not inside {taken.size}")
        if pattern.lanes > taken.lanes or (pattern.beats > 1 and pattern.lanes < taken.lanes):
            raise ValueError(f"{taken.lanes} lanes cannot pass on in beats of {pattern.lanes}")
        self.taken = taken
        beat, self.first = divmod(start, taken.lanes)
        self.crosses = self.first + pattern.lanes > taken.lanes
        self.latency = (beat + self.crosses) * taken.dwell
        self.interval = taken.cycles
        super().__init__({"a": (taken, format)}, (pattern, format), tag)

    @property
    def cost(self) -> Cost:
        held = delay_cost(len(self.a.lanes[0]), self.taken.dwell)
        return sum([held] * ((self.taken.lanes - self.first) * self.crosses), Cost())

    def elaborate(self, platform: object) -> Module:
        m = Module()
        lanes: list[Value] = [*self.a.lanes]
        if self.crosses:
            earlier = enumerate(lanes[self.first :])
            lanes[self.first :] = [
                delayed(m, f"lane{k}_", lane, self.taken.dwell) for k, lane in earlier
            ]
        turned = lanes[self.first :] + lanes[: self.first]
        m.d.comb += [o.eq(lane) for o, lane in zip(self.o.lanes, turned, strict=False)]
        start_result(m, self, self.a)
        return m
