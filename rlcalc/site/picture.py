"""The picture of a faulty GAE and its report: ``python -m rlcalc.site.picture`` draws it again.

What a terminal shows, as SVG by Rich; nothing in it is loaded from elsewhere.
"""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from rlcalc.files import write_text
from rlcalc.site.build import checkout

SOURCE = "docs/tutorials/check-gae.md"  # whose first file is the faulty one
PICTURE = "docs/assets/conform.svg"
COMMAND = "rlcalc conform my_agent.py:gae --formula gae"
WIDTH = 84


def draw(root: Path) -> str:
    """The picture as it is today. This runs the faulty function."""
    from rich._export_format import CONSOLE_SVG_FORMAT
    from rich.console import Console
    from rich.syntax import Syntax
    from rich.text import Text

    source = re.findall(r"^```python\n(.*?)^```", (root / SOURCE).read_text("utf-8"), re.S | re.M)[0]
    console = Console(record=True, width=WIDTH, file=io.StringIO(), force_terminal=True)
    console.print(Syntax(source.rstrip(), "python", theme="ansi_dark", background_color="default"))
    console.print()
    console.print(Text.assemble(("$ ", "bold"), COMMAND))
    console.print(Text.from_ansi(_report(root, source)))
    # the font of the reader's system in place of one from a host
    plain = re.sub(r"@font-face \{\{.*?\}\}\s*", "", CONSOLE_SVG_FORMAT, flags=re.S)
    plain = plain.replace(
        "font-family: Fira Code, monospace", "font-family: ui-monospace, Menlo, Consolas, monospace"
    )
    return console.export_svg(title="Does your GAE compute GAE?", code_format=plain, unique_id="conform")


def _report(root: Path, source: str) -> str:
    """What the command prints at a terminal, with its colours."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "my_agent.py").write_text(source, "utf-8")
        env = {
            **os.environ,
            "FORCE_COLOR": "1",
            "COLUMNS": str(WIDTH),
            "PYTHONPATH": str(root),
            "NO_COLOR": "",
        }
        command = [sys.executable, "-m", "rlcalc", *COMMAND.split()[1:]]
        done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, encoding="utf-8")
    return done.stdout.rstrip()


if __name__ == "__main__":
    write_text(checkout() / PICTURE, draw(checkout()))
