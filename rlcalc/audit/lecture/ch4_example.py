"""Chapter 4, sections 4.4 and 4.5: the worked step, and stochastic gradient ascent."""

from __future__ import annotations

from typing import Any

from rlcalc._lazy import sympy
from rlcalc.audit import evidence as ev
from rlcalc.audit.alter import Choice
from rlcalc.audit.cases import vector
from rlcalc.audit.formula import plain_text, read
from rlcalc.audit.lecture.ch4 import BANDIT, STALE
from rlcalc.audit.lecture.ch4_theorem import NO_GAMMA, TOKEN_5, WORKED
from rlcalc.audit.policies import Path, TwoSteps, odds_gain
from rlcalc.audit.proofs import answer, entries, positives, reals, sequence
from rlcalc.audit.registry import Statement, claim
from rlcalc.audit.zero import as_expression
from rlcalc.exact import symbol, to_text


@claim("L4.4-softmax", sign=1, start="1/2")
def softmax(s: Statement, show: ev.Findings) -> None:
    def share(one: Any, other: Any) -> Any:
        return sympy.exp(s.sign * one) / (sympy.exp(s.sign * one) + sympy.exp(s.sign * other))

    left, right = answer("softmax", theta=["t", "u"])
    t, u = symbol("t"), symbol("u")
    show.fill(share=share(*reals("theta_L theta_R")))
    show.literal.identity("π(L)", share(t, u), left, "all preferences")
    show.literal.identity("π(R)", share(u, t), right, "all preferences")
    show.literal += entries("π at preferences 0", answer("softmax", theta=["0", "0"]), (s.start, s.start))


@claim("L4.4-score", sign=1, printed=("0.5", "-0.5"))
def score(s: Statement, show: ev.Findings) -> None:
    """From the logarithm of the softmax, and as the calculator has it."""
    t, u = reals("t u")
    total = sympy.exp(t) + sympy.exp(u)
    log = t - sympy.log(total)

    def scores(left: Any, right: Any) -> list[Any]:
        return [s.sign * (1 - left), -s.sign * right]

    ours = scores(sympy.exp(t) / total, sympy.exp(u) / total)
    policy, (left, right) = sequence("pi"), reals("L R")
    show.fill(scores=scores(policy(left), policy(right)))
    show.literal.identity("∂ log π(L)/∂θ_L", sympy.diff(log, t), ours[0], "all preferences")
    show.literal.identity("∂ log π(L)/∂θ_R", sympy.diff(log, u), ours[1], "all preferences")
    show.literal += entries("the score at preferences 0", vector("score/lecture-4.4").answer(), s.printed)


@claim(
    "L4.4-matrix-damage", separator=Choice("\\ ", "\\\\ "), fixed=Choice("\\\\ ", "\\ "), scope="structure"
)
def matrix_damage(s: Statement, show: ev.Findings) -> None:
    """With one backslash, a space, the two entries stand in one row: 1/2 and −1/2 read as a difference."""

    def rows(mark: str) -> Any:
        """Rows of the matrix that LaTeX makes of it."""
        (chain,) = read(rf"\begin{{bmatrix}} a {mark}b \end{{bmatrix}}")
        return sympy.Integer(len(chain.sides[0].parts))

    found = vector("score/lecture-4.4").answer()
    show.literal.exact("rows of a matrix printed with this separator", rows(s.separator), "=", len(found))
    show.repair.exact("rows with the separator that is meant", rows(s.fixed), "=", len(found))
    show.unchanged += entries("the score", found, ("1/2", "-1/2"))


@claim("L4.4-set-damage", mark=Choice("", "\\"), fixed=Choice("\\", ""), scope="structure")
def set_damage(s: Statement, show: ev.Findings) -> None:
    """Bare braces group and do not show."""

    def seen(mark: str) -> str:
        """What LaTeX shows: a brace without a backslash is none of it."""
        text = f"{mark}{{ L, R {mark}}}"
        kept = text if mark else text.replace("{", "").replace("}", "")
        return plain_text(kept).replace(" ", "")

    actions = vector(WORKED).answer("policy")
    show.literal.fact("what is seen", seen(s.mark), "=", "{L,R}")
    show.repair.fact("what is seen then", seen(s.fixed), "=", "{L,R}")
    show.unchanged.exact("number of actions", sympy.Integer(len(actions)), "=", 2)


@claim("L4.4-new-policy", printed="0.73", second="-1/2")
def new_policy(s: Statement, show: ev.Findings) -> None:
    """0.73105857863…, which rounds to what is printed."""
    first, second = sympy.Rational(1, 2), as_expression(s.second)
    quotient = sympy.exp(first) / (sympy.exp(first) + sympy.exp(second))
    printed, half = as_expression(s.printed), sympy.Rational(1, 200)
    after = vector(WORKED).answer("policy")[0]
    show.fill(quotient=quotient)
    show.literal.identity("the quotient is π(L) after the update", quotient, after)
    show.literal.exact("not below the printed value by more than half a digit", after, ">=", printed - half)
    show.literal.exact("nor above it by as much", after, "<", printed + half)


