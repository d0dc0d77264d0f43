"""A program for the formulas on decision processes and words: a case a line, an answer a line.

The formulas are those of the file beside this folder; here is only what a
program has to do about JSON.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[3]))

from tests.conform.mdp_targets import RIGHT

PLAIN = ("form", "policy", "prompt", "tokens", "states", "replacing", "vocabulary")


def read(name: str, value, dtype: str):
    if name == "mdp":
        return {key: part if key == "terminal" else np.array(part, dtype) for key, part in value.items()}
    if name == "horizon":
        return float(value)
    plain = isinstance(value, str) or (name in PLAIN and not isinstance(value, list))
    return value if plain or name in ("tokens", "states") else np.array(value, dtype)


for line in sys.stdin:
    case = json.loads(line)
    given = {name: read(name, value, case["dtype"]) for name, value in case["given"].items()}
    given.pop("vocabulary", None)
    found = RIGHT[case["formula"]](**given)
    if isinstance(found, dict):
        reply = {"outputs": {name: part.tolist() for name, part in found.items()}}
    else:
        reply = {"answer": found.tolist()}
    print(json.dumps({"id": case["id"], **reply}), flush=True)
