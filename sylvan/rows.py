"""Sequences as comma-separated rows: a file's, or those that arrive one by one."""

import csv
import math
from collections.abc import Iterable, Iterator

from sylvan.boards.link.batch import SequenceStep
from sylvan.model.errors import UserError, shortened
from sylvan.model.program import NumericInput, Program

SEQUENCE = "sequence"
"""The name of a column whose changes tell sequences apart."""


class Rows:
    """A timestep from each row: a column for each input, in real numbers; or one of symbols.

    A first row with anything but numbers names the columns. A blank row ends a sequence, as does a
    new value in the column `sequence`. Where the program answers the last timestep of a sequence
    only, a row is held back until the next one says whether it was the last.

    Parameters: program; name, of the source for messages, which are UserErrors.
    """

    def __init__(self, program: Program, name: str) -> None:
        self.program = program
        self.name = name
        self._line = 0
        self._named = False
        self._key: int | None = None
        self._border: str | None = None
        self._sequence = self._place = 0

    def timesteps(self, lines: Iterable[str | None]) -> Iterator[SequenceStep | None]:
        """The timesteps of lines; None where None says that no line is there yet."""
        every, held = self.program.readout.read == "every", None
        for line in lines:
            if line is None:
                yield None
                continue
            self._line += 1
            raw, ends = self._read(line)
            if held is not None and (ends or raw is not None):
                yield self._step(held, last=ends)
                held = None
            if ends:
                self._end()
            if raw is not None and every:
                yield self._step(raw, last=False)
            elif raw is not None:
                held = raw
        if held is not None:
            yield self._step(held, last=True)
        if not self._sequence and not self._place:
            raise UserError(f"{self.name} has no rows")

    def _step(self, raw: list[int], last: bool) -> SequenceStep:
        place, self._place = self._place, self._place + 1
        return SequenceStep(raw, place == 0, last, 0, self._sequence, place)

    def _end(self) -> None:
        if self._place:
            self._sequence, self._place = self._sequence + 1, 0

    def _read(self, line: str) -> tuple[list[int] | None, bool]:
        """The raw inputs of a row, if it has any, and whether a sequence ends before it."""
        try:
            cells = [cell.strip() for cell in next(csv.reader([line]), [])]
        except csv.Error as error:
            raise UserError(f"{self.name}:{self._line}: {error}") from None
        if not any(cells):
            return None, True
        if not self._named:
            self._named = True
            if not all(map(_is_number, cells)):
                if SEQUENCE in cells:
                    self._key = cells.index(SEQUENCE)
                self._check_count(cells)
                return None, False
        self._check_count(cells)
        ends = False
        if self._key is not None:
            border = cells.pop(self._key)
            ends, self._border = self._border not in (None, border), border
        return self._raw(cells), ends

    def _check_count(self, cells: list[str]) -> None:
        size = self.program.input.value.size
        found = len(cells) - (self._key is not None)
        if found != size:
            raise UserError(
                f"{self.name}:{self._line}: expected {size} column{'s' * (size != 1)} of inputs, "
                f"got {found}: {shortened(','.join(cells))}"
            )

    def _raw(self, cells: list[str]) -> list[int]:
        source = self.program.input
        if isinstance(source, NumericInput):
            for cell in cells:
                if not _is_number(cell):
                    raise UserError(
                        f"{self.name}:{self._line}: expected a number, got {shortened(cell)!r}"
                    )
            return [int(raw) for raw in source.raw(list(map(float, cells)))]
        if not cells[0].isdecimal() or int(cells[0]) >= source.symbols:
            raise UserError(
                f"{self.name}:{self._line}: a symbol is an integer from 0 to "
                f"{source.symbols - 1}, got {shortened(cells[0])!r}"
            )
        return [int(cells[0])]


def _is_number(cell: str) -> bool:
    try:
        return math.isfinite(float(cell))
    except ValueError:
        return False
