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
        self.moves = 0

    def at(self, index: int) -> bool:
        """Whether a request comes before input word `index`."""
        return bool(self.requests) and self.requests[0]["at"] == index

    async def ask(self, index: int) -> None:
        """The requests before input word `index`, each once the one before is taken."""
        while self.at(index):
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
        """Ends the task that sends an image."""
        if self.loading is not None:
            self.loading.cancel()
