"""Whether what a user gave is of the kind that an annotation asks for, in a user's words."""

import types
import typing
from collections.abc import Sequence
from typing import Any

from .errors import UserError, shortened

NAMES: dict[Any, str] = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "text",
    dict[str, Any]: "options by name",
    Sequence[int]: "a list of whole numbers",
    types.NoneType: "null",
}


def check_kind(what: str, value: Any, annotation: Any) -> None:
    """Raises UserError unless `value` is what the annotation of `what` says.

    A whole number will do for a number; true and false are neither.
    """
    if not _is_of(value, annotation):
        expected = " or ".join(NAMES[kind] for kind in _kinds(annotation))
        raise UserError(f"{what} must be {expected}, got {shortened(repr(value))}")


def _kinds(annotation: Any) -> tuple[Any, ...]:
    """The annotations of which it is the union."""
    return typing.get_args(annotation) if isinstance(annotation, types.UnionType) else (annotation,)


def _is_of(value: Any, annotation: Any) -> bool:
    if isinstance(annotation, types.UnionType):
        return any(_is_of(value, kind) for kind in _kinds(annotation))
    if annotation == Sequence[int]:
        return type(value) in (list, tuple) and all(_is_of(element, int) for element in value)
    if annotation is float:
        return type(value) in (int, float)
    return type(value) is (typing.get_origin(annotation) or annotation)
