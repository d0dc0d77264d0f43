"""Chapter 2: TD(λ), who gets the credit; the worked example, and what it recalls of Monte Carlo."""

from __future__ import annotations

from typing import Any

from rlcalc._lazy import sympy
from rlcalc.audit import evidence as ev
from rlcalc.audit.alter import Choice
from rlcalc.audit.cases import vector
from rlcalc.audit.proofs import answer, index, positives, reals, sequence, unit
from rlcalc.audit.registry import Statement, claim
from rlcalc.audit.returns import NStep, calls_in, moved, n_step_weight
from rlcalc.exact import symbol

# what the chapter defines, subsection by subsection; a term it only names is not here
DEFINED = {
    "2.2": ("weights of the n-step returns",),
    "2.3": ("λ-return", "update towards the λ-return"),
    "2.5": ("complete return", "Monte Carlo update"),
}
EXAMPLE = "lambda_return/lecture-2.4"  # rewards 1, 2, 3 and λ = 1/2
LAMBDA_RETURN = "G^lambda"


def two_views(decay: Any, per_step: Any, minus: Any = 1) -> list[ev.Evidence]:
    """Offline, both views make the same updates.

    Args:
        decay: factor of the traces from one step to the next.
        per_step: factor of the later error in the λ-return's recursion.
        minus: factor of the value in an error.
    """
    gamma, lam, reward, value, after, next_return, delta = reals("gamma lambda r v w g d")
    visits, k = reals("e"), index("k")
    return [
        ev.Identity(
            "forward: the error of a λ-return is the TD error plus γλ times the next such error",
            reward + gamma * ((1 - lam) * after + lam * next_return) - minus * value,
            (reward + gamma * after - value) + per_step * (next_return - after),
            "every γ, λ, R and V",
        ),
        ev.Induction(
            "so it is the sum of (γλ)^k δ_{t+k}, and a step weighs in with (γλ)^k for a visit k steps ago",
            base=(ev.Identity("k = 0: the TD error itself", per_step**0 * delta, delta),),
            step=(ev.Identity("k → k + 1", per_step * per_step**k * delta, decay ** (k + 1) * delta),),
            over="every number of steps, γ and λ",
            variable="k",
        ),
        ev.Identity(
            "backward: a trace is the sum of (γλ)^k over the visits; a step later each has one factor more",
            decay * visits + 1,
            gamma * lam * visits + 1,
            "any visits",
        ),
    ]


@claim(
    "L2.0-title-eligibility",
    term=Choice("eligibility trace", "λ-return", "complete return"),
    decay_parts=frozenset(("gamma", "lambda")),
)
def title(s: Statement, show: ev.Findings) -> None:
    """The chapter defines the forward view only; the backward view gives the same updates."""
    terms = [term for group in DEFINED.values() for term in group]
    case = vector(EXAMPLE)
    views = answer(
        "traces", "views", states=["A", "B", "C"], rewards=case.given["rewards"], lam=case.given["lam"]
    )
    decay = sympy.Mul(*map(reals, s.decay_parts))
    show.literal.fact("the chapter defines", s.term, "in", terms, "definitions of sections 2.2, 2.3 and 2.5")
    show.repair += two_views(decay, reals("gamma") * reals("lambda"))
    show.unchanged.fact("both views of the example are", views, "=", "equal")


@claim("L2.1-td0-credits-recent", lam=0)
def td0_credit(s: Statement, show: ev.Findings) -> None:
    """At λ = 0 a trace is 1 for the present state and 0 for every other."""
    (gamma, before), lam = reals("gamma e"), sympy.Rational(s.lam)
    rows = answer("traces", states=["A", "B", "C"], gamma="9/10", lam=str(s.lam))
    show.literal.identity(
        "trace of a state not visited now", gamma * lam * before, 0, "any trace before, every γ"
    )
    show.literal.identity(
        "trace of the state visited now", gamma * lam * before + 1, 1, "any trace before, every γ"
    )
    show.literal.exact("for example: what is left of A one step later", rows[1][0], "=", 0)


