"""What several tests of the runs of language models need."""

from __future__ import annotations

from typing import Any

from rlcalc.lm.settings import Settings, tuned

TINY: dict[str, Any] = {
    "largest": 10, "slip": 1, "width": 8, "heads": 2, "depth": 1, "pretraining": 2, "finetuning": 3,
    "preference": 2, "steps": 3, "texts": 16, "prompts": 4, "group": 4, "micro": 6, "beta": 0.1,
    "temperature": 0.8, "evaluate_every": 2,
}  # fmt: skip


def tiny(algorithm: str = "grpo", **given: Any) -> Settings:
    """Ten updates through all stages, in a fraction of a second."""
    return tuned(algorithm, **{**TINY, **given})
