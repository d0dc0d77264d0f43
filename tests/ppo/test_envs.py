"""The batched environments against exact MDPs, and the adapter against Gymnasium itself."""

import itertools
import math
import sys

import gymnasium
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from rlcalc.errors import DataError, InputError, UnknownName
from rlcalc.mdp.reading import read_mdp
from rlcalc.ppo.envs import make_env
from rlcalc.ppo.envs.base import BoxActions, Copies, DiscreteActions, Transition
from rlcalc.ppo.envs.gym import GymEnv
from tests.ppo.parts import registered
from tests.refused import refused

CPU = torch.device("cpu")
VARIANTS = [
    ("bandit", {}),
    ("tokens", {}),
    ("grid2x2", {}),
    ("grid2x2", {"slip": "1/5", "exploring_starts": True, "time_limit": 5}),
    ("cartpole", {"time_limit": 9}),
]


def build(name, n=4, seed=0, dtype=torch.float64, **options):
    return make_env(name, n, seed, "cpu", dtype, **options)


def draws(env, count, seed=1):
    generator = torch.Generator().manual_seed(seed)
    return [torch.randint(env.action.count, (env.num_envs,), generator=generator) for _ in range(count)]


def parts(t):
    return (t.observation, t.reward, t.terminated, t.truncated, t.successor)


# the bandit


def test_the_bandit_pays_ten_for_left_and_ends():
    env = build("bandit", 2)
    torch.testing.assert_close(env.reset(), torch.tensor([[1.0, 0.0]] * 2, dtype=torch.float64))
    found = env.step(torch.tensor([0, 1]))
    assert found.reward.tolist() == [10.0, 0.0]
    assert found.terminated.tolist() == [True, True]
    assert found.truncated.tolist() == [False, False]
    assert found.successor.tolist() == [[0.0, 1.0]] * 2
    assert found.observation.tolist() == [[1.0, 0.0]] * 2
    assert env.solved_at == 10


# the grid


def stand(env, cells, steps=None):
    saved = env.state_dict()
    saved["cell"] = torch.as_tensor(cells)
    if steps is not None:
        saved["steps"] = torch.as_tensor(steps)
    env.load_state_dict(saved)


def test_every_move_on_the_grid_is_the_exact_one():
    mdp = read_mdp("grid2x2")
    pairs = list(itertools.product(mdp.non_terminal, range(4)))
    env = build("grid2x2", len(pairs))
    stand(env, [s for s, _ in pairs])
    found = env.step(torch.tensor([a for _, a in pairs]))
    for k, (s, a) in enumerate(pairs):
        (there,) = mdp.successors(s, a)
        assert found.successor[k].tolist() == [float(t == there) for t in range(4)]
        assert found.reward[k].item() == mdp.r[s][a]
        assert found.terminated[k].item() == mdp.terminal[there]
        after = 0 if mdp.terminal[there] else there
        assert found.observation[k].argmax().item() == after
    assert not found.truncated.any()


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_slipping_has_the_exact_probabilities(dtype):
    mdp, count = read_mdp("grid2x2:slip=1/5"), 20_000
    pairs = list(itertools.product(mdp.non_terminal, range(4)))
    env = build("grid2x2", len(pairs) * count, dtype=dtype, slip="1/5")
    stand(env, torch.tensor([s for s, _ in pairs]).repeat_interleave(count))
    found = env.step(torch.tensor([a for _, a in pairs]).repeat_interleave(count))
    landed = found.successor.view(len(pairs), count, 4).mean(1, dtype=torch.float64)
    earned = found.reward.view(len(pairs), count).mean(1, dtype=torch.float64)
    for k, (s, a) in enumerate(pairs):
        for t, chance in enumerate(map(float, mdp.p[s][a])):
            assert abs(landed[k, t].item() - chance) <= 4.5 * math.sqrt(chance * (1 - chance) / count)
        assert earned[k].item() == pytest.approx(landed[k, 3].item(), abs=1e-12)


