"""A target that has a known fault is told which."""

from __future__ import annotations

from fractions import Fraction
from itertools import islice
from typing import Any

import numpy as np
import pytest

import rlcalc
from rlcalc.conform import conform
from rlcalc.conform.catalogue import Catalogue
from rlcalc.conform.fault import Fault, read_text
from rlcalc.conform.faults import catalogue, formulas_with_faults
from rlcalc.conform.naming.composition import composed, pairs
from rlcalc.conform.outcome import judge, run_form
from rlcalc.conform.runner import run
from rlcalc.conform.target.base import Target, from_function
from rlcalc.conform.vectors import answer_name, golden_vectors, reference
from rlcalc.errors import UnknownName
from rlcalc.inputs.arrays import from_user
from rlcalc.mdp.reading import read_mdp
from rlcalc.nested import map_nested
from rlcalc.specs import load_formula

from . import targets
from .as_it_stands import matched

pytestmark = pytest.mark.slow  # each a whole run of conform

FAULTS = [fault for name in formulas_with_faults() for fault in catalogue(name).faults]


def target_of(form: Any, formula: str) -> Target:
    """A form as a user's function: canonical arguments only, the answer alone."""
    parameters = golden_vectors(formula)[0].formula.parameters

    def function(**given):
        arrays: dict[str, Any] = {p.name: None for p in parameters}
        kinds = {p.name: p.kind for p in parameters}
        for name, value in given.items():
            arrays[name] = np.asarray(value) if kinds[name] in ("number", "integer") else value
            if isinstance(value, str):
                arrays[name] = value
            if kinds[name] == "mdp":
                arrays[name] = tables(value)
        if {"steps", "table"} & {*kinds.values()}:
            arrays = from_user(load_formula(formula), given)[1]
        found = form(**arrays)
        answer = answer_name(golden_vectors(formula)[0].formula)
        return found[answer] if isinstance(found, dict) else found

    return Target(formula, function, dtypes=("float64",))


def tables(given: dict[str, Any]):
    """A decision process as the NumPy forms take it, from what a target is given."""
    ended = given["terminal"]

    def whole(part):
        """Floats of thirds do not add up exactly, as a table has to."""
        return map_nested(lambda x: str(Fraction(x).limit_denominator(10**6)), part.tolist())

    rows = [[] if over else whole(part) for over, part in zip(ended, given["p"], strict=True)]
    paid = [[] if over else part.tolist() for over, part in zip(ended, given["r"], strict=True)]
    table = {"P": rows, "R": paid, "terminal": [s for s, over in enumerate(ended) if over]}
    return read_mdp({**table, "start": whole(given["start"])}).arrays("numpy", given["p"].dtype)


def in_the_answer(fault: Fault) -> bool:
    """Whether the fault can be seen by a caller who gets the answer alone."""
    vectors = golden_vectors(fault.formula)
    form = fault.around(reference(vectors[0].formula))
    answer = answer_name(vectors[0].formula)
    for vector in vectors:
        found = judge(vector, run_form(form, vector))
        if found.failed and found.output in ("", answer):
            return True
    return False


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: f"{fault.formula}/{fault.name}")
def test_every_fault_is_named(fault: Fault) -> None:
    formula = golden_vectors(fault.formula)[0].formula
    if not in_the_answer(fault):
        form = fault.around(reference(formula))
        assert any(judge(v, run_form(form, v)).failed for v in golden_vectors(fault.formula))
        return
    # what only rounds is a note, unless float64 is required
    required = ("float64",) if fault.rounds or fault.kind == "precision" else ()
    found = run(target_of(fault.around(reference(formula)), fault.formula), fault.formula, require=required)
    assert not found.passed
    assert fault.name in matched(found), found.verdict


def test_pairs_are_named() -> None:
    known = catalogue("gae")
    told = 0
    for outer, inner in islice(pairs(known.faults), 0, None, 37):
        form = composed((outer, inner), (), reference(golden_vectors("gae")[0].formula))
        found = run(target_of(form, "gae"), "gae")
        if found.passed or found.diagnosis is None:
            continue  # one undoes the other
        assert found.diagnosis.matches, (outer.name, inner.name)
        told += 1
    assert told > 3


def test_an_unknown_fault_is_not_named() -> None:
    def strange(**given):
        import rlcalc

        return rlcalc.gae(**given) + 12345.678

    found = run(Target("strange", strange), "gae")
    assert found.diagnosis is not None
    assert found.diagnosis.matches == ()
    assert found.diagnosis.tried > 10


