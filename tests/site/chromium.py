"""The built site, served, and a Chromium that asks its calculators: for tests and benchmarks/browser.py."""

from __future__ import annotations

import functools
import http.server
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
NO_PACKAGE = [name for name in ("zensical", "griffe", "selenium", "hatchling") if find_spec(name) is None]
NO_PROGRAM = [name for name in ("chromium", "chromedriver") if shutil.which(name) is None]
WAIT = 120  # seconds for an answer; a slow machine is no fault of the site
FLAGS = (
    "--headless=new",
    "--no-sandbox",  # which a container's root has not
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--window-size=1280,900",
    # whatever a page would load from another host fails, and is heard in the console
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)
FILL = """
const [formula, fields] = arguments, select = document.getElementById("rl-formula");
select.value = formula;
select.dispatchEvent(new Event("change"));
for (const input of document.querySelectorAll(".rl-form [name]")) input.value = fields[input.name] ?? "";
document.querySelector(".rl-form [type=submit]").click();
"""


class Handler(http.server.SimpleHTTPRequestHandler):
    protocol_version = "HTTP/1.1"  # one connection for many files
    extensions_map = {  # noqa: RUF012
        **http.server.SimpleHTTPRequestHandler.extensions_map,
        ".mjs": "text/javascript",
        ".wasm": "application/wasm",
    }

    def log_message(self, *args: Any) -> None:
        """Nothing: a test reads the browser's own log."""


class Server(http.server.ThreadingHTTPServer):
    request_queue_size = 128  # a browser opens many connections at once; the default refuses some


@contextmanager
def served(site: Path) -> Iterator[str]:
    """The address under which a folder is served."""
    server = Server(("127.0.0.1", 0), functools.partial(Handler, directory=str(site)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    server.server_close()


@contextmanager
def opened() -> Iterator[Any]:
    """A headless Chromium with an empty profile, which keeps its console."""
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    options = webdriver.ChromeOptions()
    options.binary_location = str(shutil.which("chromium"))
    for flag in FLAGS:
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    browser = webdriver.Chrome(options=options, service=Service(str(shutil.which("chromedriver"))))
    browser.set_script_timeout(WAIT)
    browser.set_page_load_timeout(WAIT)
    try:
        yield browser
    finally:
        browser.quit()


def build(out: Path) -> str:
    """The site as the command builds it; gives the line that it ends with."""
    command = [sys.executable, "-m", "rlcalc.site", str(out)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(done.stderr)
    return done.stdout.strip()


def settled(browser: Any) -> Any:
    """The answer, when it is there."""
    from selenium.webdriver.common.by import By
    from selenium.webdriver.support.ui import WebDriverWait

    shown = ".rl-result[data-state=done], .rl-result[data-state=error]"
    wait = WebDriverWait(browser, WAIT, poll_frequency=0.05)
    return wait.until(lambda driver: next(iter(driver.find_elements(By.CSS_SELECTOR, shown)), None))


def ask(browser: Any, formula: str, fields: Mapping[str, str]) -> Any:
    """The playground's answer to a formula with these fields."""
    browser.execute_script(FILL, formula, dict(fields))
    return settled(browser)


def console(browser: Any) -> list[str]:
    """Errors of the console since the last call, failed requests among them."""
    return [one["message"] for one in browser.get_log("browser") if one["level"] in ("SEVERE", "WARNING")]
