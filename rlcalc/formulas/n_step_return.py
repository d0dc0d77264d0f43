"""n-step return: n rewards, then the value of the state reached.

    G_t^(n) = R_{t+1} + γ R_{t+2} + … + γ^{n−1} R_{t+n} + γ^n V(S_{t+n}),   t = 0 … T−1,

where n is at most the number of steps to the end of the episode, so that a
larger n, or ∞, gives the full return. The update moves V(S_0) the share α of
the way to G_0^(n).

Source: Sutton and Barto, 2nd edition, equations 7.1 and 7.2.
"""

from __future__ import annotations

import math
from typing import Any

from rlcalc.backends import Backend
from rlcalc.formulas._sequence import check_terminal, check_terminal_arrays, exact_episode, prepare
from rlcalc.inputs import Arrays, Inputs
from rlcalc.recurrence.scan import scan, windows
from rlcalc.steps import Derivation, Name

check = check_terminal
check_arrays = check_terminal_arrays


def exact_form(d: Derivation, i: Inputs) -> None:
    e = exact_episode(d, i)
    mark = "∞" if i.n == math.inf else str(i.n)
    reach = e.horizon(0)
    note = ""
    if i.n > reach:
        note = f"the episode ends after {reach} step{'' if reach == 1 else 's'}: this is its full return"
    first = d.step(Name("G", "0", f"({mark})"), e.n_step(0, i.n), note)
    later = [d.step(Name("G", str(t), f"({mark})"), e.n_step(t, i.n), shown=False) for t in range(1, e.steps)]
    d.output("return", first)
    d.output("returns", [first, *later])
    if i.alpha is not None:
        alpha, old = d.given("α", i.alpha), e.values[0]
        d.output("updated", d.step(Name("V", "new", arg=Name("S", "0")), old + alpha * (first - old)))


def array_form(xp: Backend, a: Arrays) -> dict[str, Any]:
    """Windows of n steps: rewards [..., T], values [..., T+1] -> returns [..., T], updated [...]."""
    p = prepare(xp, a.rewards, a.values, a.gamma, a.terminated, a.truncated, a.next_values, a.terminal)
    # a step that is cut brings its own tail, every window ends there
    base = p.rewards if a.truncated is None else p.rewards + p.gamma * (1 - p.carry) * p.bootstrap
    if a.n >= a.rewards.shape[-1]:
        returns = scan(base, p.gamma * p.carry, p.bootstrap[..., -1])
    else:
        returns = windows(base, p.gamma * p.carry, p.bootstrap, int(a.n))
    old = p.values[..., 0]
    updated = None if a.alpha is None else old + a.alpha * (returns[..., 0] - old)
    return {"returns": returns, "updated": updated}
