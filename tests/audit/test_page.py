"""The HTML page and the errata sheet, read as a browser and an author would."""

from __future__ import annotations

import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import pytest

from rlcalc._version import __version__
from rlcalc.audit.audited import Audited
from rlcalc.audit.claims import load_claims
from rlcalc.audit.errata import sheet
from rlcalc.audit.page import SEARCH, page, prose

VOID = {"meta", "br", "hr", "img", "input", "link"}


class Reader(HTMLParser):
    """Collects ids and links, and checks that every element is closed in order."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.tags: set[str] = set()
        self.attributes: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        if tag not in VOID:
            self.open.append(tag)
        for name, value in attrs:
            self.attributes.add(name)
            if name == "id":
                self.ids.append(value or "")
            if name in ("href", "src"):
                self.links.append(value or "")

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag


@pytest.fixture(scope="module")
def html(outcomes: dict[str, Audited]) -> str:
    return page(load_claims(), list(outcomes.values()))


@pytest.fixture(scope="module")
def read(html: str) -> Reader:
    reader = Reader()
    reader.feed(html)
    reader.close()
    return reader


def test_every_element_is_closed(read: Reader) -> None:
    assert read.open == []


def test_every_claim_is_a_link_target(read: Reader) -> None:
    assert len(read.ids) == len(set(read.ids))
    assert set(load_claims()) <= set(read.ids)
    assert all(link.startswith("#") and link[1:] in read.ids for link in read.links)


def test_nothing_comes_from_elsewhere(html: str, read: Reader) -> None:
    assert not {"link", "iframe", "object", "img", "base", "form"} & read.tags
    assert re.findall(r"(?s)<script.*?</script>", html) == [f"<script>{SEARCH}</script>"]
    assert not re.search(r"fetch|eval|import|XMLHttp|innerHTML|write|cookie|Storage", SEARCH)
    assert not [name for name in read.attributes if name.startswith("on")]
    outside = html.replace("http://www.w3.org/1998/Math/MathML", "")
    assert not re.search(r"url\(|@import|https?://", re.sub(r"(?s)<p class=\"faint\">.*?</p>", "", outside))


def test_its_head_says_what_it_is(html: str, outcomes: dict[str, Audited]) -> None:
    assert f"rlcalc {__version__}" in html
    tied = sum(one.tie == "tied" for one in outcomes.values())
    assert f"{tied} formulas were compared with the evidence" in html
    assert "@media print" in html
    statement = load_claims()["L2.2-lambda0"].statement
    assert re.search(rf"<h3>.*?{re.escape(prose(statement))}</h3>", html)


def test_each_verdict_can_be_seen_alone(html: str, outcomes: dict[str, Audited]) -> None:
    for verdict in {one.verdict for one in outcomes.values()}:
        count = sum(one.verdict == verdict for one in outcomes.values())
        assert f'id="only-{verdict}"><b>{count}</b>{verdict}<' in html
        assert f"body:has(#only-{verdict}:checked) article:not(.{verdict}):not(:target)" in html
        assert f".filter .{verdict} {{ --tone: var(--" in html


def test_errata_has_no_line_that_says_nothing(outcomes: dict[str, Audited]) -> None:
    assert not re.search(r", 0( = 0)?[;.]( |$)", sheet(load_claims(), list(outcomes.values())))


def test_it_fits_phones_and_the_dark(html: str) -> None:
    assert 'name="viewport" content="width=device-width, initial-scale=1"' in html
    assert "prefers-color-scheme: dark" in html
    assert "color-scheme: light dark" in html


def test_every_formula_is_mathml(html: str) -> None:
    maths = re.findall(r"(?s)<math .*?</math>", html)
    assert len(maths) >= sum(bool(claim.formula) for claim in load_claims().values())
    for one in maths:
        ElementTree.fromstring(one)
    assert "\\frac" not in html


def test_text_is_escaped() -> None:
    assert prose("a < b & V_{t+n} ≤ γ^n, S_1") == (
        "a &lt; b &amp; V<sub>t+n</sub> ≤ γ<sup>n</sup>, S<sub>1</sub>"
    )
    assert prose("n_step_return/audit-x <script>") == "n_step_return/audit-x &lt;script&gt;"


@pytest.mark.parametrize("width", [390, 1280])
def test_no_width_makes_the_page_scroll_sideways(width: int, html: str, tmp_path: Path) -> None:
    """In Chromium where there is one; its rules alone are read where there is none."""
    browser = shutil.which("chromium") or shutil.which("chromium-browser")
    if browser is None:
        # what would push the page wide scrolls or wraps by itself
        assert re.search(r"\.formula \{[^}]*overflow-x: auto", html)
        assert re.search(r"pre \{[^}]*white-space: pre-wrap", html)
        assert "overflow-wrap: anywhere" in html
        return
    # a frame of the wanted width, since a window of a browser has a least width of its own
    probe = (
        "<!DOCTYPE html><body><iframe id=f style='width:%dpx;height:900px;border:0' src='page.html'></iframe>"
        "<script>onload=()=>{const d=document.getElementById('f').contentDocument.documentElement;"
        "d.querySelectorAll('details').forEach(e=>e.open=true);"
        "document.title='';document.body.dataset.wide=d.scrollWidth+' '+d.clientWidth+' '"
        "+d.querySelectorAll('math').length}</script>"
    )
    (tmp_path / "page.html").write_text(html, "utf-8")
    (tmp_path / "probe.html").write_text(probe % width, "utf-8")
    words = [browser, "--headless=new", "--no-sandbox", "--hide-scrollbars", "--allow-file-access-from-files"]
    words += [f"--user-data-dir={tmp_path / 'profile'}", "--virtual-time-budget=4000", "--dump-dom"]
    done = subprocess.run(
        [*words, (tmp_path / "probe.html").as_uri()], capture_output=True, text=True, check=True, timeout=120
    )
    found = re.search(r'data-wide="(\d+) (\d+) (\d+)"', done.stdout)
    assert found, done.stdout[-500:]
    scroll, client, formulas = map(int, found.groups())
    assert client == width
    assert scroll <= client
    assert formulas > 0


def test_errata(outcomes: dict[str, Audited]) -> None:
    text = sheet(load_claims(), list(outcomes.values()))
    for one in outcomes.values():
        assert (f"**{one.id}**" in text) == (one.verdict in ("wrong", "conditional", "imprecise"))
        if f"**{one.id}**" in text:
            assert one.instead in text
    sections = re.findall(r"^## Section (.+)$", text, re.M)
    assert sections == list(dict.fromkeys(sections))
    paragraphs = [line for line in text.splitlines() if line.startswith("**L")]
    assert all("The lecture says" in line for line in paragraphs)
    assert sheet(load_claims(), []).endswith("Nothing to correct.\n")
    # the numbers of the claim are among the answers, each by its name
    assert "--baseline value` (answer: mean gradient 3/16 -3/16, variance 3/32," in text
