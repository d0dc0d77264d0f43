"""Log-probabilities that a function makes itself, of what a policy says and of the actions that were taken.

A place ``log_prob(logits=logits, actions=actions)`` stands for several: a call
gives it the log-probabilities that are wanted, and the logits are made such
that these are theirs. Rows of logits have a constant of their own, and the
other actions share what is left of the probability unequally, so that who
leaves the softmax out, takes it along another axis or forgets the logarithm
gets something else. Everything stays differentiable.

Like ``call``, this runs where the target runs.
"""

from __future__ import annotations

import contextlib
import math
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from rlcalc._lazy import np, torch
from rlcalc.conform.target.call import Reply
from rlcalc.conform.target.networks import ANYTHING, Anything, Rows, in_place_of_backward

PLACE = "log_prob("
_PART = re.compile(r"(\w+)=(.*)")
# how many actions there are, and what the others have of the probability that is left
ACTIONS, SHARES, OTHER_SHARES = 3, (0.75, 0.25), (0.9375, 0.0625)
# how many there may be where a softmax is taken of a softmax; what keeps from its bounds, and how it is found
MOST_ACTIONS, EDGE, HALVINGS = 12, 0.01, 60
# of a Gaussian, how far each of two dimensions is from its mean
SIDES = (0.6, -0.8)
HALF_LOG_TAU = 0.5 * math.log(2 * math.pi)
# the logarithm of what nothing is left of
NEVER = -700.0
# flags of a place: actions in a column, deviations without rows
COLUMN, ALONE = "column", "alone"
# what a wrong function is right for: rows of logits without a constant, of which no softmax is wanted; logits
# whose softmax is one along the batch; a Gaussian whose dimensions are averaged; logits of whose softmax a
# softmax is taken
NORMAL, BATCH, AVERAGED, TWICE = "normalised", "along_the_batch", "averaged", "softmax_twice"
# log-probabilities that a function is given: a place of its own for what its flags say
TAKEN = "taken"
# that these are probabilities
EXPONENTIATED = "exponentiated"
# that of a loss half of what changes with the sign of the advantages is taken
ODD = "odd"
# that a loss is taken without what it adds of the policy's entropy, and the part that says its weight
LESS_ENTROPY, ENTROPY_WEIGHT = "less_entropy", "weight of the entropy"
SENT = "minus the loss sent back "


def is_policy(path: str) -> bool:
    """Whether a place stands for what log-probabilities are made of; a method of this name is none."""
    return path.startswith(PLACE) and "=" in path


def place_of(parts: Mapping[str, str], *flags: str) -> str:
    """A place that stands for others, by what each of them is."""
    return PLACE + ", ".join([*(f"{name}={path}" for name, path in parts.items()), *flags]) + ")"


def parts_of(path: str) -> tuple[dict[str, str], frozenset[str]]:
    """The places that one stands for, by what they are, and its flags."""
    words = path[len(PLACE) : -1].split(", ")
    found = [_PART.fullmatch(word) for word in words]
    parts = {match[1]: match[2] for match in found if match}
    return parts, frozenset(word for word, match in zip(words, found, strict=True) if not match)


def calls(path: str) -> bool:
    """Whether a network is asked for it, in place of a parameter that has it."""
    return any("()" in part for part in parts_of(path)[0].values())


class Said(Rows):
    """What a network says of numbered observations; asked about anything else, of all of them."""

    def __init__(self, table: Any) -> None:
        self.now = self.next = table

    def of(self, given: tuple[Any, ...]) -> Any:
        asked = next((x for x in given if self.known(x) is not None), None)
        return self.now if asked is None else self.now[self._places(asked)]

    def _places(self, asked: Any) -> Any:
        places = self.known(asked) - 1
        if hasattr(self.now, "detach"):
            return torch.as_tensor(places)
        return places

    def known(self, given: Any) -> Any:
        """The numbers of observations; ``None`` for anything else, such as a table of several rows each."""
        if self.now.ndim != 2 or isinstance(given, str | Anything):
            return None
        found = super().known(given)
        return None if found is None or (found > len(self.now)).any() else found


def expanded(values: Mapping[str, Any], shares: tuple[float, ...] = SHARES) -> dict[str, Any]:
    """Values by place, with what the log-probabilities among them are made of in their place.

    Args:
        shares: what the other actions have of the probability that is left.
    """
    found = {path: value for path, value in values.items() if not is_policy(path)}
    networks = [path for path in values if is_policy(path) and calls(path)]
    if networks:  # an object has whatever it is asked for
        found = {p: ANYTHING if v is None and "." in p else v for p, v in found.items()}
        found = {p: Anything() if isinstance(v, str) and v == ANYTHING else v for p, v in found.items()}
    for path in values:
        if is_policy(path):
            found |= _made(path, values[path], shares)
    return found


