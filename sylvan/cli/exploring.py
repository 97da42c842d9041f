"""The command that searches networks and schedules for an answer."""

from pathlib import Path
from typing import Annotated, Any

from typer import Argument, Option

from sylvan.model.errors import UserError

from ..console import Interrupted, console, next_step, progress_bar, quoted, working_in
from .shared import DataFolder

DATA_FILE, PAGE_FILE = "exploration.json", "index.html"
BEST_HELP = (
    "Of all points that are found print the best, such as 'accuracy >= 0.95, min luts', and the "
    "command that builds it."
)
STORAGE_HELP = (
    "Database of the results, as a SQLAlchemy URL such as postgresql+psycopg://user@host/name; a "
    "SQLite file in --out by default."
)
SCHEDULER_HELP = (
    "A Dask scheduler, such as tcp://host:8786, whose workers see --out under the same path; "
    "processes of this machine by default."
)


def explore(
    spec: Annotated[Path, Argument(metavar="SPEC", help="What to search, as TOML: docs/spec.md.")],
    out: Annotated[Path, Option(help="Folder for runs, builds, results and their page.")],
    best: Annotated[str | None, Option(help=BEST_HELP, metavar="QUESTION")] = None,
    target: Annotated[str | None, Option(help="The part that --best is asked of.")] = None,
    build: Annotated[
        Path | None, Option(metavar="DIR", help="Build what --best finds into this folder.")
    ] = None,
    workers: Annotated[
        int | None, Option(help="Processes of this machine; one for each core by default.", min=1)
    ] = None,
    scheduler: Annotated[str | None, Option(help=SCHEDULER_HELP, metavar="ADDRESS")] = None,
    storage: Annotated[str | None, Option(help=STORAGE_HELP, metavar="URL")] = None,
    data: DataFolder = None,
) -> None:
    """Search networks and schedules as a file says: fronts, a page, and the best of them.

    What is known is not done again: the same command goes on where it was interrupted.
    """
    from sylvan.explore.exploration import explore as run_search
    from sylvan.explore.questions import question
    from sylvan.hw.targets import target as find_target

    if best is None and (target is not None or build is not None):
        raise UserError("--target and --build are for the answer to --best: give a question")
    if scheduler is not None and workers is not None:
        raise UserError("a --scheduler has workers of its own: leave out --workers")
    asked = None if best is None else question(best)
    part = None if target is None else find_target(target).name
    with working_in(out), progress_bar() as bar:
        row = bar.add_task("exploring", total=1.0)

        def show(text: str, done: float | None) -> None:
            bar.update(row, description=text, completed=done)

        try:
            found = run_search(
                spec, out, data=data, storage=storage, scheduler=scheduler, workers=workers,
                say=show,
            )  # fmt: skip
        except KeyboardInterrupt:
            raise Interrupted("the same command goes on from here") from None
    _tell(found, out)
    if asked is None:
        next_step(f"sylvan explore {quoted(spec)} --out {quoted(out)} --best 'min luts'")
    else:
        _answer(found, out, asked, part, build)


def _tell(found: Any, out: Path) -> None:
    """Fronts, failures, and where all of it is; as data and a page, too."""
    from sylvan.explore.exploration import told
    from sylvan.model.files import write_json, write_whole
    from sylvan.pages.exploration import exploration_page

    from ..explorations import MOST_ROWS, points_table

    data = told(found)
    write_json(out / DATA_FILE, data)
    write_whole(out / PAGE_FILE, exploration_page(data))

    varied = [axis for axis, values in found.spec.space.axes.items() if len(values) > 1]
    for name, points in found.fronts.items():
        if points:
            console.print(points_table(points, varied, f"the front on {name}"))
            if len(points) > MOST_ROWS:
                console.print(f"and {len(points) - MOST_ROWS} more, which the page has")
        else:
            console.print(f"no point on {name} is within the constraints")
    spent = found.spent
    console.print(
        f"{len(found.founds)} networks: {spent['trained']} trained now in "
        f"{spent['seconds_training']:.0f} s, {spent['reused']} runs known before; "
        f"{len(found.points):,} points, {spent['built']} cores built now in "
        f"{spent['seconds_building']:.0f} s"
    )
    failures = list(found.failures)
    for failure in failures[:3]:
        console.print(f"failed ({failure['stage']}): {failure['reason']}")
    if len(failures) > 3:
        console.print(f"and {len(failures) - 3} more failed, which the page tells of")
    console.print(f"the same as data: {out / DATA_FILE}; to look at: {out / PAGE_FILE}")


def _answer(found: Any, out: Path, asked: Any, target: str | None, build: Path | None) -> None:
    """Print the best point, and build it or say how."""
    from sylvan.explore.best import best

    from ..explorations import build_command, points_table
    from .building import build as run_build

    point = best(found.points, asked, target)
    axes = list(found.spec.space.axes)
    console.print(points_table([point], axes, f"the best on {point.target}"))
    if point.build is not None and point.measured:
        console.print(f"built with one seed: {out / point.build.outcome['folder']}")
    if build is None:
        next_step(build_command(point, out, "best"))
        return
    program, name, schedule, clock = point.build_arguments
    run_build(
        out / program.outcome["folder"],
        name,
        build,
        lanes=schedule["lanes"],
        digit=None if schedule["words"] else schedule["digit"],
        levels=schedule["levels"],
        contexts=schedule["contexts"],
        logic_roms=schedule["logic_roms"],
        dsps=schedule["dsps"],
        microcode=schedule["microcode"],
        clock=clock,
    )
