"""Chapter 6, section 6.3: the two forms of the advantage and the two losses."""

from __future__ import annotations

from typing import Any

from rlcalc.audit import cases
from rlcalc.audit.evidence import (
    Counterexample,
    Exact,
    Fact,
    Findings,
    Identity,
    Induction,
    Sign,
    condition,
    correction,
    reading,
)
from rlcalc.audit.latex import to_text
from rlcalc.audit.lecture.ch6_advantage import example_advantages
from rlcalc.audit.policies import odds_gain
from rlcalc.audit.proofs import answer, index, positives, reals
from rlcalc.audit.registry import Corruption, Statement, claim


@claim(
    "L6.3-A-uses-R",
    letter="R",
    sign=1,
    corruptions=[
        Corruption("the return is written", letter="G"),
        Corruption("V − R", sign=-1),
    ],
)
def advantage_of_reward(s: Statement) -> Findings:
    """Everywhere else in the lecture R is a reward: one of them is not what the state's value predicts."""
    rewards = ["0", "15"]
    returns = answer("discounted_return", "returns", rewards=rewards, gamma="1")
    first = returns[0] if s.letter == "G" else rewards[0]
    reward, later, value, gamma = reals("R G V gamma")
    return Findings(
        literal=[
            Identity(
                "what is written − V is the advantage of a return",
                (reward + gamma * later if s.letter == "G" else reward) - value,
                reward + gamma * later - value,
                "every reward and what follows it",
            ),
            Exact(
                "rewards 0 and 15, V = 10: first advantage",
                s.sign * answer("advantage", return_=str(first), value="10"),
                "=",
                5,
            ),
        ],
        repair=reading(
            "R_t stands for the return G_t here, as in sections 6.2 and 6.4.",
            [
                Identity(
                    "G_t − V with G_t = R_{t+1} + γ G_{t+1}",
                    s.sign * (reward + gamma * later - value),
                    (reward + gamma * later) - value,
                    "every reward and what follows it",
                )
            ],
            unchanged=example_advantages(),
            latex=r"A_t = G_t - V_\phi(S_t)",
        ),
    )


@claim(
    "L6.3-td-advantage",
    next_weight="gamma",
    value_sign=-1,
    swapped=False,
    corruptions=[
        Corruption("the next value is not discounted", next_weight="1"),
        Corruption("plus the value of the state", value_sign=1),
        Corruption("the two values swapped", swapped=True),
    ],
)
def td_advantage(s: Statement) -> Findings:
    """It is the TD error; with exact values its mean for a given action is the advantage."""
    reward, here, after, other, gamma, w = reals("r v x y g w")
    weight = gamma if s.next_weight == "gamma" else 1

    def stated(following: Any) -> Any:
        now, then = (following, here) if s.swapped else (here, following)
        return reward + weight * then + s.value_sign * now

    one_step = answer("n_step_return", rewards=["r"], values=["v", "x"], gamma="g", n=1)
    td = answer("td_error", reward="r", value="v", next_value="x", gamma="g")
    plain = {symbol: reals(symbol.name) for symbol in td.free_symbols | one_step.free_symbols}
    action_value = reward + gamma * (w * after + (1 - w) * other)
    over = "every reward, value and discount"
    return Findings(
        literal=[
            Identity("it is the TD error", stated(after), td.subs(plain), over),
            Identity(
                "it is the 1-step return less the value", stated(after), one_step.subs(plain) - here, over
            ),
            Identity(
                "with exact values its mean is Q − V",
                w * stated(after) + (1 - w) * stated(other),
                action_value - here,
                "two next states with chances w and 1 − w",
            ),
        ]
    )


