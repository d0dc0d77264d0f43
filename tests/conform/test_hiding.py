"""No fault of a sequence formula hides behind a reading of the parameters that people have."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from rlcalc.conform import conform, runner
from rlcalc.conform.fault import Fault
from rlcalc.conform.faults import catalogue
from rlcalc.conform.naming.composition import composed
from rlcalc.conform.vectors import golden_vectors, reference
from rlcalc.specs import load_formula
from tests.sweep import sweep

Form = Callable[..., Any]


# what a function with this signature says, and the rest of what the form is asked
OUTPUT = {
    "gae": "advantages",
    "lambda_return": "returns",
    "n_step_return": "returns",
    "td_error": "td_error",
    "discounted_return": "returns",
}
# those that another reading of a flag or of the values comes closest to; the others take half a minute
# of these the inner loop asks gae alone, which has all of them
LIKELY = {
    "bootstrap-after-last-terminal",
    "done-mask-one-early",
    "last-value-one-early",
    "value-two-steps-ahead",
}


def asked(form: Form, formula: str, rewards: Any, dones: Any, gamma: Any, values: Any, **more: Any) -> Any:
    """What a form answers to arrays with time first."""
    kind = rewards.dtype.type
    known = {
        "rewards": rewards.T,
        "values": values.T,
        "gamma": kind(gamma),
        "terminated": dones.T.astype(bool),
        **{name: kind(value) if isinstance(value, float) else value for name, value in more.items()},
    }
    absent = {p.name: None for p in load_formula(formula).parameters}
    return form(**{**absent, **known})[OUTPUT[formula]].T


def behind_names(form: Form, formula: str) -> Form:
    """A form behind a signature that people have: time first, done flags, and the last value by itself."""

    def joined(values, last_value):
        return np.concatenate([values, np.asarray(last_value)[None]], 0)

    def with_lam(rewards, values, dones, last_value, gamma: float, lam: float):
        return asked(form, formula, rewards, dones, gamma, joined(values, last_value), lam=lam)

    def with_n(rewards, values, dones, last_value, gamma: float, n: int):
        return asked(form, formula, rewards, dones, gamma, joined(values, last_value), n=np.asarray(n))

    def with_values(rewards, values, dones, last_value, gamma: float):
        return asked(form, formula, rewards, dones, gamma, joined(values, last_value))

    def with_bootstrap(rewards, dones, last_value, gamma: float):
        values = joined(rewards * 0, last_value)
        return asked(form, formula, rewards, dones, gamma, values)

    found = {"n_step_return": with_n, "td_error": with_values, "discounted_return": with_bootstrap}
    return found.get(formula, with_lam)


def shows(fault: Fault) -> bool:
    """Whether a fault changes the answer to a vector that such a function can be asked."""
    right = reference(load_formula(fault.formula))
    for vector in golden_vectors(fault.formula):
        if vector.given & {"truncated", "next_values"} or np.ndim(vector.arrays["gamma"]):
            continue
        try:
            with np.errstate(all="ignore"):
                one, two = right(**vector.arrays), composed((fault,), (), right)(**vector.arrays)
        except (IndexError, ValueError, ZeroDivisionError):
            return True
        name = OUTPUT[fault.formula]
        if one[name].shape != two[name].shape or not np.allclose(one[name], two[name], 1e-4, 1e-4):
            return True
    return False


@pytest.fixture(autouse=True)
def no_bug_is_looked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Which it is takes most of the time, and is no question here."""
    monkeypatch.setattr(runner, "_diagnose", lambda *_: None)


@pytest.mark.parametrize("formula", OUTPUT)
def test_the_right_form_behind_the_same_signature_conforms(formula: str) -> None:
    form = behind_names(reference(load_formula(formula)), formula)
    assert conform(form, formula).verdict == "conforms"


# a fault that rounds is said in a note
FAULTS = [fault for formula in OUTPUT for fault in catalogue(formula).faults if not fault.rounds]


@pytest.mark.parametrize(
    "fault",
    sweep(
        FAULTS,
        lambda fault: fault.formula == "gae" and fault.name in LIKELY,
        lambda fault: f"{fault.formula}-{fault.name}",
    ),
)
def test_no_fault_of_the_catalogue_hides_behind_a_binding(fault: Fault) -> None:
    form = behind_names(composed((fault,), (), reference(load_formula(fault.formula))), fault.formula)
    # what such a signature cannot show is right
    assert conform(form, fault.formula).verdict.startswith("conforms") is not shows(fault)


def test_who_takes_lengths_is_given_sums() -> None:
    def simpo(chosen_logps, rejected_logps, chosen_len, rejected_len):
        return np.logaddexp(0, -(2.0 * (chosen_logps - rejected_logps) - 0.5))

    found = conform(simpo, "simpo_loss", random=0)
    assert not found.verdict.startswith("conforms")