def test_exploring_starts_are_uniform_over_the_cells_that_are_not_the_goal():
    from scipy import stats  # long to import, and asked for here alone

    env = build("grid2x2", 3000, exploring_starts=True, time_limit=1)
    seen = env.reset().sum(0)
    for action in draws(env, 9):
        seen += env.step(action).observation.sum(0)
    assert seen[3] == 0
    assert stats.chisquare(seen[:3].numpy()).pvalue > 1e-3


def test_the_time_limit_truncates_and_the_goal_terminates():
    env = build("grid2x2", 3, time_limit=3)
    up, down, right = 0, 1, 3
    flags = []
    for action in ([up, up, up], [up, down, down], [up, right, up]):
        found = env.step(torch.tensor(action))
        flags.append((found.terminated.tolist(), found.truncated.tolist()))
    # copy 0 never arrives, copy 1 arrives with the last step (both flags), copy 2 bumps on the left
    assert flags[:2] == [([False] * 3, [False] * 3)] * 2
    assert flags[2] == ([False, True, False], [True, True, True])
    assert found.successor.argmax(1).tolist() == [0, 3, 0]
    assert found.reward.tolist() == [0.0, 1.0, 0.0]  # time that runs out pays nothing
    assert found.observation.argmax(1).tolist() == [0, 0, 0]
    assert env.state_dict()["steps"].tolist() == [0, 0, 0]


# the tokens


def test_all_nine_answers_and_their_rewards():
    answers = list(itertools.product(range(3), repeat=2))
    env = build("tokens", 9)
    prompt = env.reset()
    assert prompt.tolist() == [[1.0] + [0.0] * 6] * 9
    first = env.step(torch.tensor([a for a, _ in answers]))
    assert not first.reward.any()
    assert not first.terminated.any()
    second = env.step(torch.tensor([b for _, b in answers]))
    assert second.terminated.all()
    assert not second.truncated.any()
    for k, (a, b) in enumerate(answers):
        assert first.observation[k].tolist() == [1.0, *np.eye(3)[a], 0.0, 0.0, 0.0]
        assert second.successor[k].tolist() == [1.0, *np.eye(3)[a], *np.eye(3)[b]]
        assert second.reward[k].item() == float(env.words[b] == "5")
    assert torch.equal(second.observation, prompt)
    assert second.reward.mean().item() == pytest.approx(1 / 3)


# what holds of all of them


@pytest.mark.parametrize(("name", "options"), VARIANTS)
@settings(max_examples=15, deadline=None)
@given(
    seed=st.integers(0, 2**63 - 1),
    dtype=st.sampled_from([torch.float32, torch.float64]),
    script=st.lists(st.integers(0, 2**31), min_size=1, max_size=25),
)
def test_shapes_and_that_only_an_ended_episode_is_reset(name, options, seed, dtype, script):
    env = build(name, 5, seed, dtype, **options)
    assert (env.num_envs, env.dtype, env.device, env.name) == (5, dtype, CPU, name)
    assert isinstance(env.action, DiscreteActions)
    shape = (5, env.observation_size)
    first = env.reset()
    assert (first.shape, first.dtype) == (shape, dtype)
    for number in script:
        t = env.step((torch.arange(5) * 7 + number) % env.action.count)
        assert t.observation.shape == t.successor.shape == shape
        assert t.observation.dtype == t.successor.dtype == t.reward.dtype == dtype
        assert t.terminated.dtype == t.truncated.dtype == torch.bool
        assert t.reward.shape == t.terminated.shape == t.truncated.shape == (5,)
        goes_on = ~(t.terminated | t.truncated)
        assert torch.equal(t.observation[goes_on], t.successor[goes_on])
        assert t.observation.data_ptr() != t.successor.data_ptr()
        assert torch.isfinite(t.successor).all()
        if name in ("grid2x2", "bandit"):
            # terminated if and only if the successor is the terminal state, which no policy ever sees
            assert torch.equal(t.terminated, t.successor[:, -1] == 1)
            assert not t.observation[:, -1].any()
        if "time_limit" not in options:
            assert not t.truncated.any()


