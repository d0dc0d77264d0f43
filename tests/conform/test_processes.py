"""Dynamic programming on tables, as students write it: P and R in their orders, or a table of Gymnasium."""

from __future__ import annotations

import numpy as np

from rlcalc.conform import conform
from tests.conform.altered import altered
from tests.conform.as_it_stands import judging

# right ones


def value_iteration(P, R, gamma, theta=1e-6):
    V = np.zeros(len(P))
    while True:
        Q = R + gamma * P @ V
        change = np.abs(Q.max(axis=1) - V).max()
        V = Q.max(axis=1)
        if change < theta:
            return V, Q.argmax(axis=1)


def solve_by_value_iteration(T, R, discount, tol=1e-4, max_iter=500):
    """T [A, S, S'], R [A, S]: loops, in place, the policy first."""
    n_actions, n_states, _ = T.shape
    U = np.zeros(n_states)
    for _ in range(max_iter):
        before = U.copy()
        for s in range(n_states):
            U[s] = max(T[a, s] @ (R[a, s] + discount * U) for a in range(n_actions))
        if np.abs(U - before).max() < tol:
            break
    greedy = np.array(
        [[T[a, s] @ (R[a, s] + discount * U) for a in range(n_actions)] for s in range(n_states)]
    )
    return np.eye(n_actions)[greedy.argmax(1)], U


def value_iteration_on_an_environment(env, theta=1e-4, discount_factor=1.0):
    def ahead(state, V):
        A = np.zeros(env.action_space.n)
        for a in range(env.action_space.n):
            for prob, next_state, reward, _ in env.unwrapped.P[state][a]:
                A[a] += prob * (reward + discount_factor * V[next_state])
        return A

    V = np.zeros(env.observation_space.n)
    delta = theta
    while delta >= theta:
        delta = 0.0
        for s in range(env.observation_space.n):
            best = ahead(s, V).max()
            delta = max(delta, abs(best - V[s]))
            V[s] = best
    return V


def policy_evaluation(pi, P, gamma=1.0, theta=1e-8):
    """A function of the state for the policy; values in a dict."""
    V = dict.fromkeys(P, 0.0)
    while True:
        new = {}
        for s in P:
            new[s] = sum(p * (r + gamma * V[t] * (not done)) for p, t, r, done in P[s][pi(s)])
        change = max(abs(new[s] - V[s]) for s in P)
        V = new
        if change < theta:
            return V


def evaluate_by_solving(P, R, policy, gamma):
    moves = np.einsum("sa,sat->st", policy, P)
    return np.linalg.solve(np.eye(len(P)) - gamma * moves, (policy * R).sum(1))


def policy_iteration(P, R, gamma):
    rows = np.arange(len(P))
    pi = np.zeros(len(P), int)
    while True:
        V = np.linalg.solve(np.eye(len(P)) - gamma * P[rows, pi], R[rows, pi])
        better = (R + gamma * P @ V).argmax(1)
        if (better == pi).all():
            return pi, V
        pi = better


def bellman_backup(V, P, R, gamma):
    return (R + gamma * P @ V).max(axis=1)


def q_from_v(P, V, s, gamma=0.99):
    return np.array([sum(p * (r + gamma * V[t]) for p, t, r, _ in P[s][a]) for a in P[s]])


def values_of_a_reward_process(P_pi, R_pi, gamma):
    """P and R of the policy, as a column."""
    return np.linalg.inv(np.eye(len(P_pi)) - gamma * P_pi) @ R_pi.reshape(-1, 1)


# wrong ones


def value_iteration_averaging(P, R, gamma, theta=1e-6):
    V, change = np.zeros(len(P)), theta
    while change >= theta:
        new = (R + gamma * P @ V).mean(axis=1)
        V, change = new, np.abs(new - V).max()
    return V


def value_iteration_for_the_reward(P, R, gamma, theta=1e-6):
    rows, best = np.arange(len(P)), R.argmax(1)
    V, change = np.zeros(len(P)), theta
    while change >= theta:
        new = R[rows, best] + gamma * P[rows, best] @ V
        V, change = new, np.abs(new - V).max()
    return V, best


def value_iteration_by_another_name(P, R, gamma, theta=1e-6):
    V = np.zeros(len(P))
    while True:
        old = V
        for s in range(len(P)):
            V[s] = (R[s] + gamma * P[s] @ old).max()
        if np.abs(V - old).max() < theta:
            return V


def policy_evaluation_uniform(P, R, policy, gamma, theta=1e-6):
    V, change = np.zeros(len(P)), theta
    while change >= theta:
        new = (R + gamma * P @ V).mean(axis=1)
        V, change = new, np.abs(new - V).max()
    return V


def policy_iteration_once(P, R, gamma):
    rows, pi = np.arange(len(P)), np.zeros(len(P), int)
    for _ in range(2):
        V = np.linalg.solve(np.eye(len(P)) - gamma * P[rows, pi], R[rows, pi])
        pi = (R + gamma * P @ V).argmax(1)
    return V


