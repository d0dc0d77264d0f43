"""Environments for the PPO run, by name.

    bandit      the two actions of section 4.4: L pays 10, R pays 0, then it is over
    grid2x2     the 2×2 grid of section 3.4; options slip, exploring_starts, time_limit
    tokens      two words out of {3, 4, 5}, reward 1 at the last word if and only if it is 5
    cartpole    CartPole-v1 of Gymnasium; option time_limit
    gym:NAME    any Gymnasium environment with discrete or box actions; options go to its constructor

All but the last run wholly in Torch on one device: shapes never change, no
step waits for the device, and all chance comes from one ``torch.Generator``
(``env.generator``; register it with a CUDA graph that is to capture steps).
"""

from __future__ import annotations

from importlib import import_module
from inspect import signature
from typing import TYPE_CHECKING, Any, cast

import torch

from rlcalc.errors import UnknownName, shown, suggestion
from rlcalc.ppo.envs.base import Copies

if TYPE_CHECKING:
    from rlcalc.ppo.envs.base import VectorEnv

# module and class, imported when an environment is asked for
_CLASSES = {
    "bandit": ("bandit", "Bandit"),
    "grid2x2": ("grid", "Grid"),
    "tokens": ("tokens", "Tokens"),
    "cartpole": ("cartpole", "CartPole"),
}
NAMES = tuple(_CLASSES)


def make_env(
    name: str,
    num_envs: int,
    seed: int,
    device: torch.device | str,
    dtype: torch.dtype,
    **options: Any,
) -> VectorEnv:
    """Build ``num_envs`` copies of the environment ``name``.

    Args:
        name: one of ``NAMES``, or ``gym:`` and the id of a Gymnasium environment.
        num_envs, seed, device, dtype: as in `Copies`.
        options: of this environment, see above.

    Raises:
        UnknownName: ``env_unknown``, ``env_unknown_option``, ``gym_unknown``.
        InputError: as `Copies`, ``env_option_out_of_range``, and ``gym_...``
            for what is peculiar to Gymnasium.
    """
    copies = Copies(num_envs, seed, torch.device(device), dtype)
    if isinstance(name, str) and name.startswith("gym:"):
        from rlcalc.ppo.envs.gym import GymEnv

        return GymEnv(name.removeprefix("gym:"), copies, **options)
    if name not in _CLASSES:
        hint = suggestion(str(name), list(NAMES))
        raise UnknownName(
            "env_unknown",
            f"There is no environment {shown(name)}.",
            hint or f"There are {', '.join(NAMES)}, and gym:NAME for those of Gymnasium.",
        )
    module, found = _CLASSES[name]
    kind = getattr(import_module(f"rlcalc.ppo.envs.{module}"), found)
    known = list(signature(kind).parameters)[1:]
    for key in options:
        if key not in known:
            hint = suggestion(key, known) or f"Options: {', '.join(known) or 'none'}."
            raise UnknownName("env_unknown_option", f"{name} has no option {shown(key)}.", hint)
    return cast("VectorEnv", kind(copies, **options))
