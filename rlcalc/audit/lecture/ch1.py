"""Chapter 1: n-step returns, their definition and their ends; the worked example, and TD(0) as n = 1."""

from __future__ import annotations

from typing import Any

from rlcalc.audit import evidence as ev
from rlcalc.audit.cases import Vector, vector
from rlcalc.audit.proofs import answer, domain_is, index, positives, powers_vanish, reals, sequence
from rlcalc.audit.registry import Statement, claim
from rlcalc.audit.returns import NStep, calls_in, moved
from rlcalc.exact import symbol

EPISODE = "n_step_return/lecture-1.4-n2"  # the episode of section 1.4; S_3, worth 10, ends it


def stays_after_the_end(gamma: Any, terminal: Any, relation: str = "=") -> ev.Induction:
    """From n = N = T − t on the target is the full return, if what follows the end is worth ``terminal``."""
    n, gained = index(), reals("G")
    target = gained + gamma**n * terminal
    following = gained + gamma ** (n + 1) * terminal
    return ev.Induction(
        "from the end on the n-step target is the full return and stays it",
        base=(ev.ordered("n = N: nothing is added to the N rewards", target, relation, gained),),
        step=(ev.Identity("n → n + 1: a reward 0 and a state worth 0 add nothing", following, target),),
        over="n ≥ N = T − t ≥ 1, every γ, all rewards of the episode",
    )


@claim("L1.1-td0-mc-spectrum", steps=1, terminal=0, relation="=")
def spectrum(s: Statement, show: ev.Findings) -> None:
    """One end is an identity; the other needs a last state that is worth 0."""
    gamma, t = reals("gamma"), index("t")
    case, full = vector(EPISODE), answer("discounted_return", **_rewards())
    target = NStep(gamma)
    td0 = target.reward(t + 1) + gamma * target.value(t + 1)
    show.fill(target=td0)
    show.against += case.refutes(
        "the lecture's own episode of two steps bootstraps from its last state",
        ev.Exact("2-step target = full return", case.answer(), s.relation, full),
        violates=ev.Exact("V of the last state is not 0", case.given["values"][2], "!=", 0),
    )
    show.repair.identity("n = 1 is the TD(0) target", target.written(t, s.steps), td0, "every γ, R and V")
    show.repair.append(stays_after_the_end(gamma, s.terminal, s.relation))


def _rewards() -> dict[str, Any]:
    episode = vector(EPISODE).given
    return {"rewards": episode["rewards"], "gamma": episode["gamma"]}


def latest(t: Any, n: Any) -> Any:
    """The time at which the n-step target from ``t`` is known: that of the last reward and value in it."""
    times = [call.args[0] for call in calls_in(NStep(reals("gamma")).more(t, n - 1))]
    return max(times, key=lambda time: int(time - t - n))


@claim("L1.1-trip-analogy", later=">", earlier="<")
def trip_analogy(s: Statement, show: ev.Findings) -> None:
    """How long each method waits before it updates the value of a state."""
    t, n = index("t"), 1 + index("k")
    end = n + index("m")
    show.literal.ordered("n steps against one light, n > 1", latest(t, n), s.later, latest(t, 1), "n > 1")
    show.literal.ordered("n steps against the whole trip", latest(t, n), s.earlier, latest(t, end), "n < N")


@claim("L1.2-infinity-is-mc", terminal=0, relation="=")
def infinity(s: Statement, show: ev.Findings) -> None:
    """Beyond the end all n agree, so n = ∞ is what they agree on."""
    case = vector("n_step_return/audit-infinite-n")
    show.against += case.refutes(
        "the lecture's own episode, with its values",
        ev.Exact(
            "target for n = ∞ equals the Monte Carlo return",
            case.answer(),
            s.relation,
            answer("discounted_return", **_rewards()),
        ),
        violates=ev.Exact("V of the last state is not 0", case.given["values"][2], "!=", 0),
    )
    show.repair.append(stays_after_the_end(reals("gamma"), s.terminal, s.relation))
    show.repair.append(powers_vanish("γ"))


