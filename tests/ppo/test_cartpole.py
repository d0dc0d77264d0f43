"""CartPole against Gymnasium's: states, flags, rewards, time limit and resets."""

import math
from dataclasses import replace

import gymnasium
import numpy as np
import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from rlcalc.ppo.envs import make_env
from rlcalc.ppo.envs.base import Copies
from rlcalc.ppo.envs.cartpole import START, TAU, THETA_LIMIT, X_LIMIT, CartPole


def build(kind=CartPole, n=8, seed=0, dtype=torch.float64, **options):
    return kind(Copies(n, seed, torch.device("cpu"), dtype), **options)


def put(env, states, steps=None):
    """Load states [N, 4], and steps [N] where given, into the Torch environment."""
    saved = env.state_dict()
    saved["state"] = torch.as_tensor(np.asarray(states), dtype=env.dtype)
    if steps is not None:
        saved["steps"] = torch.as_tensor(steps, dtype=torch.int32)
    env.load_state_dict(saved)


class Gym:
    """N of Gymnasium's CartPole-v1 side by side, their state in float64; those that ended are reset."""

    def __init__(self, n):
        by_hand = {"autoreset_mode": gymnasium.vector.AutoresetMode.DISABLED}
        self.vector = gymnasium.make_vec("CartPole-v1", n, "sync", vector_kwargs=by_hand)
        self.vector.reset(seed=list(range(n)))
        self.envs = self.vector.envs

    def states(self):
        return np.stack([env.unwrapped.state for env in self.envs])

    def step(self, action):
        _, reward, terminated, truncated, _ = self.vector.step(np.asarray(action))
        successor, ended = self.states(), terminated | truncated
        if ended.any():
            self.vector.reset(options={"reset_mask": ended})
        return successor, reward, terminated, truncated


def random_actions(rng, states):
    return rng.integers(0, 2, len(states))


def balancing(rng, states):
    """Push where the pole is falling to: keeps it up far beyond 500 steps."""
    return (states[:, 2] + 0.3 * states[:, 3] + 0.02 * states[:, 0] + 0.03 * states[:, 1] > 0).astype(int)


def compare(env, policy, steps, every_step=False):
    """Step Gymnasium and ``env`` side by side; episodes that ended, by flag.

    Where an episode of Gymnasium is reset, its first state is loaded into
    ``env``; with ``every_step`` all states are, so that an error is one step's.
    """
    gym, rng = Gym(env.num_envs), np.random.default_rng(5)
    put(env, gym.states(), [0] * env.num_envs)
    ended = {"terminated": 0, "truncated": 0}
    for _ in range(steps):
        action = policy(rng, gym.states())
        successor, reward, terminated, truncated = gym.step(action)
        got = env.step(torch.from_numpy(action))
        np.testing.assert_allclose(got.successor.numpy(), successor, rtol=0, atol=1e-12)
        np.testing.assert_array_equal(got.terminated.numpy(), terminated)
        np.testing.assert_array_equal(got.truncated.numpy(), truncated)
        np.testing.assert_array_equal(got.reward.numpy(), reward)
        over = terminated | truncated
        observed = got.observation.numpy()
        np.testing.assert_array_equal(observed[~over], got.successor.numpy()[~over])
        assert (np.abs(observed[over]) <= START).all(), "an episode begins near the middle"
        ended["terminated"] += int(terminated.sum())
        ended["truncated"] += int(truncated.sum())
        if every_step:
            put(env, gym.states())
        elif over.any():
            put(env, np.where(over[:, None], gym.states(), observed))
    return ended


@pytest.mark.slow
def test_thousands_of_random_steps_equal_gymnasium():
    ended = compare(build(), random_actions, 1500)  # 8 copies: 12,000 steps
    assert ended["terminated"] > 300
    assert ended["truncated"] == 0


def test_whole_episodes_up_to_the_time_limit_equal_gymnasium():
    # an upside-down pole doubles an error every nine steps, so each step starts from Gymnasium's state
    ended = compare(build(n=3), balancing, 1100, every_step=True)
    assert ended == {"terminated": 0, "truncated": 6}


def test_one_step_from_states_far_and_wide():
    rng = np.random.default_rng(1)
    states = rng.uniform([-2.4, -4, -0.21, -4], [2.4, 4, 0.21, 4], (500, 4))
    action = rng.integers(0, 2, 500)
    env, gym = build(n=500), gymnasium.make("CartPole-v1").unwrapped
    put(env, states)
    got = env.step(torch.from_numpy(action))
    for k in range(500):
        gym.reset()
        gym.state = states[k]
        _, _, terminated, _, _ = gym.step(int(action[k]))
        # the same operations in the same order: no more than the last bits of sin and cos may differ
        np.testing.assert_allclose(got.successor[k].numpy(), gym.state, rtol=1e-15, atol=1e-16)
        assert bool(got.terminated[k]) == terminated


@pytest.mark.parametrize("column", [0, 2])
@pytest.mark.parametrize("sign", [-1.0, 1.0])
def test_termination_is_beyond_the_limit_and_not_at_it(column, sign):
    limit = (X_LIMIT, None, THETA_LIMIT)[column]
    states = np.zeros((2, 4))
    states[:, column] = sign * limit, sign * math.nextafter(limit, 9.0)
    env, gym = build(n=2), Gym(2)
    put(env, states)
    for one, state in zip(gym.envs, states, strict=True):
        one.unwrapped.state = state
    assert gym.step([0, 0])[2].tolist() == [False, True]
    assert env.step(torch.tensor([0, 0])).terminated.tolist() == [False, True]


