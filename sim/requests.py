"""Requests for the state port, and what has to come out of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from .images import StateFormat


@dataclass(frozen=True)
class Request:
    """A request before input word `at`, to save a context's state; with an `answer` to load it.

    `words`, {last, data} each, are those of the image, expected or sent; `waits` come before them.
    One that is `beside` is offered together with the word before, which has to be taken first.
    """

    at: int
    context: int
    words: list[int]
    waits: list[int]
    beside: bool = False
    answer: str | None = None

    def packed(self, state: StateFormat) -> dict[str, Any]:
        """What the testbench sends: words {context, last, data} of an image; else the context."""
        place = {"at": self.at, "beside": self.beside}
        if self.answer is None:
            return {**place, "context": self.context}
        context = self.context << state.data_bits + 1
        return {**place, "words": [context | w for w in self.words], "gaps": self.waits[1:]}


def expected_words(state: StateFormat, requests: Sequence[Request]) -> dict[str, Any]:
    """What has to come out of the state port, with the waits before each word."""
    saves = [request for request in requests if request.answer is None]
    answers = [state.answers.index(r.answer) for r in requests if r.answer is not None]
    return {
        "o_save": {
            "words": [word for save in saves for word in save.words],
            "stalls": [wait for save in saves for wait in save.waits],
        },
        "o_load": {"words": answers, "stalls": [k % 5 * (k % 2) for k in range(len(answers))]},
    }
