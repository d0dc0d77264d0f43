"""The built site in a real browser: every page, the calculator, and the check of a pasted function."""

from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urljoin, urlsplit

import pytest

from rlcalc.conform.convention import Convention
from rlcalc.conform.fault import Fault
from rlcalc.error_codes import codes
from rlcalc.site.faults import entries
from rlcalc.specs import formula_names

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.filterwarnings("default")]

NARROW = 390
# loads pages in frames of a telephone's width, some at once, and gives those that are too wide
LOOK = """
const [urls, width, done] = arguments;
const wide = [], waiting = [...urls];
async function frames() {
  const frame = document.createElement("iframe");
  frame.style.cssText = `width:${width}px;height:700px;border:0`;
  document.body.append(frame);
  while (waiting.length) {
    const url = waiting.pop();
    await new Promise((loaded) => { frame.onload = loaded; frame.src = url; });
    const page = frame.contentDocument.documentElement;
    if (page.scrollWidth > page.clientWidth + 1) wide.push(`${url}: ${page.scrollWidth}`);
    if (!frame.contentDocument.querySelector("h1")) wide.push(`${url}: no heading`);
  }
  frame.remove();
}
Promise.all(Array.from({ length: 6 }, frames)).then(() => done(wide));
"""


class Anchors(HTMLParser):
    """Links, names and what is loaded, of one page."""

    def __init__(self) -> None:
        super().__init__()
        self.links: list[str] = []
        self.names: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name in ("href", "src") and value:
                self.links.append(value)
            if name == "id" and value:
                self.names.add(value)


@pytest.fixture(scope="module")
def pages(site: Path) -> dict[str, Anchors]:
    """Every page by its path from the root of the site."""
    found = {}
    for path in sorted(site.rglob("*.html")):
        parsed = Anchors()
        parsed.feed(path.read_text("utf-8"))
        found[path.relative_to(site).as_posix().removesuffix("index.html")] = parsed
    return found


def test_links_anchors_and_files_resolve(site: Path, pages: dict[str, Anchors]) -> None:
    broken, elsewhere = [], set()
    for page, parsed in pages.items():
        for link in parsed.links:
            split = urlsplit(urljoin(f"http://site/{page}", link))
            if split.netloc != "site":
                elsewhere.add(split.netloc)
                continue
            target = unquote(split.path).lstrip("/")
            if page == "404.html":
                continue
            there = target in pages or (site / target).is_file()
            if not there or (
                split.fragment and target in pages and unquote(split.fragment) not in pages[target].names
            ):
                broken.append(f"{page}: {link}")
    assert broken == []
    assert {host for host in elsewhere if host not in ("github.com", "zensical.org")} <= READ_ELSEWHERE


READ_ELSEWHERE = {"arxiv.org", ""}  # linked to, never loaded


def test_every_name_that_the_program_prints_has_its_page(pages: dict[str, Anchors]) -> None:
    wanted = {f"formulas/{name}/" for name in formula_names()}
    wanted |= {f"faults/{name}/" for name in entries(Fault)}
    wanted |= {f"conventions/{name}/" for name in entries(Convention)}
    wanted |= {f"errors/{code.name}/" for code in codes()}
    assert wanted <= set(pages)


def test_every_page_loads_and_fits_a_telephone(
    chromium: Any, address: str, pages: dict[str, Anchors]
) -> None:
    chromium.get(address)
    chromium.get_log("browser")
    urls = [address + page for page in pages if page != "404.html"]
    assert chromium.execute_async_script(LOOK, urls, NARROW) == []
    assert console(chromium) == []


def console(chromium: Any) -> list[str]:
    """Errors of the console, failed requests among them."""
    return [line["message"] for line in chromium.get_log("browser") if line["level"] in ("SEVERE", "WARNING")]


# the calculator: one page and one Python for all questions, as a reader has them

PROCESS = "P = [[[0, 1]], [[0, 1]]]\nR = [[2], [0]]\nterminal = [1]"
SYMBOLS = {"rewards": "1 2", "values": "v 0 0", "gamma": "g", "lam": "l"}
FILL = """
const [formula, fields] = arguments, select = document.getElementById("rl-formula");
select.value = formula;
select.dispatchEvent(new Event("change"));
for (const input of document.querySelectorAll(".rl-form [name]")) input.value = fields[input.name] ?? "";
document.querySelector(".rl-form [type=submit]").click();
"""


