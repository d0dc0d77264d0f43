"""A checkout -> a folder of static files."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import rlcalc
from rlcalc.data import data_folder
from rlcalc.error_codes import codes
from rlcalc.errors import CheckFailed, InputError
from rlcalc.golden.export import file_json
from rlcalc.golden.files import load_all
from rlcalc.site import packages
from rlcalc.site.answers import documents
from rlcalc.site.browser import form
from rlcalc.site.pages import collect, navigation
from rlcalc.specs import formula_names, load_formula

STATIC = Path(__file__).with_name("static")
Tell = Callable[[str], None]


def checkout() -> Path:
    """The root of the checkout that this code runs from.

    Raises:
        InputError: ``not_a_checkout``.
    """
    root = Path(__file__).resolve().parents[2]
    if not (root / "docs" / "index.md").is_file():
        raise InputError(
            "not_a_checkout",
            "The site is made from docs/ of a checkout.",
            "Run it from a clone of the repository.",
        )
    return root


def build(out: Path, pyodide: Path | None = None, tell: Tell = lambda said: None) -> int:
    """Write the site into a folder, which is emptied before.

    Args:
        out: the folder.
        pyodide: Pyodide from npm; that of ``docs/node_modules`` when left out. Without any, the
            calculators of the pages say that they are not there.
        tell: hears what is being made.

    Returns:
        How many pages there are.

    Raises:
        InputError: ``not_a_checkout``, ``out_not_ours``, ``pyodide_missing``.
        CheckFailed: ``site_not_built``, with what the generator said.
    """
    root = checkout()
    if out.exists() and any(out.iterdir()) and not (out / MARK).is_file():
        raise InputError(
            "out_not_ours", f"{out} holds other files.", "Name a new folder, or one with a site in it."
        )
    found = collect(root, tell)
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder)
        for path, text in found.items():
            target = source / "docs" / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text, "utf-8")
        tell("data")
        _data(source / "docs", root, pyodide or packages.pyodide_folder(root))
        (source / "mkdocs.yml").write_text(json.dumps(_settings(navigation(found))), "utf-8")
        tell("site")
        done = subprocess.run(
            [sys.executable, "-m", "zensical", "build", "--clean"], cwd=source, capture_output=True, text=True
        )
        if done.returncode or not (source / "site" / "index.html").is_file():
            raise CheckFailed(
                "site_not_built", f"The generator failed: {(done.stdout + done.stderr)[-2000:]}"
            )
        shutil.rmtree(out, ignore_errors=True)
        shutil.copytree(source / "site", out)
    (out / MARK).write_text("", "utf-8")
    return sum(path.endswith(".md") for path in found)


MARK = ".nojekyll"  # in every site: hosts that know it serve the files as they are


def _data(docs: Path, root: Path, pyodide: Path | None) -> None:
    """What the pages load or offer: scripts, vectors, schemas, forms, answers, Python."""
    shutil.copytree(STATIC, docs / "assets" / "rlcalc")
    if (root / "docs" / "assets").is_dir():
        shutil.copytree(root / "docs" / "assets", docs / "assets", dirs_exist_ok=True)
    shutil.copytree(data_folder("specs") / "schemas", docs / "schemas")
    for file in load_all():
        _json(docs / "vectors" / f"{file.formula}.json", file_json(file))
    judged = dict(documents())
    _json(
        docs / "assets" / "rlcalc" / "forms.json",
        {
            "formulas": [form(load_formula(name)) for name in formula_names()],
            "judged": list(judged),
            "codes": [one.name for one in codes()],
            "python": pyodide is not None,
        },
    )
    for name, document in judged.items():
        _json(docs / "assets" / "rlcalc" / "answers" / f"{name}.json", document)
    if pyodide is not None:
        packages.write(docs / "assets" / "python", root, pyodide)


def _json(path: Path, value: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value, ensure_ascii=False, allow_nan=False), "utf-8")


def _settings(nav: list[Any]) -> dict[str, Any]:
    """The generator's settings; JSON is YAML too."""
    light = {"media": "(prefers-color-scheme: light)", "scheme": "default", "primary": "indigo"}
    dark = {"media": "(prefers-color-scheme: dark)", "scheme": "slate", "primary": "indigo"}
    return {
        "site_name": "rlcalc",
        "site_description": (rlcalc.__doc__ or "rlcalc: ").splitlines()[0].removeprefix("rlcalc: "),
        "nav": nav,
        "theme": {
            "name": "material",
            "font": False,
            "palette": [
                light | {"toggle": {"icon": "lucide/moon", "name": "Dark"}},
                dark | {"toggle": {"icon": "lucide/sun", "name": "Light"}},
            ],
            "features": [
                "navigation.tabs", "navigation.prune", "navigation.indexes",
                "toc.follow", "content.code.copy",
            ],
        },
        "plugins": ["search"],
        "extra_css": ["assets/rlcalc/site.css"],
        "extra_javascript": [{"path": "assets/rlcalc/site.mjs", "type": "module"}],
        "extra": {"generator": False},
        "markdown_extensions": [
            "tables", "attr_list", "md_in_html", "admonition", "footnotes",
            {"toc": {"permalink": True}},
            {"pymdownx.highlight": {"anchor_linenums": False}},
            "pymdownx.superfences",
        ],
    }  # fmt: skip