@claim(
    "L6.3-more-generally",
    lam="0",
    low=0,
    high=1,
    corruptions=[
        Corruption("the estimate with λ = 1 is said to contain the return", lam="1"),
        Corruption("the two ends of the correction swapped", low=1, high=0),
    ],
)
def more_generally(s: Statement) -> Findings:
    """Neither contains the other: they are the two ends of generalised advantage estimation."""
    given: dict[str, Any] = {"rewards": ["0", "1"], "values": ["0", "0", "0"], "gamma": "1"}
    form = answer("gae", "advantages", lam=s.lam, **given)[0]
    returned = answer("discounted_return", "returns", rewards=given["rewards"], gamma="1")[0]
    reward, here, after, later, gamma = reals("r v x G gamma")
    delta = reward + gamma * after - here
    return Findings(
        against=[
            Counterexample(
                "rewards 0 and 1, all values 0, no discount: the first step",
                claimed=Exact("the form gives the return less the value", form, "=", returned),
                golden=cases.vector("gae/audit-one-step-is-not-general"),
            )
        ],
        repair=correction(
            "Both are special cases of one estimate, the sum of the TD errors discounted by γλ: λ = 0 leaves "
            "the TD error, λ = 1 adds up to the return less the value.",
            [
                Identity(
                    "λ = 0: A_t = δ_t + γλ A_{t+1} is the TD error",
                    delta + gamma * s.low * (later - after),
                    delta,
                    "every step",
                ),
                Induction(
                    "λ = 1: A_t = δ_t + γ A_{t+1} is the return less the value",
                    base=(
                        Identity(
                            "the last step, before V(S_T) = 0", reward + gamma * 0 - here, reward - here
                        ),
                    ),
                    step=(
                        Identity(
                            "one step earlier",
                            delta + gamma * s.high * (later - after),
                            (reward + gamma * later) - here,
                        ),
                    ),
                    over="episodes of any length, backwards from the end; every reward, value and discount",
                    variable="t",
                ),
            ],
            latex=r"A_t = \sum_{k} (\gamma\lambda)^k \delta_{t+k}",
        ),
    )


@claim(
    "L6.3-actor-loss-sign",
    sign=1,
    advantage_sign=1,
    corruptions=[
        Corruption("the loss is written with a minus", sign=-1),
        Corruption("the advantage is V − G", advantage_sign=-1),
    ],
)
def actor_loss_sign(s: Statement) -> Findings:
    """A loss is made smaller, and this one smaller means good actions less likely."""
    step, size = positives("alpha a")
    uphill = s.sign * s.advantage_sign * step * size
    over = "a softmax policy of any number of actions, any step size, A > 0"
    shown: dict[str, Any] = {"probs": ["1/2", "1/2"], "advantages": ["5", "-3"]}
    objective, loss = (answer("actor_loss", name, **shown) for name in ("objective", "loss"))
    return Findings(
        literal=[Sign("a step that makes it smaller raises an action with A > 0", odds_gain(-uphill), over)],
        repair=reading(
            "It is the objective, which is maximised; the loss is its negative.",
            [Sign("a step that makes it larger raises an action with A > 0", odds_gain(uphill), over)],
            unchanged=[
                *example_advantages(),
                Exact("both episodes of 6.4 at even chances: loss = −objective", loss, "=", -objective),
            ],
            latex=r"L^{\text{actor}}(\theta) = -\sum_{t} \log \pi_\theta(a_t|s_t) A_t",
        ),
    )


@claim(
    "L6.3-actor-loss-detach",
    held=True,
    sign=1,
    corruptions=[
        Corruption("condition dropped: the advantage moves with the parameters", held=False),
        Corruption("the gradient has the other sign", sign=-1),
    ],
)
def actor_loss_detach(s: Statement) -> Findings:
    """One parameter w with V = w and preference w of L: the product rule adds −log π."""
    half = answer("score", theta=["0", "0"], action=0)[0]
    extra = answer("actor_loss", probs=["1/2"], advantages=["-1"])
    log, slope, advantage, moves = reals("l dl A dA")
    change = 0 if s.held else moves
    return Findings(
        against=[
            Counterexample(
                "one parameter w for both: preference w of L against 0, value V = w; at w = 0 L returns 1",
                claimed=Exact("derivative of log π · A = A ∂ log π", half + extra, "=", s.sign * half),
                violates=Exact("the advantage moves with w", -1, "!=", 0),
                golden=cases.vector("actor_loss/audit-gradient-through-advantage"),
            )
        ],
        repair=condition(
            "It holds when the advantage is a constant for the derivative: when actor and critic share no "
            "parameters and only θ is differentiated, or when the advantage is detached.",
            [
                Identity(
                    "product rule for one step",
                    slope * advantage + log * change,
                    s.sign * advantage * slope,
                    "every policy and advantage; the sum is term by term",
                )
            ],
        ),
    )


def _roles(formula: str, letter: str) -> set[str]:
    """What a letter stands for in Σ log π(· | ·) · (·): the argument before the bar, or a factor."""
    inside, outside = formula.split("(", 1)[1].split("|", 1)
    factor = outside.split(")", 1)[1]
    return {role for role, part in (("action", inside), ("advantage", factor)) if letter in part}


