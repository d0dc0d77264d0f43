"""Chapter 4, section 4.2: what samples are good for, fresh and stale."""

from __future__ import annotations

from typing import Any

from rlcalc.audit.evidence import (
    Counterexample,
    Evidence,
    Exact,
    Findings,
    Identity,
    Replay,
    Sign,
    Simulation,
    condition,
)
from rlcalc.audit.proofs import answer, positives, reals, sum_by_induction
from rlcalc.audit.registry import Corruption, Statement, claim


@claim(
    "L4.2-sampling",
    drawn="1/2",
    corruptions=[Corruption("samples of another policy", drawn="3/4")],
)
def sampling(s: Statement) -> Findings:
    """The mean of N weighted scores has the gradient as its mean, and comes close in a simulation."""
    import math

    import numpy as np

    mu = reals("mu")
    chance = float(answer("ratio", new=s.drawn, old="1"))
    n = 20_000
    takes_left = np.random.default_rng(42).random(n) < chance
    terms = np.where(takes_left, 10 * 0.5, 0.0)
    mean, spread = float(terms.mean()), 3.29 * float(terms.std(ddof=1)) / math.sqrt(n)
    true = answer("policy_gradient", mdp="bandit", theta=[["0", "0"]])[0][0]
    return Findings(
        literal=[
            sum_by_induction(
                "N samples, each with mean μ, have the mean Nμ", lambda _: mu, lambda n: n * mu, over="N ≥ 1"
            ),
            Simulation(
                "the bandit of section 4.4, preference of L: the interval of the mean covers ∂J/∂θ",
                seed=42,
                n=n,
                estimate=mean,
                low=mean - spread,
                high=mean + spread,
                confidence=0.999,
                relation="covers",
                target=float(true),
                matters=0.1,
            ),
        ]
    )


def _stale_mean(weighted: bool) -> Any:
    """E_old[w ∇ log π_new(a)] when every return is 1, so that the true gradient is 0.

    Any number of actions: π_new(a) = x, π_old(a) = x + d, the others are counted together.
    """
    x, d = positives("x d")
    old = (x + d, 1 - x - d)
    new = (x, 1 - x)
    weights = [new[i] / old[i] for i in (0, 1)] if weighted else [1, 1]
    return old[0] * weights[0] * (1 - x) + old[1] * weights[1] * (0 - x)


@claim(
    "L4.2-stale-data",
    biased=True,
    weighted=False,
    corruptions=[
        Corruption("old trajectories stay unbiased", biased=False),
        Corruption("importance weights applied", weighted=True),
    ],
)
def stale_data(s: Statement) -> Findings:
    """With all returns equal to 1 the gradient is 0; stale samples give π_old − π_new instead."""
    after = answer("reinforce_step", "policy", theta=["0", "0"], action=0, return_="10")[0]
    weight = 2 * after if s.weighted else 1
    stale = (1 - after) * 10 * weight / 2
    true = answer("policy_gradient", mdp="bandit", theta=[["1/2", "-1/2"]])[0][0]
    bias = _stale_mean(s.weighted)
    over = "any number of actions, every pair of policies with π_old(a) > π_new(a); constant returns"
    general: Evidence = (
        Sign("bias > 0", bias, over) if s.biased else Identity("there is no bias", bias, 0, over)
    )
    return Findings(
        literal=[
            general,
            Exact(
                "the bandit after the update of 4.4: mean over the old policy against the gradient",
                stale,
                "!=" if s.biased else "=",
                true,
            ),
        ]
    )


