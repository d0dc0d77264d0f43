"""Tables of an agent in the forms that people keep them in, made of one array and made into it again.

This runs where the target runs. States and actions are the numbers of rows and columns.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from typing import Any

from rlcalc._lazy import np

# of a function that knows no end of them
MOST_STATES = 1000


def shaped(array: Any, form: str) -> Any:
    """An array [S, A], [S] or [S, A, S'], as a ``list``, ``rows`` by state, ``dicts`` or by ``pairs``.

    ``gym`` makes rows of state, action, probability, next state, reward and done what Gymnasium has of
    them, ``function`` actions [S] a function of the state.
    """
    if form == "list":
        return array.tolist()
    # whatever may be asked is there: a dict with defaults would answer to keys of another form
    if form == "rows":
        return {state: row.copy() for state, row in enumerate(array)}
    if form == "dicts":
        return _in_dicts(array)
    if form == "gym":
        return _as_gymnasium(array)
    if form == "function":
        return lambda state: int(array[state])
    if form == "pairs":
        return {key[0] if len(key) == 1 else key: float(value) for key, value in np.ndenumerate(array)}
    return array.copy()


def _in_dicts(array: Any) -> Any:
    """A dict by state, of dicts by action, and so on."""
    if array.ndim == 0:
        return array.item()
    return {place: _in_dicts(part) for place, part in enumerate(array)}


def _as_gymnasium(rows: Any) -> dict[int, dict[int, list[tuple[float, int, float, bool]]]]:
    found: dict[int, dict[int, list[tuple[float, int, float, bool]]]] = {}
    for state, action, chance, after, reward, done in rows.tolist():
        ways = found.setdefault(int(state), {}).setdefault(int(action), [])
        ways.append((chance, int(after), reward, bool(done)))
    return found


def unfolded(answer: Any) -> Any:
    """An answer with lists in the place of dicts by state or by action and of functions of the state.

    Each part of a tuple by itself.
    """
    if isinstance(answer, tuple) and not hasattr(answer, "_fields"):
        return tuple(map(unfolded, answer))
    if isinstance(answer, Mapping) and answer and set(answer) == set(range(len(answer))):
        return [unfolded(answer[place]) for place in range(len(answer))]
    return _told(answer) if callable(answer) else answer


def _told(policy: Callable[[int], Any]) -> Any:
    """What a function says of state after state, as far as it knows them."""
    found: list[Any] = []
    with contextlib.suppress(LookupError):
        while len(found) < MOST_STATES:
            found.append(policy(len(found)))
    return found


def flattened(value: Any, shape: tuple[int, ...]) -> Any:
    """A table of any form as an array; what is none is left as it is."""
    if not isinstance(value, Mapping | list):
        return value
    array = np.full(shape, np.nan)
    try:
        for place in np.ndindex(*shape):
            key = place[0] if len(place) == 1 else place
            if isinstance(value, Mapping) and key in value:
                array[place] = value[key]
            else:
                row = value[place[0]]
                array[place] = row if len(place) == 1 else row[place[1]]
    except (KeyError, IndexError, TypeError, ValueError):
        return value
    return array
