"""Talking to a board beside other work: `async with AsyncLink(port, program) as link`."""

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Iterable
from functools import partial
from typing import Any, Self

import numpy.typing as npt
from sylvan.model.arrays import Array

from .batch import Batch, real_inputs
from .client import Link
from .session import Answer, Timestep


class AsyncLink:
    """A Link whose turns are taken in a thread, so that the event loop goes on meanwhile.

    Parameters: as those of Link. It is opened by `async with`; streams wait for one another.
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:
        self._make = partial(Link, *arguments, **options)
        self._one = asyncio.Lock()

    async def __aenter__(self) -> Self:
        self._link = await asyncio.to_thread(self._make)
        return self

    async def __aexit__(self, *error: object) -> None:
        await asyncio.to_thread(self._link.close)

    @property
    def contexts(self) -> int:
        """Sequences that the board takes at the same time."""
        return self._link.contexts

    async def __call__(self, x: npt.ArrayLike) -> Any:
        """As Link's."""
        batch = Batch(self._link.program, real_inputs(self._link.program, x))
        await self._answer(batch)
        return batch.real

    async def run(self, inputs: npt.ArrayLike) -> Array:
        """As Link's."""
        batch = Batch(self._link.program, inputs)
        await self._answer(batch)
        return batch.raw

    async def _answer(self, batch: Batch) -> None:
        async for answer in self.stream(batch.timesteps(self.contexts)):
            batch.take(answer)

    async def stream(
        self, timesteps: Iterable[Timestep] | AsyncIterable[Timestep]
    ) -> AsyncIterator[Answer]:
        """The answers to timesteps, each as soon as it is there, whenever the next one comes."""
        async with self._one:
            link, source = self._link, _Source(timesteps)
            await asyncio.to_thread(link.begin)
            try:
                while not (source.ended and link.done):
                    while link.room and (timestep := await source.next(patient=link.done)):
                        link.send(timestep)
                    for answer in await asyncio.to_thread(link.turn):
                        yield answer
            finally:
                source.close()


class _Source:
    """Timesteps of either kind of iterable; `ended` where there are no more."""

    def __init__(self, timesteps: Iterable[Timestep] | AsyncIterable[Timestep]) -> None:
        self.ended = False
        self._upcoming: asyncio.Future[Timestep | None] | None = None
        if isinstance(timesteps, AsyncIterable):
            self._later: AsyncIterator[Timestep] | None = aiter(timesteps)
        else:
            self._later, self._now = None, iter(timesteps)

    async def next(self, patient: bool) -> Timestep | None:
        """The next one; None where it has ended or, if not patient, is not there yet."""
        if self.ended:
            return None
        if self._later is None:
            found = next(self._now, None)
        else:
            if self._upcoming is None:
                self._upcoming = asyncio.ensure_future(anext(self._later, None))
            await asyncio.wait({self._upcoming}, timeout=None if patient else 0)
            if not self._upcoming.done():
                return None
            found, self._upcoming = self._upcoming.result(), None
        self.ended = found is None
        return found

    def close(self) -> None:
        """Wait for no more."""
        if self._upcoming is not None:
            self._upcoming.cancel()
