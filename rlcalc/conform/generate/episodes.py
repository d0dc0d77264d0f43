"""Experience as text: a few states and actions, rewards from a short list, episodes that end now and then."""

from __future__ import annotations

from collections.abc import Sequence

from rlcalc.conform.generate.number_pool import Numbers
from rlcalc.specs import Parameter

STATES, ACTIONS = ("A", "B", "C"), ("left", "right")
REWARDS = ("0", "1", "-1", "2", "1/2", "-3/4", "5", "-10")
MOST_STEPS = 7
_EACH = 3  # bytes a step takes
_ENTRIES = 4  # of a table


def count(lengths: Sequence[int]) -> int:
    """Bytes of so many steps, and of the state and action after the last one."""
    return _EACH * (min(lengths[0], MOST_STEPS) + 1)


def count_table(lengths: Sequence[int]) -> int:
    return _EACH * _ENTRIES


def read_steps(data: Sequence[int], p: Parameter, extra: Numbers, lengths: Sequence[int]) -> str:
    """Steps that go on from each other, or end; the action after the last one is named."""
    found, groups = [], _groups(data)
    for t, (state, action, paid) in enumerate(groups[:-1]):
        over = paid % 5 == 4
        words = [
            _state(state),
            *_action(p, action),
            _reward(paid),
            "end" if over else _state(groups[t + 1][0]),
        ]
        if not over and t == len(groups) - 2:
            words += _action(p, groups[-1][1])
        found.append(" ".join(words))
    return "; ".join(found)


def read_episodes(data: Sequence[int], p: Parameter, extra: Numbers, lengths: Sequence[int]) -> str:
    """Episodes, the last of which may break off."""
    text, groups = "", _groups(data)
    for state, action, paid in groups[:-1]:
        words = [_state(state), *_action(p, action), _reward(paid)]
        text += " ".join(words) + ("; " if paid % 5 == 4 else " ")
    broken = data[-1] % 2 == 1 and not text.endswith("; ")
    return text.rstrip("; ") + (f" {_state(groups[-1][0])}" if broken else "")


def read_table(data: Sequence[int], p: Parameter, extra: Numbers, lengths: Sequence[int]) -> str:
    """One number, or a few entries."""
    groups = _groups(data)
    if data[0] % 4 == 0:
        return _reward(groups[0][2])
    entries = {
        " ".join([_state(state), *_action(p, action)]): _reward(paid) for state, action, paid in groups
    }
    return "; ".join(f"{key} {value}" for key, value in entries.items())


def _groups(data: Sequence[int]) -> list[Sequence[int]]:
    return [data[k : k + _EACH] for k in range(0, len(data), _EACH)]


def _state(byte: int) -> str:
    return STATES[byte % len(STATES)]


def _action(p: Parameter, byte: int) -> list[str]:
    return [ACTIONS[byte % len(ACTIONS)]] if p.actions else []


def _reward(byte: int) -> str:
    return REWARDS[byte // 8 % len(REWARDS)]
