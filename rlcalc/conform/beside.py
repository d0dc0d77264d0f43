"""Losses with others beside them: what is 0 while a policy loss is judged is then judged as its own formula.

Trainers add to the loss of a policy a divergence from a reference, a loss of
values and an entropy. As a policy loss such a sum is right with these at 0,
whatever they are, so it is asked once more for each: with advantages of 0 and
the weight of the others at 0, when that term is all that it answers.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

from rlcalc.conform.binding.model import Binding
from rlcalc.conform.binding.words.names import family, of_tokens, roles_of
from rlcalc.conform.binding.words.token_roles import TERMS, WITH_TERMS
from rlcalc.conform.conform_report import ConformReport
from rlcalc.conform.diagnose import Diagnosis
from rlcalc.conform.faults import catalogue
from rlcalc.conform.target.syntax import last_name
from rlcalc.errors import InputError
from rlcalc.specs import load_formula

Judge = Callable[[str, Mapping[str, str]], ConformReport]


@dataclass(frozen=True)
class Term:
    """One of those others.

    Attributes:
        said: in words.
        formula: that it is, without its weight.
        live: what its places are of that formula, by what their names say; it has all of them.
        weight: the role of its weight.
        sign: with which it stands in a loss; an objective has the other one.
        turned: the bug of the whole loss that it has with the other sign.
    """

    said: str
    formula: str
    live: Mapping[str, str]
    weight: str
    sign: int = 1
    turned: str = ""


_TRAINERS = "policy_clip"  # whose table of names says what terms are made of
_VALUES = {"values": "values", "returns": "returns"}
_CRITIC, _ENTROPY = ("no_value_term", 1, "critic-sign"), ("no_entropy_term", -1, "entropy-sign")
# of two for the same places the one with more of them comes first
BESIDE = (
    Term("the divergence", "kl_estimate", {"logp": "logp", "ref_logp": "ref_logp"}, "no_kl"),
    Term("the loss of values", "value_clip_loss", {**_VALUES, "old_values": "old_values"}, *_CRITIC),
    Term("the loss of values", "critic_loss", _VALUES, *_CRITIC),
    Term("the entropy", "loss_aggregation", {"terms": "loss"}, *_ENTROPY),
    Term("the entropy", "token_entropy", {"logits": "logits"}, *_ENTROPY),
)
WEIGHTS = frozenset(term.weight for term in BESIDE)
_LOGS = ("logp", "old_logp", "prox_logp", "behav_logp", "ref_logp", "log_ratio", "ratio", "log_probs")
_WIDTHS = ("eps_low", "eps_high", "eps_both", "low", "high", "dual", "low_width", "high_width", "both_widths")
# what the other places are while a term is asked for, by the formula that it is: of tokens, or of samples
_OF_TOKENS = {
    **dict.fromkeys(_LOGS, "no_values"),
    **dict.fromkeys((*_WIDTHS, *(f"{name}_always" for name in _WIDTHS), "no_width"), "no_width"),
    **dict.fromkeys(WEIGHTS, "no_term"),
    **dict.fromkeys(("adv", "advantages"), "no_adv"),
}
_OF_SAMPLES = {
    **dict.fromkeys((*_LOGS, "adv", "advantages", "no_values"), "observations"),
    **dict.fromkeys((*_WIDTHS, *(f"{name}_always" for name in _WIDTHS), "no_width"), "wide"),
    **dict.fromkeys(WEIGHTS, "zero"),
    "mask": "valid",
}


def with_terms(report: ConformReport, judge: Judge) -> ConformReport:
    """The report on a policy loss, or on a term beside it that has a known bug.

    Args:
        report: on the loss.
        judge: the same function as another formula, with these roles by place.
    """
    binding = report.binding
    if binding is None or report.formula not in WITH_TERMS or not report.verdict.startswith("conforms"):
        return report
    for term, places in _terms(binding):
        weight = next(iter(binding.places_of(term.weight)), "")
        sign = term.sign if is_loss(report) else -term.sign
        other = None
        with contextlib.suppress(InputError):
            other = judge(term.formula, _roles(term, binding, places, weight, sign))
        named = term.said.endswith(" ".join(places))  # the entropy, by its own name
        what = term.said if named else f"{term.said} ({', '.join(places)})"
        if other is not None and other.verdict.startswith("conforms"):
            under = f" under {' and '.join(c.name for c in other.conventions)}" if other.conventions else ""
            report.notes.append(f"{what} conforms to {term.formula}{under}")
        elif other is None or not (weight and other.matches) or (sign < 0 and other.constant == 0):
            # with its weight in the body, or another formula, or nothing for a weight below 0: nobody knows
            report.not_tested.append(what)
        else:
            beside = ", ".join(binding.places_of(*WEIGHTS))
            other.notes.insert(
                0,
                f"with {beside} = 0 it conforms to {report.formula}; this is about {what}, "
                f"which {weight} weighs",
            )
            other.part, other.without = term.said, report
            other.diagnosis = _of_the_sum(other.diagnosis, term)
            return other
    return report


def _of_the_sum(found: Diagnosis | None, term: Term) -> Diagnosis | None:
    """A term with the other sign by the name that this has in a sum."""
    if found is None or not term.turned:
        return found
    sums = {fault.name: fault for fault in catalogue("ppo_loss").faults}
    matches = [
        replace(m, faults=tuple(sums[term.turned] if f.name == "sign-flipped" else f for f in m.faults))
        for m in found.matches
    ]
    return replace(found, matches=tuple(matches))


def _terms(binding: Binding) -> Iterator[tuple[Term, dict[str, str]]]:
    """The terms that a function has, with what each of their places is; a place belongs to one of them."""
    named: dict[str, str] = {}
    for path, role in binding.inputs.items():
        aside = [name for name in roles_of(last_name(path), _TRAINERS) if name in TERMS]
        # the returns of an actor's loss are its advantages where the values are 0
        hidden = role in TERMS.values() or role == "advantages"
        name = next((n for n in aside if n not in named), role) if hidden else role
        named.setdefault(name, path)
    taken: set[str] = set()
    for term in BESIDE:
        if term.live.keys() <= named.keys() and taken.isdisjoint(named[name] for name in term.live):
            taken |= {named[name] for name in term.live}
            yield term, {named[name]: role for name, role in term.live.items()}


def is_loss(report: ConformReport) -> bool:
    """Whether it is to be minimised."""
    names = {c.name for c in report.conventions}
    outputs = set(report.binding.outputs if report.binding else ())
    return bool(names & {"loss"} or outputs & {"loss", "losses"})


def _roles(term: Term, binding: Binding, places: Mapping[str, str], weight: str, sign: int) -> dict[str, str]:
    """What each place of the function is while a term is asked for."""
    formula = load_formula(term.formula)
    own = formula.names
    others = _OF_TOKENS if of_tokens(family(formula.name)) or of_tokens(formula.name) else _OF_SAMPLES
    found = {path: others.get(role, role) for path, role in binding.inputs.items()}
    for path, role in binding.inputs.items():
        if role in ("mask", "valid"):
            found[path] = "mask" if "mask" in own else "valid"
        if role == "eps_both" and "eps" in own:
            found[path] = "eps"
        if role == "no_width" and "eps" in own:  # a width of its own
            found |= {p: "no_width" for p, r in found.items() if r == "eps"} | {path: "eps"}
        if term.formula == "kl_estimate" and role == "old_logp":
            found[path] = "same_logp"
    return found | dict(places) | ({weight: f"number:{sign}"} if weight else {})