@pytest.fixture(scope="module")
def python(site: Path) -> None:
    """That the site has Python for its pages."""
    if not (site / "assets" / "python").is_dir():
        pytest.skip("built without Pyodide; 'npm ci --prefix docs' brings it")


@pytest.fixture(scope="module")
def playground(chromium: Any, address: str, python: None) -> Any:
    """The playground, opened by a link that carries inputs."""
    chromium.get(f"{address}playground/?formula=lambda_return&rewards=1+2+3&lam=0.5")
    return chromium


def settled(chromium: Any) -> Any:
    """The answer, when it is there."""
    from selenium.webdriver.common.by import By
    from selenium.webdriver.support.ui import WebDriverWait

    def there(driver: Any) -> Any:
        found = driver.find_elements(
            By.CSS_SELECTOR, ".rl-result[data-state=done], .rl-result[data-state=error]"
        )
        return found[0] if found else None

    return WebDriverWait(chromium, 120, poll_frequency=0.05).until(there)


def exact(chromium: Any, output: str) -> list[str]:
    from selenium.webdriver.common.by import By

    cells = chromium.find_elements(By.CSS_SELECTOR, f"[data-output={output}] .rl-exact")
    return [cell.get_attribute("data-exact") for cell in cells]


def ask(chromium: Any, formula: str, **fields: str) -> Any:
    chromium.execute_script(FILL, formula, fields)
    return settled(chromium)


def test_a_link_is_answered_and_three_formulas_are_right(playground: Any) -> None:
    first = settled(playground)
    assert exact(playground, "return") == ["11/4"]
    assert "rlcalc.derive('lambda_return', rewards=['1', '2', '3'], lam='0.5').outputs" in first.text
    cold = int(first.get_attribute("data-ms"))
    later = ask(playground, "gae", **SYMBOLS)
    assert exact(playground, "advantages") == ["2*g*l - v + 1", "2"]
    assert int(later.get_attribute("data-ms")) < cold
    ask(playground, "bellman", mdp=PROCESS, gamma="1/2")
    assert exact(playground, "values") == ["2", "0"]
    assert console(playground) == []


def test_a_students_answer_is_judged(playground: Any) -> None:
    settled(playground)
    result = ask(playground, "lambda_return", rewards="1 2 3", lam="0.5", **{"--check": "2.7"})
    assert "right as rounded" in result.text


def test_a_wrong_input_gets_the_message_of_the_terminal_and_its_page(playground: Any, address: str) -> None:
    from selenium.webdriver.common.by import By

    settled(playground)
    result = ask(playground, "gae", rewards="1 2 3", lam="1.5")
    assert "error: --lam must be in [0, 1], not 3/2." in result.text
    link = result.find_element(By.CSS_SELECTOR, "a").get_attribute("href")
    assert link == f"{address}errors/NAME_out_of_range/"


def test_the_keyboard_is_enough(playground: Any) -> None:
    from selenium.webdriver.common.by import By
    from selenium.webdriver.common.keys import Keys

    settled(playground)
    ask(playground, "lambda_return", rewards="1 2 3", lam="0.5")
    field = playground.find_element(By.CSS_SELECTOR, "[name=lam]")
    field.send_keys(Keys.CONTROL, "a")
    field.send_keys("1", Keys.ENTER)
    settled(playground)
    assert exact(playground, "return") == ["6"]


def test_the_search_finds_without_a_network(chromium: Any, address: str, site: Path) -> None:
    index = (site / "search.json").read_text("utf-8")
    assert "recursion-crosses-truncation" in index
    assert "Generalized advantage estimation" in index


# the check of a pasted function


def paste(chromium: Any, address: str, source: str) -> str:
    from selenium.webdriver.common.by import By

    chromium.get(f"{address}tutorials/check-in-the-browser/")
    area = chromium.find_element(By.CSS_SELECTOR, "#rl-source")
    chromium.execute_script("arguments[0].value = arguments[1]", area, source)
    chromium.find_element(By.CSS_SELECTOR, "[data-judge] [type=submit]").click()
    return str(settled(chromium).text)


def test_a_pasted_function_is_judged_and_an_endless_one_is_stopped(
    chromium: Any, address: str, python: None
) -> None:
    from tests.site.test_judge import GAE

    faulty = paste(chromium, address, GAE.format(cut="terminated[t]"))
    assert "gae differs" in faulty
    assert "Known bug: recursion-crosses-truncation" in faulty
    endless = paste(chromium, address, "def gae(rewards):\n    while True:\n        pass")
    assert "hangs: stopped after 5 seconds" in endless