@claim(
    "L4.2-must-discard",
    weighted=False,
    corruptions=[Corruption("condition dropped: samples may be reweighted", weighted=True)],
)
def must_discard(s: Statement) -> Findings:
    """Multiplied with π_new/π_old the old samples give the right mean; section 7 of the lecture does so."""
    given: dict[str, Any] = {"p": ["1/2", "1/2"], "q": ["3/4", "1/4"], "f": ["5", "0"]}
    estimate = answer("importance", "estimate", **given)
    true = answer("policy_gradient", mdp="bandit", theta=[["0", "0"]])[0][0]
    return Findings(
        against=[
            Counterexample(
                "the bandit of 4.4 with samples from (3/4, 1/4) for the policy (1/2, 1/2)",
                given={"π_new": "1/2 1/2", "π_old": "3/4 1/4", "G ∂ log π_new(a)/∂θ_L": "5 0"},
                claimed=Exact("what old samples give in the mean ≠ the gradient", estimate, "!=", true),
                premises=(Exact("the policies differ", "1/2", "!=", "3/4"),),
                violates=Exact(
                    "the first action is reweighted", answer("importance", "weights", **given)[0], "!=", 1
                ),
                replay=(Replay("rlcalc importance --p 1/2 1/2 --q 3/4 1/4 --f 5 0", "5/2", "estimate"),),
                golden="importance/audit-stale-sample",
                search="two actions",
            )
        ],
        repair=condition(
            "It holds for plain REINFORCE, which gives every trajectory the weight 1. With the weights "
            "π_new/π_old the mean over old trajectories is the gradient again.",
            [
                Sign(
                    "the bias of old samples is not 0",
                    _stale_mean(s.weighted),
                    "any number of actions, π_old(a) > π_new(a), constant returns",
                ),
                Identity("with the weights it is 0", _stale_mean(True), 0, "the same"),
            ],
        ),
    )


@claim(
    "L4.2-sample-inefficient",
    reuse=4,
    corruptions=[Corruption("the other method uses each trajectory once as well", reuse=1)],
)
def sample_inefficient(s: Statement) -> Findings:
    """Trajectories until the bandit takes L nine times out of ten, once with one use and once with more."""
    import math

    import numpy as np

    runs = 200
    once = _trajectories_needed(1, runs, np.random.default_rng(7))
    often = _trajectories_needed(s.reuse, runs, np.random.default_rng(8))
    ratio = once / often
    mean, spread = float(ratio.mean()), 3.29 * float(ratio.std(ddof=1)) / math.sqrt(runs)
    counted = answer("ppo_count", "reinforce_trajectories", epochs=s.reuse)
    taken = answer("ppo_count", "trajectories", epochs=s.reuse)
    return Findings(
        literal=[
            Exact(
                "trajectories for the same number of steps, with one use and with reuse", counted, ">", taken
            ),
            Simulation(
                f"bandit of 4.4, the same step size and batches: trajectories needed relative to a clipped "
                f"objective that uses each {s.reuse} times",
                seed=7,
                n=runs,
                estimate=mean,
                low=mean - spread,
                high=mean + spread,
                confidence=0.999,
                relation="above",
                target=1.5,
                matters=0.25,
            ),
        ]
    )


def _trajectories_needed(uses: int, runs: int, rng: Any) -> Any:
    """Batches of 20, advantages ±5, step size 1/50, clipping at 1/5 (idle at the first use)."""
    import numpy as np

    odds, needed = np.zeros(runs), np.zeros(runs)
    for batch in range(1, 400):
        going = needed == 0
        if not going.any():
            break
        old = 1 / (1 + np.exp(-odds))
        share = rng.binomial(20, old) / 20
        for _ in range(uses):
            new = 1 / (1 + np.exp(-odds))
            left = np.where(new / old > 1.2, 0.0, 5 * new / old * share)
            right = np.where((1 - new) / (1 - old) < 0.8, 0.0, 5 * (1 - new) / (1 - old) * (1 - share))
            # θ_L − θ_R grows by α times [A ∇ log π] of L minus that of R, for both actions
            odds = odds + 2 / 50 * (left * (1 - new) + right * new)
        arrived = going & (1 / (1 + np.exp(-odds)) >= 0.9)
        needed[arrived] = 20 * batch
    return needed
