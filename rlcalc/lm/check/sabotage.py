"""The mutation test of the checks: one bug at a time, and the checks that detect it.

The bugs stand in ``faults``. The probe is a network of a few hundred
parameters in float64 that answers sums of one digit and two. Its noise is
chosen so that within one update answers are right, right but for a zero
before them, right but without an end, and random: rewards differ, lengths
differ, and some answers run out of places. Micro-batches are of unequal size.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from torch import Tensor

from rlcalc.errors import CheckFailed
from rlcalc.lm.check.checks import Checks
from rlcalc.lm.settings import tuned
from rlcalc.lm.task import END, PAD
from rlcalc.lm.train import Trainer
from rlcalc.training.mutation import Detection, Mutation

UPDATES = 3
_FORCED = 50.0  # a logit that no other comes near
_SMALL: dict[str, Any] = {
    "dtype": "float64", "largest": 10, "slip": 1, "width": 8, "heads": 2, "depth": 1,
    "texts": 16, "prompts": 4, "group": 4, "micro": 6, "temperature": 0.8, "beta": 0.1, "rate": 1e-2,
    "evaluate_every": 1000,
}  # fmt: skip
PROBES = {
    "sft": tuned("grpo", pretraining=1, finetuning=2, preference=0, steps=0, **_SMALL),
    **{
        algorithm: tuned(algorithm, pretraining=0, finetuning=0, preference=0, steps=UPDATES, **_SMALL)
        for algorithm in ("grpo", "ppo", "rloo", "dpo")
    },
}


def control() -> Detection:
    """The runs without a bug, in which no check may fail."""
    found = detect(Mutation("none", "nothing is broken"), tuple(PROBES))
    return replace(found, right=not found.caught_by)


def detect(mutation: Mutation, probes: tuple[str, ...]) -> Detection:
    """Train with a bug until a check detects it, on one probe after the other."""
    caught: list[str] = []
    when = ""
    for probe in probes:
        checks = Checks()
        trainer = Trainer(PROBES[probe], watcher=checks)
        _force(trainer)
        mutation.put_into(trainer)
        try:
            while trainer.iterations < trainer.settings.planned:
                trainer.iterate()
        except CheckFailed:
            caught += [check["name"] for check in checks.report() if not check["passed"]]
            when = str(trainer.iterations)
            break
    return Detection(mutation.name, mutation.about, mutation.known, tuple(caught), when, bool(caught))


def _force(trainer: Trainer) -> None:
    """Of four answers to a prompt one is right, one begins with a zero, one never ends, one is random."""
    free = trainer.noise

    def noise(problems: Tensor) -> Tensor:
        found, task = free(problems), trainer.task
        for row, problem in enumerate(problems.tolist()):
            answer = task.right[problem].tolist()[int(task.starts[problem]) :]
            right = [token for token in answer if token != PAD]
            for step, token in enumerate((right, [0, *right], right[:-1], [])[row % 4]):
                found[step, row, token] = _FORCED
            if row % 4 == 2:
                found[:, row, END] = -_FORCED
        return found

    trainer.noise = noise  # type: ignore[method-assign]