@pytest.mark.parametrize(("name", "options"), VARIANTS)
def test_a_saved_environment_goes_on_bit_for_bit(name, options):
    env = build(name, 6, **options)
    env.reset()
    for action in draws(env, 7):
        env.step(action)
    saved = env.state_dict()
    actions = draws(env, 40, seed=2)
    expected = [[part.clone() for part in parts(env.step(action))] for action in actions]
    other = build(name, 6, seed=99, **options)
    other.load_state_dict(saved)
    for action, before in zip(actions, expected, strict=True):
        assert all(map(torch.equal, parts(other.step(action)), before))


@pytest.mark.parametrize(
    ("name", "options"), [("grid2x2", {"slip": "1/2", "exploring_starts": True}), ("cartpole", {})]
)
def test_the_seed_alone_decides(name, options):
    def run(seed):
        env = build(name, 50, seed, **options)
        return torch.stack([env.reset(), *(env.step(action).successor for action in draws(env, 5))])

    assert torch.equal(run(4), run(4))
    assert not torch.equal(run(4), run(5))


@pytest.mark.parametrize(("name", "options"), VARIANTS)
def test_what_was_handed_out_is_never_written_to_again(name, options):
    env = build(name, 4, **options)
    kept = [env.reset()]
    for action in draws(env, 8):
        kept += parts(env.step(action))
    copies = [part.clone() for part in kept]
    for action in draws(env, 12, seed=3):
        env.step(action)
    env.reset()
    assert all(map(torch.equal, kept, copies))


def test_a_state_of_another_environment_is_refused_and_changes_nothing():
    env = build("cartpole")
    before = env.state_dict()
    wrong = [
        build("tokens").state_dict(),
        build("cartpole", 5).state_dict(),
        build("cartpole", dtype=torch.float32).state_dict(),
        {**before, "generator": torch.zeros(3, dtype=torch.uint8)},
        {},
    ]
    for state in wrong:
        with refused(DataError, "env_state_foreign"):
            env.load_state_dict(state)
        assert all(torch.equal(value, before[key]) for key, value in env.state_dict().items())


# Gymnasium


class Diary(gymnasium.Env):
    """Observes (own number, episode, step) in one array that it fills again and again.

    Copy number c is terminated after c + 2 steps; the reward is 100·episode + 10·step + action.
    """

    action_space = gymnasium.spaces.Discrete(3, start=-1)
    observation_space = gymnasium.spaces.Box(-1e6, 1e6, (3,), np.float64)
    made = 0

    def __init__(self):
        self.number, self.episode, self.seeds = Diary.made % 3, -1, []
        self.page = np.zeros(3)
        Diary.made += 1

    def _write(self, t):
        self.page[:] = self.number, self.episode, t
        return self.page

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.seeds.append(seed)
        self.episode += 1
        return self._write(0), {}

    def step(self, action):
        t = int(self.page[2]) + 1
        return self._write(t), 100 * self.episode + 10 * t + action, t == self.number + 2, False, {}


class Shaped(gymnasium.Env):
    """Box in, box out, both with two axes; the observation after a step is the action."""

    action_space = gymnasium.spaces.Box(
        np.float32([[-1, -2], [-3, -np.inf]]), np.float32([[1, 2], [3, np.inf]]), dtype=np.float32
    )
    observation_space = gymnasium.spaces.Box(-np.inf, np.inf, (2, 2), np.float32)

    def __init__(self, fail=False):
        if fail:
            raise ValueError("told to fail \x1b[31m")

    def reset(self, *, seed=None, options=None):
        return np.zeros((2, 2), np.float32), {}

    def step(self, action):
        assert action.dtype == np.float32
        return action, 0.5, False, False, {}


BOX, SPACES = gymnasium.spaces.Box(0, 1, (2,)), gymnasium.spaces
UNSUPPORTED = {
    "Actions": (SPACES.MultiDiscrete([2, 3]), BOX),
    "Whole": (SPACES.Box(0, 3, (2,), np.int64), BOX),
    "Observations": (SPACES.Discrete(2), SPACES.Dict(a=BOX)),
}


