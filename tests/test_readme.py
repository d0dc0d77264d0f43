"""README and docs/: what they show is printed by a run; tables have their source, and links resolve.

``python -m tests.test_readme`` prints the outputs and tables of today into it.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from rlcalc.conform.fault import Fault
from rlcalc.conform.peers.matrix import PUBLISHED
from rlcalc.site.faults import entries, place
from rlcalc.site.libraries import between, in_short
from tests.shown import ROOT, Document, environment

README = Document(ROOT / "README.md")
PAGES = [path for path in sorted((ROOT / "docs").rglob("*.md")) if "node_modules" not in path.parts]
DOCUMENTS = [README, *map(Document, PAGES)]
LIBRARIES = ("<!-- libraries -->\n", "<!-- end of the libraries -->")


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return environment(tmp_path_factory.mktemp("bin"))


@pytest.mark.parametrize(
    ("document", "command", "expected"), [one for document in DOCUMENTS for one in document.commands()]
)
def test_command_prints_what_is_shown(
    document: Document,
    command: str,
    expected: list[str],
    shell: dict[str, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    document.compare(command, expected, shell, tmp_path)


@pytest.mark.slow
def test_two_lines_in_a_test_file_name_the_fault(shell: dict[str, str], tmp_path: Path) -> None:
    README.write_files(tmp_path)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_our_gae.py"]
    done = subprocess.run(command, env=shell, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 1
    assert "known bug" in done.stdout
    assert "passed" in done.stdout.splitlines()[-1]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: document.path.stem)
def test_python_prints_what_is_shown(document: Document) -> None:
    assert document.check_python() == 0
    assert document != README or [block for block in README.blocks("python") if block.startswith(">>>")]


def test_setup_commands_are_the_ones_ci_runs() -> None:
    """Both one-liners stand in .ci/run to the letter, so CI proves them on a clean checkout."""
    lines = [line for block in README.blocks("sh") for line in block.splitlines() if "venv" in line]
    assert len(lines) == 2
    script = (ROOT / ".ci" / "run").read_text("utf-8").splitlines()
    assert all(line in script for line in lines)


def test_it_is_short() -> None:
    assert len(README.text.splitlines()) <= 150


def test_the_libraries_are_those_of_the_published_matrix() -> None:
    begin, end = LIBRARIES
    assert README.text.partition(begin)[2].partition(end)[0] == in_short(
        between(PUBLISHED.read_text("utf-8"))
    )


def test_the_hall_of_bugs_is_in_the_catalogue() -> None:
    known = entries(Fault)
    rows = re.findall(r"^\| `([a-z-]+)` \| [^|]+ \| ([^|]+) \|$", README.text, re.M)
    assert len(rows) == 5
    for name, found in rows:
        links = {link for one in known[name] for where in one.reported_in for link in urls(place(where))}
        assert set(urls(found)) <= links


def urls(markdown: str) -> list[str]:
    return re.findall(r"\]\((\S+?)\)", markdown)


def test_links_lead_to_files_of_the_repository() -> None:
    for link in urls(README.text):
        if "://" not in link:
            assert (ROOT / link.partition("#")[0]).exists(), link


def test_on_a_package_index_every_link_is_whole(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text(README.text, "utf-8")
    command = [
        sys.executable,
        str(ROOT / ".ci" / "absolute_links"),
        "owner/name",
        "v1",
        str(tmp_path / "README.md"),
    ]
    subprocess.run(command, check=True)
    links = urls((tmp_path / "README.md").read_text("utf-8"))
    assert all(link.startswith("https://") for link in links)
    assert "https://raw.githubusercontent.com/owner/name/v1/docs/assets/conform.svg" in links
    assert "https://github.com/owner/name/blob/v1/docs/howto/meaning.md" in links


@pytest.mark.slow
def test_the_picture_is_what_is_printed_today() -> None:
    from rlcalc.site.picture import PICTURE, draw

    def plain(svg: str) -> str:
        # the digits that a float keeps depend on the processor
        return re.sub(r"\d[\d.,]*", "#", svg)

    assert plain((ROOT / PICTURE).read_text("utf-8")) == plain(draw(ROOT))


def renew() -> None:
    begin, end = LIBRARIES
    head, _, rest = README.text.partition(begin)
    grid = in_short(between(PUBLISHED.read_text("utf-8")))
    README.path.write_text(f"{head}{begin}{grid}{end}{rest.partition(end)[2]}", "utf-8")
    README.renew()


if __name__ == "__main__":
    renew()