def _made(path: str, wanted: Any, shares: tuple[float, ...]) -> dict[str, Any]:
    parts, flags = parts_of(path)
    if TAKEN in parts:
        plain = EXPONENTIATED not in flags
        return {parts[TAKEN]: wanted if plain else _space(wanted).exp(wanted)}
    listed = isinstance(wanted, list)
    logs = np.asarray(wanted) if listed or not hasattr(wanted, "shape") else wanted
    if listed and wanted and hasattr(wanted[0], "detach"):
        logs = torch.stack(list(wanted)).reshape(-1)
    count = math.prod(logs.shape)
    if "mean" in parts:
        found = _gaussian(parts, logs, flags)
    else:
        actions = actions_of_two(logs) or ACTIONS if TWICE in flags else ACTIONS
        ids = (np.arange(count) if BATCH in flags else (np.arange(count) * 7 + 3) % actions).reshape(
            logs.shape
        )
        found = _categorical(parts, logs, ids, shares, flags)
        found[parts["actions"]] = _as(ids[..., None] if COLUMN in flags else ids, logs)
    if "states" in parts:
        places = np.arange(1.0, count + 1).reshape(logs.shape)
        states = np.stack([places, -places], -1)
        found[parts["states"]] = _as(states, logs, like=True)
    given = {
        p: v.tolist() if listed and hasattr(v, "tolist") and "()" not in p else v for p, v in found.items()
    }
    return {p: Said(v) if "()" in p and hasattr(v, "ndim") else v for p, v in given.items()}


def _categorical(
    parts: Mapping[str, str], logs: Any, ids: Any, shares: tuple[float, ...], flags: frozenset[str]
) -> dict[str, Any]:
    """A policy over three actions of which those taken have these log-probabilities."""
    if TWICE in flags:
        return {
            next(parts[name] for name in ("logits", "probs") if name in parts): of_two_softmaxes(
                logs, ids, "logits" in parts
            )
        }
    space = _space(logs)
    others = (np.arange(ACTIONS) - ids[..., None]) % ACTIONS
    taken = _as(others == 0, logs)
    share = np.log([1.0, *shares])[others]
    with np.errstate(all="ignore"):
        left = space.log(-space.expm1(logs))
    left = space.where(left > NEVER, left, space.full_like(left, NEVER))
    table = space.where(taken, logs[..., None], left[..., None] + _as(share, logs, like=True))
    if BATCH in flags:
        table = _by_columns(logs)
    elif ("logits" in parts or "dist" in parts) and NORMAL not in flags:
        moved = (np.arange(ids.size) * 5 + 2) % 4 * 0.75 - 0.5
        table = table + _as(moved.reshape(*ids.shape, 1), logs, like=True)
    if "dist" in parts:
        return {parts["dist"]: torch.distributions.Categorical(logits=table)}
    if "probs" in parts:
        return {parts["probs"]: space.exp(table)}
    return {parts["logits"] if "logits" in parts else parts["log_probs"]: table}


def _by_columns(logs: Any) -> Any:
    """Logits of as many actions as steps, whose softmax along the steps gives these at the actions taken."""
    space, count = _space(logs), len(logs)
    rows = np.arange(count)
    place = (rows[:, None] - rows) % count
    shares = np.where(place, place, 1) / (count * (count - 1) / 2)
    left = space.log(-space.expm1(logs)) + _as(np.log(shares), logs, like=True)
    return space.where(_as(place == 0, logs), logs[None], left)


def actions_of_two(logs: Any) -> int:
    """How many actions there may be whose softmax has one that gives these; 0 where there is no number.

    A softmax of probabilities has its largest logarithm 1 above its smallest, and lies the lower, the more
    actions there are.
    """
    plain = _plain(logs)
    if not plain.size:
        return 0
    counts = range(2, MOST_ACTIONS + 1)
    lowest = {count: -math.log(math.e + count - 1) for count in counts}
    return next(
        (c for c in counts if lowest[c] + EDGE < plain.min() and plain.max() < lowest[c] + 1 - EDGE), 0
    )


def of_two_softmaxes(logs: Any, ids: Any, of_logits: bool) -> Any:
    """Probabilities of which a softmax gives these, or logits of such; the other actions share equally."""
    space, others = _space(logs), max(actions_of_two(logs), 2) - 1
    plain = _plain(logs)

    def twice(q: Any) -> Any:
        return q - np.log(np.exp(q) + others * np.exp((1 - q) / others))

    low, high = np.zeros_like(plain), np.ones_like(plain)
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        below = twice(middle) < plain
        low, high = np.where(below, middle, low), np.where(below, high, middle)
    # a step of Newton's, which brings the derivative by what is wanted along
    weights = np.exp(twice(low))
    slope = 1 - weights + (1 - weights) / others
    taken = _as(low - twice(low) / slope, logs, like=True) + logs / _as(slope, logs, like=True)
    chosen = _as(np.arange(others + 1) == ids[..., None], logs)
    table = space.where(chosen, taken[..., None], (1 - taken[..., None]) / others)
    return space.log(table) if of_logits else table