@claim("L2.1-mc-credits-equally", relation="=", lam=1, undiscounted=True)
def mc_credit(s: Statement, show: ev.Findings) -> None:
    """At λ = 1 a visit k steps ago keeps γ^k of its credit: the same for all only at γ = 1."""
    case = vector("traces/audit-monte-carlo-credit-fades")
    rows = case.answer(lam=str(s.lam))
    decay = s.lam * (1 if s.undiscounted else reals("gamma"))
    same = s.relation
    show.against += case.refutes(
        "two states, discount 1/2: after the second step the first has half the credit",
        ev.Exact(f"credit of A {same} credit of B", rows[1][0], same, rows[1][1]),
        violates=ev.Exact("the discount is not 1", case.given["gamma"], "!=", 1),
    )
    show.repair.induction(
        "credit of a visit k steps ago against that of a visit now",
        base=(ev.ordered("k = 0", (1 * decay) ** 0, same, 1),),
        step=(ev.Identity("k → k + 1", decay * 1 ** index("k"), 1),),
        over="k ≥ 0, λ = 1, γ = 1",
        variable="k",
    )


@claim("L2.1-most-credit-recent", relation=">=", first_visits=True)
def recent_credit(s: Statement, show: ev.Findings) -> None:
    """A state visited twice can have more credit than the present one."""
    case = vector("traces/audit-old-state-leads")
    old, present = case.answer()[2]
    p, k = unit("p"), index("k")

    def gathered(steps: Any) -> Any:
        """The most credit of another state: of one visit, or of a visit at each of the steps before."""
        return p**steps if s.first_visits else p * (1 - p**steps) / (1 - p)

    visits = [ev_state for ev_state in case.given["states"] if ev_state == case.given["states"][0]]
    show.against += case.refutes(
        "A twice, then B: A has 2/3 + 4/9 of credit, B has 1",
        ev.Exact(f"credit of B {s.relation} credit of A", present, s.relation, old),
        violates=ev.Exact("visits of A", sympy.Integer(len(visits)), "!=", 1),
    )
    show.repair.induction(
        "the credit of the present state is the larger one by 1 − (γλ)^k",
        base=(ev.ordered("k = 1", sympy.Integer(1), s.relation, gathered(1)),),
        step=(ev.Sign("from k to k + 1 the lead grows", gathered(k) - gathered(k + 1)),),
        over="0 < γλ < 1, a single visit k ≥ 1 steps ago (at γλ = 0 and 1 by itself)",
        variable="k",
    )


@claim("L2.1-earlier-not-ignored", relation=">")
def earlier_credit(s: Statement, show: ev.Findings) -> None:
    show.literal.ordered(
        "credit of a visit k steps ago", unit("p") ** index("k"), s.relation, 0, "γλ = p, 0 < p < 1, k ≥ 1"
    )


@claim("L2.1-lambda-fades", discounted=False, decay=1)
def fading(s: Statement, show: ev.Findings) -> None:
    """A step takes a factor γλ off the credit of all that came before."""
    (gamma, lam), k = reals("gamma lambda"), index("k")
    rows = vector("traces/lecture-2.4").answer()

    def fades(rate: Any) -> ev.Evidence:
        return ev.Induction(
            "a visit k steps ago has the credit",
            base=(ev.Identity("k = 0: a visit now has 1", rate**0, 1),),
            step=(ev.Identity("k → k + 1: the trace times γλ", gamma * lam * rate**k, rate ** (k + 1)),),
            over="k ≥ 0, every γ and λ",
            variable="k",
        )

    rate = gamma * lam if s.discounted else lam
    show.fill(credit=rate**k)
    show.literal.append(fades(rate))
    show.repair.append(fades(lam * gamma**s.decay))
    show.unchanged.exact("credit of S_0 in 2.4 after two more steps: λ^2", rows[2][0], "=", "1/4")


