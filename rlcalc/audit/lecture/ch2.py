"""Chapter 2: TD(λ), who gets the credit."""

from __future__ import annotations

from typing import Any

from rlcalc.audit.evidence import (
    Counterexample,
    Evidence,
    Exact,
    Fact,
    Findings,
    Identity,
    Induction,
    Replay,
    Sign,
    condition,
    reading,
)
from rlcalc.audit.proofs import answer, equal_by_increments, index, reals, sequence, unit
from rlcalc.audit.registry import Corruption, Statement, claim

# what the chapter defines, subsection by subsection; a term it only names is not here
DEFINED = {
    "2.2": ("weights of the n-step returns",),
    "2.3": ("λ-return", "update towards the λ-return"),
    "2.5": ("complete return", "Monte Carlo update"),
}
ENDLESS = Replay("rlcalc lambda-weights --lam 1 --steps inf", "weights_do_not_exist", "error")
EXAMPLE: dict[str, Any] = {"rewards": ["1", "2", "3"], "gamma": "1", "lam": "1/2"}


def two_views(decay: Any, per_step: Any) -> list[Evidence]:
    """Offline, both views make the same updates.

    Args:
        decay: factor of the traces from one step to the next.
        per_step: factor of the later error in the λ-return's recursion.
    """
    gamma, lam, reward, value, after, next_return, delta = reals("gamma lambda r v w g d")
    visits, k = reals("e"), index("k")
    return [
        Identity(
            "forward: the error of a λ-return is the TD error plus γλ times the next such error",
            reward + gamma * ((1 - lam) * after + lam * next_return) - value,
            (reward + gamma * after - value) + per_step * (next_return - after),
            "every γ, λ, R and V",
        ),
        Induction(
            "so it is the sum of (γλ)^k δ_{t+k}, and a step weighs in with (γλ)^k for a visit k steps ago",
            base=(Identity("k = 0: the TD error itself", per_step**0 * delta, delta),),
            step=(Identity("k → k + 1", per_step * per_step**k * delta, decay ** (k + 1) * delta),),
            over="every number of steps, γ and λ",
            variable="k",
        ),
        Identity(
            "backward: a trace is the sum of (γλ)^k over the visits so far; a step later all have one "
            "more factor",
            decay * visits + 1,
            gamma * lam * visits + 1,
            "any visits",
        ),
    ]


@claim(
    "L2.0-title-eligibility",
    term="eligibility trace",
    decay_parts=("gamma", "lambda"),
    corruptions=[
        Corruption("the chapter presents λ-returns", term="λ-return"),
        Corruption("traces that fade by λ alone", decay_parts=("lambda",)),
    ],
)
def title(s: Statement) -> Findings:
    """The chapter defines the forward view only; the backward view gives the same updates."""
    terms = [term for group in DEFINED.values() for term in group]
    defined = Fact("the chapter defines", s.term, "in", terms, "definitions of sections 2.2, 2.3 and 2.5")
    if defined.status == "holds":
        return Findings(literal=[defined])
    decay = _product(s.decay_parts)
    views = answer("traces", "views", states=["A", "B", "C"], rewards=EXAMPLE["rewards"], lam=EXAMPLE["lam"])
    return Findings(
        literal=[defined],
        repair=reading(
            "The chapter presents the λ-return, the forward view. Eligibility traces are the backward view, "
            "e_t(s) = γλ e_{t−1}(s) + 1[S_t = s], which it never defines; offline both make the same "
            "updates.",
            [*two_views(decay, _product(("gamma", "lambda")))],
            unchanged=[
                Exact("λ-return of 2.4", answer("lambda_return", **EXAMPLE), "=", "2.75"),
                Fact("both views of the example are", views, "=", "equal", "the calculator's traces command"),
            ],
            latex=r"e_t(s) = \gamma\lambda\,e_{t-1}(s) + \mathbb{1}[S_t = s]",
        ),
    )


def _product(names: tuple[str, ...]) -> Any:
    import sympy

    return sympy.Mul(*[reals(name) for name in names])


