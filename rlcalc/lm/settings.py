"""Every number of a run of a language model, in one place; ``tuned`` says what each algorithm learns with."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

from rlcalc.errors import InputError, shown, suggestion
from rlcalc.training.settings import check_ranges

Algorithm = Literal["grpo", "ppo", "rloo", "dpo"]
ALGORITHMS: tuple[Algorithm, ...] = ("grpo", "ppo", "rloo", "dpo")


@dataclass(frozen=True)
class Settings:
    """Settings of one run; a checkpoint carries them."""

    algorithm: Algorithm = "grpo"
    seed: int = 0
    dtype: Literal["float32", "float64"] = "float32"

    largest: int = 6
    """Problems are the sums of two numbers from 0 to this one; from 10 on prompts differ in length too."""
    slip: int = 3
    """How far too high the careless teacher counts at most: right in one answer of slip + 1."""
    teacher: Literal["careless", "right"] = "careless"
    """Who writes the texts; the right one is for comparison, and leaves nothing to learn by reward."""
    width: int = 64
    """Of the transformer."""
    depth: int = 1
    """Blocks of the transformer."""
    heads: int = 2

    pretraining: int = 100
    """Updates of stage 1, by the next token of texts that are wilder than the teacher's."""
    finetuning: int = 250
    """Updates of stage 2, by the teacher's answers."""
    preference: int = 10
    """Updates of stage 3, by pairs of answers of which people prefer one."""
    steps: int = 180
    """Updates of stage 4, by reward, at most; an update is of one batch of answers."""

    texts: int = 256
    """Texts of an update of stages 1 and 2."""
    prompts: int = 32
    """Prompts of an update of stages 3 and 4."""
    group: int = 16
    """Answers to each prompt, G."""
    micro: int = 256
    """Rows that go through the network at once; gradients of the parts are added."""
    epochs: int = 2
    """Passes over each batch of answers, K."""
    minibatches: int = 1
    """Steps of the optimiser per pass."""

    temperature: float = 1.0
    """Of sampling and of every log-probability after stage 2, τ."""
    clip_low: float = 0.2
    """The ratio is held above 1 − this. Lecture: 0.1 to 0.2."""
    clip_high: float = 0.28
    """The ratio is held below 1 + this; DAPO's (arXiv:2503.14476)."""
    beta: float = 0.03
    """Weight of the divergence from the policy that stage 4 began with."""
    kl: Literal["k1", "k2", "k3"] = "k3"
    """Its estimator: in the loss of GRPO, in the rewards of PPO and RLOO."""
    aggregation: Literal["token-mean", "seq-mean-token-mean", "seq-mean-token-sum"] = "token-mean"
    """How losses of tokens become one."""
    scale: Literal["group", "none"] = "group"
    """What advantages of a group are divided by."""
    lam: float = 1.0
    """λ of the token GAE."""
    c1: float = 0.5
    """Weight of the critic's loss."""
    clip_values: float = 0.5
    """How far a value may move from the old one in an update."""
    dpo_beta: float = 0.1
    """β of the preference loss."""

    learning_rate: float = 3e-3
    """Of stages 1 and 2."""
    preference_rate: float = 2e-4
    """Of stage 3."""
    rate: float = 1e-3
    """Of stage 4."""
    least_rate: float = 0.1
    """Part of a rate that is left at the end of its stage; it falls linearly."""
    max_grad_norm: float = 1.0
    """Longest gradient; a longer one is scaled down."""
    evaluate_every: int = 10
    """Updates between two evaluations, all problems with the likeliest tokens."""

    @property
    def stages(self) -> tuple[tuple[str, int], ...]:
        """Stages and their updates, in order."""
        return (
            ("pre-training", self.pretraining),
            ("fine-tuning", self.finetuning),
            ("preference", self.preference),
            ("reasoning", self.steps),
        )

    @property
    def before_reward(self) -> int:
        """Updates of the first three stages."""
        return self.pretraining + self.finetuning + self.preference

    @property
    def planned(self) -> int:
        """Updates of all stages."""
        return self.before_reward + self.steps

    @property
    def rows(self) -> int:
        """Answers of an update of stages 3 and 4."""
        return self.prompts * self.group

    def check(self) -> Settings:
        """These settings, if they make sense.

        Raises:
            InputError: ``..._out_of_range``, or ``..._uneven``.
        """
        check_ranges(self, _COUNTS, _NUMBERS)
        if self.width % self.heads:
            raise InputError(
                "heads_uneven", f"A width of {self.width} does not divide into {self.heads} heads."
            )
        if self.prompts % self.minibatches:
            raise InputError(
                "minibatches_uneven",
                f"{self.prompts} prompts do not divide into {self.minibatches} equal minibatches.",
            )
        if self.algorithm == "dpo" and self.group < 2:
            raise InputError("group_out_of_range", "A pair of answers needs a group of 2 at least.")
        return self


_COUNTS = {
    "seed": (0, 1 << 39),
    "largest": (1, 49),
    "slip": (0, 9),
    "width": (1, 1 << 11),
    "depth": (1, 64),
    "heads": (1, 64),
    "pretraining": (0, 1 << 32),
    "finetuning": (0, 1 << 32),
    "preference": (0, 1 << 32),
    "steps": (0, 1 << 32),
    "texts": (1, 1 << 16),
    "prompts": (1, 1 << 12),
    "group": (1, 1 << 10),
    "micro": (1, 1 << 16),
    "epochs": (1, 1 << 10),
    "minibatches": (1, 1 << 12),
    "evaluate_every": (1, 1 << 32),
}
_NUMBERS = {
    "temperature": (1e-3, 1e3),
    "clip_low": (1e-6, 1.0),
    "clip_high": (1e-6, 1e6),
    "beta": (0.0, 1e6),
    "lam": (0.0, 1.0),
    "c1": (0.0, 1e6),
    "clip_values": (1e-6, 1e6),
    "dpo_beta": (1e-6, 1e6),
    "learning_rate": (0.0, 1e3),
    "preference_rate": (0.0, 1e3),
    "rate": (0.0, 1e3),
    "least_rate": (0.0, 1.0),
    "max_grad_norm": (1e-9, 1e9),
}

# what the algorithms are known by, and what they learn with here
_TUNED: dict[str, dict[str, Any]] = {
    "grpo": {"aggregation": "seq-mean-token-mean"},
    "ppo": {"kl": "k1", "lam": 0.95},
    "rloo": {"kl": "k1", "clip_high": 0.2},
    "dpo": {},
}


def tuned(algorithm: str = "grpo", **given: Any) -> Settings:
    """Settings for an algorithm, with what was given instead of what we found; ``None`` is not given.

    Raises:
        InputError: ``unknown_algorithm``, or as `Settings.check`.
    """
    if algorithm not in ALGORITHMS:
        raise InputError(
            "unknown_algorithm",
            f"--algorithm {shown(algorithm)} is unknown; it is one of {', '.join(ALGORITHMS)}.",
            suggestion(algorithm, list(ALGORITHMS)),
        )
    settings = Settings(**{"algorithm": algorithm, **_TUNED[algorithm]})
    return replace(settings, **{name: value for name, value in given.items() if value is not None}).check()
