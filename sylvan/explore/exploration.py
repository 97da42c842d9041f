"""A spec in, a folder of results out: what `sylvan explore` does."""

from pathlib import Path
from typing import Any

from sylvan.model.tasks import load_task

from .crew import crew
from .refusals import refuse_impossible
from .search import Say, Search
from .spec import Spec, load_spec
from .store import Store, local_url
from .work import Place


def explore(
    path: Path,
    out: Path,
    *,
    data: Path | None = None,
    storage: str | None = None,
    scheduler: str | None = None,
    workers: int | None = None,
    say: Say = lambda text, done: None,
) -> Search:
    """Search as the spec in the file `path` says; what is known is not done again.

    Networks, programs and builds are in `out`; `told` says what came of it.

    Parameters:
        data: folder of the data sets. storage: URL of the results, a file in `out` by default.
        scheduler: address of a Dask scheduler whose workers see `out` by the same path; by default
        there are `workers` processes here, one for each core.

    Raises UserError for a spec that is wrong, cannot work, or asks for what nothing can meet; and
    if the storage or the scheduler cannot be reached.
    """
    spec = load_spec(path)
    out.mkdir(parents=True, exist_ok=True)
    url = storage or local_url(out)
    Store(url)
    place = Place(out.resolve(), url, data and data.resolve())
    search = Search(spec, place, say)
    say("checking what the smallest network can do", None)
    refuse_impossible(spec, place.data, search.asked)
    with crew(scheduler, workers) as client:
        search.run(client)
    return search


def told(search: Search) -> dict[str, Any]:
    """What came of a search, as data."""
    spec: Spec = search.spec
    base = spec.space.base
    task = load_task(base.task, data=search.place.data, **base.task_options)
    constraints: dict[str, str] = {}
    for bound in spec.question.bounds:
        before = constraints.get(bound.figure)
        constraints[bound.figure] = f"{before}, {bound.sense}" if before else bound.sense
    return {
        "title": spec.path.stem,
        "spec": spec.text,
        "task": {
            "name": task.name,
            "score_name": task.score_name,
            "unit": "" if task.lower_is_better else "%",
            "lower_is_better": task.lower_is_better,
        },
        "objectives": {a.figure: "max" if a.largest else "min" for a in spec.question.aims},
        "constraints": constraints,
        "axes": [name for name, values in spec.space.axes.items() if len(values) > 1],
        "points": [point.told(spec.question) for point in search.points],
        "failures": list(search.failures),
        "spent": search.spent,
    }