def test_every_fault_says_in_sentences_what_it_is() -> None:
    for fault in FAULTS:
        for text in (fault.does, fault.shown_when, fault.cause, fault.fix):
            assert text[-1:] in (".", "…", ")"), text
        assert fault in catalogue(fault.formula).of_class(fault.kind).faults
        assert fault.diff, fault.name


@pytest.mark.parametrize(
    "text",
    [
        "What it does.",
        "What it does.\n\nShown when: always.\nFix: nothing.\nCause: the order.",
        "What it does.\n\nShown when: always.\nCause: \nFix: nothing.",
    ],
)
def test_a_fault_without_all_its_text_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="docstring of odd"):
        read_text(text, "odd")


def test_names_stand_for_one_thing() -> None:
    known = catalogue("gae")
    with pytest.raises(ValueError, match="declared twice: lam-twice"):
        Catalogue("gae", (*known.faults, *(f for f in known.faults if f.name == "lam-twice")))
    with pytest.raises(UnknownName) as caught:
        known.of_class("terminaton")
    assert "termination" in caught.value.hint


def as_in_drl_zh(rewards, values, gamma, lam, terminated):
    """The carried advantage is masked where it is kept, and where it is used."""
    found, carried = np.zeros_like(rewards), np.zeros_like(rewards[..., 0])
    for t in reversed(range(rewards.shape[-1])):
        onward = 1 - terminated[..., t].astype(rewards.dtype)
        delta = rewards[..., t] + gamma * values[..., t + 1] * onward - values[..., t]
        found[..., t] = delta + gamma * lam * onward * carried
        carried = found[..., t] * onward
    return found


def as_in_tf_agents(rewards, values, gamma, lam, terminated):
    """The last value is taken once it has been stripped off."""
    values = values[..., :-1]
    values = np.concatenate([values, values[..., -1:]], axis=-1)
    return rlcalc.gae(rewards, values, gamma, lam, terminated=terminated)


@pytest.mark.parametrize(
    ("function", "name"),
    [(as_in_drl_zh, "carried-advantage-masked-twice"), (as_in_tf_agents, "last-value-one-early")],
)
def test_public_bugs_are_named(function: Any, name: str) -> None:
    found = conform(function, "gae", random=60)
    assert matched(found) == [name]


@pytest.mark.parametrize(
    ("function", "backend", "names"),
    [
        (targets.single_inside, "numpy", ["computes-in-float32"]),
        (targets.single_all_the_way, "numpy", ["computes-in-float32"]),
        (targets.masks_of_integers, "torch", ["discounts-in-float32"]),
        (targets.needs_a_decay, "numpy", ["raises-at-gamma-lam-zero"]),
        # as near as these, but not where float32 would be off: no name is better than a wrong one
        (targets.slightly_off, "numpy", []),
        (targets.imprecise, "numpy", []),
    ],
)
def test_lost_precision_is_identified_by_where_it_shows(
    function: Any, backend: str, names: list[str]
) -> None:
    found = run(from_function(function, backend=backend), "gae", random=60, require=["float64"])
    assert not found.passed
    assert found.diagnosis is not None
    assert matched(found) == names
    for match in found.diagnosis.matches:
        assert ("gae/more-than-float32" in match.shown) == (match.name == "computes-in-float32")


def test_a_fault_is_named_beside_single_precision_which_is_none() -> None:
    def both(**given):
        return targets.single_inside(**{**given, "lam": 1.0})

    found = conform(both, "gae")
    assert matched(found) == ["lam-missing-in-recursion"]


def test_what_is_lost_in_float32_alone_is_no_fault() -> None:
    def half(**given):
        found = rlcalc.gae(**given)
        return found.astype(np.float16).astype(np.float32) if found.dtype == np.float32 else found

    found = conform(half, "gae")
    assert found.verdict == "nonconforming"
    assert found.diagnosis is None
    assert any("float32 alone" in note for note in found.notes)


def test_one_number_for_everything_is_said_and_only_single_bugs_are_tried() -> None:
    def gae(rewards, values, gamma, lam, terminated):
        return np.full_like(rewards, 3.0)

    found = run(from_function(gae, dtypes=("float64",)), "gae")
    assert "It answers 3 whatever it is given." in found.notes
    assert found.diagnosis is not None
    assert found.diagnosis.tried == len(catalogue("gae").faults)
