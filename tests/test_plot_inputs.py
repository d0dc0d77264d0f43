"""Every picture depends on every input of its command: another input, another picture.

Inputs are those of the golden cases, and the other value of one of them is that of another case.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from itertools import islice, permutations
from typing import Any

import pytest

from rlcalc import plotting
from rlcalc.cli import plots
from rlcalc.errors import RlcalcError
from rlcalc.evaluation import evaluate
from rlcalc.golden.files import shipped
from rlcalc.specs import heads, load_formula
from tests.sweep import sweep

pytest.importorskip("matplotlib")

LONGEST = 300  # characters of the inputs of a case
MOST = 200  # pairs of cases that are tried
DRAWN = [head.name for head in heads() if load_formula(head.name).plot]
CASES = [(name, parameter.name) for name in DRAWN for parameter in load_formula(name).parameters]
# of these a picture says nothing, and why
LEFT_OUT = {
    (name, parameter): why
    for name in ("lambda_return", "n_step_return")
    for parameter, why in (
        ("alpha", "moves a value towards the return, which is what is drawn"),
        ("terminal", "is refused but where the last value is 0 already"),
    )
}
TABLE = {"steps": "s a 1 t; t b 2 s; s b 0 t; t a 3 s a", "q": "s a 1; t b 2", "alpha": "1/2"}
TABLE |= {"actions": ["a", "b"]}
TABLES = {"steps": TABLE["steps"], "q1": "s a 1; t b 2", "alpha": "1/2", "update": ["1", "2", "1", "2"]}
SWEEPS = {"mdp": "racing", "gamma": "9/10", "policy": "uniform", "sweeps": 2, "values": ["1", "3"]}
SWEEPS |= {"in_place": True}
# pairs of which no golden case differs by one input alone
MORE: dict[str, list[dict[str, Any]]] = {
    "batch": [{"steps": "A 1 B; B 2 end"}, {"steps": "A 1 B; B 3 end"}],
    "double_q": [TABLES, {"actions": ["a", "b", "c"]}],
    "expected_sarsa": [{**TABLE, "epsilon": "1/2"}, {"actions": ["a", "b", "c"]}],
    "mc": [{"steps": "A 1 B; B 2 end"}, {"steps": "A 1 B; B 3 end"}],
    "policy_eval": [SWEEPS, {"values": ["2", "2"], "order": ["warm", "cool", "overheated"]}],
    # one pair that is visited while its trace lasts
    "q_learning": [{"steps": "s a 1 s a; s a 2 end", "alpha": "1/2", "lam": "1/2"}, {"replacing": True}],
    "sarsa": [TABLE, {"actions": ["a", "b", "c"]}],
}


def inputs(name: str) -> list[dict[str, Any]]:
    """Those of the golden cases, of as few numbers as there are first."""
    cases = [c.given for c in shipped(name).cases if c.result != "invalid" and not c.batch]
    short = sorted((dict(given) for given in cases if len(str(given)) < LONGEST), key=lambda x: len(str(x)))
    return [*MORE.get(name, ()), *short]


def fingerprint(name: str, raw: dict[str, Any]) -> list[Any] | None:
    """All numbers and words of a picture; None where there is none."""
    return _fingerprint(name, json.dumps(raw, sort_keys=True))


@cache
def _fingerprint(name: str, text: str) -> list[Any] | None:
    panels, function = plots.DRAW[load_formula(name).plot]
    _, axes = plotting.new_figure(panels)
    try:
        function(*axes, evaluate(name, json.loads(text)))
    except RlcalcError:
        return None
    found: list[Any] = []
    for one in axes:
        found += [line.get_xydata().tolist() for line in one.get_lines()]
        found += [line.get_label() for line in one.get_lines()]
        found += [(bar.get_x(), bar.get_height()) for bar in one.patches if hasattr(bar, "get_height")]
        found += [spot.get_offsets().tolist() for spot in one.collections]
        found += [one.get_title(), *(text.get_text() for text in one.texts)]
        found += [image.get_array().tolist() for image in one.get_images()]
    return found


def pairs(name: str, parameter: str) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Cases, those that give the parameter first, and each with the value of another case or with none."""
    for base, other in permutations(sorted(inputs(name), key=lambda given: parameter not in given), 2):
        raw = {**base, parameter: other.get(parameter)}
        if raw[parameter] != base.get(parameter):
            yield base, {name: value for name, value in raw.items() if value is not None}


@pytest.mark.parametrize(("name", "parameter"), sweep(CASES, 10))
def test_another_input_another_picture(name: str, parameter: str) -> None:
    drawn = ([fingerprint(name, raw) for raw in pair] for pair in islice(pairs(name, parameter), MOST))
    changes = any(one != two for one, two in drawn if None not in (one, two))
    assert changes is ((name, parameter) not in LEFT_OUT)
