"""The host's end of the link against a board's, over lines that damage one byte in a hundred."""

from collections import Counter, deque
from collections.abc import Callable
from random import Random
from typing import Any

import pytest
from linked import Board, Line, digest, exchange, random_steps
from sylvan.boards.link import frames
from sylvan.boards.link.frames import Frame, Kind
from sylvan.boards.link.host import Host, Step
from sylvan.boards.link.vectors import Identity, Vector
from sylvan.model.errors import UserError

IDENTITY = Identity(bytes(range(8)), 3, 4, 5)


def open_host(timeout: float = 6.0, **knobs: Any) -> Host:
    return Host(IDENTITY, token=0x1234, timeout=timeout, **knobs)


def run(
    count: int,
    rate: float,
    every: bool = True,
    seed: int = 0,
    board: type[Board] = Board,
    room: int = 16,
) -> tuple[list[Step], list[Step], int]:
    """The answers that came, those that are right, and faults."""
    rng = Random(seed)
    down, up = Line(rng, rate), Line(rng, rate)
    steps = random_steps(rng, IDENTITY, count)
    there = board(IDENTITY, lambda: digest(every), room)
    answers = exchange(open_host(), there, steps, every, down, up)
    core = digest(every)
    return answers, [answer for step in steps for answer in core(step)], down.faults + up.faults


@pytest.mark.parametrize("every", [True, False])
@pytest.mark.parametrize("rate", [0.0, 0.01, 0.05])
def test_every_answer_comes_once_and_is_right(rate: float, every: bool) -> None:
    answers, right, faults = run(2000, rate, every, seed=int(rate * 100))
    assert answers == right and (faults > 100) == (rate > 0)


def test_a_hundred_thousand_timesteps_over_bad_lines() -> None:
    answers, right, faults = run(100_000, 0.01)
    assert answers == right and faults > 20_000


class Slow(Board):
    """A core that takes a timestep at most while a frame comes, and mostly none."""

    def start(self) -> None:
        super().start()
        self.rng = Random(1)

    def work(self) -> None:
        if self.waiting and len(self.answers) < self.room and self.rng.random() < 0.3:
            self.answers += self.core(self.waiting.popleft())


@pytest.mark.parametrize("every", [True, False])
@pytest.mark.parametrize("room", [2, 8])
def test_credit_that_is_lost_is_asked_for(room: int, every: bool) -> None:
    """Where all is acknowledged and nothing to be answered, room is what is outstanding."""
    for seed in range(10):
        answers, right, _ = run(60, 0.03, every, seed, Slow, room)
        assert answers == right


def test_a_board_that_dies_with_its_window_full_is_given_up() -> None:
    host = opened(open_host(timeout=1, patience=4), limit=1)
    host.send(STEP, False)
    assert sent(host, 0) == [(Kind.STEP, 0, 0)]
    tell(host, Kind.STATUS, 0, 1, 0, 1)
    assert not host.done and host.wants == 0
    with pytest.raises(UserError, match="did not answer 4 times"):
        for now in range(100):
            host.write(float(now))


class Unordered(Board):
    """Takes any timestep that comes, so that one sent twice is stepped twice."""

    def follows(self, frame: Frame) -> bool:
        return True


def test_a_board_that_ignores_numbers_is_caught() -> None:
    try:
        answers, right, _ = run(2000, 0.01, board=Unordered)
    except UserError as error:
        assert "never sent" in str(error) or "no timestep asks for" in str(error)
    else:
        assert answers != right


def test_a_crc_that_is_ignored_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    def trusting(content: bytes) -> Frame | None:
        body = content[: -frames.CRC_BYTES]
        return read(body + frames.crc32(body).to_bytes(4, "little"))

    read = frames.read
    monkeypatch.setattr(frames, "read", trusting)
    try:
        answers, right, _ = run(2000, 0.01)
    except (UserError, AssertionError):
        return
    assert answers != right


