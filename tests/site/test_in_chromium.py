"""The built site in a real browser: its pages, the search, the calculator, the check of a pasted function."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest

from tests.site.chromium import ask, console, settled

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.filterwarnings("default")]

NARROW = 390
# loads pages in frames of a telephone's width, some at once, and gives those that scroll sideways
LOOK = """
const [urls, width, scripts, done] = arguments;
const wide = [], waiting = [...urls];
async function frames() {
  const frame = document.createElement("iframe");
  if (!scripts) frame.sandbox = "allow-same-origin";
  frame.style.cssText = `width:${width}px;height:700px;border:0`;
  document.body.append(frame);
  while (waiting.length) {
    const url = waiting.pop();
    await new Promise((loaded) => { frame.onload = loaded; frame.src = url; });
    const page = frame.contentDocument.documentElement;
    if (page.scrollWidth > page.clientWidth + 1) wide.push(url);
  }
  frame.remove();
}
Promise.all(Array.from({ length: 4 }, frames)).then(() => done(wide));
"""


def pages_of(site: Path) -> list[str]:
    return [path.relative_to(site).parent.as_posix() for path in sorted(site.rglob("index.html"))]


def sample(site: Path) -> list[str]:
    """Of every kind of page, by folder, the one with most in it and the one with least."""
    kinds = defaultdict(list)
    for page in pages_of(site):
        kinds[page.rpartition("/")[0]].append(page)
    sizes = [
        sorted(one, key=lambda page: (site / page / "index.html").stat().st_size) for one in kinds.values()
    ]
    return sorted({page for found in sizes for page in (found[0], found[-1])})


def too_wide(chromium: Any, address: str, pages: list[str], scripts: bool) -> list[str]:
    """Pages that scroll sideways on a telephone."""
    chromium.get(address)
    console(chromium)
    urls = [f"{address}{page}/".replace("/./", "/") for page in pages]
    found = chromium.execute_async_script(LOOK, urls, NARROW, scripts)
    return sorted(url.removeprefix(address).strip("/") for url in found)


def test_every_page_fits_a_telephone(chromium: Any, address: str, site: Path) -> None:
    # without its scripts a page is laid out much sooner; they give wide tables a frame that scrolls
    doubtful = too_wide(chromium, address, pages_of(site), scripts=False)
    console(chromium)  # that scripts were not run
    assert too_wide(chromium, address, doubtful, scripts=True) == []
    assert console(chromium) == []


def test_every_kind_of_page_loads_without_an_error(chromium: Any, address: str, site: Path) -> None:
    assert too_wide(chromium, address, sample(site), scripts=True) == []
    assert console(chromium) == []


# the search, which the generator draws in a shadow tree

SHADOW = "return [...document.querySelectorAll('*')].find((one) => one.shadowRoot?.querySelector('input'))"


@pytest.mark.parametrize(
    ("words", "page"),
    [
        ("crosses truncation", "faults/recursion-crosses-truncation/"),
        ("Generalized advantage estimation", "formulas/gae/"),
        ("bootstrap_conflict", "errors/bootstrap_conflict/"),
    ],
)
def test_the_search_finds_without_a_network(chromium: Any, address: str, words: str, page: str) -> None:
    from selenium.webdriver.common.by import By
    from selenium.webdriver.support.ui import WebDriverWait

    chromium.get(address)
    console(chromium)
    wait = WebDriverWait(chromium, 30)
    wait.until(lambda driver: driver.find_element(By.CSS_SELECTOR, ".md-search__button")).click()
    tree = wait.until(lambda driver: driver.execute_script(SHADOW)).shadow_root
    tree.find_element(By.CSS_SELECTOR, "input").send_keys(words)

    def found(driver: Any) -> bool:
        links = [one.get_attribute("href") for one in tree.find_elements(By.CSS_SELECTOR, "a[href]")]
        return any(link.split("#")[0].split("?")[0] == address + page for link in links)

    wait.until(found)
    assert console(chromium) == []


# the calculator: one page and one Python for all questions, as a reader has them

PROCESS = "P = [[[0, 1]], [[0, 1]]]\nR = [[2], [0]]\nterminal = [1]"
SYMBOLS = {"rewards": "1 2", "values": "v 0 0", "gamma": "g", "lam": "l"}
LAMBDA_RETURN = {"rewards": "1 2 3", "lam": "0.5"}


@pytest.fixture(scope="module")
def python(site: Path) -> None:
    """That the site has Python for its pages."""
    if not (site / "assets" / "python").is_dir():
        pytest.skip("built without Pyodide; 'npm ci --prefix docs' brings it")


@pytest.fixture(scope="module")
def playground(chromium: Any, address: str, python: None) -> Any:
    """The playground, opened by a link that carries inputs."""
    console(chromium)
    chromium.get(f"{address}playground/?formula=lambda_return&rewards=1+2+3&lam=0.5")
    return chromium


def exact(chromium: Any, output: str) -> list[str]:
    from selenium.webdriver.common.by import By

    cells = chromium.find_elements(By.CSS_SELECTOR, f"[data-output={output}] .rl-exact")
    return [cell.get_attribute("data-exact") for cell in cells]


def test_a_link_is_answered_and_three_formulas_are_right(playground: Any) -> None:
    first = settled(playground)
    assert exact(playground, "return") == ["11/4"]
    assert "rlcalc.derive('lambda_return', rewards=['1', '2', '3'], lam='0.5').outputs" in first.text
    cold = int(first.get_attribute("data-ms"))
    later = ask(playground, "gae", SYMBOLS)
    assert exact(playground, "advantages") == ["2*g*l - v + 1", "2"]
    assert int(later.get_attribute("data-ms")) < cold
    ask(playground, "bellman", {"mdp": PROCESS, "gamma": "1/2"})
    assert exact(playground, "values") == ["2", "0"]
    assert console(playground) == []


def test_a_students_answer_is_judged(playground: Any) -> None:
    settled(playground)
    assert "right as rounded" in ask(playground, "lambda_return", LAMBDA_RETURN | {"--check": "2.7"}).text


def test_a_wrong_input_gets_the_message_of_the_terminal_and_its_page(playground: Any, address: str) -> None:
    from selenium.webdriver.common.by import By

    settled(playground)
    result = ask(playground, "gae", {"rewards": "1 2 3", "lam": "1.5"})
    assert "error: --lam must be in [0, 1], not 3/2." in result.text
    link = result.find_element(By.CSS_SELECTOR, "a").get_attribute("href")
    assert link == f"{address}errors/NAME_out_of_range/"


def test_the_keyboard_is_enough(playground: Any) -> None:
    from selenium.webdriver.common.by import By
    from selenium.webdriver.common.keys import Keys

    settled(playground)
    ask(playground, "lambda_return", LAMBDA_RETURN)
    field = playground.find_element(By.CSS_SELECTOR, "[name=lam]")
    field.send_keys(Keys.CONTROL, "a")
    field.send_keys("1", Keys.ENTER)
    settled(playground)
    assert exact(playground, "return") == ["6"]


# the check of a pasted function


def paste(chromium: Any, address: str, source: str) -> str:
    from selenium.webdriver.common.by import By
    from selenium.webdriver.support.ui import WebDriverWait

    chromium.get(f"{address}tutorials/check-in-the-browser/")
    wait = WebDriverWait(chromium, 30)  # the form is made by a script, when its data are there
    area = wait.until(lambda driver: driver.find_element(By.CSS_SELECTOR, "#rl-source"))
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
