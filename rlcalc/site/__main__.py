"""``python -m rlcalc.site OUT``: build the documentation site. It needs the extra ``docs``."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from rlcalc.errors import RlcalcError


def main(argv: list[str]) -> int:
    """Build the site; the exit code is that of the error where there is one."""
    parser = argparse.ArgumentParser(prog="python -m rlcalc.site", description=__doc__)
    parser.add_argument("out", metavar="OUT", type=Path, help="folder for the site; it is emptied before")
    parser.add_argument(
        "--pyodide", type=Path, metavar="DIR", help="Pyodide from npm; default: docs/node_modules/pyodide"
    )
    words = parser.parse_args(argv)
    from rlcalc.site.build import build

    started = time.perf_counter()
    try:
        pages = build(words.out, words.pyodide, lambda said: print(f"{said} …", file=sys.stderr))
    except RlcalcError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    files = [path for path in words.out.rglob("*") if path.is_file()]
    size = sum(path.stat().st_size for path in files) / 2**20
    seconds = time.perf_counter() - started
    print(f"{pages} pages, {len(files)} files, {size:.1f} MiB in {seconds:.1f} s: {words.out}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