@pytest.fixture(autouse=True, scope="module")
def others():
    kinds = {
        name: type(name, (Shaped,), {"action_space": actions, "observation_space": observations})
        for name, (actions, observations) in UNSUPPORTED.items()
    }
    with registered({"Diary": Diary}, max_episode_steps=3), registered(kinds | {"Shaped": Shaped}):
        yield


def diary_is_right(kind=GymEnv, dtype=torch.float64):
    """Step three diaries and compare with what they must contain."""
    Diary.made = 0
    env = kind("rlcalc/Diary-v0", Copies(3, 0, CPU, dtype))
    assert env.reset().tolist() == [[number, 0, 0] for number in range(3)]
    episode, t, kept = [0] * 3, [0] * 3, []
    for k in range(13):
        got = env.step(torch.tensor([k % 3, 1, 2]))
        for c, action in enumerate([k % 3 - 1, 0, 1]):
            t[c] += 1
            terminated, truncated = t[c] == c + 2, t[c] == 3
            assert got.successor[c].tolist() == [c, episode[c], t[c]]
            assert got.reward[c].item() == 100 * episode[c] + 10 * t[c] + action
            assert (got.terminated[c].item(), got.truncated[c].item()) == (terminated, truncated)
            if terminated or truncated:
                episode[c], t[c] = episode[c] + 1, 0
            assert got.observation[c].tolist() == [c, episode[c], t[c]]
        assert got.successor.dtype == got.observation.dtype == got.reward.dtype == dtype
        kept.append((parts(got), [part.clone() for part in parts(got)]))
    for before, copies in kept:
        assert all(map(torch.equal, before, copies))
    # copy 0 ends after 2 of 13 steps, copies 1 (both flags) and 2 (time) after 3
    assert episode == [6, 4, 4]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_successors_and_first_observations_are_kept_apart(dtype):
    diary_is_right(dtype=dtype)


class ResetAsSuccessor(GymEnv):
    def step(self, action):
        t = super().step(action)
        return Transition(t.observation, t.reward, t.terminated, t.truncated, t.observation)


class ActionsFromZero(GymEnv):
    def _taken(self, action):
        return action.numpy()


@pytest.mark.parametrize("kind", [ResetAsSuccessor, ActionsFromZero])
def test_a_broken_adapter_is_seen(kind):
    with pytest.raises(AssertionError):
        diary_is_right(kind)


def test_discrete_observations_are_one_hot_and_options_are_passed_on():
    env = build("gym:FrozenLake-v1", 2, is_slippery=False)
    assert (env.observation_size, env.action.count, env.reset().argmax(1).tolist()) == (16, 4, [0, 0])
    assert env.step(torch.tensor([1, 2])).successor.argmax(1).tolist() == [4, 1]  # down, right


def test_boxes_are_flattened_and_actions_brought_within_bounds():
    env = build("gym:rlcalc/Shaped-v0", 2)
    assert env.action == BoxActions(4, (-1, -2, -3, -math.inf), (1, 2, 3, math.inf))
    assert (env.observation_size, env.solved_at, env.reset().shape) == (4, None, (2, 4))
    found = env.step(torch.tensor([[0.5, 5.0, -5.0, 99.0], [-5.0, 1.0, 2.0, -99.0]], dtype=torch.float64))
    assert found.successor.tolist() == [[0.5, 2.0, -3.0, 99.0], [-1.0, 1.0, 2.0, -99.0]]
    assert found.observation.tolist() == found.successor.tolist()
    assert found.observation.data_ptr() != found.successor.data_ptr()
    assert found.reward.tolist() == [0.5, 0.5]


def test_copies_and_neighbouring_seeds_get_seeds_of_their_own():
    def seeds(env):
        env.reset()
        return [one.unwrapped.seeds for one in env._envs.envs]

    env = build("gym:rlcalc/Diary-v0", 3)
    first = seeds(env)
    assert len({seed for (seed,) in first}) == 3
    again, neighbour = (build("gym:rlcalc/Diary-v0", 3, seed) for seed in (0, 1))
    assert seeds(again) == first
    assert not {seed for (seed,) in seeds(neighbour)} & {seed for (seed,) in first}
    # only the first reset seeds: a second one goes on with the same random numbers
    env.reset()
    assert [one.unwrapped.seeds[1] for one in env._envs.envs] == [None] * 3