@claim("L4.4-because-high-return", sign=1)
def because_high_return(s: Statement, show: ev.Findings) -> None:
    """A return of 1 makes L the favourite as well, were R to pay 20."""
    case, worked = vector("reinforce_step/audit-low-score-raised"), vector(WORKED)
    before, after = case.answer("policy_before"), case.answer("policy")
    step, gain = positives("alpha g")
    show.against += case.refutes(
        "L pays 1 and R would pay 20; L was taken",
        ev.Exact("L is not the favourite afterwards", after[0], "<=", after[1]),
        premises=(
            ev.Exact("the return is the lower of the two", case.given["return_"], "<", 20),
            ev.Exact("there was no favourite before", before[0], "=", before[1]),
        ),
    )
    show.repair.sign(
        "the odds of the action taken rise by α G times a positive number",
        odds_gain(step * s.sign * gain),
        "a softmax policy of any number of actions, every step size, every return G > 0",
    )
    show.repair.identity(
        "between two actions they rise by exactly α G, in which the other return does not occur",
        step * s.sign * gain * (1 - before[0] + before[1]),
        step * gain,
        "the start of section 4.4, every step size and return",
    )
    show.unchanged += entries("preferences after the update", worked.answer("theta"), ("1/2", "-1/2"))


@claim("L4.4-called-mdp", ends="1")
def called_mdp(s: Statement, show: ev.Findings) -> None:
    """Whatever R pays, which the section leaves open: one state to decide in, one decision, then the end."""
    from rlcalc.mdp.reading import read_mdp

    chances = ("0", s.ends)
    together = sum(map(as_expression, chances))
    show.literal.exact("chances of what follows an action, together", together, "=", 1)
    for pay in ("0", "20", "-3"):
        world = read_mdp(
            {
                "P": [[chances, chances], []],
                "R": [["10", pay], []],
                "states": ["s", "end"],
                "actions": ["L", "R"],
                "terminal": ["end"],
            }
        )
        shape = (len(world.non_terminal), len(world.actions), world.longest())
        what = f"R pays {pay}: states to decide in, actions, longest episode"
        show.literal.fact(what, shape, "=", (1, 2, 1))


@claim("L4.5-ascent", sign=1, harmless={"sign: 1 → 2": "a step twice as long goes uphill too"})
def ascent(s: Statement, show: ev.Findings) -> None:
    """The objective's slope along the step is |∇J|²; for the bandit of 4.4 every step improves."""
    step, g, rest = positives("alpha g_1 rest")
    before = answer("policy_gradient", "objective", **BANDIT)
    gradient = answer("policy_gradient", **BANDIT)[0]
    moved = [to_text(s.sign * part / 10) for part in gradient]
    after = answer("policy_gradient", "objective", **BANDIT | {"theta": [moved]})
    show.literal.sign(
        "what a short step adds to J: α times the slope ∇J · ∇J",
        s.sign * step * (g * g + rest),
        "every differentiable J with ∇J ≠ 0: a component that is not 0, and the other squares",
    )
    show.literal.exact("bandit of 4.4, α = 1/10: J after the step", after, ">", before)


@claim("L4.5-unbiased", relation="=", fresh=True, weight=Choice("γ^t G_t", "G_t"))
def unbiased(s: Statement, show: ev.Findings) -> None:
    """Right for samples of the current policy with the full weights; two ways to lose it."""
    stale, bare = vector(STALE), vector(NO_GAMMA)
    what = f"mean of the estimate {s.relation} ∂J"
    show.against += stale.refutes(
        "the bandit of 4.4 at even chances, episodes drawn at chances 3/4 and 1/4",
        ev.Exact(what, stale.answer(p=stale.given["q"]), s.relation, stale.answer()),
        violates=ev.Exact(
            "the samples are not of the current policy", stale.given["q"][0], "!=", stale.given["p"][0]
        ),
    )
    show.against += bare.refutes(
        "the estimate of section 4.3 itself: two tokens at discount 1/2, component of token 5",
        ev.Exact(what, bare.answer()[0][TOKEN_5], s.relation, bare.answer(form="trajectory")[0][TOKEN_5]),
        violates=ev.Exact("the weight is G_t alone, and γ is", bare.given["gamma"], "<", 1),
    )
    show.repair += _unbiased_evidence(s)


def _unbiased_evidence(s: Statement) -> list[ev.Evidence]:
    world = TwoSteps()
    per_state = reals("b_0 b_1 b_2")

    def whole(path: Path, t: int) -> Any:
        return world.to_go(path, 0)

    def to_go(path: Path, t: int) -> Any:
        discount = world.gamma**t if s.weight == "γ^t G_t" else 1
        return discount * (world.to_go(path, t) - per_state[path.steps[t].state])

    now, x, y = reals("pi x y")
    drawn = now if s.fresh else reals("pi_old")
    return [
        *world.gradient_is("E[Σ G(τ) ∇ log π] = ∇J", whole),
        *world.gradient_is("E[Σ γ^t (G_t − b(S_t)) ∇ log π] = ∇J", to_go),
        ev.ordered(
            "one decision: the mean over the samples against the gradient",
            drawn * x * (1 - now) + (1 - drawn) * y * (0 - now),
            s.relation,
            now * (1 - now) * (x - y),
            "two actions with any returns x, y, samples of the current policy",
        ),
    ]