def test_falling_on_the_last_step_raises_both_flags_as_in_gymnasium():
    state = [[X_LIMIT, 1.0, 0.0, 0.0]]
    env, gym = build(n=1), Gym(1)
    put(env, state, [499])
    gym.envs[0].unwrapped.state = np.array(state[0])
    wrapper = gym.envs[0]
    while not isinstance(wrapper, gymnasium.wrappers.TimeLimit):
        wrapper = wrapper.env
    wrapper._elapsed_steps = 499
    _, reward, terminated, truncated = gym.step([1])
    got = env.step(torch.tensor([1]))
    assert (reward.tolist(), terminated.tolist(), truncated.tolist()) == ([1.0], [True], [True])
    assert (got.reward.tolist(), got.terminated.tolist(), got.truncated.tolist()) == ([1.0], [True], [True])
    assert env.state_dict()["steps"].tolist() == [0]


def test_single_precision_stays_close_for_one_step():
    states = torch.rand(64, 4, generator=torch.Generator().manual_seed(3), dtype=torch.float64) * 0.4 - 0.2
    action = torch.arange(64) % 2
    found = {}
    for dtype in (torch.float32, torch.float64):
        env = build(n=64, dtype=dtype)
        put(env, states)
        found[dtype] = env.step(action)
        assert found[dtype].reward.dtype == found[dtype].observation.dtype == dtype
    torch.testing.assert_close(
        found[torch.float32].successor.double(), found[torch.float64].successor, rtol=0, atol=2e-7
    )


def test_first_states_are_uniform_and_independent():
    from scipy import stats  # long to import, and asked for here alone

    # a time limit of one step makes every observation a first one
    env = build(n=500, time_limit=1)
    action = torch.zeros(500, dtype=torch.int64)
    first = torch.cat([env.reset(), *(env.step(action).observation for _ in range(9))]).numpy()
    assert (np.abs(first) <= START).all()
    for column in first.T:
        assert stats.kstest(column, stats.uniform(-START, 2 * START).cdf).pvalue > 1e-3
    correlation = np.corrcoef(first.T) - np.eye(4)
    assert np.abs(correlation).max() < 4.5 / math.sqrt(len(first))
    assert len(np.unique(first[:, 0])) == len(first)


def test_agrees_with_what_gymnasium_registered():
    spec = gymnasium.spec("CartPole-v1")
    env = make_env("cartpole", 2, 0, "cpu", torch.float32)
    assert (spec.max_episode_steps, spec.reward_threshold) == (500, env.solved_at)


# broken variants: the comparison above must see each of them


class Changed(CartPole):
    """A transition that is not the right one."""

    change = staticmethod(lambda env, t: t)

    def step(self, action):
        return self.change(self, super().step(action))


def never_counts_again(env, t):
    env._steps.fill_(env._steps.max() + 1)
    return t


def semi_implicit(env, t):
    moved = t.successor.clone()
    moved[:, 0::2] += TAU**2 * env._acceleration
    env._now.copy_(torch.where(env._ended_column, env._now, moved))
    return replace(t, observation=torch.where(env._ended_column, t.observation, moved), successor=moved)


class WrongWay(CartPole):
    def step(self, action):
        return super().step(1 - action)


class DegreesMixedUp(CartPole):
    def _make_constants(self, time_limit):
        super()._make_constants(time_limit)
        self._limits[2] = 0.2


class OneStepTooMany(CartPole):
    def _make_constants(self, time_limit):
        super()._make_constants(time_limit + 1)


@pytest.mark.parametrize(
    ("kind", "policy", "steps"),
    [
        (lambda env, t: replace(t, successor=t.observation), random_actions, 60),
        (lambda env, t: replace(t, observation=t.successor), random_actions, 60),
        (lambda env, t: replace(t, reward=t.reward * ~t.terminated), random_actions, 60),
        (lambda env, t: replace(t, terminated=t.terminated | t.truncated), balancing, 501),
        (semi_implicit, random_actions, 1),
        (WrongWay, random_actions, 1),
        (DegreesMixedUp, random_actions, 200),
        (OneStepTooMany, balancing, 501),
        (never_counts_again, random_actions, 501),
    ],
)
def test_a_broken_variant_is_seen(kind, policy, steps):
    if not isinstance(kind, type):
        kind = type("Broken", (Changed,), {"change": staticmethod(kind)})
    with pytest.raises(AssertionError):
        compare(build(kind, n=3), policy, steps, every_step=policy is balancing)


# how it runs


class Calls(TorchDispatchMode):
    """Names of the Torch operations below it."""

    def __init__(self):
        super().__init__()
        self.names = []

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        self.names.append(func._schema.name.removeprefix("aten::"))
        return func(*args, **(kwargs or {}))


def test_a_step_is_few_operations_and_waits_for_none():
    env = build(dtype=torch.float32)
    with Calls() as calls:
        env.step(torch.zeros(8, dtype=torch.int64))
    assert len(calls.names) <= 34, calls.names
    waiting = {"_local_scalar_dense", "item", "nonzero", "equal", "is_nonzero", "_to_copy", "masked_select"}
    assert not waiting & set(calls.names)


def test_the_constant_reward_cannot_be_written_to():
    with pytest.raises(RuntimeError, match="written-to tensor"):
        build().step(torch.zeros(8, dtype=torch.int64)).reward.add_(1)