@claim("L2.3-is-tdlambda", offline=True, decay=1, minus=1)
def is_tdlambda(s: Statement, show: ev.Findings) -> None:
    """With updates at the end both algorithms agree; with updates on the way they do not.

    Two visits of A, rewards 1 and 0, λ = 1, α = 1/2: on the way A goes to 1/2
    and then, with trace 2, back to 0. The λ-returns together move it to 1/2.
    """
    case, first, second = map(vector, ("traces/audit-online-differs", *_ON_THE_WAY))
    offline, online = case.answer("new_values")[0], second.answer()
    gamma, lam, reward, value, after, gained = reals("gamma lambda r v w g")
    drift = 0 if s.offline else reals("c")  # how far the next value moved before its own error was taken
    show.against += case.refutes(
        "A is visited twice; TD(λ) with updates on the way returns to 0, the λ-returns lead to 1/2",
        ev.Exact("TD(λ) on the way = update towards the λ-returns", online, "=", offline),
        also=(first, second),
        violates=ev.Exact("V(A) changed during the episode", first.answer(), "!=", first.given["value"]),
    )
    show.repair += two_views((gamma * lam) ** s.decay, gamma * lam, s.minus)
    show.repair.identity(
        "the next error, with the value from before the episode, is what γλ multiplies",
        (reward + gamma * after - value) + gamma * lam * (gained - (after + drift)),
        reward + gamma * ((1 - lam) * after + lam * gained) - value,
        "every γ, λ, R and V",
    )


# what TD(λ) does on the way: the trace 2 of the second step doubles it, α e = 1
_ON_THE_WAY = ("td_update/audit-first-visit", "td_update/audit-second-visit")


@claim("L2.3-recursion", bootstrap=1, tail=1, value_discount=1, tail_discount=1)
def recursion(s: Statement, show: ev.Findings) -> None:
    """By induction on N, the number of steps to the end, with G_t^(n) = R + γ G_{t+1}^(n−1)."""
    gamma, lam, reward = reals("gamma lambda r")
    later = sequence("g")  # the n-step returns of the next state; g(0) is its value
    n = index("N")
    share = gamma**s.value_discount * (1 - lam) ** s.bootstrap
    carried = gamma**s.tail_discount * lam**s.tail

    def ours(k: Any) -> Any:
        """This state's k-step return."""
        return reward + gamma * later(k - 1)

    show.fill(share=share, carried=carried)
    show.literal.identity(
        "what one more step adds to the average",
        (1 - lam) * lam ** (n - 1) * ours(n) + lam**n * ours(n + 1) - lam ** (n - 1) * ours(n),
        lam**n * (ours(n + 1) - ours(n)),
        "N ≥ 1, every λ",
    )
    # the N-step form grows by λ^N times (G^(N+1) − G^(N)); the next state's by the same with N − 1
    show.literal.equal_by_increments(
        "the weighted average of all n-step returns obeys the recursion",
        (ours(1), reward + share * later(0) + carried * later(0)),
        (lam**n * (ours(n + 1) - ours(n)), carried * lam ** (n - 1) * (later(n) - later(n - 1))),
        over="every number N ≥ 1 of steps to the end, every γ, λ (1 included), R and V",
        name="N",
    )


# the worked example


WEIGHTS = "lambda_weights/lecture-2.4-list"


@claim("L2.4-weights", printed=("0.5", "0.25", "0.125"), exponent=-1)
def weights(s: Statement, show: ev.Findings) -> None:
    """The geometric weights themselves; the rest is the next claim."""
    lam, n = reals("lambda"), index()
    half = vector(WEIGHTS).number("lam")
    show.fill(weight=n_step_weight(lam, n, s.exponent), printed=", ".join(s.printed))
    show.literal.exact("how many", sympy.Integer(len(s.printed)), "=", 3)
    for at, printed in enumerate(s.printed, start=1):
        show.literal.exact(f"weight {at}", n_step_weight(half, at, s.exponent), "=", printed)


@claim("L2.4-remaining", printed="0.125", joint="0.25")
def remaining(s: Statement, show: ev.Findings) -> None:
    """What is left after three weights, and what the last return then has; for every λ and N besides."""
    case = vector(WEIGHTS)
    apart = case.otherwise().answer()
    left = 1 - sum(apart[:3], sympy.Integer(0))
    lam, last = reals("lambda"), index("N")
    show.fill(left=left)
    show.literal.exact("left after three weights", left, "=", s.printed)
    show.literal.exact("weight of the final return", case.answer()[2], "=", s.joint)
    show.literal.identity(
        "in general: its own weight and the rest make λ^(N−1)",
        n_step_weight(lam, last) + lam**last,
        lam ** (last - 1),
        "N ≥ 1, every λ",
    )


@claim("L2.4-indexing", first=1)
def indexing(s: Statement, show: ev.Findings) -> None:
    """The reward on leaving S_t is R_{t+1} in the definition; the example keeps to it."""
    calls = sorted(map(str, calls_in(NStep(reals("gamma")).one(0))))
    show.literal.fact("the 1-step target from S_0 contains", f"R({s.first})", "in", calls)


