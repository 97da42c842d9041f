"""The testbench's side of the streams that go into a state port."""

from collections import deque
from random import Random
from typing import Any

import cocotb
from cocotb.handle import Immediate
from cocotb.triggers import Timer
from sylvan.sim.signals import CYCLE, send


class Asking:
    """Requests to save and images to load, each before the input word that it has the number of.

    A task of its own sends what follows of an image after its first word, so that the input is
    offered meanwhile.

    Parameters: bits, of what is offered by kind of stream; none without a state port.
    Attributes: moves, transfers so far.
    """

    def __init__(self, dut: Any, bits: dict[str, int], requests: list[dict[str, Any]]) -> None:
        self.ports = {kind: getattr(dut, f"{kind}_next") for kind in bits}
        self.readies = {kind: getattr(dut, f"i_{kind}_ready") for kind in bits}
        self.bits = bits
        self.requests = deque(requests)
        self.loading: Any = None
        self.asked: Any = None
        self.moves = 0

    def holds(self, index: int) -> bool:
        """Whether input word `index` still waits for a request to be taken."""
        return self._due(index) or (self.asked is not None and not self.asked.done())

    def _due(self, index: int) -> bool:
        return bool(self.requests) and self.requests[0]["at"] == index

    def offer(self, index: int) -> None:
        """Begins with the requests before input word `index` if they come beside the one before."""
        if self._due(index) and self.requests[0]["beside"]:
            self.asked = cocotb.start_soon(self._ask(index))

    async def ask(self, index: int) -> None:
        """The requests before input word `index`, until the last of them is taken."""
        if self.asked is not None:
            await self.asked
        await self._ask(index)

    async def _ask(self, index: int) -> None:
        while self._due(index):
            request = self.requests.popleft()
            if self.loading is not None:
                await self.loading
            if "words" in request:
                await self.send("load", request["words"][0])
                self.loading = cocotb.start_soon(self.load(request["words"][1:], request["gaps"]))
            else:
                await self.send("save", request["context"])

    async def load(self, words: list[int], gaps: list[int]) -> None:
        """The rest of an image."""
        for word, gap in zip(words, gaps, strict=True):
            if gap:
                await Timer(gap * CYCLE)
            await self.send("load", word)

    async def send(self, kind: str, word: int) -> None:
        """Offers a word until it is taken, and then nothing."""
        await send(self.ports[kind], self.readies[kind], 1 << self.bits[kind] | word)
        self.ports[kind].value = Immediate(0)
        self.moves += 1

    def disturb(self, random: Random) -> None:
        """Offers anything."""
        for kind, port in self.ports.items():
            port.value = Immediate(random.getrandbits(self.bits[kind] + 1))

    def rest(self) -> None:
        """Offers nothing."""
        for port in self.ports.values():
            port.value = Immediate(0)

    def cancel(self) -> None:
        """Ends the tasks that were begun."""
        for task in (self.asked, self.loading):
            if task is not None:
                task.cancel()
