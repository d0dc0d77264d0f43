"""Combined PPO loss of actor, critic and entropy bonus.

    L = L_clip − c1 · L_critic + c2 · H[π]          (maximised)
    loss = −L                                       (minimised)

Source: Schulman et al., arXiv:1707.06347, equation 9.
"""

from __future__ import annotations

from typing import Any

from rlcalc.backends import Backend
from rlcalc.inputs import Arrays, Inputs
from rlcalc.steps import Derivation, Name


def exact_form(d: Derivation, i: Inputs) -> None:
    clip = d.given(Name("L", "clip"), i.clip)
    critic = d.given(Name("L", "critic"), i.critic)
    entropy = d.given("H", i.entropy)
    c1, c2 = d.given(Name("c", "1"), i.c1), d.given(Name("c", "2"), i.c2)
    objective = d.step("L", clip - c1 * critic + c2 * entropy, "to be maximised")
    d.output("objective", objective)
    d.output("loss", d.step("loss", -objective, "to be minimised"))


def array_form(xp: Backend, a: Arrays) -> dict[str, Any]:
    """L = L_clip − c1·L_critic + c2·H and −L, entry by entry: all [...]."""
    objective = a.clip - a.c1 * a.critic + a.c2 * a.entropy
    return {"objective": objective, "loss": -objective}
