"""What came of a conversation with a board: answers as rows, rate and latency."""

import statistics
import time
from collections import deque

from rich.console import Group
from rich.table import Table
from rich.text import Text

from sylvan.boards.link.batch import SequenceStep
from sylvan.boards.link.session import Answer
from sylvan.model.program import Program
from sylvan.model.units import answers_index

SHOWN = 8
"""Answers that the live view has."""
JUDGED = 1 << 16
"""Latencies of which the median is told, the latest ones."""


class Tally:
    """Counts answers and shows them: as rows of a table that goes on for ever, or live.

    `header` names the columns: the sequence and timestep that is answered; where that says enough,
    the label, which is the index of the largest output; and the outputs as real numbers.
    """

    def __init__(self, program: Program) -> None:
        self._index = answers_index(program)
        size = program.output.size
        self._labels = self._index or size > 1
        outputs = [] if self._index else [f"output{k}" for k in range(size)]
        self.header = ["sequence", "timestep", *["label"] * self._labels, *outputs]
        self.timesteps = self.answers = 0
        self._began: float | None = None
        self._ended = 0.0
        self._latencies: deque[float] = deque(maxlen=JUDGED)
        self._worst = 0.0
        self._latest: deque[list[str]] = deque(maxlen=SHOWN)

    def sent(self) -> None:
        """A timestep was."""
        if self._began is None:
            self._began = self._ended = time.monotonic()
        self.timesteps += 1

    def came(self, answer: Answer) -> list[str]:
        """The row of an answer that came."""
        self.answers += 1
        self._ended = time.monotonic()
        self._latencies.append(answer.seconds)
        self._worst = max(self._worst, answer.seconds)
        step, raw = answer.timestep, answer.raw
        assert isinstance(step, SequenceStep)
        row = [str(step.sequence), str(step.place)]
        if self._labels:
            row.append(str(raw[0] if self._index else raw.index(max(raw))))
        if not self._index:
            row += [f"{value:g}" for value in answer.values]
        self._latest.append(row)
        return row

    @property
    def rate(self) -> float:
        """Timesteps per second, from the first that was sent to the last answer."""
        seconds = self._ended - (self._began or 0.0)
        return self.timesteps / seconds if seconds else 0.0

    @property
    def latency(self) -> str:
        """From sending a timestep to its answer, in words."""
        if not self._latencies:
            return "nothing was answered"
        middle = statistics.median(self._latencies)
        return f"median {1e3 * middle:.1f} ms, worst {1e3 * self._worst:.1f} ms"

    def __rich__(self) -> Group:
        table = Table()
        for name in self.header:
            table.add_column(name, justify="right")
        for row in self._latest:
            table.add_row(*row)
        rate = f"{self.answers:,} answers, {self.rate:,.0f} timesteps per second"
        return Group(table, Text(f"{rate}; latency: {self.latency}"))
