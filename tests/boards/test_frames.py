"""The bytes of a frame, against definitions of their own, and a decoder that survives anything."""

from random import Random
from zlib import crc32

import pytest
from hypothesis import given
from hypothesis import strategies as st
from linked import Line
from sylvan.boards.link.frames import (
    Decoder,
    Frame,
    Kind,
    line_bytes,
    read,
    stuffed,
    unstuffed,
)


def crc_by_polynomials(content: bytes) -> int:
    """CRC-32 as long division: bits lowest first, the first 32 inverted, the remainder too."""
    bits = [byte >> k & 1 for byte in content for k in range(8)] + [0] * 32
    for k in range(32):
        bits[k] ^= 1
    polynomial = [1, *(0x04C11DB7 >> 31 - k & 1 for k in range(32))]
    for start in range(len(bits) - 32):
        if bits[start]:
            for k, bit in enumerate(polynomial):
                bits[start + k] ^= bit
    return sum((bit ^ 1) << k for k, bit in enumerate(bits[-32:]))


BYTES = st.binary(max_size=20) | st.lists(st.sampled_from([0, 1, 2, 255]), max_size=600).map(bytes)
FRAMES = st.builds(
    Frame,
    st.sampled_from(Kind),
    *[st.integers(0, 255)] * 3,
    first=st.booleans(),
    last=st.booleans(),
    payload=BYTES,
)


def test_the_check_value_of_the_crc() -> None:
    assert crc32(b"123456789") == crc_by_polynomials(b"123456789") == 0xCBF43926


@given(st.binary(max_size=40))
def test_the_crc_is_the_remainder_of_polynomials(content: bytes) -> None:
    assert crc32(content) == crc_by_polynomials(content)


@pytest.mark.parametrize(
    ("content", "line"),
    [  # the first ones from the paper by Cheshire and Baker, and from its many descriptions
        ("", "01"),
        ("00", "0101"),
        ("0000", "010101"),
        ("001100", "01021101"),
        ("11220033", "0311220233"),
        ("11223344", "0511223344"),
        ("11000000", "0211010101"),
        (bytes(range(1, 254)).hex(), "fe" + bytes(range(1, 254)).hex()),
        (bytes(range(256)).hex(), "01ff" + bytes(range(1, 255)).hex() + "02ff"),
        (bytes(range(1, 255)).hex(), "ff" + bytes(range(1, 255)).hex() + "01"),
        ("01" * 254 + "00", "ff" + "01" * 254 + "0101"),
    ],
)
def test_blocks_by_hand(content: str, line: str) -> None:
    assert stuffed(bytes.fromhex(content)).hex() == line
    assert unstuffed(bytes.fromhex(line)) == bytes.fromhex(content)


def test_a_block_that_ends_the_frame_needs_no_empty_one() -> None:
    assert unstuffed(b"\xff" + bytes(range(1, 255))) == bytes(range(1, 255))


@given(BYTES)
def test_no_delimiter_inside(content: bytes) -> None:
    line = stuffed(content)
    assert 0 not in line and len(line) <= len(content) + len(content) // 254 + 1
    assert unstuffed(line) == content


def test_frames_by_hand() -> None:
    step = Frame(Kind.STEP, 5, 7, 0, first=True, last=False, payload=b"\x2a")
    content = bytes.fromhex("210507002a")
    crc = crc_by_polynomials(content).to_bytes(4, "little")
    assert step.encode() == b"\x04\x21\x05\x07\x06\x2a" + crc + b"\0"
    status = Frame(Kind.STATUS, 0, 6, 0, 22)
    content = bytes.fromhex("a000060016")
    crc = crc_by_polynomials(content).to_bytes(4, "little")
    assert status.encode() == b"\x02\xa0\x02\x06\x06\x16" + crc + b"\0"


@given(FRAMES)
def test_what_is_encoded_is_decoded(frame: Frame) -> None:
    frame = frame if frame.kind.of_board else Frame(**{**vars(frame), "limit": 0})
    line = frame.encode()
    assert list(Decoder().feed(line)) == [frame]
    assert len(line) <= line_bytes(frame.kind, len(frame.payload))


@pytest.mark.parametrize(
    "content", ["", "10", "10000000", "80000000", "f000000000", "0000000000", "2400000000"]
)
def test_a_right_crc_makes_no_frame(content: str) -> None:
    """Too short, of no kind, or with flags that mean nothing."""
    whole = bytes.fromhex(content)
    whole += crc32(whole).to_bytes(4, "little")
    frame = read(whole)
    assert frame is None or (content == "10000000" and frame == Frame(Kind.OPEN))


@given(st.lists(st.binary(max_size=30)), FRAMES)
def test_any_bytes_are_dropped_and_the_next_frame_is_found(
    garbage: list[bytes], frame: Frame
) -> None:
    decoder = Decoder()
    for part in garbage:
        assert not list(decoder.feed(part))
    list(decoder.feed(b"\0"))
    nonempty = [part for part in b"".join(garbage).split(b"\0") if part]
    assert decoder.dropped == len(nonempty)
    line = frame.encode()
    assert len([f for byte in line for f in decoder.feed(bytes([byte]))]) == 1


def test_a_line_that_never_rests_is_dropped_unseen() -> None:
    decoder = Decoder(longest=20)
    for _ in range(100):
        assert not list(decoder.feed(b"\1" * 50))
    assert len(decoder._line) == 21
    assert list(decoder.feed(b"\0" + Frame(Kind.ACK).encode())) == [Frame(Kind.ACK)]
    assert decoder.dropped == 1


def test_damage_never_makes_another_frame() -> None:
    line = Line(Random(1), 0.03)
    decoder, found = Decoder(), 0
    for k in range(20_000):
        sent = Frame(Kind.STEP, k % 256, k // 256, payload=k.to_bytes(8, "little"))
        for frame in decoder.feed(line.damaged(sent.encode())):
            assert frame == Frame(Kind.STEP, frame.number, frame.awaited, payload=frame.payload)
            index = int.from_bytes(frame.payload, "little")
            assert (frame.number, frame.awaited) == (index % 256, index // 256)
            found += 1
    assert 10_000 < found < 18_000 and decoder.dropped > 1000
