"""Every number of a PPO run, in one place.

The lecture's section 8.3 gives values for five of them; they are the defaults
and stand with each field. What it leaves open (c1, c2, batch sizes, the
network) says so. ``tuned`` changes what an environment learns faster with.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

from rlcalc.errors import InputError
from rlcalc.training.settings import check_integer, check_ranges


@dataclass(frozen=True)
class Settings:
    """Settings of one run; a checkpoint carries them."""

    env: str = "cartpole"
    seed: int = 0
    dtype: Literal["float32", "float64"] = "float32"

    steps: int = 200_000
    """Steps in all environments together after which an unsolved run ends."""
    envs: int = 8
    """Copies of the environment, N; over all ranks together."""
    horizon: int = 128
    """Steps per copy and iteration, T; the lecture collects whole trajectories."""
    epochs: int = 10
    """Passes over each batch, K. Lecture: 3 to 10."""
    minibatches: int = 4
    """Gradient steps per pass. Lecture: "divided into mini-batches"."""

    gamma: float = 0.99
    """Discount γ. Lecture: 0.99."""
    lam: float = 0.95
    """λ of GAE and of the critic's target. Lecture: 0.95."""
    clip: float = 0.2
    """ε of the clipped objective. Lecture: 0.1 to 0.2."""
    c1: float = 0.5
    """Weight of the critic's loss. The lecture names none."""
    c2: float = 0.0
    """Weight of the entropy bonus. The lecture names none."""
    critic_reduction: Literal["sum", "mean", "half-mean"] = "mean"
    """The lecture sums squared errors; a mean does not grow with the batch."""
    normalise: bool = True
    """Advantages of a batch to mean 0 and deviation 1. Not in the lecture."""

    learning_rate: float = 3e-4
    """Lecture: 3·10⁻⁴, often with decay."""
    decay: float = 1.0
    """Part of the learning rate that has gone, linearly, when ``steps`` are done; 0 keeps it."""
    optimiser: Literal["adam", "sgd"] = "adam"
    max_grad_norm: float = 0.5
    """Longest gradient; a longer one is scaled down. Not in the lecture."""
    hidden: tuple[int, ...] = (64, 64)
    """Widths of the hidden layers of actor and critic; none makes a table of one-hot states."""

    evaluate_every: int = 4096
    """Steps of training between two evaluations, as near as iterations allow."""
    evaluation_episodes: int = 100
    """Episodes, each from its own start and with the likeliest action, whose mean return is wanted."""

    @property
    def batch(self) -> int:
        """Steps per iteration, N·T."""
        return self.envs * self.horizon

    @property
    def planned(self) -> int:
        """Steps that whole iterations come to: at most ``steps``, but one iteration at least."""
        return max(1, self.steps // self.batch) * self.batch

    def check(self) -> Settings:
        """These settings, if they make sense.

        Raises:
            InputError: ``..._out_of_range``, or ``minibatches_uneven``.
        """
        check_ranges(self, _COUNTS, _NUMBERS)
        check_integer(len(self.hidden), "the number of hidden layers", "hidden_out_of_range", 0, 8)
        for size in self.hidden:
            check_integer(size, "the width of a hidden layer", "hidden_out_of_range", 1, 1 << 11)
        if not 0 < self.clip < 1:
            raise InputError("clip_out_of_range", f"clip lies strictly between 0 and 1, not at {self.clip}.")
        if not self.max_grad_norm > 0:
            raise InputError(
                "max_grad_norm_out_of_range", f"max_grad_norm is positive, not {self.max_grad_norm}."
            )
        if self.batch > MOST_STEPS:
            raise InputError(
                "batch_out_of_range",
                f"An iteration of {self.envs} × {self.horizon} steps is more than {MOST_STEPS}.",
                "Use fewer environments.",
            )
        if self.batch % self.minibatches:
            raise InputError(
                "minibatches_uneven",
                f"A batch of {self.envs} × {self.horizon} steps does not divide into "
                f"{self.minibatches} equal minibatches.",
                "Use a number of environments that is a power of two.",
            )
        return self


MOST_STEPS = 1 << 23  # of an iteration, all of which are in memory at once
_COUNTS = {
    "seed": (0, 1 << 39),  # times 10,000,019 it is still a seed of Torch
    "steps": (1, 2**63 - 1),
    "envs": (1, 1 << 24),
    "horizon": (1, 1 << 24),
    "epochs": (1, 1 << 16),
    "minibatches": (1, 1 << 24),
    "evaluation_episodes": (1, 1 << 20),
    "evaluate_every": (1, 2**63 - 1),
}

_NUMBERS = {
    "gamma": (0.0, 1.0),
    "lam": (0.0, 1.0),
    "decay": (0.0, 1.0),
    "learning_rate": (0.0, 1e6),
    "c1": (0.0, 1e6),
    "c2": (0.0, 1e6),
}

_TUNED: dict[str, dict[str, Any]] = {
    # found by trying: a small network and a bold rate; eight seeds took 4,000 to 20,000 steps
    "cartpole": {
        "envs": 32,
        "horizon": 32,
        "epochs": 5,
        "minibatches": 4,
        "gamma": 0.98,
        "lam": 0.9,
        "learning_rate": 1e-2,
        "hidden": (32, 32),
    },
    "bandit": {
        "steps": 20_000,
        "envs": 64,
        "horizon": 1,
        "minibatches": 1,
        "hidden": (),
        "learning_rate": 0.01,
    },
    "grid2x2": {
        "steps": 60_000,
        "envs": 64,
        "horizon": 8,
        "epochs": 4,
        "gamma": 0.9,
        "learning_rate": 0.01,
        "hidden": (),
    },
    "tokens": {"steps": 40_000, "envs": 64, "horizon": 8, "gamma": 1.0, "learning_rate": 0.02, "hidden": ()},
}

# so many copies make a batch that is worth more gradient steps, and need more steps in all
MANY = 1024
_TUNED_MANY: dict[str, dict[str, Any]] = {
    # 4096 copies took 1.3 to 1.5 million steps, in 10 to 11 iterations of 16 gradient steps
    "cartpole": {
        "steps": 10_000_000,
        "horizon": 32,
        "epochs": 2,
        "minibatches": 8,
        "evaluate_every": 1 << 18,
    },
}


def tuned(env: str, **given: Any) -> Settings:
    """Settings for an environment, with what was given instead of what we found; ``None`` is not given.

    From `MANY` copies on they are others. Fewer copies than ours take more
    steps each: the learning rate was found with batches of that size, and a
    step of it on a handful of samples moves the policy beyond the clipping range.
    """
    settings = replace(Settings(env=env), **_TUNED.get(env, {}))
    envs = given.get("envs") or settings.envs
    if envs >= MANY:
        settings = replace(settings, **_TUNED_MANY.get(env, {}))
    elif 0 < envs < settings.envs:
        equal = settings.minibatches
        settings = replace(settings, horizon=-(-settings.batch // (envs * equal)) * equal)
    return replace(settings, **{name: value for name, value in given.items() if value is not None}).check()