@claim("L1.3-nstep-def", rewards_late=0, bootstrap_late=0)
def definition(s: Statement, show: ev.Findings) -> None:
    """The sum is what n one-step look-aheads give, from G^(0) = V on."""
    gamma, t, n = reals("gamma"), index("t"), index()
    g = NStep(gamma, s.rewards_late, s.bootstrap_late)
    show.fill(sum=g.written(t, n))
    show.literal.equal_by_increments(
        "the sum is the unrolled recursion G_t^(n+1) = R_{t+1} + γ G_{t+1}^(n), G^(0) = V",
        (g.one(t), g.reward(t + 1) + gamma * g.none(t + 1)),
        (g.more(t, n), gamma * g.more(t + 1, n - 1)),
        over="n ≥ 0, every γ, all sequences R and V",
        start=0,
    )
    show.literal.identity("n = 0 is the value alone", g.none(t), g.value(t), "every γ")


@claim("L1.3-gamma-domain", low="0", high="1", ends=True)
def gamma_domain(s: Statement, show: ev.Findings) -> None:
    """At γ = 1 the endless return of a constant reward grows with every step.

    The calculator's own domain is compared as well: it refuses what lies outside.
    """
    gamma, share = reals("gamma q")
    case = vector("policy_eval/audit-endless-undiscounted")
    rest = 1 - case.number("gamma")
    stays = 1 - share if s.ends else 1
    show.against += case.refutes(
        "a reward of 1 forever: one more step adds 1 to the return, however many there were",
        ev.Exact("V = 1 + γV has a solution, since the coefficient 1 − γ of V is not 0", rest, "!=", 0),
        violates=ev.Exact(
            "the rewards never end: chance of one more", case.given["mdp"]["P"][0][0][0], ">", 0
        ),
    )
    show.repair += domain_is("n_step_return", "gamma", "discount", s.low, s.high)
    show.repair.sum_by_induction(
        "without an end: a reward of 1 forever adds up to (1 − γ^n)/(1 − γ) after n steps",
        lambda k: gamma ** (k - 1),
        lambda k: (1 - gamma**k) / (1 - gamma),
        over="n ≥ 1, γ ≠ 1",
    )
    show.repair.append(powers_vanish("γ"))
    show.repair.identity(
        "with an end, of chance q in every step: at γ = 1 the value V = 1 + (1 − q)V is 1/q",
        1 + stays / share,
        1 / share,
        "0 < q ≤ 1",
    )


@claim("L1.3-missing-terminal-rule", needed=False)
def terminal_rule(s: Statement, show: ev.Findings) -> None:
    """Two ways to go on after the end, both true to the formula, give two numbers."""
    case = vector("n_step_return/audit-past-the-end")
    carries = case.answer()
    stops = case.answer(values=["0", "0"])
    gamma, worth, n = positives("gamma"), positives("v"), index()
    rule = ev.Sign(
        "a value v > 0 after the end would move the target by γ^n v", gamma**n * worth, "n ≥ N, γ > 0"
    )
    if s.needed:
        show.literal.append(rule)
        show.literal.exact("two continuations, two numbers", stops, "!=", carries)
        return
    show.against += case.refutes(
        "n = 2 in an episode of one step: what takes the place of R_2 and V(S_2) decides",
        ev.Exact("last value kept = state after the end worth 0", carries, "=", stops),
    )
    show.repair.append(rule)
    show.repair.exact("the rule's number for the example", stops, "=", case.answer(values=["0", "0"], n=1))


@claim("L1.3-update", sign=1, delay=0)
def update(s: Statement, show: ev.Findings) -> None:
    """A step of size α towards the target, at the first moment at which the target is known."""
    alpha, n, t = reals("alpha"), index(), index("t")
    value, returns = sequence("V"), sequence("G")
    old, target = value(t + n - 1, t), returns(t, n)
    new = moved(old, target, alpha, s.sign)
    show.fill(new=new)
    show.literal.identity(
        "the error left is 1 − α of the old one",
        target - new,
        (1 - alpha) * (target - old),
        "every α, V and G",
    )
    show.literal.identity(
        "the time of the update is the latest one in the target", t + n + s.delay, latest(t, n), "n ≥ 1"
    )


