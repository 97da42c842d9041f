"""Text as symbols: characters, rows of them, and words with a vocabulary."""

import numpy as np
import pytest
from sylvan.model.errors import UserError
from sylvan.model.text import (
    PAD,
    UNKNOWN,
    Words,
    alphabet_of,
    encode,
    in_order,
    next_symbols,
    plain_words,
)


def test_characters() -> None:
    assert alphabet_of(b"banana\xff") == b"abn\xff"
    symbols = encode("f", b"banana\xff", b"abn\xff")
    assert symbols.tolist() == [1, 0, 2, 0, 2, 0, 3]
    everything = bytes(range(256))
    assert encode("f", everything, alphabet_of(everything)).tolist() == list(range(256))
    with pytest.raises(UserError) as refused:
        encode("f", b"bad", b"abn")
    assert str(refused.value) == "f holds b'd', which its training text does not"


@pytest.mark.parametrize(("length", "rows", "row"), [(2, 1, 1), (10, 1, 9), (10, 3, 3), (11, 4, 2)])
def test_targets_are_the_next_symbols_of_streams(length: int, rows: int, row: int) -> None:
    x, y = next_symbols("f", np.arange(length), rows)
    assert x.shape == y.shape == (rows, row)
    assert np.array_equal(y, x + 1) and x.ravel().tolist() == list(range(rows * row))


def test_a_text_too_short() -> None:
    with pytest.raises(UserError) as refused:
        next_symbols("f", np.arange(4), 4)
    assert str(refused.value) == "f has 4 characters, 4 streams need at least 5"
    with pytest.raises(UserError):
        next_symbols("f", np.arange(0), 1)


def test_parts_in_order() -> None:
    parts = in_order("f", b"0123456789A", 80, 10)
    assert parts == {"f (train)": b"01234567", "f (validation)": b"8", "f (test)": b"9A"}


def test_plain_words() -> None:
    text = "It's GOOD.<br /><br />(Very-good!) caf\u00e9\t7/10 \u0085".encode()
    expected = [b"it's", b"good", b"very", b"good", "caf\u00e9".encode(), b"7", b"10"]
    assert plain_words(text) == [*expected, "\u0085".encode()]
    assert plain_words(b" .,! ") == []


def test_words_are_chosen_on_what_trains_and_end_at_the_last_timestep() -> None:
    texts = [b"b a b c", b"", b"zz zz zz zz a", b"d c a", b"a a a a a b"]
    words = Words(texts, np.array([0, 1, 3]), most=3, length=4, split=bytes.split)
    # a, b and c are there twice, d once; zz is frequent only in texts that do not train.
    assert words.vocabulary == ("a", "b", "c")
    a, b, c = 2, 3, 4
    assert words.rows.tolist() == [
        [b, a, b, c],
        [PAD] * 4,
        [UNKNOWN, UNKNOWN, UNKNOWN, a],
        [PAD, UNKNOWN, c, a],
        [a, a, a, b],
    ]
    fewer = Words(texts, np.array([0, 1, 3]), most=100, length=1, split=bytes.split)
    assert fewer.vocabulary == ("a", "b", "c", "d")
    none = Words([b"", b""], np.array([0]), most=5, length=2, split=bytes.split)
    assert none.vocabulary == () and not none.rows.any()
