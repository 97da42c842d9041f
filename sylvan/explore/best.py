"""The point that answers a question, of all that a search knows."""

from collections.abc import Sequence

from sylvan.model.errors import UserError

from .points import Point
from .questions import Bound, Question


def best(points: Sequence[Point], question: Question, target: str | None) -> Point:
    """The best of the points on a target that are within all bounds.

    Of those that are equal, one that was built.

    Raises UserError if there is none, naming for each bound the nearest.
    """
    here = [point for point in points if target in (None, point.target) and point.possible]
    if not here:
        found = ", ".join(dict.fromkeys(point.target for point in points)) or "none"
        raise UserError(f"the search has no point on {target}; it has them on: {found}")
    figures = [(point, point.figures) for point in here]
    within = [(point, known) for point, known in figures if question.admits(known)]
    if not within:
        told = "; ".join(
            _nearest(bound, [known for _, known in figures]) for bound in question.bounds
        )
        raise UserError(f"no point of the search is within all bounds. Nearest to each: {told}")
    chosen, _ = min(within, key=lambda one: (question.costs(one[1]), one[0].build is None))
    return chosen


def _nearest(bound: Bound, figures: Sequence[dict[str, object]]) -> str:
    known = min(figures, key=bound.excess).get(bound.figure)
    return f"{bound} ({'not known' if known is None else f'{known:,.6g}'})"
