"""What the browser's Python needs, as wheels beside the page: rlcalc itself, and what it imports there.

The wheel of rlcalc is the one that is released. The others are made again from the packages that
are installed, pure Python all of them, without their tests.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import zipfile
from importlib.metadata import Distribution, distribution
from pathlib import Path

from rlcalc.errors import InputError

# what the calculator and the check import in the browser; NumPy and Hypothesis are not among it
DISTRIBUTIONS = (
    "sympy", "mpmath", "typer", "rich", "annotated-doc", "shellingham", "markdown-it-py", "mdurl", "pygments",
    "typing-extensions", "latex2mathml",
)  # fmt: skip
PYODIDE = ("pyodide.mjs", "pyodide.asm.mjs", "pyodide.asm.wasm", "python_stdlib.zip", "pyodide-lock.json")


def pyodide_folder(root: Path) -> Path | None:
    """Where npm has put Pyodide, if it has."""
    found = root / "docs" / "node_modules" / "pyodide"
    return found if found.is_dir() else None


def write(folder: Path, root: Path, pyodide: Path) -> None:
    """Pyodide and all wheels into a folder, with a list of them.

    Raises:
        InputError: ``pyodide_missing``, where the folder is not that of the package.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name in PYODIDE:
        if not (pyodide / name).is_file():
            raise InputError(
                "pyodide_missing", f"There is no {name} in {pyodide}.", "'npm ci --prefix docs' brings it."
            )
        shutil.copyfile(pyodide / name, folder / name)
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder.resolve())]
    subprocess.run(command, cwd=root, check=True, capture_output=True)
    for name in DISTRIBUTIONS:
        _wheel(distribution(name), folder)
    wheels = sorted(path.name for path in folder.glob("*.whl"))
    (folder / "wheels.json").write_text(json.dumps(wheels), "utf-8")


def _wheel(package: Distribution, folder: Path) -> None:
    name = package.name.replace("-", "_").lower()
    path = folder / f"{name}-{package.version}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(package.files or (), key=str):
            if _is_needed(file.parts) and Path(str(file.locate())).is_file():
                # a date of its own would make every build another one
                info = zipfile.ZipInfo(file.as_posix(), (2020, 1, 1, 0, 0, 0))
                info.compress_type = zipfile.ZIP_DEFLATED
                archive.writestr(info, Path(str(file.locate())).read_bytes())


def _is_needed(parts: tuple[str, ...]) -> bool:
    return ".." not in parts and not {"__pycache__", "tests", "benchmarks"} & set(parts)
