"""The scaffold: what is text stays text, what is a script is one of ours, and nothing is loaded."""

import base64
import hashlib
import re
from urllib.parse import quote

import pytest
from markup import Markup

from sylvan.pages.page import Cell, Html, Section, element, joined, link, page, table

NASTY = "</script></title><img src=http://evil onerror=alert(1)>\"'&amp;<!--"


def digests(scripts: list[str]) -> set[str]:
    hashed = (hashlib.sha256(script.encode()).digest() for script in scripts)
    return {base64.b64encode(digest).decode() for digest in hashed}


def test_text_stays_text_wherever_it_enters() -> None:
    rows = [[Cell(NASTY, path=NASTY), Cell(1.5)]]
    sections = [Section(NASTY, table([NASTY, "b"], rows, NASTY))]
    made = Markup(page(NASTY, [NASTY], sections, data={NASTY: NASTY}))
    # Title, heading, lead, the section's heading, a column's heading, a link.
    assert made.texts.count(NASTY) == 6
    assert made.titles == [NASTY] and made.tree == {NASTY: NASTY}
    assert made.tables[NASTY].rows[0][0].value == NASTY
    assert made.addresses == [quote(NASTY)]


def test_a_file_name_is_never_another_address() -> None:
    for name in ("javascript:alert(1)", "http://a", "//a?b#c", "a b"):
        address = re.findall('href="(.*?)"', link(name))[0]
        assert re.fullmatch(r"[\w/.%-]+", address), address
    assert link("runs/a") == '<a href="runs/a">runs/a</a>'


@pytest.mark.parametrize("charts", [False, True])
def test_the_policy_names_every_script_and_nothing_else(charts: bool) -> None:
    made = Markup(page("title", [], [], charts=charts))
    assert made.addresses == []
    data, *scripts = made.scripts
    assert data == "null" and len(scripts) == (3 if charts else 1)
    named = re.findall("'sha256-(.*?)'", made.policy)
    assert set(named) == digests(scripts) and len(named) == len(scripts)
    assert made.policy.startswith("default-src 'none';")
    assert "http" not in made.policy and "script-src 'sha256-" in made.policy
    # The code that feeds WebGL is compiled by plotly; no other page compiles any.
    assert ("unsafe-eval" in made.policy) is charts


def test_plotly_comes_only_with_charts() -> None:
    assert b"plotly.js v" not in page("title", [], [])
    assert page("title", [], [], charts=True).count(b"plotly.js v") == 1


def test_numbers_keep_their_value_beside_their_form() -> None:
    cells = [Cell(1234.56, "{:,.1f}"), Cell(None), Cell("x", kind="text"), Cell(7, kind="estimate")]
    assert table(["a", "b", "c", "d"], [cells], "points").partition("<tbody>")[2] == (
        '<tr><td class="number" data-value="1234.56">1,234.6</td><td class="missing">\N{EN DASH}'
        '</td><td class="text" data-value="x">x</td><td class="number estimate" data-value="7">7'
        "</td></tr></tbody></table></div></div>"
    )


def test_attributes_and_pieces() -> None:
    assert element("p", "<", Html("<b>"), class_="a", hidden=True, id=None, lang=False) == (
        '<p class="a" hidden>&lt;<b></p>'
    )
    assert element("br") == "<br>" and joined("a", "&") == "a&amp;"


def test_numbers_that_json_has_not_are_refused() -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        page("title", [], [], data=[float("nan")])


def test_names_that_are_no_text_are_replaced() -> None:
    assert Markup(page("a\udc80b", [], [])).texts[0] == "a?b"