@claim("L1.3-target-value-undated", dated=False, lag=-1)
def undated(s: Statement, show: ev.Findings) -> None:
    """V changes between t and t + n, so the V inside the target needs its time; in 1.4 nothing changes."""
    t, n, gamma, value = index("t"), index("n"), reals("gamma"), sequence("V")
    table = value(t + n + s.lag, t + n)
    written = table if s.dated else value(t + n)
    show.fill(written=written)
    show.literal.identity("V of the target is the one at hand at t + n", written, table)
    show.repair.identity(
        "at n = 1 the target is R + γV of the time before the update",
        NStep(gamma).one(t).subs(value(t + 1), table.subs(n, 1)),
        sequence("R")(t + 1) + gamma * value(t, t + 1),
    )


# the worked example


@claim("L1.4-terminal-bootstrap", printed="12.8")
def terminal_bootstrap(s: Statement, show: ev.Findings) -> None:
    """Nothing follows a terminal state, so its value is 0."""
    case = vector("n_step_return/lecture-1.4-terminal")
    full = answer("discounted_return", rewards=case.given["rewards"], gamma=case.given["gamma"])
    _terminal(
        show,
        case,
        ev.Exact("2-step target of the episode that ends in S_3", case.answer(), "=", s.printed),
        ev.Exact("2-step target with V(S_3) = 0 = full return", case.answer(), "=", full),
    )


@claim("L1.4-upd2-terminal", printed="5.78")
def update_terminal(s: Statement, show: ev.Findings) -> None:
    """The wrong target makes the value rise where it should fall."""
    case = vector("n_step_return/lecture-1.4-terminal")
    right = answer(
        "td_update", value=case.given["values"][0], target=case.answer(), alpha=case.given["alpha"]
    )
    _terminal(
        show,
        case,
        ev.Exact("value of S_1 after the 2-step update", case.answer("updated"), "=", s.printed),
        ev.Exact("5 + 0.1·(4.7 − 5)", case.answer("updated"), "=", right),
    )


def _terminal(show: ev.Findings, case: Vector, claimed: ev.Exact, right: ev.Exact) -> None:
    if claimed.status == "holds":
        show.literal.append(claimed)
        return
    where = "the episode itself, with the value that a terminal state has"
    show.against += case.refutes(where, claimed)
    show.repair.append(right)


@claim("L1.4-indexing", first=2)
def indexing(s: Statement, show: ev.Findings) -> None:
    """The reward on leaving S_t is R_{t+1} in the definition; the example keeps to it."""
    calls = sorted(map(str, calls_in(NStep(reals("gamma")).one(1))))
    show.literal.fact("the 1-step target from S_1 contains the reward", f"R({s.first})", "in", calls)
    show.literal.fact("and the value of", f"V({s.first})", "in", calls)


@claim("L1.5-td0-update", steps=1, sign=1)
def td0(s: Statement, show: ev.Findings) -> None:
    """Both updates written out; they are the same expression."""
    alpha, gamma, t = reals("alpha"), reals("gamma"), index("t")
    g = NStep(gamma)
    value = g.value(t)
    td = value + alpha * (g.reward(t + 1) + gamma * g.value(t + 1) - s.sign * value)
    n_step = moved(value, g.written(t, int(s.steps)), alpha)
    show.fill(update=td)
    show.literal.identity("the n-step update with n = 1 is that of TD(0)", n_step, td, "every α, γ, R and V")


@claim("L1.5-td-error", minus=1, next_weight=1)
def td_error(s: Statement, show: ev.Findings) -> None:
    """The error is the target minus the value, which is what the calculator gives for symbols."""

    def error(reward: Any, value: Any, after: Any, gamma: Any) -> Any:
        return s.minus * (reward + gamma**s.next_weight * after - value)

    t, reward, value = index("t"), sequence("R"), sequence("V")
    calculated = answer("td_error", reward="r", value="v", next_value="w", gamma="g")
    example = vector("td_error/lecture-1.4-step").answer()
    symbols = [symbol(name) for name in "rvwg"]
    show.fill(error=error(reward(t + 1), value(t), value(t + 1), reals("gamma")))
    show.literal.identity("TD error = target − value", error(*symbols), calculated, "all numbers")
    show.literal.exact("in 1.4: target 9.2 minus value 5", example, "=", "4.2")
