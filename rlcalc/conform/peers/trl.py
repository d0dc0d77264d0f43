"""trl: what it offers as functions. Advantages and losses are inside its trainers' methods."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rlcalc.conform.peers import Adapter
from rlcalc.conform.peers.scope import without_zeros

DISTRIBUTION = "trl"


def _entropy() -> Callable[..., Any]:
    from trl.trainer.utils import entropy_from_logits

    def call(p: Any) -> Any:
        return entropy_from_logits(p.log())

    return call


ADAPTERS = (
    Adapter(
        "trl.trainer.utils.entropy_from_logits", "entropy", _entropy, backend="torch", outside=without_zeros
    ),
)
