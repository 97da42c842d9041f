"""Talking to a board: `with Link("/dev/ttyUSB1", "runs/icebreaker") as link: y = link(x)`."""

import threading
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Self

import numpy.typing as npt
from sylvan.model.arrays import Array
from sylvan.model.errors import CheckError, UserError
from sylvan.model.program import Program

from .batch import Batch, real_inputs
from .described import at_the_other_end
from .port import SerialPort
from .session import Answer, Session, Timestep

TIMEOUT = 5.0


class Link:
    """A board that runs a program, at a serial port. Opening it starts the board's state anew.

    Parameters:
        port: as pyserial takes it: COM3, /dev/ttyUSB1, a URL, or what `sylvan.twin` gives.
        program: the board's build directory, or the program that it runs, or the folder of one.
        baud: of the line, where there is no build directory to say it.
        timeout: seconds of silence after which the board is given up, as it is after twelve times
            as many in which it has nothing new to say. A simulated board that is slow wants more.
        check: whether golden computes every answer, too; a CheckError says which one differs.

    Attributes: port; program; baud; contexts, of the board.

    Raises UserError if there is no such port, or no board there that runs the program; and later
    where it is gone. Then, as after a CheckError, it is closed.
    """

    def __init__(
        self,
        port: str,
        program: Program | Path | str,
        *,
        baud: int | None = None,
        timeout: float = TIMEOUT,
        check: bool = False,
    ) -> None:
        if not isinstance(program, Program):
            program, baud = at_the_other_end(Path(program), baud)
        if baud is None or baud < 1:
            raise UserError(f"the baud rate of the line is a number above 0, got {baud}")
        if not timeout > 0:
            raise UserError(f"a timeout is a number of seconds above 0, got {timeout}")
        if program.readout.timesteps:
            raise UserError(
                "a board answers every timestep or the last one: this program is read at a list of "
                "timesteps, for which there is no hardware"
            )
        self.port, self.program, self.baud = port, program, baud
        self._options = timeout, check
        self._turning = threading.Lock()
        self._port = SerialPort(port, baud)
        try:
            self._open()
        except BaseException:
            self.close()
            raise

    @property
    def contexts(self) -> int:
        """Sequences that the board takes at the same time."""
        return self._session.host.contexts

    def __call__(self, x: npt.ArrayLike) -> Any:
        """The answer to one sequence: real numbers (T, size), or symbols (T,).

        Real numbers of shape (outputs,), or (T, outputs) where the program answers every timestep;
        of a program that answers an index, that integer, or (T,) of them.
        """
        batch = Batch(self.program, real_inputs(self.program, x))
        self._answer(batch)
        return batch.real

    def run(self, inputs: npt.ArrayLike) -> Array:
        """What `sylvan.run` says of the board's program, by the board: raw integers in and out.

        Sequences share the board's contexts.
        """
        batch = Batch(self.program, inputs)
        self._answer(batch)
        return batch.raw

    def _answer(self, batch: Batch) -> None:
        for answer in self.stream(batch.timesteps(self.contexts)):
            batch.take(answer)

    def stream(self, timesteps: Iterable[Timestep | None]) -> Iterator[Answer]:
        """The answers to timesteps, each as soon as it is there.

        Timesteps are asked for while the board has room for them; a None among them means that
        there is none yet.
        """
        self.begin()
        source, ended = iter(timesteps), False
        while not (ended and self.done):
            while not ended and self.room:
                try:
                    timestep = next(source)
                except StopIteration:
                    ended = True
                    break
                if timestep is None:
                    break
                self.send(timestep)
            yield from self.turn()

    @property
    def done(self) -> bool:
        """Whether nothing is to come."""
        return self._session.host.done

    @property
    def room(self) -> bool:
        """Whether a timestep would leave at once."""
        return self._session.host.wants > 0

    def begin(self) -> None:
        """Open the board anew, if a stream was left before its end."""
        if not self.done:
            self._open()

    def send(self, timestep: Timestep) -> None:
        """Take a timestep, which leaves with the next turn."""
        self._session.send(timestep, time.monotonic())

    def turn(self) -> list[Answer]:
        """Send what is due, and take what comes within a fiftieth of a second."""
        with self._turning:
            try:
                # What is here already may answer what would be asked for.
                answers = self._receive(waits=False)
                if line := self._session.write(time.monotonic()):
                    self._port.write(line)
                return answers or self._receive(waits=not self.done)
            except UserError as error:
                self._port.close()
                raise UserError(f"{self.port}, {self.baud} baud: {error}") from None
            except CheckError:
                self._port.close()
                raise

    def close(self) -> None:
        """Let others have the port."""
        with self._turning:
            self._port.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def _receive(self, waits: bool) -> list[Answer]:
        came = self._port.read(waits)
        return self._session.receive(came, time.monotonic()) if came else []

    def _open(self) -> None:
        self._session = Session(self.program, self.baud, *self._options)
        while not self._session.host.opened:
            self.turn()
