"""What several tests of the training runs need."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch


def same(a: Any, b: Any) -> bool:
    """Equal to the last bit, through containers."""
    if isinstance(a, torch.Tensor):
        return torch.equal(a, b)
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(a[key], b[key]) for key in a)
    if isinstance(a, list | tuple):
        return len(a) == len(b) and all(map(same, a, b))
    return bool(a == b)


@contextmanager
def registered(kinds: Mapping[str, type], **options: Any) -> Iterator[None]:
    """Environments that Gymnasium knows meanwhile, as ``rlcalc/NAME-v0``."""
    import gymnasium

    for name, kind in kinds.items():
        gymnasium.register(f"rlcalc/{name}-v0", kind, disable_env_checker=True, **options)
    try:
        yield
    finally:
        for name in kinds:
            del gymnasium.registry[f"rlcalc/{name}-v0"]
