"""Chapter 1: n-step returns."""

from __future__ import annotations

from rlcalc.audit.evidence import Counterexample, Exact, Findings, Identity, Replay, Sign, condition
from rlcalc.audit.proofs import answer, index, positives, reals, unit
from rlcalc.audit.registry import Corruption, Statement, claim


@claim(
    "L1.2-bias-falls",
    relation="<=",
    error_shrinks=True,
    corruptions=[
        Corruption("bias rises instead of falling", relation=">="),
        Corruption("condition dropped: the error of V may grow freely", error_shrinks=False),
    ],
)
def bias_falls(s: Statement) -> Findings:
    """An exact V at the next state and a wrong one behind it: the longer target is the biased one.

    Bias of the n-step target is γ^n times the expected error of V where it
    bootstraps (the rewards themselves are unbiased).
    """
    rewards, gamma = ["0", "0"], "9/10"
    near = answer("n_step_return", rewards=rewards, values=["0", "0", "1"], gamma=gamma, n=1)
    far = answer("n_step_return", rewards=rewards, values=["0", "0", "1"], gamma=gamma, n=2)
    against = Counterexample(
        "V is right at S_1 and wrong at S_2; all rewards are 0, so the true value is 0",
        given={"rewards": "0 0", "V": "0 0 1", "v": 0, "γ": gamma},
        claimed=Exact(f"|bias of n = 2| {s.relation} |bias of n = 1|", far, s.relation, near),
        violates=Exact("the error of V grows from 0 to 1", 1, ">", 0),
        replay=(
            Replay("rlcalc n-step --rewards 0 0 --values 0 0 1 --gamma 0.9 --n 1", "0"),
            Replay("rlcalc n-step --rewards 0 0 --values 0 0 1 --gamma 0.9 --n 2", "81/100"),
        ),
        golden="n_step_return/audit-bias-grows",
        search="episodes of two rewards with values 0 or 1",
    )
    gamma_, n, error = unit("p"), index(), positives("e")
    # the error one step later: below error/γ when it is restrained, anything at all otherwise
    later = error / (gamma_ * (1 + positives("d"))) if s.error_shrinks else positives("f")
    reward, tail, value, true = reals("r g V v")
    return Findings(
        against=[against],
        repair=condition(
            "It falls when γ < 1 and the size of the expected error of V at S_{t+n+1} stays below 1/γ times "
            "that at S_{t+n}; without any condition only its bound γ^n max|V − v| falls.",
            [
                Identity(
                    "one more reward multiplies the error by γ and moves it one state on",
                    (reward + gamma_ * (tail + value)) - (reward + gamma_ * (tail + true)),
                    gamma_ * (value - true),
                    "all rewards, tails and values",
                ),
                Sign(
                    "γ^n |e_n| − γ^(n+1) |e_(n+1)| > 0",
                    gamma_**n * error - gamma_ ** (n + 1) * later,
                    "0 < γ < 1, n ≥ 1, 0 < |e_(n+1)| < |e_n|/γ",
                ),
            ],
        ),
    )
