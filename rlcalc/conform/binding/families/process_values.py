"""What the places of a function of a whole decision process hold in one call of it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from rlcalc._lazy import np
from rlcalc.conform.binding.families.base import PLAIN, Unfit
from rlcalc.conform.binding.model import Binding
from rlcalc.exact import to_float
from rlcalc.formulas._tabular import row_of_state
from rlcalc.mdp.model import MDPArrays
from rlcalc.nested import map_nested
from rlcalc.specs import Formula

# what a function may sweep until it stops by itself, and what the values must have reached by then
MOST_SWEEPS = 1000
ACCURACY = {"float64": 1e-12, "float32": 1e-6}
SPARE = 8.0
ONE_AT_A_TIME = ("state", "action")
TABLES = frozenset({"transitions", "rewards", "policy"})
GYM = "gym"
# P of a policy, with R of it: a Markov reward process
AVERAGED = "st"
# a terminal state stays; or has a row of zeros; or stays, where γ is below 1
ENDS = ("", "terminal rows 0", "γ below 1")


@dataclass(frozen=True)
class Layout:
    """How a process is handed over; its text is the layout of a binding."""

    moves: str = "sat"
    rewards: str = "sa"
    policy: str = ""
    ends: str = ""

    @property
    def text(self) -> str:
        words = [f"P {self.moves}", f"R {self.rewards}" * bool(self.rewards)]
        return ", ".join(filter(None, [*words, f"policy by {self.policy}" * bool(self.policy), self.ends]))

    @classmethod
    def read(cls, text: str) -> Layout:
        words = text.split(", ")
        found = {word.split()[0]: word.split()[-1] for word in words if word not in ENDS}
        ends = next((word for word in words if word in ENDS), "")
        return cls(found.get("P", "sat"), found.get("R", ""), found.get("policy", ""), ends)


def is_backup(formula: Formula, binding: Binding) -> bool:
    """Whether it is given values and makes one sweep over them, or less than one."""
    return formula.name == "value_iteration" and "values" in binding.roles and "sweeps" not in binding.roles


def first_first(formula: Formula, binding: Binding, given: Mapping[str, Any]) -> Any:
    """Of each state its actions with that of the first policy before the others, as [S, A].

    Policy iteration that begins with the first action everywhere begins with the policy of the formula then.
    ``None`` where a policy has a place of its own, or draws its actions.
    """
    policy = given.get("policy")
    if formula.name != "policy_iteration" or "policy" in binding.roles or not isinstance(policy, np.ndarray):
        return None
    mdp = given["mdp"]
    rows = policy[row_of_state(mdp.mdp, policy.shape[-2], "policy"), :] if policy.ndim == 2 else None
    if rows is None or not np.isin(rows, (0, 1)).all():
        return None
    return np.argsort(-rows, axis=-1, kind="stable")


class ProcessCall:
    """What the places of one call hold.

    Attributes:
        order: of the actions of each state, where it is not that of the process.
        now: the values that a sweep starts from.
        place: state and action of a function that answers for one of them.
    """

    def __init__(self, formula: Formula, binding: Binding, given: Mapping[str, Any]) -> None:
        self.formula, self.binding, self.given = formula, binding, given
        self.layout = Layout.read(binding.layout)
        self.mdp: MDPArrays = given["mdp"]
        if isinstance(self.mdp, Mapping) or not isinstance(self.mdp.p, np.ndarray):
            raise Unfit("a process too large for one array of P")
        self.order = first_first(formula, binding, given)
        if self.order is not None:
            p = np.take_along_axis(self.mdp.p, self.order[..., None], 1)
            self.mdp = replace(self.mdp, p=p, r=np.take_along_axis(self.mdp.r, self.order, 1))
        self.gamma = float(given["gamma"])
        self.over = np.array(self.mdp.mdp.terminal)
        self.place: dict[str, int] = {}
        first = given.get("values")
        self.now = np.where(self.over, 0, 0 if first is None else first).astype(self.mdp.r.dtype)

    @property
    def calls(self) -> int:
        return int(self.given["sweeps"]) if is_backup(self.formula, self.binding) else 1

    def axis(self, role: str) -> int:
        """How many states or actions there are."""
        return int(self.mdp.r.shape[ONE_AT_A_TIME.index(role)])

    def check(self) -> None:
        """Refuse what arrays of P and R cannot say, or sweeps do not reach; raises ``Unfit``."""
        if self.mdp.allowed is not None:
            raise Unfit("a state that lacks an action of others")
        if self.now.ndim > 1 or getattr(self.given.get("policy"), "ndim", 0) > 2:
            raise Unfit("one process a call, no batches")
        if self.given.get("in_place"):
            raise Unfit("sweeps in place")
        if self.gamma == 1 and (self.layout.ends == ENDS[2] or self.formula.name == "policy_iteration"):
            raise Unfit("γ = 1, where a policy may never end")
        if self.gamma == 1 and self.formula.name == "bellman" and self.mdp.mdp.longest() is None:
            # what a wrong choice of actions gives depends on the number of sweeps then
            raise Unfit("γ = 1, where not every policy ends")
        if self.formula.name != "value_iteration" and not self._settles():
            raise Unfit(f"more than {MOST_SWEEPS} sweeps to the answer")

    def _settles(self) -> bool:
        """Whether sweeps from 0 come to rest soon."""
        return any(change < ACCURACY["float64"] for change, _ in self._sweeps())

    def _sweeps(self) -> Iterator[tuple[float, Any]]:
        """The largest change and the values of sweep after sweep from 0."""
        rows = self._rows() if self.formula.name == "policy_eval" else None
        now = np.zeros(len(self.over))
        for _ in range(MOST_SWEEPS):
            q_values = self.mdp.r + self.gamma * self.mdp.p @ now
            before, now = now, q_values.max(-1) if rows is None else (rows * q_values).sum(-1)
            yield float(np.abs(now - before).max(initial=0)), now

    def digits(self, change: float) -> float:
        """Correct digits of sweeps that end at a change, with some to spare for another norm."""
        sweeps = list(self._sweeps())
        ended = next((values for moved, values in sweeps if moved < change), sweeps[-1][1])
        missed = float(np.abs(ended - sweeps[-1][1]).max(initial=0)) + change
        size = max(1.0, float(np.abs(self.mdp.r).max(initial=0)))
        return -math.log10(SPARE * missed / size)

    def action_values(self) -> Any:
        """The right ones: of the values that it is given, or of the best policy."""
        now = self.now if is_backup(self.formula, self.binding) else self._best
        return self.mdp.r + self.gamma * self.mdp.p @ now

    @cached_property
    def _best(self) -> Any:
        sweeps = int(self.given.get("sweeps") or MOST_SWEEPS)
        now = self.now
        for _ in range(sweeps):
            now = (self.mdp.r + self.gamma * self.mdp.p @ now).max(-1)
        return now

    def value(self, role: str) -> Any:
        """What stands for a role."""
        match role:
            case "transitions":
                return self._ways() if self.layout.moves == GYM else self._in_order(self._moves())
            case "rewards":
                return self._rewards()
            case "policy":
                return self._policy()
            case "gamma":
                return self.gamma
            case "values":
                return self.now.copy()
            case "theta":
                return ACCURACY[str(self.mdp.r.dtype)]
            case "sweeps":
                return int(self.given.get("sweeps") or MOST_SWEEPS)
            case "most":
                return MOST_SWEEPS
            case "state" | "action":
                return self.place.get(role, 0)
            case "n_states" | "n_actions":
                return self.axis(role[2:-1])
            case "states" | "actions":
                return list(range(self.axis(role[:-1])))
        return PLAIN.get(role)

    def _moves(self) -> Any:
        """P [S, A, S'], in which a terminal state stays where it is unless it has a row of zeros."""
        moves = self.mdp.p.copy()
        if self.layout.ends != ENDS[1]:
            moves[self.over, :, self.over] = 1
        return moves

    def _in_order(self, array: Any) -> Any:
        if self.layout.moves == AVERAGED:
            return np.einsum("sa,sat->st", self._rows(), array)
        return np.ascontiguousarray(np.einsum(f"sat->{self.layout.moves}", array))

    def _paid(self) -> Any:
        """R(s, a, s') whose mean is R(s, a): no two successors pay alike, nor what cannot follow."""
        paid = np.repeat(self.mdp.r[..., None], len(self.over), -1)
        for s, a in np.ndindex(*self.mdp.r.shape):
            chances = self.mdp.p[s, a]
            ways = np.flatnonzero(chances)
            if self.over[s]:
                continue
            paid[s, a, chances == 0] += 1
            if len(ways) > 1:
                paid[s, a, ways[0]] += chances[ways[-1]]
                paid[s, a, ways[-1]] -= chances[ways[0]]
        return paid

    def _rewards(self) -> Any:
        order = self.layout.rewards
        if self.layout.moves == AVERAGED:
            return (self._rows() * self.mdp.r).sum(-1)
        if order == "s":
            if (self.mdp.r != self.mdp.r[:, :1]).any():
                raise Unfit("rewards that depend on the action")
            return self.mdp.r[:, 0].copy()
        whole = self._paid() if "t" in order else self.mdp.r
        axes = "sat" if "t" in order else "sa"
        return np.ascontiguousarray(np.einsum(f"{axes}->{order}", whole))

    def _ways(self) -> Any:
        """Rows of state, action, probability, next state, reward and done, as Gymnasium has them."""
        moves, paid = self._moves(), self._paid()
        # plain numbers know no single precision, in which chances may not add up to 1
        exact = np.array(map_nested(to_float, self.mdp.mdp.p))
        exact = exact if self.order is None else np.take_along_axis(exact, self.order[..., None], 1)
        rows = [
            (s, a, exact[s, a, t], t, paid[s, a, t], self.over[t])
            for s, a, t in np.ndindex(*moves.shape)
            if moves[s, a, t]
        ]
        return np.array(rows, np.float64)

    def _rows(self) -> Any:
        """π(a|s) as [S, A]."""
        policy = self.given.get("policy")
        if policy is None or isinstance(policy, str):
            return np.full_like(self.mdp.r, 1 / self.mdp.r.shape[1])
        return policy[row_of_state(self.mdp.mdp, policy.shape[-2], "policy"), :]

    def _policy(self) -> Any:
        rows = self._rows()
        if self.layout.policy == "rows":
            return rows.copy()
        if "policy" not in self.given:
            return np.zeros(len(rows), int)
        if not np.isin(rows, (0, 1)).all():
            raise Unfit("a policy that draws its actions")
        return rows.argmax(-1)


def forms(binding: Binding) -> dict[str, str]:
    """What is made of the arrays of a process where the function runs, by place."""
    layout = Layout.read(binding.layout)
    found = {}
    for path, role in binding.inputs.items():
        if role == "transitions" and layout.moves == GYM:
            found[path] = GYM
        elif role == "policy" and layout.policy == "function":
            found[path] = "function"
        elif role in TABLES:
            found[path] = binding.form
    return found