@claim(
    "L2.1-td0-credits-recent",
    lam=0,
    corruptions=[Corruption("λ = 1 instead", lam=1), Corruption("λ = 1/2 instead", lam="1/2")],
)
def td0_credit(s: Statement) -> Findings:
    """At λ = 0 a trace is 1 for the present state and 0 for every other."""
    from rlcalc.audit.zero import as_expression

    gamma, before = reals("gamma e")
    lam = as_expression(s.lam)
    rows = answer("traces", states=["A", "B", "C"], gamma="9/10", lam=str(s.lam))
    return Findings(
        literal=[
            Identity(
                "trace of a state not visited now", gamma * lam * before, 0, "any trace before, every γ"
            ),
            Identity(
                "trace of the state visited now", gamma * lam * before + 1, 1, "any trace before, every γ"
            ),
            Exact("for example: what is left of A one step later", rows[1][0], "=", 0),
        ]
    )


@claim(
    "L2.1-mc-credits-equally",
    undiscounted=True,
    equal=True,
    corruptions=[
        Corruption("condition dropped: any γ", undiscounted=False),
        Corruption("earlier states get less", equal=False),
    ],
)
def mc_credit(s: Statement) -> Findings:
    """At λ = 1 a visit k steps ago keeps γ^k of its credit: the same for all only at γ = 1."""
    rows = answer("traces", states=["A", "B"], gamma="1/2", lam="1")
    gamma = 1 if s.undiscounted else reals("gamma")
    k = index("k")
    return Findings(
        against=[
            Counterexample(
                "two states, discount 1/2: after the second step the first has half the credit",
                given={"states": "A B", "γ": "1/2", "λ": 1},
                claimed=Exact(
                    f"credit of A {'=' if s.equal else '<'} credit of B",
                    rows[1][0],
                    "=" if s.equal else "<",
                    rows[1][1],
                ),
                violates=Exact("the discount is not 1", "1/2", "!=", 1),
                replay=(
                    Replay("rlcalc traces --states A B --gamma 1/2 --lam 1", [["1", "0"], ["1/2", "1"]]),
                ),
                golden="traces/audit-monte-carlo-credit-fades",
                search="episodes and discounts: two states, γ = 1/2",
            )
        ],
        repair=condition(
            "Each visit is credited alike when γ = 1; otherwise a visit k steps ago counts γ^k (and a state "
            "visited twice counts twice).",
            [
                Induction(
                    "credit of a visit k steps ago",
                    base=(Identity("k = 0", gamma**0, 1),),
                    step=(Identity("k → k + 1", gamma * 1**k, 1),),
                    over="k ≥ 0, λ = 1, γ = 1",
                    variable="k",
                )
            ],
        ),
    )


@claim(
    "L2.1-most-credit-recent",
    relation=">=",
    first_visits=True,
    corruptions=[
        Corruption("condition dropped: states may be visited again", first_visits=False),
        Corruption("the most recent state gets the least", relation="<="),
    ],
)
def recent_credit(s: Statement) -> Findings:
    """A state visited twice can have more credit than the present one."""
    rows = answer("traces", states=["A", "A", "B"], lam="2/3")
    recent = answer("traces", states=["A", "B"], lam="2/3")[1]
    p, k = unit("p"), index("k")

    def gathered(steps: Any) -> Any:
        """The most credit of another state: of one visit, or of a visit at each of the steps before."""
        return p**steps if s.first_visits else p * (1 - p**steps) / (1 - p)

    literal: list[Evidence] = []
    if s.relation == "<=":
        literal.append(Exact("two states: credit of B ≤ credit of A", recent[1], "<=", recent[0]))
    return Findings(
        literal=literal,
        against=[
            Counterexample(
                "A twice, then B: A has 2/3 + 4/9 of credit, B has 1",
                given={"states": "A A B", "γ": 1, "λ": "2/3"},
                claimed=Exact(f"credit of B {s.relation} credit of A", rows[2][1], s.relation, rows[2][0]),
                violates=Exact("visits of A", 2, "!=", 1),
                replay=(
                    Replay(
                        "rlcalc traces --states A A B --lam 2/3", [["1", "0"], ["5/3", "0"], ["10/9", "1"]]
                    ),
                ),
                golden="traces/audit-old-state-leads",
                search="episodes: three steps; λ = 2/3 is the simplest above (√5 − 1)/2",
            )
        ],
        repair=condition(
            "It holds for every single visit, and for states as long as none is visited again (with "
            "replacing "
            "traces always).",
            [
                Induction(
                    "the credit of the present state is the larger one by 1 − (γλ)^k",
                    base=(Sign("k = 1", 1 - gathered(1)),),
                    step=(Sign("from k to k + 1 the lead grows", gathered(k) - gathered(k + 1)),),
                    over="0 < γλ < 1, a single visit k ≥ 1 steps ago (at γλ = 0 and 1 by itself)",
                    variable="k",
                )
            ],
        ),
    )