def _gaussian(parts: Mapping[str, str], logs: Any, flags: frozenset[str]) -> dict[str, Any]:
    """A Gaussian of two dimensions whose density at the actions has these logarithms."""
    space = _space(logs)
    plain = _plain(logs)
    if AVERAGED in flags:
        logs, plain = 2 * logs, 2 * plain
    widest = float(plain.max()) if plain.size else 0.0
    widths = np.array([-widest / 2 - HALF_LOG_TAU - 0.5, -widest / 2 - HALF_LOG_TAU + 0.25])
    far = space.sqrt(2 * (widest + 0.25 - logs))
    steps = (np.arange(plain.size) % 5 / 4 - 0.5).reshape(plain.shape)
    sides = np.stack([steps, 0.25 - steps], -1)
    actions = sides * np.exp(widths)
    mean = (_as(sides, logs, like=True) - far[..., None] * _as(np.array(SIDES), logs, like=True)) * _as(
        np.exp(widths), logs, like=True
    )
    rows = widths if ALONE in flags else np.broadcast_to(widths, actions.shape).copy()
    spread = {"log_std": rows, "std": np.exp(rows), "var": np.exp(2 * rows), "log_var": 2 * rows}
    found = {parts[name]: _as(value, logs, like=True) for name, value in spread.items() if name in parts}
    return {**found, parts["mean"]: mean, parts["actions"]: _as(actions, logs, like=True)}


def _plain(logs: Any) -> Any:
    return np.asarray(logs.detach() if hasattr(logs, "detach") else logs, float)


def _space(like: Any) -> Any:
    if hasattr(like, "detach"):
        return torch
    if type(like).__module__.partition(".")[0] in ("jax", "jaxlib"):
        import jax.numpy as jnp

        return jnp
    return np


def _as(array: Any, other: Any, like: bool = False) -> Any:
    """An array of the same library as another, and with ``like`` of its type."""
    space = _space(other)
    if space is np:
        return np.asarray(array, other.dtype if like else None)
    made = space.as_tensor(array) if hasattr(other, "detach") else space.asarray(array)
    return made.to(other.dtype) if like and hasattr(made, "to") else made


def without_entropy(ask: Callable[[tuple[float, ...]], Reply], values: Mapping[str, Any]) -> Reply:
    """What a function answers besides a multiple of the policy's entropy, which is told by asking twice.

    The log-probabilities of the actions taken are the same both times, and the entropy is not.

    Args:
        ask: calls it with shares of the other actions.
        values: of the call, by place.
    """
    replies = ask(SHARES), ask(OTHER_SHARES)
    if any(reply.kind != "answer" for reply in replies):
        return next(reply for reply in replies if reply.kind != "answer")
    logs = next(np.asarray(v, float) for path, v in values.items() if is_policy(path))
    entropies = [_entropy(logs, shares) for shares in (SHARES, OTHER_SHARES)]
    parts = {}
    for name, part in replies[0].parts.items():
        other = replies[1].parts.get(name)
        parts[name] = part
        if part.array is None or other is None or other.array is None or part.array.dtype.kind != "f":
            continue
        one, two = part.array.astype(float), other.array.astype(float)
        of_each = one.shape == logs.shape and one.ndim > 0
        first, second = entropies if of_each else [entropy.mean() for entropy in entropies]
        with np.errstate(all="ignore"):
            weight = np.where(second == first, 0.0, (one - two) / (second - first))
        parts[name] = replace(part, array=(one + weight * first).astype(part.array.dtype))
        parts.setdefault(ENTROPY_WEIGHT, replace(part, array=weight, shape=weight.shape))
    return replace(replies[0], parts=parts)


def _entropy(logs: Any, shares: tuple[float, ...]) -> Any:
    """Of each row, by the logarithm of what the action that was taken has."""
    some, left = np.exp(logs), -np.expm1(logs)
    with np.errstate(all="ignore"):
        known = np.where(left > 0, -some * logs - left * np.log(left), 0.0)
    return known - left * sum(share * math.log(share) for share in shares)


class Sent:
    """Losses that a call sends back, as parts of its answer.

    What is sent back is made smaller, whoever calls it what: the part is the objective, its negative.
    """

    def __init__(self) -> None:
        self.found = dict[str, Any]()

    @contextlib.contextmanager
    def caught(self) -> Iterator[None]:
        """Losses are noted where they are sent back; what fails after one does not matter."""

        def note(usual: Callable[..., Any], loss: Any, *given: Any, **named: Any) -> None:
            self.found[f"{SENT}{len(self.found)}"] = -loss.detach()
            if loss.requires_grad:
                usual(loss, *given, **{**named, "retain_graph": True})

        try:
            with in_place_of_backward(note):
                yield
        except Exception:
            if not self.found:
                raise