@claim(
    "L6.3-A-overloaded",
    formula=r"\log \pi_\theta(A_t|S_t) A_t",
    repaired=r"\log \pi_\theta(a_t|S_t) A_t",
    # about notation: there is nothing general to prove
    scope="structure",
    corruptions=[
        Corruption("the action has a letter of its own", formula=r"\log \pi_\theta(a_t|S_t) A_t"),
        Corruption("the repair keeps the letter", repaired=r"\log \pi_\theta(A_t|S_t) A_t"),
    ],
)
def overloaded(s: Statement) -> Findings:
    shown: dict[str, Any] = {"probs": ["1/2", "1/2"], "advantages": ["5", "-3"]}
    return Findings(
        literal=[
            Fact("meanings of A_t in the formula", len(_roles(s.formula, "A_t")), "=", 1, to_text(s.formula))
        ],
        repair=reading(
            "The action gets a small letter, a_t, and A_t is the advantage.",
            [
                Fact(
                    "meanings of A_t then", _roles(s.repaired, "A_t"), "=", {"advantage"}, to_text(s.repaired)
                )
            ],
            unchanged=[
                *example_advantages(),
                Exact("the sum for 6.4 at even chances", answer("actor_loss", **shown), "=", "-2*log(2)"),
            ],
            latex=r"\sum_{t} \log \pi_\theta(a_t|s_t) A_t",
        ),
    )


@claim(
    "L6.3-sum-to-T",
    last=0,
    corruptions=[
        Corruption("the sums end at T − 1", last=-1),
        Corruption("the sums end at T + 1", last=1),
    ],
)
def sums_to_end(s: Statement) -> Findings:
    """At time T there is no action any more; a terminal state has value 0 and return 0."""
    end, score = index("T"), reals("score")
    rewards_left = end - (end + s.last)
    return Findings(
        literal=[Identity("terms = actions", end + s.last - 0 + 1, end, "T ≥ 1, the end of the episode")],
        repair=reading(
            "The sums end at T − 1, or T is the time of the last action. The terms for the terminal state "
            "are 0, as its value and its return are.",
            [
                Identity("rewards left after the last term", rewards_left, 0, "T ≥ 1"),
                Identity(
                    "its actor term, weight G_T − V(S_T) = 0 − 0", rewards_left * score, 0, "every score"
                ),
                Identity("its critic term", (rewards_left - 0) ** 2, 0, "T ≥ 1"),
            ],
            unchanged=[
                Exact(
                    "critic's loss of 6.4, two episodes of one step",
                    answer("critic_loss", values="10", returns=["15", "7"]),
                    "=",
                    34,
                )
            ],
            latex=r"\sum_{t=0}^{T-1} (V_\phi(S_t) - G_t)^2",
        ),
    )


@claim(
    "L6.3-critic-loss",
    sign=1,
    target="return",
    corruptions=[
        Corruption("it is maximised", sign=-1),
        Corruption("the first reward instead of the return", target="reward"),
    ],
)
def critic_loss(s: Statement) -> Findings:
    """n(V − m)² more than at the mean m, for every number of returns."""
    n = index()
    value, mean, squares = reals("V m Q")
    away = positives("d")
    loss = n * value**2 - 2 * value * n * mean + squares
    lowest = loss.subs(value, mean)
    rewards = ["0", "15"]
    returned = answer("discounted_return", "returns", rewards=rewards, gamma="1")[0]
    target = str(returned) if s.target == "return" else rewards[0]
    return Findings(
        literal=[
            Identity(
                "loss at V − loss at the mean = n (V − m)²",
                loss - lowest,
                n * (value - mean) ** 2,
                "n ≥ 1 returns with mean m and sum of squares Q",
            ),
            Sign(
                "so every other value is worse",
                s.sign * n * away**2,
                "V = m ± d, d > 0, n ≥ 1",
            ),
            Exact(
                "value learnt for a state that is followed by the rewards 0 and 15",
                answer("critic_loss", "minimiser", values="10", returns=[target]),
                "=",
                returned,
            ),
            Exact(
                "6.4: the calculator's minimiser of the returns 15 and 7",
                answer("critic_loss", "minimiser", values="10", returns=["15", "7"]),
                "=",
                11,
            ),
        ]
    )
