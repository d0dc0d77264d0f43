"""Chapter 4, sections 4.4 and 4.5: the worked step, and stochastic gradient ascent."""

from __future__ import annotations

from typing import Any

from rlcalc.audit.evidence import (
    Counterexample,
    Evidence,
    Exact,
    Fact,
    Findings,
    Identity,
    Replay,
    Sign,
    condition,
    correction,
    reading,
)
from rlcalc.audit.lecture.ch4_theorem import no_score_on_average
from rlcalc.audit.policies import Path, TwoSteps, odds_gain
from rlcalc.audit.proofs import answer, positives, reals
from rlcalc.audit.registry import Corruption, Statement, claim

START: dict[str, Any] = {"theta": ["0", "0"], "action": 0}


@claim(
    "L4.4-softmax",
    sign=1,
    start="1/2",
    corruptions=[
        Corruption("the exponents have the other sign", sign=-1),
        Corruption("a third each at the start", start="1/3"),
    ],
)
def softmax(s: Statement) -> Findings:
    import sympy

    left, right = answer("softmax", theta=["t", "u"])
    t, u = sympy.symbols("t u")
    ours = [sympy.exp(s.sign * x) / (sympy.exp(s.sign * t) + sympy.exp(s.sign * u)) for x in (t, u)]
    known = {symbol: sympy.Symbol(symbol.name) for symbol in (left + right).free_symbols}
    e, f = positives("e_L e_R")
    at_zero = answer("softmax", theta=["0", "0"])
    return Findings(
        literal=[
            Identity("π(L)", ours[0], left.subs(known), "all preferences"),
            Identity("π(R)", ours[1], right.subs(known), "all preferences"),
            Identity("they add up to 1", e / (e + f) + f / (e + f), 1, "e_L = exp(θ_L), e_R = exp(θ_R)"),
            Sign("both are positive", e / (e + f), "the same"),
            *(
                Exact(f"π({name}) at preferences 0", p, "=", s.start)
                for name, p in zip("LR", at_zero, strict=True)
            ),
        ]
    )


@claim(
    "L4.4-score",
    first_sign=-1,
    second_sign=-1,
    printed=("0.5", "-0.5"),
    corruptions=[
        Corruption("+π(R) in the second entry", second_sign=1),
        Corruption("1 + π(L) in the first entry", first_sign=1),
        Corruption("the score of R", printed=("-0.5", "0.5")),
    ],
)
def score(s: Statement) -> Findings:
    """From the logarithm of the softmax, and as the calculator has it."""
    import sympy

    t, u = reals("t u")
    total = sympy.exp(t) + sympy.exp(u)
    log = t - sympy.log(total)
    p, q = sympy.exp(t) / total, sympy.exp(u) / total
    numbers = zip(answer("score", **START), s.printed, strict=True)
    return Findings(
        literal=[
            Identity("∂ log π(L)/∂θ_L", sympy.diff(log, t), 1 + s.first_sign * p, "all preferences"),
            Identity("∂ log π(L)/∂θ_R", sympy.diff(log, u), s.second_sign * q, "all preferences"),
            *(Exact("an entry at preferences 0", found, "=", printed) for found, printed in numbers),
        ]
    )


def _rows(source: str) -> int:
    """Rows of the matrix that LaTeX makes of it."""
    from rlcalc.audit.latex import parse

    table = parse(source)
    assert table.kind == "table"
    return len(table.parts)


@claim(
    "L4.4-matrix-damage",
    separator="\\ ",
    mended="\\\\ ",
    # about typography: there is nothing general to prove
    scope="structure",
    corruptions=[
        Corruption("two backslashes are printed", separator="\\\\ "),
        Corruption("the repair has one as well", mended="\\ "),
    ],
)
def matrix_damage(s: Statement) -> Findings:
    """With one backslash, a blank, the two entries stand in one row: 1/2 and −1/2 read as a difference."""
    printed, meant = (rf"\begin{{bmatrix}} a {mark}b \end{{bmatrix}}" for mark in (s.separator, s.mended))
    found = answer("score", **START)
    return Findings(
        literal=[
            Fact("rows of a matrix printed with this separator", _rows(printed), "=", 2, "our LaTeX reader")
        ],
        repair=reading(
            "Two backslashes, for columns of two rows.",
            [Fact("rows with the separator that is meant", _rows(meant), "=", 2, "our LaTeX reader")],
            unchanged=[
                Exact("first entry of the score", found[0], "=", "1/2"),
                Exact("second entry", found[1], "=", "-1/2"),
            ],
            latex=r"\begin{pmatrix} 1 - \pi(L) \\ -\pi(R) \end{pmatrix}",
        ),
    )


