"""Chapter 3, section 3.2: what GRPO does without, by the formulas of its update and of PPO's."""

from __future__ import annotations

from rlcalc._lazy import sympy
from rlcalc.audit import evidence as ev
from rlcalc.audit.alter import Choice
from rlcalc.audit.cases import vector
from rlcalc.audit.proofs import index, reals
from rlcalc.audit.registry import Statement, claim
from rlcalc.audit.tables import algorithms
from rlcalc.audit.zero import as_expression
from rlcalc.specs import load_formula

# the formulas that one update is computed by; both have aggregation of the losses besides
GRPO = ("group_advantage", "policy_clip", "kl_estimate")
PPO = ("token_gae", "policy_clip", "value_clip_loss")
# inputs that are what a function says which the update changes; a reference policy stays as it is
SAID_BY = {"logp": "policy", "values": "value function"}
GROUP = "group_advantage/three-of-eight-centred"
EPISODE = "token_gae/one-reward-at-the-end"


def functions(update: tuple[str, ...]) -> frozenset[str]:
    """The functions that are learned, as the inputs of an update's formulas show them."""
    inputs = {one.name for name in update for one in load_formula(name).parameters}
    return frozenset(function for name, function in SAID_BY.items() if name in inputs)


def no_critic(share: int) -> list[ev.Evidence]:
    """What a critic would say of the prompt changes no advantage of GRPO; PPO's it changes."""
    case, episode = vector(GROUP), vector(EPISODE)
    (reward, total, value), size = reals("r S v"), index("G")
    rewards = [as_expression(one) - sympy.Rational(1, 3) for one in case.given["rewards"]]
    shifted = case.answer(rewards=[str(one) for one in rewards])
    other = episode.answer(values=[["0" for _ in row] for row in episode.given["values"]])
    return [
        ev.Identity(
            "GRPO: any value v of the prompt, taken off all rewards, leaves the advantage as it is",
            (reward - value) - share * (total - size * value) / size,
            reward - share * total / size,
            "any reward r, sum S of a group of G rewards, and v; its deviations from the mean, so its scale",
        ),
        ev.Exact(
            "three right answers of eight, less 1/3 each: advantage of the first",
            shifted[0],
            "=",
            case.answer()[0],
        ),
        ev.Exact(
            "PPO: the first token's advantage under one critic against another",
            episode.answer()[0][0],
            "!=",
            other[0][0],
        ),
    ]


@claim("L3.2-grpo-simpler", relation="<", share=1, penalty=Choice("kl", "clip"))
def grpo_simpler(s: Statement, show: ev.Findings) -> None:
    """One function less, since the mean of a group does what a critic's value of the prompt would."""
    grpo = algorithms()["GRPO"]
    show.literal.exact(
        "functions that an update learns: GRPO against PPO",
        sympy.Integer(len(functions(GRPO))),
        s.relation,
        sympy.Integer(len(functions(PPO))),
    )
    show.literal += no_critic(s.share)
    show.literal.fact("its loss has a penalty besides", grpo.penalty, "=", s.penalty, grpo.source)
