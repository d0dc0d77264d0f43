"""Chapter 4, section 4.3: the policy gradient, and what its sums run over."""

from __future__ import annotations

from typing import Any

from rlcalc.audit.evidence import (
    Counterexample,
    Evidence,
    Exact,
    Findings,
    Identity,
    Induction,
    Replay,
    condition,
    reading,
)
from rlcalc.audit.policies import Path, TwoSteps
from rlcalc.audit.proofs import answer, index, positives, reals
from rlcalc.audit.registry import Corruption, Statement, claim

TOKENS: dict[str, Any] = {"mdp": "tokens", "theta": [["0", "0", "0"]]}
BANDIT: dict[str, Any] = {"mdp": "bandit", "theta": [["0", "0"]]}


def no_score_on_average(over: str = "any number of actions, every differentiable policy") -> Induction:
    """E[∇ log π(A|s)] = 0: the partial sums are ∇ of the sum of the probabilities, which is 1 in the end."""
    import sympy

    p = positives("pi")
    slope, total = reals("dpi D")
    term = p * sympy.diff(sympy.log(p), p) * slope
    return Induction(
        "Σ π(a) ∇ log π(a) over some actions is ∇ Σ π(a), and over all of them ∇1 = 0",
        base=(Identity("one action", term, slope),),
        step=(Identity("one action more", total + term, total + slope),),
        over=over,
    )


@claim(
    "L4.3-log-derivative-pointwise",
    power=1,
    sign=1,
    corruptions=[
        Corruption("the factor forgotten", power=0),
        Corruption("divided instead of multiplied", power=-1),
        Corruption("sign flipped", sign=-1),
    ],
)
def pointwise(s: Statement) -> Findings:
    """f · f′/f = f′ wherever log f exists, that is for f > 0."""
    import sympy

    p, slope = positives("f"), reals("df")
    right = s.sign * p**s.power * sympy.diff(sympy.log(p), p) * slope
    return Findings(
        literal=[
            Identity(
                "f ∇ log f = ∇f", right, slope, "every f > 0 and every slope of it, in each component of θ"
            )
        ]
    )


@claim(
    "L4.3-pg-theorem",
    sign=1,
    weight="return",
    dynamics_fixed=True,
    corruptions=[
        Corruption("sign flipped", sign=-1),
        Corruption("the reward of the step instead of the return", weight="reward"),
        Corruption("condition dropped: the dynamics contain θ", dynamics_fixed=False),
    ],
)
def pg_theorem(s: Statement) -> Findings:
    """Term by term in general, and summed over a process with everything left as a symbol."""
    world = TwoSteps()

    def weight(path: Path, t: int) -> Any:
        return s.sign * (world.to_go(path, 0) if s.weight == "return" else path.steps[t].reward)

    chance, dynamics = positives("pi P")
    slope, drift, gain = reals("dpi dP G")
    moved = slope * dynamics + (0 if s.dynamics_fixed else chance * drift)
    return Findings(
        literal=[
            Identity(
                "one trajectory: G ∇(P π) = P π · G ∇ log π",
                gain * moved,
                s.sign * dynamics * chance * gain * slope / chance,
                "a trajectory of any length; J is the sum over all of them (finitely many, or exchangeable)",
            ),
            *world.gradient_is("E[G(τ) Σ ∇ log π] = ∇J", weight),
        ]
    )