def q_forgetting_gamma(P, R, V, gamma):
    return R + np.einsum("sat,t->sa", P, V)


ARRAYS = "P sat, R sa"
test_dynamic_programming = judging(
    [
        (value_iteration, "bellman", "conforms", ARRAYS),
        (policy_iteration_once, "policy_iteration", "stops-after-one-improvement", ARRAYS),
        (policy_evaluation, "policy_eval", "conforms", "P gym, policy by function"),
        (q_from_v, "value_iteration", "conforms", "P gym"),
        (value_iteration_by_another_name, "bellman", "one-sweep-in-place", ARRAYS),
        (q_forgetting_gamma, "value_iteration", "discount-missing", ARRAYS),
        (solve_by_value_iteration, "bellman", "conforms", "P ast, R as"),
        (value_iteration_on_an_environment, "bellman", "conforms", "P gym"),
        (evaluate_by_solving, "policy_eval", "conforms", f"{ARRAYS}, policy by rows, terminal rows 0"),
        (policy_iteration, "policy_iteration", "conforms", ARRAYS),
        (bellman_backup, "value_iteration", "conforms", ARRAYS),
        (values_of_a_reward_process, "policy_eval", "conforms", "P st, R s, terminal rows 0"),
        (value_iteration_averaging, "bellman", "mean-over-actions", ARRAYS),
        (value_iteration_for_the_reward, "bellman", "greedy-for-the-reward", ARRAYS),
        (policy_evaluation_uniform, "policy_eval", "policy-ignored", f"{ARRAYS}, policy by rows"),
    ],
    inner=6,
)


# answers of another sort


def policy_improvement(V, P, gamma=1.0):
    """The policy alone, as a function of the state."""

    def best(s):
        return int(
            np.argmax([sum(p * (r + gamma * V[t]) for p, t, r, _ in P[s][a]) for a in range(len(P[s]))])
        )

    return best


def policy_improvement_as_a_table(V, P, gamma=1.0):
    policy = np.zeros((len(P), len(P[0])))
    for s in range(len(P)):
        q = [sum(p * (r + gamma * V[t]) for p, t, r, _ in P[s][a]) for a in range(len(P[s]))]
        policy[s, np.argmax(q)] = 1
    return policy


def policy_improvement_by_cost(V, P, R, gamma):
    return np.eye(R.shape[1])[(R + gamma * P @ V).argmin(axis=1)]


def value_iteration_with_a_policy_for_the_reward(P, R, gamma, theta=1e-6):
    """Right values beside a policy that is not the best."""
    return value_iteration(P, R, gamma, theta)[0], R.argmax(axis=1)


def value_iteration_into(V, P, R, gamma, tol=1e-6):
    """It writes over the table that it is given, and returns nothing."""
    change = tol
    while change >= tol:
        before = V.copy()
        V[:] = (R + gamma * P @ V).max(axis=1)
        change = np.abs(V - before).max()


def value_iteration_to_a_millionth(P, R, gamma):
    V, before = np.zeros(len(P)), np.ones(len(P))
    while np.abs(V - before).max() > 1e-6:
        V, before = (R + gamma * P @ V).max(axis=1), V
    return V


def policy_evaluation_to_a_thousandth(P, R, policy, gamma):
    V, before = np.zeros(len(P)), np.ones(len(P))
    while np.abs(V - before).max() >= 1e-3:
        V, before = (policy * (R + gamma * P @ V)).sum(axis=1), V
    return V


def value_iteration_of_sweeps(P, R, gamma, n_sweeps):
    V = np.zeros(len(P))
    for _ in range(n_sweeps):
        V = (R + gamma * P @ V).max(axis=1)
    return V


# right in the limit, which is not what it is asked for
value_iteration_once_more = altered(value_iteration_of_sweeps, {"range(n_sweeps)": "range(n_sweeps + 1)"})

test_policies_and_tables = judging(
    [
        (value_iteration_once_more, "value_iteration", "one-sweep-more", ARRAYS),
        (value_iteration_of_sweeps, "value_iteration", "conforms", ARRAYS),
        (policy_improvement, "value_iteration", "conforms", "P gym"),
        (policy_improvement_by_cost, "value_iteration", "smallest-action-value", ARRAYS),
        (value_iteration_with_a_policy_for_the_reward, "bellman", "nonconforming", ARRAYS),
        (value_iteration_into, "bellman", "conforms", ARRAYS),
        (value_iteration_to_a_millionth, "bellman", "conforms", ARRAYS),
        (
            policy_evaluation_to_a_thousandth,
            "policy_eval",
            "stops-at-a-small-change",
            f"{ARRAYS}, policy by rows",
        ),
    ],
    inner=3,
)


def test_a_policy_of_as_many_states_as_actions_is_not_turned() -> None:
    found = conform(policy_improvement_as_a_table, "value_iteration", random=30)
    assert found.verdict == "conforms", found.judgements[-1]
