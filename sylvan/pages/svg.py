"""Pictures of a page: SVG in the page's own colours, with text that is known to fit.

All text is in a font of one width, so that a box can be made as wide as its text.
"""

from collections.abc import Iterable

from .layered import Point
from .page import Html, element

CHARACTER = 0.61
"""Width of a character by the size of its font: that of the widest of the usual ones."""
FONT = 12.0
SMALL = 11.0
LONGEST = 34
"""Characters of a name that are shown; the pointer is told all."""


def wide(text: str, size: float = FONT) -> float:
    """How wide a text is at most."""
    return len(text) * size * CHARACTER


def shortened(text: str, most: int) -> str:
    """A text of at most so many characters."""
    return text if len(text) <= most else f"{text[: most - 1]}\N{HORIZONTAL ELLIPSIS}"


def number(value: float) -> str:
    """A coordinate."""
    return f"{round(value, 1):g}"


def picture(width: float, height: float, label: str, *content: str) -> Html:
    """A drawing in its own size, which scrolls where the page is narrower."""
    size = {"width": number(width), "height": number(height)}
    drawn = element(
        "svg",
        *content,
        viewBox=f"0 0 {size['width']} {size['height']}",
        role="img",
        aria_label=label,
        **size,
    )
    return element("div", drawn, class_="drawing")


def text(x: float, y: float, said: str, class_: str | None = None) -> Html:
    return element("text", said, x=number(x), y=number(y), class_=class_)


def box(x: float, y: float, width: float, height: float, class_: str, *content: str) -> Html:
    """A rectangle; its content is what the pointer is told."""
    places = {"x": x, "y": y, "width": width, "height": height}
    said = {key: number(value) for key, value in places.items()}
    return element("rect", *content, class_=class_, **said)


def path(points: str, class_: str) -> Html:
    return element("path", d=points, class_=class_)


def curve(points: Iterable[Point]) -> str:
    """A line through points from above to below, which passes each of them downwards."""
    (x, y), *rest = points
    said = f"M{number(x)} {number(y)}"
    for a, b in rest:
        middle = number((y + b) / 2)
        said += f"C{number(x)} {middle} {number(a)} {middle} {number(a)} {number(b)}"
        x, y = a, b
    return said


def title(said: str) -> Html:
    """What the pointer is told of the element that this is in."""
    return element("title", said)


def arrows() -> Html:
    """The heads of arrows, which every drawing of the page refers to."""
    heads = [
        element(
            "marker",
            element("path", d="M0 0L8 4L0 8z"),
            id=name,
            viewBox="0 0 8 8",
            refX="7",
            refY="4",
            markerWidth="7",
            markerHeight="7",
            orient="auto",
        )
        for name in ("arrow", "loop-arrow")
    ]
    return element("svg", element("defs", *heads), class_="unseen", aria_hidden="true")
