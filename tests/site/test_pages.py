"""Every page of the built site, read without a browser: links, anchors, files, names, a heading."""

from __future__ import annotations

import re
from collections.abc import Mapping
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urljoin, urlsplit

import pytest

from rlcalc.conform.convention import Convention
from rlcalc.conform.fault import Fault
from rlcalc.error_codes import codes
from rlcalc.site.faults import entries
from rlcalc.specs import formula_names

pytestmark = [pytest.mark.browser, pytest.mark.slow]

HERE = "site"  # stands for the site's own host
LINKED = {"github.com", "arxiv.org", "zensical.org"}  # hosts that pages link to; none is loaded from
LOADED_LINKS = {"stylesheet", "icon", "preload", "modulepreload"}


class Page(HTMLParser):
    """Links, what is loaded, names and the number of main headings of one page."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.links: list[str] = []
        self.loads: list[str] = []
        self.names: set[str] = set()
        self.headings = 0
        self.feed(path.read_text("utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.headings += tag == "h1"
        if found.get("id"):
            self.names.add(str(found["id"]))
        if found.get("src"):
            self.loads.append(str(found["src"]))
        if found.get("href"):
            loaded = tag == "link" and LOADED_LINKS & set(str(found.get("rel")).split())
            (self.loads if loaded else self.links).append(str(found["href"]))


@pytest.fixture(scope="module")
def pages(site: Path) -> dict[str, Page]:
    """Every page by its path from the root of the site; that of a missing page is any page's."""
    return {
        path.relative_to(site).as_posix().removesuffix("index.html"): Page(path)
        for path in sorted(site.rglob("*.html"))
        if path.name != "404.html"
    }


def test_links_anchors_and_files_resolve(site: Path, pages: Mapping[str, Page]) -> None:
    broken, hosts = [], set()
    for page, parsed in pages.items():
        for link in parsed.links + parsed.loads:
            split = urlsplit(urljoin(f"http://{HERE}/{page}", link))
            if split.netloc != HERE:
                hosts.add(split.netloc)
                continue
            target, anchor = unquote(split.path).lstrip("/"), unquote(split.fragment)
            there = target in pages or (site / target).is_file()
            if not there or (anchor and target in pages and anchor not in pages[target].names):
                broken.append(f"{page}: {link}")
    assert broken == []
    assert hosts <= LINKED


def test_nothing_is_loaded_from_another_host(site: Path, pages: Mapping[str, Page]) -> None:
    loaded = {link for page in pages.values() for link in page.loads}
    assert [link for link in loaded if urlsplit(link).netloc or urlsplit(link).scheme] == []
    for path in site.rglob("*.css"):
        assert re.findall(r"(?:url\(|@import)\s*[\"']?(?:https?:)?//\S+", path.read_text("utf-8")) == [], path


def test_every_page_has_one_heading(pages: Mapping[str, Page]) -> None:
    assert {page: parsed.headings for page, parsed in pages.items() if parsed.headings != 1} == {}


def test_every_name_that_the_program_prints_has_its_page(pages: Mapping[str, Page]) -> None:
    wanted = {f"formulas/{name}/" for name in formula_names()}
    wanted |= {f"faults/{name}/" for name in entries(Fault)}
    wanted |= {f"conventions/{name}/" for name in entries(Convention)}
    wanted |= {f"errors/{code.name}/" for code in codes()}
    assert wanted <= set(pages)