@claim(
    "L4.4-set-damage",
    opening="{",
    closing="}",
    mended="\\",
    # about typography: there is nothing general to prove
    scope="structure",
    corruptions=[
        Corruption("the braces are printed with backslashes", opening="\\{", closing="\\}"),
        Corruption("the repair has bare braces as well", mended=""),
    ],
)
def set_damage(s: Statement) -> Findings:
    """Bare braces group and do not show."""
    from rlcalc.audit.latex import to_text

    shown = to_text(f"{s.opening} L, R {s.closing}").replace(" ", "")
    meant = to_text(f"{s.mended}{{ L, R {s.mended}}}").replace(" ", "")
    actions = answer("softmax", theta=["0", "0"])
    return Findings(
        literal=[Fact("what is seen", shown, "=", "{L,R}", "our LaTeX reader")],
        repair=reading(
            "The braces need backslashes; the actions are the set of L and R.",
            [Fact("what is seen then", meant, "=", "{L,R}", "our LaTeX reader")],
            unchanged=[Exact("number of actions", len(actions), "=", 2)],
            latex=r"a \in \{L, R\}",
        ),
    )


@claim(
    "L4.4-update",
    alpha="1/10",
    gain="10",
    printed=("0.5", "-0.5"),
    corruptions=[
        Corruption("step size 1", alpha="1"),
        Corruption("both preferences rise", printed=("0.5", "0.5")),
        Corruption("return 1", gain="1"),
    ],
)
def update(s: Statement) -> Findings:
    found = answer("reinforce_step", "theta", return_=s.gain, alpha=s.alpha, **START)
    names = ("preference of L", "preference of R")
    return Findings(
        literal=[Exact(name, x, "=", p) for name, x, p in zip(names, found, s.printed, strict=True)]
    )


@claim(
    "L4.4-new-policy",
    low="0.725",
    high="0.735",
    second="-1/2",
    corruptions=[
        Corruption("printed as 0.74", low="0.735", high="0.745"),
        Corruption("exponents 0.5 and 0", second="0"),
    ],
)
def new_policy(s: Statement) -> Findings:
    """0.73105857863…, which rounds to what is printed."""
    stated = answer("softmax", theta=["1/2", s.second])[0]
    after = answer("reinforce_step", "policy", return_="10", **START)[0]
    return Findings(
        literal=[
            Exact("the quotient is π(L) after the update", stated, "=", after),
            Exact("not below the printed value's range", stated, ">=", s.low),
            Exact("below its upper end", stated, "<", s.high),
        ]
    )


@claim(
    "L4.4-because-high-return",
    low="1",
    sign=1,
    corruptions=[
        Corruption("low means negative", low="-1"),
        Corruption("the reason given instead is a negative return", sign=-1),
    ],
)
def because_high_return(s: Statement) -> Findings:
    """A return of 1 makes L the favourite as well, were R to pay 20."""
    before = answer("reinforce_step", "policy_before", return_=s.low, **START)
    after = answer("reinforce_step", "policy", return_=s.low, **START)
    step, gain = positives("alpha g")
    return Findings(
        against=[
            Counterexample(
                "L pays 1 and R would pay 20; L was taken",
                given={"θ": "0 0", "G": s.low, "α": "1/10"},
                claimed=Exact("L is not the favourite afterwards", after[0], "<=", after[1]),
                premises=(
                    Exact("the return is the lower of the two", s.low, "<", 20),
                    Exact("there was no favourite before", before[0], "=", before[1]),
                ),
                replay=(
                    Replay(
                        "rlcalc reinforce-step --theta 0 0 --action 0 --return 1",
                        ["1/(1 + exp(-1/10))", "1/(1 + exp(1/10))"],
                        "policy",
                    ),
                ),
                golden="reinforce_step/audit-low-score-raised",
                search="all positive returns: each is a counterexample",
            )
        ],
        repair=correction(
            "L is favoured because it was the action taken and its return was positive. Any positive return "
            "does that, whatever R pays, which the update never sees; the height sets only how far it goes.",
            [
                Sign(
                    "the odds of the action taken rise by α G times a positive number",
                    odds_gain(step * s.sign * gain),
                    "a softmax policy of any number of actions, every step size, every return G > 0",
                ),
                Identity(
                    "between two actions they rise by exactly α G, in which the other return does not occur",
                    step * gain * (1 - before[0] + before[1]),
                    step * gain,
                    "the start of section 4.4, every step size and return",
                ),
            ],
            latex=r"\log \frac{\pi_{\text{new}}(L)}{\pi_{\text{new}}(R)} = \alpha G",
        ),
    )


