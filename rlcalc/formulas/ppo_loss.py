"""Combined PPO loss of actor, critic and entropy bonus.

    L = L_clip − c1 · L_critic + c2 · H[π]          (maximised)
    loss = −L                                       (minimised)

Source: Schulman et al., arXiv:1707.06347, equation 9.
"""

from __future__ import annotations

from typing import Any

from rlcalc.backends import Backend
from rlcalc.inputs.bind import Inputs
from rlcalc.steps.derivation import Derivation
from rlcalc.steps.terms import Name


def exact_form(d: Derivation, i: Inputs) -> None:
    clip = d.given(Name("L", "clip"), i.clip)
    critic = d.given(Name("L", "critic"), i.critic)
    entropy = d.given("H", i.entropy)
    c1, c2 = d.given(Name("c", "1"), i.c1), d.given(Name("c", "2"), i.c2)
    objective = d.step("L", clip - c1 * critic + c2 * entropy, "to be maximised")
    d.output("objective", objective)
    d.output("loss", d.step("loss", -objective, "to be minimised"))


def array_form(xp: Backend, clip: Any, critic: Any, entropy: Any, c1: Any, c2: Any) -> dict[str, Any]:
    """L = L_clip − c1·L_critic + c2·H and −L, entry by entry: all [...]."""
    objective = clip - c1 * critic + c2 * entropy
    return {"objective": objective, "loss": -objective}
