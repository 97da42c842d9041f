"""The pages in Chromium: what a reader hovers, clicks and chooses, and that nothing is amiss."""

import csv
import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from browser import complaints, opened, prefer, requests, resize
from exploration_data import explored
from selenium.webdriver import ActionChains, Chrome
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.select import Select
from selenium.webdriver.support.wait import WebDriverWait
from sylvan.model.files import write_whole

from sylvan.pages.exploration import exploration_page
from sylvan.pages.page import Html, Section, page

HOSTILE = """
<img src="http://127.0.0.1:9/stolen.png">
<script>document.title = "taken over"</script>
"""


def find(chrome: Chrome, selector: str) -> WebElement:
    return chrome.find_element(By.CSS_SELECTOR, selector)


def until(chrome: Chrome, condition: Callable[[Chrome], Any]) -> Any:
    return WebDriverWait(chrome, 20).until(condition)


@pytest.fixture(scope="module", name="data")
def _data() -> dict[str, Any]:
    return explored(hiddens=(64, 256))


@pytest.fixture(scope="module", name="written")
def _written(data: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("exploration") / "index.html"
    write_whole(path, exploration_page(data))
    return path


@pytest.fixture(scope="module", name="chrome")
def _chrome(written: Path) -> Iterator[Chrome]:
    """The page after its charts were drawn, in one browser for the tests of this file."""
    with opened(written) as chrome:
        until(chrome, lambda c: c.find_elements(By.CSS_SELECTOR, "#front .point"))
        yield chrome


def test_it_opens_without_a_complaint_or_a_request(
    chrome: Chrome, written: Path, tmp_path: Path
) -> None:
    drawn = chrome.find_elements(By.CSS_SELECTOR, ".chart.js-plotly-plot")
    assert len(drawn) == len(chrome.find_elements(By.CSS_SELECTOR, ".chart")) == 6
    assert "WebGL is not supported" not in find(chrome, "main").text
    assert chrome.save_screenshot(str(tmp_path / "exploration.png"))
    assert complaints(chrome) == []
    assert requests(chrome) == [written.as_uri()]


def test_a_point_tells_its_whole_configuration(chrome: Chrome, data: dict[str, Any]) -> None:
    # The last mark is of the last group drawn: a point of the front that was measured.
    mark = chrome.find_elements(By.CSS_SELECTOR, "#front .point")[-1]
    ActionChains(chrome).move_to_element(mark).perform()
    until(chrome, lambda c: c.find_elements(By.CSS_SELECTOR, "#front .hoverlayer text"))
    told = find(chrome, "#front .hoverlayer").text.replace("\n", " ")
    target = Select(find(chrome, "#front-target")).first_selected_option.text
    assert f"{target}, on the front, placed and measured" in told

    ActionChains(chrome).move_to_element(mark).click().perform()
    links = until(chrome, lambda c: c.find_elements(By.CSS_SELECTOR, "#kept a"))
    (point,) = [p for p in data["points"] if p["build"] == links[-1].text]
    assert [a.get_dom_attribute("href") for a in links] == [
        point["run"],
        point["program"],
        point["build"],
    ]
    figures, network, schedule = point["figures"], point["network"], point["schedule"]
    for said in (
        f"cell {network['cell']}",
        f"hidden {network['hidden']}",
        f"lanes {schedule['lanes']}",
        f"accuracy {figures['accuracy']:.4f}",
        f"LUTs {figures['luts']:,}",
        f"cycles a step {figures['cycles_per_step']:,}",
    ):
        assert said in told, told
    kept = find(chrome, "#kept").text
    assert f"LUTs\n{figures['luts']:,}" in kept and f"lanes\n{schedule['lanes']}" in kept


def column(chrome: Chrome, head: str) -> list[str | None]:
    """What the table's column sorts by, from the top."""
    script = (
        "const table = document.querySelector('table[aria-label=points]');"
        "const head = [...table.tHead.rows[0].cells].find(th => th.textContent === arguments[0]);"
        "return [...table.tBodies[0].rows].map(row => row.cells[head.cellIndex].dataset.value)"
    )
    found: list[str | None] = chrome.execute_script(script, head)
    return found


def test_a_heading_sorts(chrome: Chrome) -> None:
    heads = chrome.find_elements(By.CSS_SELECTOR, "table[aria-label=points] th")
    named = {head.text: head for head in heads}
    # Accuracies sort as numbers only: as versions, 0.9364 would come after 0.938.
    before = [float(text or 0) for text in column(chrome, "accuracy")]
    for order, reverse in (("ascending", False), ("descending", True)):
        named["accuracy"].find_element(By.TAG_NAME, "button").click()
        assert named["accuracy"].get_dom_attribute("aria-sort") == order
        after = [float(text or 0) for text in column(chrome, "accuracy")]
        assert after == sorted(before, reverse=reverse) != before
    # What is not known comes last both ways.
    for reverse in (False, True):
        named["build"].find_element(By.TAG_NAME, "button").click()
        builds = column(chrome, "build")
        known = [build for build in builds if build is not None]
        assert len(known) == 6 and builds[:6] == sorted(known, reverse=reverse)
    assert named["accuracy"].get_dom_attribute("aria-sort") is None


def test_the_table_is_copied_as_it_stands(chrome: Chrome) -> None:
    text = chrome.execute_script("return tables.csv(document.querySelector('[aria-label=points]'))")
    heads, *rows = csv.reader(io.StringIO(text))
    place = heads.index("LUTs")
    assert [row[place] for row in rows] == column(chrome, "LUTs")
    assert {len(row) for row in rows} == {len(heads)} and "" in [row[-1] for row in rows]

    wishes = {"permissions": ["clipboardReadWrite", "clipboardSanitizedWrite"]}
    chrome.execute_cdp_cmd("Browser.grantPermissions", wishes)
    whole = "div.table:has([aria-label=points])"
    find(chrome, f"{whole} button.copy").click()
    until(chrome, lambda c: find(c, f"{whole} output").text == f"{len(rows)} rows copied")
    read = "navigator.clipboard.readText().then(arguments[0])"
    assert chrome.execute_async_script(read) == text


def test_axes_and_targets_are_chosen(chrome: Chrome, data: dict[str, Any]) -> None:
    Select(find(chrome, "#front-x")).select_by_visible_text("steps per second")
    until(chrome, lambda c: find(c, "#front .xtitle").text == "steps per second")
    for target in ("ice40-up5k", "ecp5-25f"):
        Select(find(chrome, "#front-target")).select_by_visible_text(target)
        drawn = "return document.getElementById('front').data.flatMap(t => t.customdata ?? []).map"
        drawn += "(k => points.targets[points.target[k]])"
        count = sum(point["target"] == target for point in data["points"])
        assert chrome.execute_script(drawn) == [target] * count
    Select(find(chrome, "#kinds")).select_by_visible_text("cell")
    legend = "[id='along-network.hidden'] .legendtext"
    until(
        chrome,
        lambda c: (
            [e.text for e in c.find_elements(By.CSS_SELECTOR, legend)]
            == ["cell hadamrnn", "cell lstm"]
        ),
    )
    assert complaints(chrome) == []


def test_the_line_of_the_front_is_a_staircase_of_the_best(
    chrome: Chrome, data: dict[str, Any]
) -> None:
    Select(find(chrome, "#front-x")).select_by_visible_text("LUTs")
    Select(find(chrome, "#front-target")).select_by_visible_text("ecp5-25f")
    script = (
        "const line = document.getElementById('front').data.find(t => t.mode === 'lines');"
        "return [line.line.shape, line.x.map((x, k) => [x, line.y[k]])]"
    )
    shape, line = chrome.execute_script(script)
    able = [p["figures"] for p in data["points"] if p["target"] == "ecp5-25f" and p["meets"]]
    places = {(f["luts"], f["accuracy"]) for f in able}
    best = sorted(
        one
        for one in places
        if not any(o != one and o[0] <= one[0] and o[1] >= one[1] for o in places)
    )
    # With more LUTs than the last one and fewer than the next, its accuracy is still the best.
    assert [tuple(place) for place in line] == best and len(best) > 3 and shape == "hv"


def test_charts_change_with_light_and_dark(chrome: Chrome) -> None:
    colour = "return getComputedStyle(document.querySelector('#front .xtitle')).fill"
    light = chrome.execute_script(colour)
    prefer(chrome, "dark")
    until(chrome, lambda c: c.execute_script(colour) != light)
    prefer(chrome, "light")
    until(chrome, lambda c: c.execute_script(colour) == light)


def test_nothing_is_wider_than_the_screen(chrome: Chrome) -> None:
    fits = (
        "const [page, place] = [document.documentElement, document.getElementById('front')];"
        "const drawn = place.querySelector('.main-svg').clientWidth;"
        "return page.scrollWidth <= innerWidth && drawn === place.clientWidth"
    )
    for width in (390, 1280):
        resize(chrome, width)
        assert chrome.execute_script("return innerWidth") == width
        until(chrome, lambda c: c.execute_script(fits))


def test_what_gets_past_the_escaping_neither_loads_nor_runs(tmp_path: Path) -> None:
    path = tmp_path / "index.html"
    write_whole(path, page("ours", [], [Section("hostile", Html(HOSTILE))], charts=True))
    with opened(path) as chrome:
        assert chrome.title == "ours"
        refused = complaints(chrome)
        assert len(refused) == 2 and all("Content Security Policy" in said for said in refused)