@claim(
    "L4.4-called-mdp",
    process="bandit",
    corruptions=[Corruption("the grid of section 3.4", process="grid2x2")],
)
def called_mdp(s: Statement) -> Findings:
    """A bandit is the smallest MDP: one state to decide in, one decision, then the end."""
    from rlcalc.mdp.reading import read_mdp

    world = read_mdp(s.process)
    sums = {sum(row) for actions in world.p for row in actions}
    source = "the process of section 4.4, as the calculator reads it; the lecture leaves out what R pays"
    return Findings(
        literal=[
            Fact("sums of the transition probabilities", sums, "=", {1}, source),
            Fact("states with a decision", len(world.non_terminal), "=", 1, source),
            Fact("actions", len(world.actions), "=", 2, source),
            Fact("longest episode", world.longest(), "=", 1, source),
            Fact(
                "expected rewards are numbers for both actions",
                len(world.r[world.non_terminal[0]]),
                "=",
                2,
                source,
            ),
        ]
    )


@claim(
    "L4.5-ascent",
    sign=1,
    corruptions=[Corruption("gradient descent", sign=-1)],
)
def ascent(s: Statement) -> Findings:
    """The objective's slope along the step is |∇J|²; for the bandit of 4.4 every step improves."""
    import sympy

    step, g, rest = positives("alpha g_1 rest")
    before = answer("policy_gradient", "objective", mdp="bandit", theta=[["0", "0"]])
    gradient = answer("policy_gradient", mdp="bandit", theta=[["0", "0"]])[0]
    moved = [str(s.sign * sympy.Rational(str(part)) / 10) for part in gradient]
    after = answer("policy_gradient", "objective", mdp="bandit", theta=[moved])
    return Findings(
        literal=[
            Sign(
                "slope of J along the step, dJ(θ + α∇J)/dα at α = 0",
                s.sign * (g * g + rest),
                "every differentiable J with ∇J ≠ 0: a component that is not 0, and the other squares",
            ),
            Sign("the step is not empty", step * g, "the same"),
            Exact("bandit of 4.4, α = 1/10: J after the step", after, ">", before),
        ]
    )


@claim(
    "L4.5-unbiased",
    fresh=True,
    weight="γ^t G_t",
    corruptions=[
        Corruption("condition dropped: samples of an older policy", fresh=False),
        Corruption("condition dropped: the weight is G_t alone", weight="G_t"),
    ],
)
def unbiased(s: Statement) -> Findings:
    """Right for samples of the current policy with the full weights; two ways to lose it."""
    old: dict[str, Any] = {"p": ["3/4", "1/4"], "q": ["3/4", "1/4"], "f": ["5", "0"]}
    drawn = answer("importance", **old)
    true = answer("policy_gradient", mdp="bandit", theta=[["0", "0"]])[0][0]
    tokens: dict[str, Any] = {"mdp": "tokens", "theta": [["0", "0", "0"]], "gamma": "1/2"}
    bare: Any = answer("policy_gradient", form="no-gamma-t", **tokens)[0][2]
    exact = answer("policy_gradient", **tokens)[0][2]
    return Findings(
        against=[
            Counterexample(
                "the bandit of 4.4 at even chances, episodes drawn at chances 3/4 and 1/4",
                given={"π": "1/2 1/2", "π_old": "3/4 1/4", "G ∂ log π(a)/∂θ_L": "5 0"},
                claimed=Exact("mean of the estimate = ∂J/∂θ_L", drawn, "=", true),
                violates=Exact("the samples are not of the current policy", "3/4", "!=", "1/2"),
                replay=(
                    Replay("rlcalc importance --p 3/4 1/4 --q 3/4 1/4 --f 5 0", "15/4"),
                    Replay("rlcalc policy-gradient --mdp bandit --theta 0 0", [["5/2", "-5/2"]]),
                ),
                golden="importance/audit-stale-sample",
                search="two actions",
            ),
            Counterexample(
                "the estimate of section 4.3 itself: two tokens at discount 1/2, component of token 5",
                given={"γ": "1/2", "θ": "0 0 0"},
                claimed=Exact("mean of the estimate = ∂J", bare, "=", exact),
                violates=Exact("the weight is G_t alone, and γ is", "1/2", "<", 1),
                replay=(
                    Replay(
                        "rlcalc policy-gradient --mdp tokens --theta 0 0 0 --gamma 1/2 --form no-gamma-t",
                        [["-1/9", "-1/9", "2/9"]],
                    ),
                ),
                golden="policy_gradient/audit-missing-gamma-t",
                search="the built-in processes: two decisions are needed",
            ),
        ],
        repair=condition(
            "It holds for episodes of the current policy when each score is weighted with the whole return, "
            "or with γ^t G_t, less at most a baseline that does not depend on the action.",
            _unbiased_evidence(s),
            latex=r"\hat{g} = \sum_{t} \gamma^t (G_t - b(S_t)) \nabla \log \pi_\theta(a_t|s_t)",
        ),
    )


def _unbiased_evidence(s: Statement) -> list[Evidence]:
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
        no_score_on_average(),
        Identity(
            "one decision: the mean over the samples is the gradient",
            drawn * x * (1 - now) + (1 - drawn) * y * (0 - now),
            now * (1 - now) * (x - y),
            "two actions with any returns x, y, samples of the current policy",
        ),
    ]
