"""The parts between the wires and the frames, each against the host's functions."""

from random import Random
from typing import Any
from zlib import crc32

import pytest
from clocked import run_clocked, run_watched
from sylvan.boards.link.crc import RESIDUE, Crc
from sylvan.boards.link.deframer import Deframer
from sylvan.boards.link.frames import stuffed, unstuffed
from sylvan.boards.link.stuffer import Stuffer

RNG = Random(8)
CONTENTS = [
    b"\0",
    b"\1",
    b"\0\0",
    b"\1\0",
    bytes(range(1, 255)),
    bytes(range(1, 255)) + b"\0",
    bytes([7] * 253),
    bytes([7] * 253 + [0]),
    bytes([7] * 509),
    *(bytes(RNG.choice([0, 1, 255]) for _ in range(n)) for n in (5, 40, 300)),
]


def test_the_crc_of_bytes() -> None:
    dut = Crc()

    async def bench(ctx: Any) -> None:
        for content in (b"123456789", b"", *CONTENTS[:4]):
            ctx.set(dut.clear, 1)
            await ctx.tick()
            ctx.set(dut.clear, 0)
            crc = crc32(content)
            for k, byte in enumerate(content + crc.to_bytes(4, "little")):
                if k == len(content):
                    await ctx.tick().until(dut.i.ready)
                    assert ctx.get(dut.register) ^ 0xFFFFFFFF == crc
                ctx.set(dut.i.valid, 1)
                ctx.set(dut.i.data, byte)
                await ctx.tick().until(dut.i.ready)
                ctx.set(dut.i.valid, 0)
            await ctx.tick().until(dut.i.ready)
            assert ctx.get(dut.register) == RESIDUE

    run_clocked(dut, bench)


@pytest.mark.parametrize("stalls", [0, 5])
def test_frames_are_stuffed(stalls: int) -> None:
    """One frame is taken while another is sent, to a line that is ready or not."""
    dut = Stuffer(longest=514)
    line = bytearray()
    rng = Random(stalls)

    async def give(ctx: Any) -> None:
        for content in CONTENTS:
            while not ctx.get(dut.free):
                await ctx.tick()
            for byte in content:
                ctx.set(dut.i.valid, 1)
                ctx.set(dut.i.data, byte)
                await ctx.tick().until(dut.i.ready)
                ctx.set(dut.i.valid, 0)
            while not ctx.get(dut.i.ready):
                await ctx.tick()
            ctx.set(dut.ends, 1)
            await ctx.tick()
            ctx.set(dut.ends, 0)
        await ctx.tick().repeat(3000 * (1 + stalls))

    def take(ctx: Any) -> None:
        ready = rng.randint(0, stalls) == 0
        ctx.set(dut.o.ready, ready)
        if ready and ctx.get(dut.o.valid):
            line.append(ctx.get(dut.o.data))

    run_watched(dut, give, take)
    assert bytes(line) == b"".join(stuffed(content) + b"\0" for content in CONTENTS)


def lines() -> list[bytes]:
    """Frames that are whole, some whose last block is no empty one, and damaged ones."""
    found = []
    for content in CONTENTS:
        whole = stuffed(content + crc32(content).to_bytes(4, "little"))
        found.append(whole)
        for _ in range(3):
            place = RNG.randrange(len(whole))
            found.append(whole[:place] + whole[place + 1 :])
            found.append(whole[:place] + bytes([whole[place] % 255 + 1]) + whole[place + 1 :])
    body = bytes([9] * 250)
    found.append(b"\xff" + body + crc32(body).to_bytes(4, "little"))
    assert 0 not in found[-1]
    return [b"", *found, b""]


def test_frames_are_found_and_judged() -> None:
    dut = Deframer()

    async def bench(ctx: Any) -> None:
        good = 0
        for line in lines():
            content = bytearray()
            for byte in line + b"\0":
                ctx.set(dut.i.valid, 1)
                ctx.set(dut.i.data, byte)
                if ctx.get(dut.o.valid):
                    content.append(ctx.get(dut.o.data))
                assert ctx.get(dut.ends) == (byte == 0)
                judged = ctx.get(dut.good)
                await ctx.tick()
                ctx.set(dut.i.valid, 0)
                await ctx.tick().repeat(9)
            right = unstuffed(line)
            if right is not None:
                assert content == right
            whole = (
                right is not None
                and len(right) >= 4
                and (crc32(right[:-4]).to_bytes(4, "little") == right[-4:])
            )
            assert judged == whole
            good += judged
        assert good == len(CONTENTS) + 1

    run_clocked(dut, bench)