@claim(
    "L4.3-traj-prob",
    factors="policy",
    dynamics_fixed=True,
    corruptions=[
        Corruption("the transition probabilities are factors as well", factors="policy and dynamics"),
        Corruption("the dynamics contain θ", dynamics_fixed=False),
    ],
)
def trajectory_probability(s: Statement) -> Findings:
    """The products of the policy's probabilities alone add up to 3 on one step of the slippery grid."""
    count = answer(
        "policy_gradient", "trajectories", mdp="grid2x2:slip=1/5", theta=[["0", "0", "0", "0"]], horizon=1
    )
    total = count * answer("softmax", theta=["0", "0", "0", "0"])[0] if s.factors == "policy" else 1
    chance, dynamics = positives("pi P")
    slope, drift = reals("dpi dP")
    moved = (slope * dynamics + (0 if s.dynamics_fixed else chance * drift)) / (chance * dynamics)
    return Findings(
        against=[
            Counterexample(
                "one step of the 2×2 grid with slip 1/5, an even policy: 12 trajectories of product 1/4",
                given={"slip": "1/5", "π": "1/4 1/4 1/4 1/4"},
                claimed=Exact("the products of all trajectories add up to 1", total, "=", 1),
                replay=(
                    Replay(
                        "rlcalc policy-gradient --mdp grid2x2:slip=1/5 --theta 0 0 0 0 --horizon 1",
                        "12",
                        "trajectories",
                    ),
                ),
                golden="policy_gradient/audit-dynamics-left-out",
                search="the built-in processes: the only random one, one step",
            )
        ],
        repair=reading(
            "The product is the policy's share of the probability. The start state and the transitions have "
            "their own factors, which do not contain θ, so that the gradient of the logarithm is the same.",
            [
                Identity(
                    "∇ log(P π) = ∇ log π",
                    moved,
                    slope / chance,
                    "every probability π of the policy and P of the dynamics",
                ),
                Identity(
                    "with their factors the probabilities of all trajectories add up to 1",
                    sum(path.chance for path in TwoSteps().paths()),
                    1,
                    "two decisions between two actions, any random successor",
                ),
            ],
            unchanged=[
                Exact(
                    "section 4.4 has no transition: π(L)", answer("softmax", theta=["0", "0"])[0], "=", "1/2"
                ),
                Exact("its gradient", answer("policy_gradient", **BANDIT)[0][0], "=", "5/2"),
            ],
            latex=r"\Pr(\tau) = \Pr(s_0) \prod_{t} \pi_\theta(a_t|s_t) \Pr(s_{t+1}|s_t, a_t)",
        ),
    )


@claim(
    "L4.3-grad-log-traj",
    sign=1,
    last_counts=True,
    product=True,
    corruptions=[
        Corruption("difference instead of sum", sign=-1),
        Corruption("the last step left out", last_counts=False),
        Corruption("the sum of the probabilities instead of the product", product=False),
    ],
)
def grad_log_trajectory(s: Statement) -> Findings:
    """The product rule, step by step."""
    import sympy

    so_far, p = positives("Pi pi")
    slope, more = reals("dPi dpi")
    joined = so_far * p if s.product else so_far + p
    log = sympy.log(joined)
    left = sympy.diff(log, so_far) * slope + sympy.diff(log, p) * more
    right = slope / so_far + s.sign * (more / p if s.last_counts else 0)
    return Findings(
        literal=[
            Induction(
                "∇ log of the product is the sum of the scores",
                base=(Identity("one step", sympy.diff(sympy.log(p), p) * more, more / p),),
                step=(Identity("one step more", left, right),),
                over="trajectories of any length with positive probability",
                variable="t",
            )
        ]
    )


@claim(
    "L4.3-per-timestep",
    gamma="1/2",
    undiscounted=True,
    sign=1,
    own_reward_only=False,
    corruptions=[
        Corruption("condition dropped: any discount", undiscounted=False),
        Corruption("sign flipped", sign=-1),
        Corruption("the next reward instead of the return", own_reward_only=True),
        Corruption("an example without discount", gamma="1"),
    ],
)
def per_timestep(s: Statement) -> Findings:
    """Only the first G_t counts from the start; a later one is worth γ^t as much in J."""
    form: Any = answer("policy_gradient", form="no-gamma-t", gamma=s.gamma, **TOKENS)[0]
    true = answer("policy_gradient", gamma=s.gamma, **TOKENS)[0]
    gamma = 1 if s.undiscounted else reals("gamma")
    world = TwoSteps(gamma)
    t = index("t")
    past, reward, later, discount = reals("past R G g")

    def weight(path: Path, at: int) -> Any:
        return s.sign * (path.steps[at].reward if s.own_reward_only else world.to_go(path, at))

    general: list[Evidence] = [
        no_score_on_average(),
        Identity(
            "G(τ) = rewards before t + γ^t G_t, from t to t + 1",
            past + discount**t * (reward + discount * later),
            (past + discount**t * reward) + discount ** (t + 1) * later,
            "all t, so that only γ^t G_t is left as the weight of step t",
        ),
        Identity("the weight γ^t is 1", gamma**t, 1, "all t"),
    ]
    return Findings(
        against=[
            Counterexample(
                "two tokens, reward 1 if the last one is 5, discount 1/2: component of token 5",
                given={"γ": s.gamma, "θ": "0 0 0"},
                claimed=Exact("E Σ G_t ∂ log π = ∂J", form[2], "=", true[2]),
                violates=Exact("there is a discount", s.gamma, "<", 1),
                replay=(
                    Replay(
                        "rlcalc policy-gradient --mdp tokens --theta 0 0 0 --gamma 1/2 --form no-gamma-t",
                        [["-1/9", "-1/9", "2/9"]],
                    ),
                    Replay(
                        "rlcalc policy-gradient --mdp tokens --theta 0 0 0 --gamma 1/2",
                        [["-1/18", "-1/18", "1/9"]],
                    ),
                ),
                golden="policy_gradient/audit-missing-gamma-t",
                search="the built-in processes: two decisions are needed",
            )
        ],
        repair=condition(
            "It holds without discount. With γ < 1 the score of step t has the weight γ^t G_t; without γ^t "
            "the sum is no gradient of the discounted return, though most programs use it.",
            [*general, *world.gradient_is("E[Σ G_t ∇ log π] = ∇J", weight)],
            latex=r"\nabla J(\theta) = \mathbb{E}[\sum_{t} \gamma^t G_t \nabla \log \pi_\theta(a_t|s_t)]",
        ),
    )