@claim(
    "L2.3-is-tdlambda",
    offline=True,
    error=1,
    corruptions=[
        Corruption("condition dropped: values change during the episode", offline=False),
        Corruption("traces that grow: decay 1/(γλ)", error=-1),
    ],
)
def is_tdlambda(s: Statement) -> Findings:
    """With updates at the end both algorithms agree; with updates on the way they do not.

    Two visits of A, rewards 1 and 0, λ = 1, α = 1/2: on the way A goes to 1/2
    and then, with trace 2, back to 0. The λ-returns together move it to 1/2.
    """
    offline = answer("traces", "new_values", states=["A", "A"], rewards=["1", "0"], lam="1", alpha="1/2")[0]
    first = answer("td_update", value="0", target="1", alpha="1/2")
    # the trace 2 doubles the step: α e = 1
    online = answer("td_update", value=first, target="0", alpha="1")
    gamma, lam = reals("gamma lambda")
    drift = 0 if s.offline else reals("c")  # how far V(s) moved since the episode began
    delta, old = reals("d v")
    return Findings(
        against=[
            Counterexample(
                "A is visited twice; TD(λ) with updates on the way returns to 0, the λ-returns lead to 1/2",
                given={"states": "A A", "rewards": "1 0", "V(A)": 0, "γ": 1, "λ": 1, "α": "1/2"},
                claimed=Exact("TD(λ) on the way = update towards the λ-returns", online, "=", offline),
                violates=Exact("V(A) changed during the episode, from 0 to", first, "!=", 0),
                replay=(
                    Replay(
                        "rlcalc traces --states A A --rewards 1 0 --lam 1 --alpha 1/2", ["1/2"], "new_values"
                    ),
                    Replay("rlcalc td-update --value 0 --target 1 --alpha 1/2", "1/2"),
                    Replay("rlcalc td-update --value 1/2 --target 0 --alpha 1", "0"),
                ),
                golden="traces/audit-online-differs",
                search="episodes in which a state comes back: two steps, rewards 0 or 1",
            )
        ],
        repair=condition(
            "It holds when all errors use the values from before the episode and their updates are "
            "added at its "
            "end (offline). On the way the two agree only approximately; true online TD(λ) mends that.",
            [
                *two_views((gamma * lam) ** s.error, gamma * lam),
                Identity(
                    "the value under the error is that of the start", delta - (old + drift), delta - old
                ),
            ],
        ),
    )


@claim(
    "L2.3-recursion",
    bootstrap=1,
    tail=1,
    corruptions=[
        Corruption("bootstrap not weighed by 1 − λ", bootstrap=0),
        Corruption("λ forgotten before the next return", tail=0),
    ],
)
def recursion(s: Statement) -> Findings:
    """By induction on N, the number of steps to the end, with G_t^(n) = R + γ G_{t+1}^(n−1)."""
    gamma, lam, reward = reals("gamma lambda r")
    later = sequence("g")  # the n-step returns of the next state; g(0) is its value
    n = index("N")
    value = later(0)
    share = (1 - lam) ** s.bootstrap

    def ours(k: Any) -> Any:
        """This state's k-step return."""
        return reward + gamma * later(k - 1)

    # the N-step form grows by λ^N times (G^(N+1) − G^(N)); the next state's by the same with N − 1
    proof = equal_by_increments(
        "the weighted average of all n-step returns obeys the recursion",
        (ours(1), reward + gamma * (share * value + lam**s.tail * value)),
        (
            lam**n * (ours(n + 1) - ours(n)),
            gamma * lam**s.tail * lam ** (n - 1) * (later(n) - later(n - 1)),
        ),
        over="every number N ≥ 1 of steps to the end, every γ, λ (1 included), R and V",
        name="N",
    )
    grows = Identity(
        "what one more step adds to the average",
        (1 - lam) * lam ** (n - 1) * ours(n) + lam**n * ours(n + 1) - lam ** (n - 1) * ours(n),
        lam**n * (ours(n + 1) - ours(n)),
        "N ≥ 1, every λ",
    )
    return Findings(literal=[grows, proof])
