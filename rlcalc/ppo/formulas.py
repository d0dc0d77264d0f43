"""The formulas that a run trains with: the Torch forms of `rlcalc.formulas`.

They are the functions that `rlcalc verify` runs against the golden vectors,
without the public wrapper, whose checks of shapes and domains double the time
of a small loss. `sabotage` breaks one at a time.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any

from rlcalc.formulas import load_forms

Form = Callable[..., dict[str, Any]]


@dataclass(frozen=True)
class Formulas:
    """The Torch forms that the trainer calls, by the name of the formula."""

    gae: Form
    ratio: Form
    ppo_clip: Form
    critic_loss: Form
    entropy: Form
    ppo_loss: Form
    kl: Form

    @classmethod
    def verified(cls) -> Formulas:
        return cls(**{field.name: load_forms(field.name).torch_form for field in fields(cls)})