@claim(
    "L4.3-single-episode",
    in_the_mean=True,
    sign=1,
    corruptions=[
        Corruption("an expectation is written in front", in_the_mean=False),
        Corruption("sign flipped", sign=-1),
    ],
)
def single_episode(s: Statement) -> Findings:
    """In 4.4 the two possible episodes give 5 and 0 where the gradient is 5/2."""
    true = answer("policy_gradient", **BANDIT)[0][0]
    left = 10 * answer("score", theta=["0", "0"], action=0)[0]
    right = 0 * answer("score", theta=["0", "0"], action=1)[0]
    world = TwoSteps(1)

    def weight(path: Path, t: int) -> Any:
        return s.sign * world.to_go(path, t)

    if not s.in_the_mean:
        return Findings(literal=[*world.gradient_is("E[Σ G_t ∇ log π] = ∇J", weight)])
    return Findings(
        literal=[
            Exact("bandit of 4.4, episode L: the sum = the gradient", s.sign * left, "=", true),
            Exact("episode R", s.sign * right, "=", true),
        ],
        repair=reading(
            "The sum of one episode is an unbiased estimate of the gradient, without discount: right in the "
            "mean over episodes, while a single one may be as far off as twice the gradient or 0.",
            [*world.gradient_is("E[Σ G_t ∇ log π] = ∇J, γ = 1", weight)],
            unchanged=[
                Exact("step of section 4.4: preference of L", left / 10, "=", "1/2"),
                Exact("half of both episodes", s.sign * (left + right) / 2, "=", true),
            ],
        ),
    )


@claim(
    "L4.3-sum-to-T",
    last=0,
    corruptions=[
        Corruption("the sum ends at T − 1", last=-1),
        Corruption("the sum ends at T + 1", last=1),
    ],
)
def sum_to_end(s: Statement) -> Findings:
    """An episode that ends at time T has the actions A_0 … A_{T−1}; in the lecture R_T is the last reward."""
    end, score = index("T"), reals("score")
    terms = end + s.last - 0 + 1
    rewards_left = end - (end + s.last)
    return Findings(
        literal=[Identity("number of terms = number of actions", terms, end, "T ≥ 1, last reward R_T")],
        repair=reading(
            "The sum ends at T − 1, or T is the time of the last action. The term for T is empty: no reward "
            "follows, so that its G_T is 0.",
            [
                Identity("rewards left after the last term", rewards_left, 0, "T ≥ 1"),
                Identity("weight of that term times any score", rewards_left * score, 0, "every score"),
            ],
            unchanged=[
                Exact(
                    "section 4.4, T = 1: one term",
                    10 * answer("score", theta=["0", "0"], action=0)[0],
                    "=",
                    5,
                ),
            ],
            latex=r"\sum_{t=0}^{T-1} G_t \nabla \log \pi_\theta(a_t|s_t)",
        ),
    )
