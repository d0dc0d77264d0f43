"""Filling tensors from a saved state: all of it as it was saved, or an error and nothing changed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor

from rlcalc.errors import DataError


def restore(
    own: Mapping[str, Tensor | torch.Generator],
    state: Any,
    what: str,
    code: str = "checkpoint_foreign",
    impossible: Callable[[Mapping[str, Any]], str] = lambda state: "",
) -> None:
    """Copy a saved state into the tensors and generators that it was saved from.

    Args:
        own: what to fill, by name. ``copy_`` alone would stretch a wrong shape to fit.
        state: from a file, so anything at all.
        what: whose state it should be, for the message.
        impossible: says what is wrong with the values, or "".

    Raises:
        DataError: ``code``; nothing is changed then.
    """

    def refuse(why: str) -> DataError:
        return DataError(code, f"This state is not one of {what}: {why}.")

    if not isinstance(state, Mapping) or state.keys() != own.keys():
        names = ", ".join(map(str, state)) if isinstance(state, Mapping) else type(state).__name__
        raise refuse(f"it holds {names[:200] or 'nothing'}")
    for name, tensor in own.items():
        saved = state[name]
        if not isinstance(saved, Tensor) or saved.layout != torch.strided or saved.is_meta:
            raise refuse(f"{name} is not a tensor of numbers")
        if isinstance(tensor, Tensor) and (saved.shape != tensor.shape or saved.dtype != tensor.dtype):
            raise refuse(
                f"{name} is {saved.dtype} {list(saved.shape)}, not {tensor.dtype} {list(tensor.shape)}"
            )
    if why := impossible(state):
        raise refuse(why)
    for name, generator in own.items():
        if isinstance(generator, torch.Generator):
            try:
                generator.set_state(state[name].cpu())
            except (RuntimeError, TypeError):
                raise refuse("its random numbers are of another device or version of Torch") from None
    for name, tensor in own.items():
        if isinstance(tensor, Tensor):
            tensor.copy_(state[name])