def opened(host: Host, identity: Identity = IDENTITY, limit: int = 4) -> Host:
    token = host.token
    payload = identity.encode()
    assert host.write(0.0) == b"\0" + Frame(Kind.OPEN, token % 256, context=token // 256).encode()
    tell(host, Kind.IDENTITY, token % 256, 0, token // 256, limit, payload=payload)
    return host


def tell(host: Host, *members: Any, **more: Any) -> list[Step]:
    return host.receive(Frame(*members, **more).encode())


def sent(host: Host, now: float) -> list[tuple[Kind, int, int]]:
    found = frames.Decoder().feed(host.write(now))
    return [(frame.kind, frame.number, frame.awaited) for frame in found]


STEP = Step(bytes(3))


def test_no_more_is_sent_than_there_is_room_for() -> None:
    host = opened(open_host())
    for _ in range(6):
        host.send(STEP, True)
    assert sent(host, 1) == [(Kind.STEP, k, 0) for k in range(4)]
    assert sent(host, 2) == []
    tell(host, Kind.STATUS, 0, 1, 0, 5)
    assert sent(host, 3) == [(Kind.STEP, 4, 0)]
    assert host.wants == -1 and not host.done


def test_silence_is_asked_about_and_what_was_not_acknowledged_sent_again() -> None:
    host = opened(open_host(timeout=10))
    host.send(STEP, True)
    host.send(STEP, True)
    assert len(sent(host, 1)) == 2
    tell(host, Kind.STATUS, 0, 1, 0, 5)
    assert sent(host, 2) == [] == sent(host, 11.9)
    assert sent(host, 12) == [(Kind.RESEND, 1, 0)]
    tell(host, Kind.STATUS, 0, 1, 0, 5)
    assert sent(host, 13) == []
    tell(host, Kind.STATUS, 1, 1, 0, 5)
    assert sent(host, 14) == [(Kind.STEP, 1, 0)]
    tell(host, Kind.STATUS, 1, 1, 0, 5)
    assert sent(host, 15) == []


def test_what_was_sent_after_the_question_is_not_lost_by_its_answer() -> None:
    host = opened(open_host(timeout=10))
    host.send(STEP, True)
    assert sent(host, 0) == [(Kind.STEP, 0, 0)] and sent(host, 10) == [(Kind.RESEND, 1, 0)]
    host.send(STEP, True)
    assert sent(host, 11) == [(Kind.STEP, 1, 0)]
    tell(host, Kind.STATUS, 1, 1, 0, 5)
    assert sent(host, 12) == []


def test_a_slow_line_is_asked_and_not_flooded() -> None:
    """A byte a turn, which is there 200 turns later: the first news takes many timeouts."""
    waiting, sizes = deque([STEP] * 200), Counter[Kind]()
    board, host = Board(IDENTITY, lambda: digest(False), room=60), open_host(timeout=15)
    down, up = deque([b""] * 200), deque([b""] * 200)
    decoder = frames.Decoder()
    for now in range(6000):
        while waiting and host.wants > 0:
            host.send(waiting.popleft(), False)
        down += [bytes([byte]) for byte in host.write(now)] or [b""] * (len(down) < 200)
        byte = down.popleft()
        sizes.update(frame.kind for frame in decoder.feed(byte))
        up += [bytes([byte]) for byte in board.receive(byte)] or [b""] * (len(up) < 200)
        assert host.receive(up.popleft()) == []
        if host.done and not waiting:
            break
    assert host.done and not waiting
    assert sizes[Kind.STEP] == 200 and 5 < sizes[Kind.RESEND] < 60


def test_a_missing_answer_is_asked_for_once_and_a_repeated_one_acknowledged() -> None:
    host = opened(open_host())
    for _ in range(3):
        host.send(STEP, True)
    sent(host, 1)
    assert tell(host, Kind.ANSWER, 1, 3, 0, 7, payload=bytes(4)) == []
    assert sent(host, 2) == [(Kind.RESEND, 1, 0)]
    assert tell(host, Kind.ANSWER, 2, 3, 0, 7, payload=bytes(4)) == []
    assert sent(host, 3) == [(Kind.ACK, 0, 0)]
    assert tell(host, Kind.ANSWER, 0, 3, 0, 7, payload=b"abcd") == [Step(b"abcd")]
    assert tell(host, Kind.ANSWER, 0, 3, 0, 7, payload=b"abcd") == []
    assert sent(host, 4) == [(Kind.ACK, 0, 1)]


def test_a_missing_answer_is_asked_for_when_its_number_comes_again() -> None:
    host = opened(open_host(timeout=1000))
    for turn in range(3):
        for number in range(0, 256, 2):
            host.send(STEP, True)
            host.send(STEP, True)
            sent(host, turn)
            told = (number + 2) % 256, 0, (number + 6) % 256
            if number == 0:
                tell(host, Kind.ANSWER, 1, *told, payload=bytes(4))
                assert sent(host, turn) == [(Kind.RESEND, turn + 1, 0)], turn
                tell(host, Kind.STATUS, turn + 1, *told)
            for k in range(2):
                assert tell(host, Kind.ANSWER, number + k, *told, payload=bytes(4))


def test_a_session_ignores_what_came_before_it() -> None:
    host = open_host()
    host.write(0.0)
    tell(host, Kind.ANSWER, 0, 0, 0, 4, payload=bytes(4))
    tell(host, Kind.IDENTITY, 0, 0, 0, 4, payload=IDENTITY.encode())
    tell(host, Kind.REFUSED)
    assert not host.opened


def test_a_board_that_says_nothing_is_given_up() -> None:
    host, now = open_host(patience=3), 0.0
    with pytest.raises(UserError, match=r"did not answer 3 times: is it plugged in"):
        while now < 100:
            host.write(now)
            now += 1
    assert now == 6 + 12 + 12


def test_what_is_no_frame_is_told_from_silence() -> None:
    host, now = open_host(patience=3), 0.0
    with pytest.raises(UserError, match="what comes is no frame of the link: is this the board's"):
        while now < 100:
            host.write(now)
            host.receive(b"\x7f\x00\x81")
            now += 1


def test_a_core_that_stands_still_is_given_up_and_a_slow_one_is_not() -> None:
    host = opened(open_host(timeout=1, stall=50))
    host.send(STEP, True)
    sent(host, 0)
    for now in range(1, 51):
        sent(host, now)
        tell(host, Kind.STATUS, 0, 1, 0, 4)
    with pytest.raises(UserError, match=r"its core has moved nothing for 5\d s: open it again"):
        for now in range(51, 60):
            host.write(now)


def test_questions_become_rarer_until_there_is_news() -> None:
    host = opened(open_host(timeout=1))
    host.send(STEP, True)
    asked = [now for now in range(20) if (Kind.RESEND, 1, 0) in sent(host, now)]
    assert asked == list(range(1, 20, 2))
    tell(host, Kind.STATUS, 0, 1, 0, 5)
    assert [now for now in range(20, 24) if (Kind.RESEND, 1, 0) in sent(host, now)] == [21, 23]


def test_there_is_room_for_what_would_leave_at_once() -> None:
    host = opened(open_host(), limit=2)
    assert host.wants == 2
    host.send(STEP, True)
    assert host.wants == 1 and len(sent(host, 1)) == 1
    tell(host, Kind.STATUS, 0, 1, 0, 3)
    assert host.wants == 2 and not open_host().wants


@pytest.mark.parametrize(
    ("identity", "sentence"),
    [
        (Identity(bytes(8), 3, 4, 5), "runs program 0000000000000000, not 0001020304050607"),
        (Identity(bytes(range(8)), 3, 5, 5), "packs the program otherwise: 3 and 5 bytes"),
    ],
)
def test_the_wrong_bitstream_is_refused(identity: Identity, sentence: str) -> None:
    with pytest.raises(UserError, match=sentence):
        opened(open_host(), identity)


def refused(act: Callable[[Host], Any], sentence: str) -> None:
    host = opened(open_host())
    host.send(STEP, True)
    sent(host, 1)
    with pytest.raises(UserError, match=sentence):
        act(host)


@pytest.mark.parametrize(
    ("members", "sentence"),
    [
        ((Kind.REFUSED,), "was reset and has lost its state"),
        ((Kind.STATUS, 0, 2, 0, 9), "acknowledges timesteps that were never sent"),
        ((Kind.ANSWER, 0, 1, 0, 9, False, False, b"abc"), "answer that no timestep asks for"),
        ((Kind.IDENTITY, 1, 0, 0, 4), "another program has opened the board"),
    ],
)
def test_a_board_that_breaks_the_rules_is_refused(members: tuple[Any, ...], sentence: str) -> None:
    refused(lambda host: tell(host, *members), sentence)


def test_what_the_board_cannot_take_is_refused() -> None:
    refused(lambda host: host.send(Step(b"ab"), True), "timestep of 3 bytes .* got 2 bytes")
    refused(
        lambda host: host.send(Step(b"abc", context=5), True), "context below 5, got .* context 5"
    )


def test_contexts_are_those_of_the_board() -> None:
    host = opened(open_host(), Identity(bytes(range(8)), 3, 4, 2))
    host.send(Step(bytes(3), context=1), True)
    with pytest.raises(UserError, match="for a context below 2, got 3 bytes for context 2"):
        host.send(Step(bytes(3), context=2), True)


def test_another_version_of_the_link_is_refused() -> None:
    with pytest.raises(UserError, match="another version of the link than 1"):
        Identity.decode(b"\2" + IDENTITY.encode()[1:])


@pytest.mark.parametrize(
    ("vector", "elements", "payload"),
    [
        (Vector(1, 1, 1, 0, 1), [1], "01"),
        (Vector(3, 2, 5, -16, 15), [-1, 15, -16], "ff011000"),
        (Vector(2, 1, 12, -2048, 2047), [-2, 0x123], "fe0f2301"),
        (Vector(3, 3, 7, 0, 100), [1, 2, 100], "010119"),
    ],
)
def test_elements_as_payload(vector: Vector, elements: list[int], payload: str) -> None:
    assert vector.pack(elements).hex() == payload and vector.payload_bytes == len(payload) // 2
    assert vector.unpack(bytes.fromhex(payload)) == elements


def test_elements_that_are_none_of_the_program() -> None:
    with pytest.raises(UserError, match="vector of 2 elements is expected, not 1"):
        Vector(2, 1, 8, 0, 9).pack([1])
    with pytest.raises(UserError, match="element 1 is 10, outside 0 to 9"):
        Vector(2, 1, 8, 0, 9).pack([1, 10])
    with pytest.raises(UserError, match=r"element 1 is 1\.7, expected an integer"):
        Vector(2, 1, 8, 0, 9).pack([1, 1.7])  # type: ignore[list-item]


def test_the_highest_rate() -> None:
    """The formulas of docs/link.md: of a step of 3 bytes 13 at most, of an answer of 4 bytes 15."""
    assert IDENTITY.highest_rate(3_000_000) == 3_000_000 / (10 * 15)
    assert IDENTITY.highest_rate(3_000_000, answered=False) == 3_000_000 / (10 * 13)
