"""What several tests of the training runs need."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import torch


def stops(after: int, number: int = signal.SIGINT) -> Any:
    """A display that raises a signal after so many iterations."""
    seen: list[Any] = []

    def show(progress: Any) -> None:
        seen.append(progress)
        if len(seen) == after:
            signal.raise_signal(number)

    return show


def refused_before_training(
    call: Callable[..., tuple[int, str, str]], words: list[str], says: str, trainer: str
) -> None:
    """The command refuses these words with one error, trains nothing and leaves no file."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(f"{trainer}.iterate", lambda self: pytest.fail("trained"))
        Path("file").write_text("")
        code, out, err = call(*words)
    assert (code, out) == (2, "")
    assert says in err
    assert err.count("error:") == 1
    assert [path.name for path in Path().iterdir()] == ["file"]


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
