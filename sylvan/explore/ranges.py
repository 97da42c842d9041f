"""The values that a spec lets an axis take."""

from typing import Any

Value = str | int | float | bool

MOST_VALUES = 1000


def values(given: Any) -> tuple[Value, ...]:
    """One value, a list of them, or a range `{from = 32, to = 256, times = 2}` (or `step = 32`).

    Raises ValueError, in words, for what is none of these, or holds no value.
    """
    if isinstance(given, dict):
        found = _range(given)
    else:
        found = list(given) if isinstance(given, list) else [given]
    if not found:
        raise ValueError("it holds no value")
    for value in found:
        if not isinstance(value, str | int | float):
            raise ValueError(f"{value!r} is no value: text, a number, true or false")
    if len(found) > MOST_VALUES:
        raise ValueError(f"it holds {len(found)} values, more than {MOST_VALUES}")
    # True is 1 to a dict.
    return tuple({(type(value), value): value for value in found}.values())


def _range(given: dict[str, Any]) -> list[int]:
    ways = [way for way in ("step", "times") if way in given]
    if set(given) != {"from", "to", *ways} or len(ways) != 1:
        raise ValueError(
            "a range is {from = A, to = B, step = S} or {from = A, to = B, times = F}, got "
            f"{', '.join(given) or 'nothing'}"
        )
    first, last, change = given["from"], given["to"], given[ways[0]]
    if not all(type(number) is int for number in (first, last, change)):
        raise ValueError("a range is of whole numbers")
    if (ways[0] == "step" and change < 1) or (ways[0] == "times" and (change < 2 or first < 1)):
        raise ValueError(
            "a range grows by a step of at least 1, or from 1 or more at least 2 times"
        )
    found: list[int] = []
    while first <= last and len(found) <= MOST_VALUES:
        found.append(first)
        first = first + change if ways[0] == "step" else first * change
    if not found:
        raise ValueError(f"it is empty: it begins at {given['from']} and ends at {last}")
    return found
