"""Networks of a function under test, as tables: what each says of an observation, row by row.

The observations of a call are numbered, so that a network knows which it is
asked about. An update of networks gives no answer but a loss: what it learns
from is where the loss is least, found by moving what the networks predict.

Like ``call``, this runs where the target runs.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

from rlcalc._lazy import np, torch

# before the place of a network: the prediction of it at which a loss is least
LEAST = "least loss at "
# of critics that learn different things
APART = "least losses of critics apart"
# the value of a place of which nothing is known
ANYTHING = "whatever it is"
NOW, NEXT = "now", "next"
# how often a loss is asked for its slope, and a step, in roundings, that is none
MOST_STEPS, NO_STEP = 60, 4
# of targets of two critics in single precision
CLOSE = 1e-4
FLOWS_BACK = "the loss has a gradient in its own target as well: detach() the target"


def numbered(count: int, after: bool) -> Any:
    """Observations that say which they are: before the steps of a batch, or after them."""
    places = np.arange(1.0, count + 1) + (count if after else 0)
    return np.stack([places, -places], axis=-1)


class Anything:
    """What is neither looked at nor counted: whatever is done with it gives it again.

    As a flag it is off; what is asked whether something can be done says yes. What is asked to compare
    a prediction with something is a loss: wherever the minimum of any is, that of squares is there as well.
    """

    def __call__(self, *given: Any, **named: Any) -> Any:
        every = [*given, *named.values()]
        pair = [part for part in every if hasattr(part, "requires_grad")]
        if len(pair) == len(every) == 2 and any(part.requires_grad for part in pair):
            return (pair[0] - pair[1]) ** 2
        return Anything(called=True)

    def __init__(self, called: bool = False) -> None:
        self.called = called

    def __bool__(self) -> bool:
        return self.called

    def _again(self, *_: Any, **__: Any) -> Anything:
        return self

    def _no(self, *_: Any) -> bool:
        return False

    def __getattr__(self, name: str) -> Anything:
        if name.startswith("__"):
            raise AttributeError(name)
        return self

    def __iter__(self) -> Iterator[Any]:
        return iter(())

    def __exit__(self, *_: Any) -> None:
        return None

    def __setitem__(self, *_: Any) -> None:
        return None

    def __len__(self) -> int:
        return 1 << 20

    def __float__(self) -> float:
        return 1.0

    def __index__(self) -> int:
        return 1

    @classmethod
    def __torch_function__(cls, *_: Any, **__: Any) -> Anything:
        return cls()

    __getitem__ = __enter__ = __array_ufunc__ = __array_function__ = _again
    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __truediv__ = __rtruediv__ = _again
    __pow__ = __rpow__ = __mod__ = __rmod__ = __floordiv__ = __rfloordiv__ = __neg__ = __matmul__ = _again
    __lt__ = __le__ = __gt__ = __ge__ = __eq__ = __contains__ = _no
    __hash__ = object.__hash__


class Rows:
    """What a network says: of the observations before the steps of a batch, then of those after them."""

    def __init__(self, table: Mapping[str, Any]) -> None:
        self.now, self.next = (np.asarray(table[name]) for name in (NOW, NEXT))
        self.leaves: tuple[Any, Any] | None = None

    def of(self, given: tuple[Any, ...]) -> Any:
        """The rows of the observations that it is given; where it knows none, of those that come next."""
        asked = next((x for x in given if self.known(x) is not None), None)
        if asked is None:
            return self.tensors()[1].clone() if any(hasattr(x, "detach") for x in given) else self.next.copy()
        places = self.known(asked) - 1
        if not hasattr(asked, "detach"):
            return np.concatenate([self.now, self.next])[places]
        rows = torch.cat(self.tensors())
        return (rows.to(asked.dtype) if asked.is_floating_point() else rows)[torch.as_tensor(places)]

    def known(self, given: Any) -> Any:
        """The numbers of observations; ``None`` for anything else."""
        try:
            values = np.asarray(given.detach() if hasattr(given, "detach") else given, float)
        except Exception:
            return None
        if values.ndim < 1 or values.shape[-1] < 2:
            return None
        first, second = values[..., 0], values[..., 1]
        inside = (first >= 1) & (first <= len(self.now) + len(self.next))
        return first.astype(int) if np.array_equal(first, -second) and inside.all() else None

    def tensors(self) -> tuple[Any, Any]:
        """As leaves, whose gradients are asked for."""
        if self.leaves is None:
            now, next_ = (torch.as_tensor(part.copy()).requires_grad_() for part in (self.now, self.next))
            self.leaves = now, next_
        return self.leaves


@contextlib.contextmanager
def in_place_of_backward(note: Callable[..., None]) -> Iterator[None]:
    """While it lasts, ``note`` gets what sends a loss back, and each loss that was to be sent back."""
    torch = sys.modules.get("torch")
    if torch is None:
        yield
        return
    usual = torch.Tensor.backward
    torch.Tensor.backward = lambda loss, *given, **named: note(usual, loss, *given, **named)
    try:
        yield
    finally:
        torch.Tensor.backward = usual


class Losses:
    """The gradients of each loss that a call sends back, or that it returns, by network."""

    def __init__(self, networks: Mapping[str, Rows]) -> None:
        self.networks, self.found = networks, list[dict[str, Any]]()

    def add(self, loss: Any) -> None:
        """Gradients in the predictions.

        Raises:
            ValueError: a network that learns takes its own later values for what it predicts as well.
        """
        known = {path: rows.leaves for path, rows in self.networks.items() if rows.leaves is not None}
        leaves = [leaf for pair in known.values() for leaf in pair]
        if not (leaves and getattr(loss, "requires_grad", False)):
            return
        slopes = iter(torch.autograd.grad(loss.sum(), leaves, allow_unused=True, retain_graph=True))
        found = {}
        for path in known:
            now, later = next(slopes), next(slopes)
            if now is not None:
                found[path] = now.numpy()
                if later is not None and later.any():
                    raise ValueError(FLOWS_BACK)
        self.found.append(found)

    @contextlib.contextmanager
    def sent_back(self) -> Iterator[None]:
        """Losses are looked at in place of being sent back; nothing that follows matters."""
        try:
            with in_place_of_backward(lambda _, loss, *__, **___: self.add(loss)):
                yield
        except ValueError as error:
            if str(error) == FLOWS_BACK or not self.found:
                raise
        except Exception:
            if not self.found:
                raise


# gradients of every loss of a call in which networks predict what they are given, by place
Slopes = Callable[[Mapping[str, Any]], list[dict[str, Any]]]


def targets(slopes: Slopes, start: Mapping[str, Any]) -> dict[str, Any]:
    """What networks learn: of every step the prediction at which a loss is least, the first that has one.

    Critics of one algorithm learn one target. What several learn is a part as well, the smaller first: of
    those that do not agree none is an answer by itself.
    """
    first = slopes(start)
    found: dict[str, Any] = {}
    for number, loss in enumerate(first):
        at = {path: start[path] for path in loss if path not in found}
        least = _least(partial(_nth, slopes, number), at, loss, start)
        found |= {path: value for path, value in least.items() if value is not None}
    every = list(found.values())
    if len({one.shape for one in every}) > 1:
        return {}
    apart = {APART: np.sort(np.stack(every, -1), -1)} if len(every) > 1 else {}
    agree = all(np.allclose(one, every[0], CLOSE) for one in every)
    return {**({LEAST + path: value for path, value in found.items()} if agree else {}), **apart}


def _nth(slopes: Slopes, number: int, at: Mapping[str, Any]) -> dict[str, Any]:
    losses = slopes(at)
    return losses[number] if number < len(losses) else {}


def _least(
    slope: Callable[[Mapping[str, Any]], Mapping[str, Any]],
    at: Mapping[str, Any],
    known: Mapping[str, Any],
    others: Mapping[str, Any],
) -> dict[str, Any]:
    """Where slopes are 0: at once for squares; step by step for what is no square far away."""
    if not at:
        return {}
    old, old_slope = dict(at), dict(known)
    low = {p: np.where(old_slope[p] < 0, old[p], -np.inf) for p in at}
    high = {p: np.where(old_slope[p] > 0, old[p], np.inf) for p in at}
    new = {p: old[p] - np.sign(old_slope[p]) / 2 for p in at}
    reach, rising = 1.0, {p: np.zeros(old[p].shape, bool) for p in at}
    for _ in range(MOST_STEPS):
        found = slope({**others, **new})
        if not found.keys() >= at.keys():
            return dict.fromkeys(at)
        reach, settled = reach * 2, True
        for p in at:
            low[p] = np.where(found[p] < 0, np.maximum(low[p], new[p]), low[p])
            high[p] = np.where(found[p] > 0, np.minimum(high[p], new[p]), high[p])
            change, moved = found[p] - old_slope[p], new[p] - old[p]
            bent = (change * moved) > 0
            rising[p] |= bent
            step = np.where(bent, -found[p] * moved / np.where(bent, change, 1), -np.sign(found[p]) * reach)
            old[p], old_slope[p] = new[p], found[p]
            new[p] = new[p] + step
            outside = (new[p] < low[p]) | (new[p] > high[p])
            new[p] = np.where(outside & np.isfinite(low[p] + high[p]), (low[p] + high[p]) / 2, new[p])
            small = NO_STEP * np.finfo(found[p].dtype).eps * np.abs(new[p])
            settled &= bool((np.abs(new[p] - old[p]) <= small).all())
        if settled:
            break
    return {p: _of_steps(new[p], known[p] != 0) if rising[p].any() else None for p in at}


def _of_steps(predicted: Any, moved: Any) -> Any:
    """One number a step: of the action that was taken, of which alone the loss knows."""
    rows, taken = predicted.reshape(len(predicted), -1), moved.reshape(len(moved), -1)
    return rows[taken] if (taken.sum(-1) == 1).all() else None
