"""Functions on decision processes and words: right ones written for this file, and wrong ones."""

from __future__ import annotations

import numpy as np

# right ones


def optimal_values(mdp, gamma):
    """Value iteration until nothing moves, for a long discount ended by Newton steps.

    Rows of a terminal state are zeros.
    """
    p, r = mdp["p"], mdp["r"]
    gamma = p.dtype.type(gamma)
    values = np.zeros(len(p), p.dtype)
    for _ in range(3000):
        new = (r + gamma * (p @ values)).max(axis=-1)
        if np.array_equal(new, values):
            return values
        values = new
    rows = np.arange(len(p))
    for _ in range(9 * (gamma < 1)):
        best = (r + gamma * (p @ values)).argmax(axis=-1)
        values = np.linalg.solve(np.eye(len(p), dtype=p.dtype) - gamma * p[rows, best], r[rows, best])
    return values


def policy_values(mdp, policy, gamma):
    p, r = mdp["p"], mdp["r"]
    kind = p.dtype.type
    if isinstance(policy, str):
        policy = np.full(r.shape, 1 / r.shape[-1], p.dtype)
    if policy.shape[-2] != len(p):  # one row for each state that goes on
        whole = np.zeros((*policy.shape[:-2], *r.shape), p.dtype)
        whole[..., ~np.array(mdp["terminal"]), :] = policy
        policy = whole
    moves = np.einsum("...sa,sat->...st", policy, p)
    right = (policy * r).sum(axis=-1)
    matrix = np.eye(len(p), dtype=p.dtype) - kind(gamma) * moves
    return np.linalg.solve(matrix, right[..., None])[..., 0]


def gradient(mdp, theta, gamma=1.0, form="trajectory", horizon=float("inf")):
    """Every trajectory in turn, one preference table after the other."""
    found = np.empty_like(theta)
    for at in np.ndindex(theta.shape[:-2]):
        found[at] = _one_gradient(mdp, theta[at].astype(np.float64), gamma, form, horizon)
    return found


def _one_gradient(mdp, theta, gamma: float, form: str, horizon: float):
    live = [s for s, over in enumerate(mdp["terminal"]) if not over]
    count = len(mdp["terminal"])
    row = {s: s if len(theta) == count else live.index(s) if len(theta) == len(live) else 0 for s in live}
    policy = np.exp(theta - theta.max(axis=-1, keepdims=True))
    policy /= policy.sum(axis=-1, keepdims=True)
    total = np.zeros_like(theta)

    def walk(s: int, chance: float, steps: list[tuple[int, int, float]]) -> None:
        if mdp["terminal"][s] or len(steps) == horizon:
            for t, (k, a, _) in enumerate(steps[:1] if form == "first-score" else steps):
                score = -policy[k].copy()
                score[a] += 1
                first = 0 if form == "trajectory" else t
                weight = sum(gamma**j * x for j, (_, _, x) in enumerate(steps[first:]))
                total[k] += chance * (gamma**t if form == "reward-to-go" else 1) * weight * score
            return
        for a, taken in enumerate(policy[row[s]]):
            for t, moves in enumerate(mdp["p"][s][a]):
                if moves:
                    step = (row[s], a, float(mdp["r"][s][a]))
                    walk(t, chance * float(taken) * float(moves), [*steps, step])

    for s, chance in enumerate(mdp["start"]):
        if chance:
            walk(s, float(chance), [])
    return total


def traces(states, gamma, lam, rewards=None, values=None, replacing=False, alpha=None, ratios=None):
    """Forward in time, one state after the other."""
    names = list(dict.fromkeys(states))
    per_step = [each for each in (rewards, ratios) if each is not None]
    steps = len(per_step[0]) if per_step else len(states)
    kind = per_step[0].dtype.type if per_step else np.float64
    trace = dict.fromkeys(names, kind(0))
    rows = []
    for t, state in enumerate(states[:steps]):
        trace = {name: kind(gamma * lam) * e for name, e in trace.items()}
        trace[state] = kind(1) if replacing else trace[state] + kind(1)
        if ratios is not None:
            trace = {name: ratios[t] * z for name, z in trace.items()}
        rows.append([trace[name] for name in names])
    eligibility = np.array(rows, kind)
    if rewards is None:
        return {"eligibility": eligibility}
    worth = np.zeros(len(names), kind) if values is None else values
    along = [worth[names.index(s)] for s in states] + [kind(0)] * (steps + 1 - len(states))
    errors = np.array([rewards[t] + kind(gamma) * along[t + 1] - along[t] for t in range(steps)], kind)
    credit = errors @ eligibility
    found = {"eligibility": eligibility, "td_errors": errors, "credit": credit}
    if alpha is not None:
        found |= {"updates": kind(alpha) * credit, "new_values": worth + kind(alpha) * credit}
    return found


def token_returns(prompt, tokens, reward, gamma):
    later, found = reward, [reward]
    for _ in tokens[1:]:
        later = gamma * later
        found.insert(0, later)
    return np.stack(found, axis=-1)


# wrong ones


def most_likely_successor(mdp, gamma):
    """Plans as if the likeliest successor were certain."""
    p = np.zeros_like(mdp["p"])
    for s, a in np.ndindex(p.shape[:2]):
        if mdp["p"][s, a].any():
            p[s, a, mdp["p"][s, a].argmax()] = 1
    return optimal_values({**mdp, "p": p}, gamma)


def uniform_whatever_is_asked(mdp, policy, gamma):
    return (
        policy_values(mdp, "uniform", gamma) if isinstance(policy, str) else _same_for_all(mdp, policy, gamma)
    )


def _same_for_all(mdp, policy, gamma):
    return policy_values(mdp, np.full_like(policy, 1 / policy.shape[-1]), gamma)


def without_gamma_t(mdp, theta, gamma=1.0, form="trajectory", horizon=float("inf")):
    """The weight that most code uses, whichever form is asked for."""
    return gradient(mdp, theta, gamma, "no-gamma-t", horizon)


def always_replacing(**given):
    return traces(**{**given, "replacing": True})


def credit_from_zero_values(**given):
    """Forgets the value of the state that the episode stopped in."""
    found = traces(**given)
    if given.get("values") is not None and len(given["states"]) > len(given["rewards"]):
        last = {**given, "states": given["states"][:-1], "values": given["values"]}
        names = list(dict.fromkeys(last["states"]))
        last["values"] = given["values"][: len(names)]
        short = traces(**last)["credit"]
        found["credit"] = np.concatenate([short, found["credit"][len(short) :] * 0])
    return found


def one_discount_more(prompt, tokens, reward, gamma):
    """Discounts the last reward for its own step, too."""
    return token_returns(prompt, tokens, reward, gamma) * np.asarray(gamma)[..., None]


def scales_rewards_in_place(mdp, gamma):
    found = optimal_values(mdp, gamma)
    mdp["r"] *= 2
    return found


RIGHT = {
    "bellman": optimal_values,
    "policy_eval": policy_values,
    "policy_gradient": gradient,
    "traces": traces,
    "token_mdp": token_returns,
}
