"""Reports in Chromium, where the fonts are real: no text is cut off, nothing lies on anything."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from browser import complaints, opened, prefer, requests, resize
from pretended import pretend
from selenium.webdriver import Chrome
from stateful import stacked
from sylvan.hw.schedule import Schedule
from sylvan.model.files import write_whole
from sylvan.model.program import Program
from sylvan.model.storage import load
from sylvan.model.tasks import Task, load_task

from sylvan.pages.build import build_page

GALLERY = Path(__file__).parents[3] / "gallery"
BOXES = """
const box = (e) => {
  const b = e.getBoundingClientRect();
  return [b.left, b.right, b.top, b.bottom];
};
return [...document.querySelectorAll(".drawing svg")].map((svg) => ({
  whole: box(svg),
  texts: [...svg.querySelectorAll("text")].map((e) => [e.textContent, ...box(e)]),
  labels: [...svg.querySelectorAll(".label")].map((e) => [e.textContent, ...box(e)]),
  nodes: [...svg.querySelectorAll(".node")].map((e) => [
    box(e), [...e.parentElement.querySelectorAll("text")].map((t) => [t.textContent, ...box(t)]),
  ]),
}));
"""
Box = list[float]


def find_task(program: Program) -> Task:
    return load_task("digits")


def inside(inner: Box, outer: Box) -> bool:
    left, right, top, bottom = inner
    return outer[0] <= left and right <= outer[1] and outer[2] <= top and bottom <= outer[3]


def apart(a: Box, b: Box) -> bool:
    return a[1] <= b[0] or b[1] <= a[0] or a[3] <= b[2] or b[3] <= a[2]


@pytest.fixture(
    scope="module",
    params=[
        (lambda: load(GALLERY / "digits"), Schedule(4)),
        (lambda: load(GALLERY / "digits-lstm"), Schedule(4)),
        (stacked, Schedule(2, contexts=2)),
    ],
    ids=["hadamrnn", "lstm", "stack"],
    name="chrome",
)
def _chrome(request: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chrome]:
    program, schedule = request.param
    folder = tmp_path_factory.mktemp("pretended") / "build"
    pretend(folder, program(), schedule)
    path = folder / "report.html"
    write_whole(path, build_page(folder, find_task))
    with opened(path) as chrome:
        assert requests(chrome) == [path.as_uri()]
        yield chrome


def test_every_text_has_its_place(chrome: Chrome) -> None:
    """In its box, in its drawing, and not on another; labels of edges lie on no box."""
    drawings = chrome.execute_script(BOXES)
    assert sum(len(drawing["nodes"]) for drawing in drawings) > 10
    for drawing in drawings:
        for said, *place in drawing["texts"]:
            assert inside(place, drawing["whole"]), said
        for frame, lines in drawing["nodes"]:
            for said, *place in lines:
                assert inside(place, frame), said
            for said, *place in drawing["labels"]:
                assert apart(place, frame), said
        frames = [frame for frame, _ in drawing["nodes"]]
        for k, (said, *place) in enumerate(drawing["texts"]):
            for other, *there in drawing["texts"][k + 1 :]:
                assert apart(place, there), (said, other)
        assert all(apart(a, b) for k, a in enumerate(frames) for b in frames[k + 1 :])


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_it_fits_the_window(chrome: Chrome, width: int, scheme: str, tmp_path: Path) -> None:
    """What is wider scrolls by itself; no script and no style is complained of."""
    resize(chrome, width)
    prefer(chrome, scheme)
    wide = chrome.execute_script("return document.documentElement.scrollWidth")
    assert wide <= width
    assert chrome.save_screenshot(str(tmp_path / f"report-{width}-{scheme}.png"))
    assert complaints(chrome) == []
