"""Images as words of the state port, by hand and there and back."""

from typing import Any

import numpy as np
import pytest
from sylvan.model.errors import UserError
from sylvan.model.image import Image
from sylvan.sim.images import load_format

SHA256 = "89abcdef" + "01" * 28
PORT: dict[str, Any] = {
    "data_bits": 12,
    "hash_bits": 32,
    "transfers": 7,
    "states": [
        {"name": "h", "elements": 2, "signed": True, "format": [-100, 127, -3]},
        {"name": "count", "elements": 1, "signed": False, "format": [0, 4095, 0]},
    ],
    "answers": ["loaded", "refused", "lost"],
}
IMAGE = Image(SHA256, {"h": np.array([-2, 127]), "count": np.array([4095])}, False, 5)
WORDS = [0xDEF, 0xABC, 0x89, 5 << 1, 0xFFE, 127, 0xFFF]


def test_an_image_by_hand() -> None:
    format = load_format(PORT)
    assert format.pack(IMAGE) == WORDS
    assert format.unpack(WORDS, SHA256) == IMAGE
    places = [format.place(word) for word in (0, 2, 3, 4, 6, 7)]
    head = "the program's hash"
    assert places == [head, head, "phase and freshness", "h[0]", "count[0]", "nothing"]


def test_an_image_of_the_widest_values() -> None:
    state = {"name": "h", "elements": 2, "signed": True, "format": [-(1 << 61), (1 << 61) - 1, 0]}
    format = load_format(PORT | {"data_bits": 62, "transfers": 4, "states": [state]})
    image = Image(SHA256, {"h": np.array([-(1 << 61), (1 << 61) - 1])}, True)
    assert format.unpack(format.pack(image), SHA256) == image


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (WORDS[:-1], "an image has 7 words, got 6"),
        ([0xDEE, *WORDS[1:]], f"no image of the program {SHA256}: they begin with dee abc 89, "),
    ],
)
def test_words_that_are_no_image(words: list[int], message: str) -> None:
    with pytest.raises(UserError, match=message):
        load_format(PORT).unpack(words, SHA256)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"transfers": 8}, "its states do not make an image of 8 transfers"),
        ({"data_bits": 0}, "an image has no bits, or no hash"),
        ({"hash_bits": 257}, "an image has no bits, or no hash"),
        ({"answers": ["loaded"]}, "a load is answered by loaded"),
        ({"states": [PORT["states"][0] | {"elements": 0}]}, "a state has no elements"),
    ],
)
def test_a_contradictory_format(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        load_format(PORT | change)
