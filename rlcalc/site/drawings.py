"""The picture of a formula, as ``--plot`` draws it of the first example of its page."""

from __future__ import annotations

import shlex
import tempfile
from pathlib import Path

from rlcalc.cli.formula import read_inputs
from rlcalc.cli.plots import draw
from rlcalc.evaluation import evaluate
from rlcalc.specs import Formula


def drawing(spec: Formula) -> str:
    """An SVG; the same one whenever it is drawn, so that a site changes only with what it shows."""
    import matplotlib

    found = evaluate(spec.name, read_inputs(spec, shlex.split(spec.examples[0]["args"])))
    with tempfile.TemporaryDirectory() as folder, matplotlib.rc_context({"svg.hashsalt": spec.name}):
        path = Path(folder) / "drawing.svg"
        draw(found, str(path))
        text = path.read_text("utf-8")
    return "\n".join(line for line in text.splitlines() if "<dc:date>" not in line)