@claim("L2.5-mc-update", sign=1)
def mc_update(s: Statement, show: ev.Findings) -> None:
    """A step of size α towards the return; the calculator does the same with symbols."""
    alpha, value, full = map(symbol, "avg")
    new = moved(value, full, alpha, s.sign)
    state = sequence("V")(sympy.Symbol("s"))
    calculated = answer("mc_update", value="v", returns=["g"], alpha="a")
    show.fill(moved=moved(state, sequence("G")(index("t")), reals("alpha"), s.sign))
    show.literal.identity("the error left is 1 − α of the old one", full - new, (1 - alpha) * (full - value))
    show.literal.identity("the calculator's update", calculated, new, "every α, V and G")


@claim("L2.5-mc-averaging", harmonic=True, sign=1)
def averaging(s: Statement, show: ev.Findings) -> None:
    """With α = 1/k the update is the running mean; a constant α forgets."""
    case = vector("mc_update/audit-constant-step-is-no-mean")
    (total, full, value), n, returns = reals("S G V"), index("k"), case.number("returns")
    alpha = 1 / (n + 1) if s.harmonic else reals("alpha")
    first_alpha = 1 if s.harmonic else reals("alpha")
    show.fill(moved=moved(value, sequence("G")(index("t")), reals("alpha"), s.sign))
    show.against += case.refutes(
        "one return of 1, started from 0 with α = 1/2",
        ev.Exact(
            "value after the update = average of the returns",
            case.answer(),
            "=",
            sum(returns) / len(returns),
        ),
        violates=ev.Exact("α is not 1/k = 1", case.given["alpha"], "!=", 1),
    )
    show.repair.induction(
        "the value after k returns is their sum over k",
        base=(ev.Identity("k = 1", moved(value, full, first_alpha, s.sign), full),),
        step=(ev.Identity("k → k + 1", moved(total / n, full, alpha, s.sign), (total + full) / (n + 1)),),
        over="k ≥ 1, all returns, any first guess",
        variable="k",
    )


@claim("L2.5-return-exponent", shift=0)
def return_exponent(s: Statement, show: ev.Findings) -> None:
    """The sum obeys G_t = R_{t+1} + γ G_{t+1}; one reward more at the end adds its last term."""
    gamma, t, n, end = reals("gamma"), index("t"), index(), index("T")
    reward = sequence("R")

    def last(start: Any, end: Any) -> Any:
        """The term with which R at the time ``end`` stands in the return from ``start``."""
        return gamma ** (end - start - 1 + s.shift) * reward(end)

    show.fill(first=last(t, t + 1), second=last(t, t + 2), last=last(t, end))
    show.literal.equal_by_increments(
        "the sum is the unrolled recursion G_t = R_{t+1} + γ G_{t+1}, G_T = 0",
        (last(t, t + 1), reward(t + 1)),
        (last(t, t + 1 + n), gamma * last(t + 1, t + 1 + n)),
        over="every number T − t ≥ 1 of steps, every γ and R",
    )


@claim("L2.5-mc-after-end", discounted=True, waits=True)
def after_end(s: Statement, show: ev.Findings) -> None:
    """The last reward stands in the return with the factor γ^(T−t−1); at γ = 0 it does not count."""
    case = vector("discounted_return/audit-myopic-return-is-early")
    gamma = positives("gamma") if s.discounted else 0 * positives("gamma")
    if not s.waits:
        ordinary = [answer("discounted_return", rewards=["1", last], gamma="1/2") for last in ("1", "0")]
        show.literal.exact("returns that differ in the last reward", ordinary[0], "=", ordinary[1])
        return
    show.against += case.refutes(
        "γ = 0: the return of the first state is the first reward, whatever the last one is",
        ev.Exact(
            "the return depends on the last reward: G differs",
            case.answer(),
            "!=",
            case.answer(rewards=["1", "0"]),
        ),
        violates=ev.Exact("γ is not above 0", case.given["gamma"], "<=", 0),
    )
    show.repair.sign(
        "weight of the last reward in the return",
        gamma ** index(),
        "γ > 0, T − t − 1 = n ≥ 1 (for the last step it is 1)",
    )
