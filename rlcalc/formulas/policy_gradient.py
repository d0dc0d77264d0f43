"""Gradient of the expected return of a softmax policy, by enumerating every trajectory.

With π(a|s) = softmax(θ_s)_a, J(θ) = E[ Σ_t γ^t R_{t+1} ] and
G_t = Σ_{k=t}^{T−1} γ^{k−t} R_{k+1}, over all trajectories τ of at most H actions:

    trajectory      E[ (Σ_t γ^t R_{t+1}) Σ_t ∇ log π(A_t|S_t) ]   = ∇J
    reward-to-go    E[ Σ_t γ^t G_t ∇ log π(A_t|S_t) ]             = ∇J
    no-gamma-t      E[ Σ_t G_t ∇ log π(A_t|S_t) ]                 ≠ ∇J for γ < 1

The third is what most code computes. All three agree at γ = 1.

The exact form and Torch enumerate; NumPy goes forward over the probabilities
of states and backward over Q, by the policy gradient theorem.

Source: Sutton and Barto, 2nd edition, sections 13.2 and 13.3; Nota and Thomas,
Is the policy gradient a gradient?, arXiv:1906.07073.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rlcalc._lazy import np, torch
from rlcalc.backends import NUMPY, TORCH
from rlcalc.errors import InputError, shown
from rlcalc.formulas._softmax import score, softmax_terms
from rlcalc.formulas._tabular import check_columns, pair_name, row_of_state, short, transition_name
from rlcalc.inputs import Arrays, Inputs
from rlcalc.mdp.model import MDP, Trajectory
from rlcalc.spelling import spelled
from rlcalc.steps import Derivation, Name, Symbol, Term, product, term, total

MAX_TRAJECTORIES = 1000
MAX_STEPS = 100
SHOWN_TRAJECTORIES = 12


def check(i: Inputs) -> None:
    """Match θ with the process, and refuse more trajectories than can be enumerated.

    Raises:
        InputError: ``actions_differ``, ``theta_wrong_length``, ``horizon_needed``, ``horizon_out_of_range``,
            ``too_many_trajectories``.
    """
    _same_actions(i.mdp)
    row_of_state(i.mdp, len(i.theta), "theta", shared=True)
    _trajectories(i.mdp, i.horizon)


def check_arrays(a: Arrays) -> None:
    mdp = a.mdp.mdp
    _same_actions(mdp)
    check_columns(mdp, a.theta.shape[-1], "theta")
    row_of_state(mdp, a.theta.shape[-2], "theta", shared=True)
    _trajectories(mdp, a.horizon)


def _same_actions(mdp: MDP) -> None:
    """A softmax over preferences gives every action a chance, so every state must have all of them.

    Raises:
        InputError: ``actions_differ``.
    """
    for s in mdp.non_terminal:
        missing = [mdp.actions[a] for a, moves in enumerate(mdp.moves[s]) if moves is None]
        if missing:
            raise InputError(
                "actions_differ",
                f"State {mdp.states[s]} lacks the action {missing[0]}, which a softmax would take there.",
                "Give every state all actions; one that changes nothing can stay where it is.",
            )


def _trajectories(mdp: MDP, horizon: float) -> list[Trajectory]:
    return mdp.trajectories(_steps(mdp, horizon), MAX_TRAJECTORIES)


def _steps(mdp: MDP, horizon: float) -> int:
    """The longest trajectory to look at.

    Raises:
        InputError: ``horizon_needed``, when episodes have no longest length;
            ``horizon_out_of_range``.
    """
    longest = mdp.longest()
    if horizon == math.inf and longest is None:
        raise InputError(
            "horizon_needed",
            f"Episodes of {shown(mdp.label)} may never terminate, so they cannot be enumerated.",
            f"Give {spelled('horizon')}, the number of actions after which a trajectory is cut.",
        )
    steps = min(horizon, math.inf if longest is None else longest)
    if steps > MAX_STEPS:
        raise InputError(
            "horizon_out_of_range", f"A trajectory may have at most {MAX_STEPS} actions, not {steps}."
        )
    return int(steps)


@dataclass
class _Path:
    """One trajectory: its probability, and G_t for every t."""

    chance: Symbol
    states: tuple[int, ...]
    actions: tuple[int, ...]
    returns: list[Symbol]


def exact_form(d: Derivation, i: Inputs) -> None:
    mdp, gamma = i.mdp, d.given("γ", i.gamma)
    rows = row_of_state(mdp, len(i.theta), "theta", shared=True)
    policy = _policy(d, mdp, i.theta, rows)
    paths = [
        _path(d, mdp, policy, rows, gamma, k, one)
        for k, one in enumerate(_trajectories(mdp, i.horizon), start=1)
    ]
    if len(paths) > SHOWN_TRAJECTORIES:
        d.note(f"The steps show {SHOWN_TRAJECTORIES} of {len(paths)} trajectories.")

    def table(form: str, symbol: str, tex: str, shown: bool) -> list[list[Symbol]]:
        return [
            [
                d.step(
                    Name(symbol.format(_mark(i, row, b)), tex=tex.format(_mark(i, row, b))),
                    total(_summands(paths, policy, rows, gamma, form, row, b)),
                    shown=shown,
                )
                for b in range(len(mdp.actions))
            ]
            for row in range(len(i.theta))
        ]

    d.output("objective", d.step("J", total(path.chance * path.returns[0] for path in paths)))
    d.output("gradient", table(i.form, "∂J/∂θ_{}", r"\frac{{\partial J}}{{\partial \theta_{{{}}}}}", True))
    d.output("difference", table("difference", "Δ_{}", r"\Delta_{{{}}}", False))
    d.output("trajectories", term(len(paths)))
    d.note("trajectory and reward-to-go are both the gradient of J; no-gamma-t is so only at γ = 1.")


def _mark(i: Inputs, row: int, b: int) -> str:
    return str(b) if len(i.theta) == 1 else f"{row},{b}"


def _policy(d: Derivation, mdp: MDP, theta: Any, rows: Sequence[int]) -> dict[int, list[Symbol]]:
    """π(a|s) by row of θ, each row named after its first state."""
    found: dict[int, list[Symbol]] = {}
    for s in mdp.non_terminal:
        row = rows[s]
        if row not in found:
            shared = len(theta) == 1
            marks = [str(b) if shared else f"{row},{b}" for b in range(len(theta[row]))]
            logits = [d.given(Name("θ", mark), value) for mark, value in zip(marks, theta[row], strict=True)]
            found[row] = [
                d.step(Name("π", arg=Name(name if shared else f"{name} | {short(mdp.states[s])}")), quotient)
                for name, quotient in zip(mdp.actions, softmax_terms(logits), strict=True)
            ]
    return found


def _path(
    d: Derivation,
    mdp: MDP,
    policy: dict[int, list[Symbol]],
    rows: Sequence[int],
    gamma: Symbol,
    k: int,
    one: Trajectory,
) -> _Path:
    """Probability and returns of trajectory k, as steps."""
    states, actions = one
    shown = k <= SHOWN_TRAJECTORIES
    factors: list[Term] = []
    if mdp.start[states[0]] != 1:
        factors.append(d.given(Name("P", arg=Name(short(mdp.states[states[0]]))), mdp.start[states[0]]))
    for s, a, after in zip(states, actions, states[1:], strict=False):
        factors.append(policy[rows[s]][a])
        if mdp.p[s][a][after] != 1:
            factors.append(d.given(Name("P", arg=transition_name(mdp, s, a, after)), mdp.p[s][a][after]))
    words = " ".join(mdp.actions[a] for a in actions)
    chance = d.step(Name("p", str(k)), product(factors), f"trajectory {k}: {words}", shown=shown)
    rewards = [
        d.given(Name("R", arg=pair_name(mdp, s, a)), mdp.r[s][a])
        for s, a in zip(states, actions, strict=False)
    ]
    returns = [
        d.step(
            Name("G", f"{k},{t}"),
            total(_discounted(gamma, n, reward) for n, reward in enumerate(rewards[t:])),
            shown=shown,
        )
        for t in range(len(actions))
    ]
    return _Path(chance, states, actions, returns or [d.given(Name("G", f"{k},0"), 0)])


def _discounted(gamma: Symbol, n: int, quantity: Term) -> Term:
    return quantity if n == 0 else gamma * quantity if n == 1 else gamma**n * quantity


def _weight(form: str, gamma: Symbol, t: int, gained: Term) -> Term:
    if form == "reward-to-go":
        return _discounted(gamma, t, gained)
    return gained if form == "no-gamma-t" else (1 - gamma**t) * gained


def _summands(
    paths: Sequence[_Path],
    policy: dict[int, list[Symbol]],
    rows: Sequence[int],
    gamma: Symbol,
    form: str,
    row: int,
    b: int,
) -> list[Term]:
    """The expectation for one entry of θ: a summand per trajectory that earns anything.

    ``difference`` weights a step with (1 − γ^t) G_t: no-gamma-t less reward-to-go.
    """
    found: list[Term] = []
    for path in paths:
        scores = [
            (t, int(a == b) - policy[row][b])
            for t, (s, a) in enumerate(zip(path.states, path.actions, strict=False))
            if rows[s] == row and not (form == "difference" and t == 0)
        ]
        if not scores or all(gained.value == 0 for gained in path.returns):
            continue
        if form == "trajectory":
            found.append(product([path.chance, path.returns[0], total(score for _, score in scores)]))
            continue
        weighted = [_weight(form, gamma, t, path.returns[t]) * score for t, score in scores]
        found.append(path.chance * total(weighted))
    return found


def numpy_form(a: Arrays) -> dict[str, Any]:
    """Policy gradient theorem over finitely many steps: no trajectory is enumerated."""
    exact, p, r = a.mdp.mdp, a.mdp.p, a.mdp.r
    rows = row_of_state(exact, a.theta.shape[-2], "theta", shared=True)
    steps = _steps(exact, a.horizon)
    policy = NUMPY.softmax(a.theta, -1)[..., rows, :]
    # backward: Q with 1, 2, … steps to go
    ahead = [r + np.zeros_like(policy)]
    for _ in range(steps - 1):
        values = (policy * ahead[-1]).sum(axis=-1)
        ahead.append(r + a.gamma * np.einsum("sat,...t->...sa", p, values))
    # forward: probability of being in s at time t
    here = a.mdp.start + np.zeros_like(policy[..., 0])
    true, loose, difference = (np.zeros_like(policy) for _ in range(3))
    objective = (here * (policy * ahead[-1]).sum(axis=-1)).sum(axis=-1) if steps else here.sum(axis=-1) * 0
    for t in range(steps):
        q = ahead[steps - 1 - t]
        # A(s,a) = Σ_b π(b|s) (Q(s,a) − Q(s,b)) does not cancel where one action is all but certain
        advantage = ((q[..., :, None] - q[..., None, :]) * policy[..., None, :]).sum(axis=-1)
        part = here[..., None] * policy * advantage
        true = true + a.gamma**t * part
        loose = loose + part
        difference = difference + (1 - a.gamma**t) * part
        here = np.einsum("...sa,sat->...t", here[..., None] * policy, p)
    groups = np.zeros((len(rows), a.theta.shape[-2]), a.theta.dtype)
    for s in exact.non_terminal:
        groups[s, rows[s]] = 1
    true, loose, difference = (
        np.einsum("...sa,sk->...ka", part, groups) for part in (true, loose, difference)
    )
    return {
        "gradient": loose if a.form == "no-gamma-t" else true,
        "objective": objective,
        "difference": difference,
    }


def torch_form(a: Arrays) -> dict[str, Any]:
    """All trajectories at once, as one axis; differentiable once more, for second derivatives."""
    exact, device = a.mdp.mdp, a.theta.device
    rows = row_of_state(exact, a.theta.shape[-2], "theta", shared=True)
    found = _trajectories(exact, a.horizon)
    steps = max(len(actions) for _, actions in found)
    # padded with steps of reward 0 that belong to no row of theta
    mask = [[t < len(actions) for t in range(steps)] for _, actions in found]
    state = [[*states[: len(actions)], *[0] * (steps - len(actions))] for states, actions in found]
    action = [[*actions, *[0] * (steps - len(actions))] for _, actions in found]
    row = torch.tensor([[rows[s] for s in line] for line in state], dtype=torch.long, device=device)
    mask_ = torch.tensor(mask, dtype=torch.bool, device=device)
    state_, action_ = (torch.tensor(part, dtype=torch.long, device=device) for part in (state, action))
    world = torch.tensor([_world(exact, one) for one in found], dtype=a.theta.dtype, device=device)

    logs = torch.log_softmax(a.theta, -1)
    taken = logs[..., row, action_].masked_fill(~mask_, 0.0)
    chance = world * taken.sum(-1).exp()
    rewards = a.mdp.r[state_, action_].masked_fill(~mask_, 0.0)
    powers = torch.stack([a.gamma**t for t in range(steps)]) if steps else rewards.new_zeros(0)
    powers = powers.to(rewards.device)
    discounted = rewards * powers
    whole = discounted.sum(-1)
    # Σ_{k>=t} γ^k R_{k+1} is γ^t G_t; without the factor it is summed from the end, never divided by γ^t
    to_go = discounted.flip(-1).cumsum(-1).flip(-1)
    plain = _to_go(rewards, a.gamma)
    scores = score(TORCH, logs.exp()[..., row, :], action_) * mask_.unsqueeze(-1)
    belongs = torch.nn.functional.one_hot(row, a.theta.shape[-2]).to(a.theta.dtype)

    def expected(weights: Any) -> Any:
        weighted = (chance.unsqueeze(-1) * weights).unsqueeze(-1) * scores
        return torch.einsum("...ntb,ntk->...kb", weighted, belongs)

    forms = {
        "trajectory": expected(whole.unsqueeze(-1).expand_as(rewards)),
        "reward-to-go": expected(to_go),
        "no-gamma-t": expected(plain),
    }
    return {
        "gradient": forms[a.form],
        "objective": (chance * whole).sum(-1),
        "difference": expected(plain * (1 - powers)),
    }


def _to_go(rewards: Any, gamma: Any) -> Any:
    """G_t of every padded trajectory."""
    found: list[Any] = []
    ahead = torch.zeros_like(rewards[..., 0]) if rewards.shape[-1] else None
    for t in reversed(range(rewards.shape[-1])):
        ahead = rewards[..., t] + gamma * ahead
        found.append(ahead)
    return torch.stack(found[::-1], -1) if found else rewards


def _world(mdp: MDP, one: Trajectory) -> float:
    """Probability of the start and of all transitions, given the actions."""
    states, actions = one
    chance = mdp.start[states[0]]
    for s, a, after in zip(states, actions, states[1:], strict=False):
        chance *= mdp.p[s][a][after]
    return float(chance)