def test_a_gym_environment_says_that_it_cannot_be_resumed_and_is_reset():
    env = build("gym:CartPole-v1", 2)
    assert env.solved_at == 475
    first = env.reset()
    env.step(torch.tensor([0, 1]))
    saved = env.state_dict()
    other = build("gym:CartPole-v1", 2)
    assert other.resumable is False
    other.load_state_dict(saved)
    with pytest.raises(InputError, match="reset"):
        other.step(torch.tensor([0, 1]))
    begun = other.reset()
    assert not torch.isclose(begun, first).any()
    other.step(torch.tensor([0, 1]))
    assert other.state_dict() == {"steps": torch.tensor(2)}
    with refused(DataError, "env_state_foreign"):
        other.load_state_dict(build("bandit").state_dict())


@pytest.mark.parametrize(
    ("name", "options", "code", "words"),
    [
        ("cartpol", {}, "env_unknown", "cartpole"),
        ("grid", {}, "env_unknown", "grid2x2"),
        ("zzz", {}, "env_unknown", "gym:NAME"),
        ("cartpole", {"time_limitt": 3}, "env_unknown_option", "time_limit"),
        ("bandit", {"time_limitt": 3}, "env_unknown_option", "none"),
        ("bandit", {"num_envs": 1 << 25}, "env_count_out_of_range", "33554432"),
        ("bandit", {"num_envs": True}, "env_count_out_of_range", "True"),
        ("bandit", {"seed": -1}, "env_seed_out_of_range", "-1"),
        ("bandit", {"dtype": torch.float16}, "env_dtype_unsupported", "float16"),
        ("grid2x2", {"time_limit": 2.5}, "env_option_out_of_range", "2.5"),
        ("grid2x2", {"time_limit": True}, "env_option_out_of_range", "True"),
        ("grid2x2", {"time_limit": 2**31}, "env_option_out_of_range", "2147483648"),
        ("grid2x2", {"time_limit": 0}, "env_option_out_of_range", "0"),
        ("grid2x2", {"exploring_starts": 1}, "env_option_out_of_range", "true or false"),
        ("grid2x2", {"slip": "2"}, "mdp_negative_probability", "slip"),
        ("grid2x2", {"slip": "pi"}, "mdp_not_rational", "pi"),
        ("gym:CartPole-v9", {}, "gym_unknown", "CartPole-v1"),
        ("gym:Cartpole-v1", {}, "gym_unknown", "CartPole-v1"),
        ("gym:nowhere/CartPole-v1", {}, "gym_unknown", ""),
        ("gym:", {}, "gym_failed", "Malformed"),
        ("gym:no_such_module:A-v0", {}, "gym_failed", "no_such_module"),
        ("gym:CartPole-v1", {"colour": 1}, "gym_failed", "colour"),
        ("gym:rlcalc/Shaped-v0", {"fail": True}, "gym_failed", "told to fail \\x1b[31m"),
        ("gym:rlcalc/Actions-v0", {}, "gym_space_unsupported", "MultiDiscrete"),
        ("gym:rlcalc/Whole-v0", {}, "gym_space_unsupported", "int64"),
        ("gym:rlcalc/Observations-v0", {}, "gym_space_unsupported", "Dict"),
    ],
)
def test_what_cannot_be_made_is_refused_by_name(name, options, code, words):
    usual = {"num_envs": 2, "seed": 0, "device": "cpu", "dtype": torch.float32}
    with refused(InputError, code) as caught:
        make_env(name, **usual | options)
    assert isinstance(caught.value, UnknownName) is ("unknown" in code)
    assert words in str(caught.value)
    assert "\x1b" not in str(caught.value)


def test_without_gymnasium_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "gymnasium", None)
    with refused(InputError, "gym_missing", 'extra "test"'):
        build("gym:CartPole-v1")


def test_an_old_gymnasium_is_refused(monkeypatch):
    monkeypatch.delattr(gymnasium.vector, "AutoresetMode")
    with refused(InputError, "gym_too_old"):
        build("gym:CartPole-v1")
