"""Chapter 5, section 5.2: what the objective of each stage asks for, by the formula of its loss."""

from __future__ import annotations

from rlcalc._lazy import sympy
from rlcalc.audit import evidence as ev
from rlcalc.audit.cases import vector
from rlcalc.audit.proofs import answer, positives, real, reals, unit
from rlcalc.audit.registry import Statement, claim

ALL_RIGHT = "group_advantage/audit-all-right"
SOME_RIGHT = "group_advantage/three-of-eight-centred"


@claim("L5.2-next-token", model=1, data=1, relation="=")
def next_token(s: Statement, show: ev.Findings) -> None:
    """By a logit z_a the derivative is x_a times the one by x_a = exp(z_a)."""
    weights, counts = positives("x_1 x_2 x_3"), positives("c_1 c_2 c_3")
    policy = [x / sum(weights) for x in weights]
    text = [c / sum(counts) for c in counts]
    slopes = [
        sum(-chance * x * sympy.log(pi).diff(x) for chance, pi in zip(text, policy, strict=True))
        for x in weights
    ]
    line = {"logits": [[["log(3)", "0"], ["0", "0"], ["0", "0"]]], "labels": [[-100, 0, 1]]}
    for at, (slope, pi, chance) in enumerate(zip(slopes, policy, text, strict=True), start=1):
        show.literal.identity(
            f"mean slope of −log π by the logit of token {at}",
            slope,
            s.model * pi - s.data * chance,
            "three tokens (more by splitting one), any model, any chances in the text",
        )
    show.literal.exact(
        "tokens of chances 3/4 and 1/2: their losses add up to −log of the chance of both",
        answer("sft_loss", **line) * answer("sft_loss", "count", **line),
        s.relation,
        -sympy.log(sympy.Rational(3, 4) * sympy.Rational(1, 2)),
    )


@claim("L5.2-reward-model", share=1, sign=1)
def reward_model(s: Statement, show: ev.Findings) -> None:
    """Comparisons that others decided the other way have the rewards in each other's place."""
    slope = real(answer("reward_model_loss", "d_chosen", chosen=["r"], rejected=["w"])[0])
    (r, w, p), d = reals("r w p"), positives("d")
    swapped = slope.subs({r: w, w: r}, simultaneous=True)
    mean = p * slope - (1 - p) * swapped
    chance = 1 / (1 + sympy.exp(-s.sign * (r - w)))
    show.literal.identity(
        "a share p of people prefers the first answer: slope of the mean loss by its reward",
        mean,
        chance - s.share * p,
        "all rewards and shares",
    )
    # with d = exp(r − w) the chance is d/(1 + d)
    show.literal.sign(
        "the slope rises with the reward, so that the loss is least where the chance is the share",
        s.sign * d * (d / (1 + d)).diff(d),
        "all rewards",
    )


@claim("L5.2-rl-prefers", sign=1, relation=">")
def rl_prefers(s: Statement, show: ev.Findings) -> None:
    """The best policy under a penalty has the odds of the reference, times exp(difference/β)."""
    q, (r, w), (beta, gap) = unit("x"), reals("r w"), positives("beta d")
    odds = q / (1 - q) * sympy.exp(s.sign * (r - w) / beta)
    p = sympy.Symbol("p", positive=True)
    divergence = p * sympy.log(p / q) + (1 - p) * sympy.log((1 - p) / (1 - q))
    objective = p * r + (1 - p) * w - beta * divergence
    names = {"chosen": ["a"], "rejected": ["b"], "ref_chosen": ["c"], "ref_rejected": ["d"], "beta": "B"}
    tuned = answer("dpo_loss", **names)[0]
    a, b, c, d, scale = (next(x for x in tuned.free_symbols if x.name == name) for name in "abcdB")
    learned = tuned.subs({a: sympy.log(odds) + b, c: sympy.log(q / (1 - q)) + d, scale: beta})
    show.literal.identity(
        "at these odds the mean reward less β times the divergence has no slope",
        objective.diff(p).subs(p, odds / (1 + odds)),
        0,
        "two answers (any others keep their odds), all rewards, β > 0, every reference",
    )
    show.literal.sign(
        "and it falls below its tangents, so that they are the best ones",
        -objective.diff(p, 2).subs(p, unit("y")),
        "two answers, β > 0",
    )
    show.literal.ordered(
        "log-odds that the answer with the higher reward gains",
        s.sign * gap / beta,
        s.relation,
        0,
        "a difference of rewards d > 0, β > 0",
    )
    show.literal.identity(
        "so DPO's loss of that policy is the reward model's loss of those rewards",
        learned,
        real(answer("reward_model_loss", chosen=["r"], rejected=["w"])[0]),
        "all rewards, β > 0, every reference",
    )


@claim("L5.2-correct-answers", right=1, relation=">")
def correct_answers(s: Statement, show: ev.Findings) -> None:
    """By GRPO an answer is weighed against its group, and a group of right answers weighs nothing."""
    case, mixed = vector(ALL_RIGHT), vector(SOME_RIGHT)
    share, spread = unit("x"), positives("s")
    show.against += case.refutes(
        "four answers to one prompt, all of them correct",
        ev.Exact("advantage of the first", case.answer()[0], s.relation, 0),
        premises=(ev.Exact("its reward", case.given["rewards"][0], "=", s.right),),
        violates=ev.Exact(
            "the least reward of the group: none is wrong",
            min(case.number("rewards")),
            "=",
            1,
        ),
    )
    show.repair.ordered(
        "a share p of the group is right, 0 < p < 1: (1 − p)/std of a right answer",
        (s.right - share) / spread,
        s.relation,
        0,
        "groups of any size with right and wrong answers",
    )
    show.repair.ordered("and p/std below 0 of a wrong one", share / spread, s.relation, 0, "the same groups")
    show.repair.exact("three right ones of eight: the first", mixed.answer()[0], s.relation, 0)
    show.repair.exact(
        "what a step of REINFORCE with it adds to the preference of that answer, of two",
        answer("reinforce_step", theta=["0", "0"], action=0, return_=str(mixed.answer()[0]))[0],
        s.relation,
        0,
    )
