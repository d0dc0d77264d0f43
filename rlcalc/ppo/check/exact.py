"""Checks before learning: the trainer's own code against exact answers.

``mini_loop`` is fast enough to stand before every run. ``grid`` learns a
known optimum in seconds; ``tokens`` is statistical and says how sure it is.
None has a copy of the algorithm: each drives a `Trainer`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal, localcontext

import torch
from torch import Tensor

from rlcalc.errors import CheckFailed
from rlcalc.evaluation import derive
from rlcalc.ppo.envs import make_env
from rlcalc.ppo.formulas import Formulas
from rlcalc.ppo.records import Batch, Losses, Rollout
from rlcalc.ppo.settings import Settings
from rlcalc.ppo.train import Trainer, Watcher

CPU = torch.device("cpu")
# θ_L after epochs 1 to 5 and r_L then, as FORMULAS and the lecture's 8.4 have them, to ten decimals
TRACE = ("0.05", "0.0998752080", "0.1493797533", "0.1982804279", "0.2463650693")
LAST_RATIO = "1.2414987440"
FALSE_ALARM = 1e-6  # chance that `tokens` fails a right gradient


@dataclass(frozen=True)
class CheckResult:
    """One exact check: what was compared and how far apart the worst was."""

    name: str
    passed: bool
    worst: float
    detail: str

    def require(self) -> CheckResult:
        """This result.

        Raises:
            CheckFailed: ``check_<name>``, when it did not pass.
        """
        if not self.passed:
            raise CheckFailed(f"check_{self.name}", f"Check {self.name} failed: {self.detail}")
        return self


class _Trace(Watcher):
    """Only writes down the policy before each epoch."""

    def __init__(self) -> None:
        self.theta: list[list[float]] = []
        self.ratio: list[float] = []
        self.advantage: list[float] = []

    def advantages(self, trainer: Trainer, rollout: Rollout, raw: Tensor, batch: Batch) -> None:
        self.advantage = batch.advantage.tolist()

    def first_minibatch(self, trainer: Trainer, epoch: int, batch: Batch, losses: Losses) -> None:
        self.theta.append(_table(trainer)[0].tolist())
        self.ratio.append(losses.ratio[batch.action == 0][0].item())


def mini_loop(formulas: Formulas | None = None, make: Callable[..., Trainer] = Trainer) -> CheckResult:
    """The mini PPO loop of section 8.4: 100 trajectories of the bandit, 50 of them L.

    V = 5, ε = 1/5, α = 1/50, θ = (0, 0), mean objective. Six epochs: the
    sixth must change nothing, since every ratio is outside the interval.
    """
    settings = Settings(
        env="bandit", dtype="float64", envs=100, horizon=1, epochs=6, minibatches=1, hidden=(),
        gamma=1.0, lam=1.0, clip=0.2, c1=0.0, normalise=False,
        learning_rate=1 / 50, decay=0.0, optimiser="sgd", max_grad_norm=math.inf,
    )  # fmt: skip
    trace = _Trace()
    trainer = make(settings, make_env("bandit", 100, 0, CPU, torch.float64), formulas, trace)
    with torch.no_grad():
        trainer.model.critic_net[0].weight.fill_(5.0)  # type: ignore[operator]
    forced = torch.zeros(1, 100, 2, dtype=torch.float64)
    forced[0, :50, 0] = forced[0, 50:, 1] = 1e3
    trainer.model.noise = lambda *_: forced  # type: ignore[method-assign]
    trainer.iterate()
    truth, last_ratio = _trace_by_hand()
    left = [theta[0] for theta in trace.theta[1:]]
    right = [theta[1] for theta in trace.theta[1:]]
    deviations = [abs(a - b) for a, b in zip(left, truth, strict=True)]
    deviations += [abs(a + b) for a, b in zip(right, truth, strict=True)]
    deviations += [abs(a - float(b)) - 5e-11 for a, b in zip(left, TRACE, strict=True)]
    deviations += [abs(trace.ratio[5] - last_ratio), abs(trace.ratio[5] - float(LAST_RATIO)) - 5e-11]
    deviations += [abs(a - b) for a, b in zip(trace.advantage, [5.0] * 50 + [-5.0] * 50, strict=True)]
    still = _table(trainer)[0].tolist() == trace.theta[-1]
    worst = max(deviations)
    return CheckResult(
        "mini_loop",
        still and worst <= 1e-10,
        worst,
        f"θ_L after epochs 1 to 5 is {', '.join(f'{x:.10f}' for x in left)}, r_L is {trace.ratio[5]:.10f}; "
        f"expected {', '.join(TRACE)} and {LAST_RATIO}, then no change"
        + ("." if still else ", but the sixth epoch moved it."),
    )


def _trace_by_hand() -> tuple[list[float], float]:
    """θ_L ← θ_L + α·10·p(1−p), p = 1/(1 + exp(−2θ_L)), while r_L = 2p <= 6/5; with 30 digits."""
    with localcontext(prec=30):
        theta, found = Decimal(0), []
        for _ in range(5):
            p = 1 / (1 + (-2 * theta).exp())
            theta += p * (1 - p) / 5
            found.append(float(theta))
        return found, float(2 / (1 + (-2 * theta).exp()))


def _table(trainer: Trainer) -> Tensor:
    """Logits [observation, action] of an actor without hidden layers."""
    weight: Tensor = trainer.model.actor_net[0].weight  # type: ignore[assignment]
    return weight.detach().T.clone()


def grid(
    formulas: Formulas | None = None, make: Callable[..., Trainer] = Trainer, seed: int = 0
) -> CheckResult:
    """On the 2×2 grid, γ = 9/10, a table learns V* and π* of the exact Bellman equation.

    Episodes are cut after 3 steps: whoever takes that for an end learns less than V*.
    """
    settings = Settings(
        env="grid2x2", dtype="float64", seed=seed, envs=64, horizon=8, epochs=4, minibatches=2, hidden=(),
        gamma=0.9, lam=0.9, steps=60_000, learning_rate=0.05, decay=1.0, c2=0.0, max_grad_norm=10.0,
    )  # fmt: skip
    env = make_env("grid2x2", 64, seed, CPU, torch.float64, exploring_starts=True, time_limit=3)
    trainer = make(settings, env, formulas)
    while trainer.env_steps < settings.steps:
        trainer.iterate()
    exact = derive("bellman", mdp="grid2x2", gamma="9/10").outputs
    live = [at for at, words in enumerate(exact["greedy"]) if words != "terminal"]
    cells = torch.eye(env.observation_size, dtype=torch.float64)[live]
    with torch.no_grad():
        values = trainer.model.critic(cells).tolist()
        policy = torch.softmax(trainer.model.actor(cells), -1).tolist()
    off = max(abs(v - float(exact["values"][at])) for v, at in zip(values, live, strict=True))
    wrong = max(
        sum(p for p, action in zip(row, "UDLR", strict=True) if action not in exact["greedy"][at].split())
        for row, at in zip(policy, live, strict=True)
    )
    return CheckResult(
        "grid",
        off <= 0.02 and wrong <= 0.02,
        max(off, wrong),
        f"V is within {off:.4f} of V* = (9/10, 1, 1) and π takes an action that is not optimal with "
        f"probability {wrong:.4f}; 0.02 is allowed.",
    )


def tokens(
    formulas: Formulas | None = None,
    make: Callable[..., Trainer] = Trainer,
    trajectories: int = 100_000,
    seed: int = 0,
) -> CheckResult:
    """On the token task, the gradient that the trainer estimates against the enumerated one.

    The logits of all positions share θ = 0, the weights of the prompt. With
    γ = λ = 1 and V = 0 the first gradient of the clipped objective, times
    the steps of a trajectory, is an unbiased estimate of ∇J. With the exact
    covariance C of one trajectory, N·dᵀC⁺d is χ² with 2 degrees of freedom
    for a right gradient, and exceeds −2·log(10⁻⁶) once in a million.
    """
    settings = Settings(
        env="tokens", dtype="float64", seed=seed, envs=trajectories, horizon=2, epochs=1, minibatches=1,
        hidden=(), gamma=1.0, lam=1.0, c1=0.0, normalise=False, optimiser="sgd", learning_rate=1.0,
        decay=0.0, max_grad_norm=math.inf,
    )  # fmt: skip
    trainer = make(settings, make_env("tokens", trajectories, seed, CPU, torch.float64), formulas)
    trainer.iterate()
    # one step of length 1 from θ = 0: the table is the gradient now
    found = settings.horizon * _table(trainer)[0]
    exact = derive("policy_gradient", mdp="tokens", theta=[0, 0, 0]).outputs["gradient"][0]
    truth = torch.tensor([float(x) for x in exact], dtype=torch.float64)
    inverse = torch.linalg.pinv(_token_covariance(truth), rtol=1e-9)
    gap = found - truth
    statistic = (trajectories * gap @ inverse @ gap).item()
    limit = -2 * math.log(FALSE_ALARM)
    # a noncentrality of (√limit + 3.1)² puts 99.9 % of a wrong gradient's statistics above the limit
    seen = (math.sqrt(limit) + 3.1) / math.sqrt((trajectories * truth @ inverse @ truth).item())
    return CheckResult(
        "tokens",
        statistic <= limit,
        gap.abs().max().item(),
        f"the estimate from {trajectories} answers is ({', '.join(f'{x:.5f}' for x in found.tolist())}), "
        f"the enumerated gradient ({', '.join(map(str, exact))}); χ² is {statistic:.2f}, and above "
        f"{limit:.1f} once in a million for a right gradient; one wrong by {seen:.1%} "
        "is detected in 999 of 1000 runs.",
    )


def _token_covariance(mean: Tensor) -> Tensor:
    """Exact covariance of one answer's R·Σ_t ∇log π over all 9 answers, θ = 0."""
    score = torch.eye(3, dtype=torch.float64) - 1 / 3
    second = torch.zeros(3, 3, dtype=torch.float64)
    for first in range(3):
        total = score[first] + score[2]  # only answers that end in the third word are paid
        second += torch.outer(total, total) / 9
    return second - torch.outer(mean, mean)


ALL: dict[str, Callable[[int], CheckResult]] = {
    "mini_loop": lambda seed: mini_loop(),
    "tokens": lambda seed: tokens(seed=seed),
    "grid": lambda seed: grid(seed=seed),
}
