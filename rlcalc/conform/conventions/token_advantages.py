"""Conventions of advantages in language-model training: groups of answers, whitening, masks."""

from __future__ import annotations

from typing import Any

from rlcalc._lazy import np
from rlcalc.conform.convention import Constant, Convention, convention
from rlcalc.conform.conventions._always import always
from rlcalc.conform.forms import Form, Outputs

EPS = Constant("eps", 1e-13, 0.5)

whitened_ddof_0 = always(
    "ddof-0",
    "The variance divides by the number of entries.",
    {
        "masked_whiten": "OpenRLHF, NeMo-RL's REINFORCE++",
        "group_advantage": "open-instruct's standard",
        "reinforce_pp_advantage": "OpenRLHF, NeMo-RL",
    },
    ddof=np.asarray(0),
)
mean_kept = always(
    "mean-kept",
    "The mean is put back after the division.",
    {"masked_whiten": "trl's masked_whiten with shift_mean=False; torchtune adds it under shift_mean=True"},
    shift_mean=False,
)
_WHITENED = {
    "masked_whiten": "each library with its own ε",
    "reinforce_pp_advantage": "each library with its own ε",
}


def _numbers(arrays: dict[str, Any]) -> Any:
    """What is whitened."""
    return np.asarray(arrays["x" if "x" in arrays else "rewards"])


def _with_eps(place: str) -> Any:
    def change(form: Form, eps: float, /, **arrays: Any) -> Outputs:
        like = _numbers(arrays)
        return dict(form(**{**arrays, "eps": np.asarray(eps, like.dtype), "place": place}))

    return change


def _equal_slack(form: Form, arrays: dict[str, Any], eps: float) -> Any:
    """Equal numbers have a mean that is rounded, which a small ε magnifies."""
    like = _numbers(arrays)
    mask = arrays.get("mask")
    numbers = like[np.broadcast_to(True if mask is None else np.asarray(mask, bool), like.shape)]
    even = numbers.size and eps and numbers.max() == numbers.min()
    return np.abs(numbers).max() / eps if even else 0


def _root_slack(form: Form, arrays: dict[str, Any], eps: float) -> Any:
    return _equal_slack(form, arrays, max(eps, 0.0) ** 0.5)


def _whitening(name: str, about: str, place: str) -> Convention:
    change = _with_eps(place)
    change.__doc__ = about
    slack = _equal_slack if place == "outside" else _root_slack
    return convention(name, _WHITENED, constants=[EPS], slack=slack, sets="eps")(change)


@convention(
    "nan-when-one",
    {"masked_whiten": "torch.std and torch.var of one number", "reinforce_pp_advantage": "the same"},
    undefined=True,
)
def nan_when_one(form: Form, /, **arrays: Any) -> Outputs:
    """Of a single valid entry there is no variance: the answer is 0/0, where the definition gives 0."""
    like = _numbers(arrays)
    mask = arrays.get("mask")
    count = like.size if mask is None else int(np.asarray(mask, bool).sum())
    found = dict(form(**arrays))
    lost = (
        ("whitened", "advantages")
        if count <= int(arrays["ddof"] if arrays["ddof"] is not None else 1)
        else ()
    )
    return {n: np.full_like(v, np.nan) if n in lost else v for n, v in found.items()}


eps_inside_root = _whitening("eps-inside-root", "ε is added to the variance.", "inside")
eps_1e_8_inside_root = eps_inside_root.instance(
    "eps-1e-8-inside-root",
    {"masked_whiten": "verl, trl, SkyRL, tunix", "reinforce_pp_advantage": "verl, slime"},
    1e-8,
)
eps_outside_root = _whitening("eps-outside-root", "ε is added to the standard deviation.", "outside")
eps_1e_8_outside_root = eps_outside_root.instance(
    "eps-1e-8-outside-root",
    dict.fromkeys(_WHITENED, "code that follows the whitening of stable-baselines3 and cleanrl"),
    1e-8,
)
variance_floored = _whitening("variance-floored", "The variance is held at ε or above.", "floor")

mean_only = always(
    "mean-only",
    "The mean of the group is taken away and nothing is divided.",
    {"group_advantage": "Dr. GRPO, open-instruct, prime-rl, tinker-cookbook"},
    scale="none",
)
batch_std = always(
    "batch-std",
    "Divided by the standard deviation of all rewards of the batch.",
    {"group_advantage": "trl's scale_rewards=batch"},
    scale="batch",
)
batch_std_of_centred = always(
    "batch-std-of-centred",
    "Divided by the standard deviation of all rewards, each less the mean of its group.",
    {"group_advantage": "ROLL's div_std_global"},
    scale="batch-centred",
)
over_the_mean = always(
    "over-the-mean",
    "Divided by the mean of the group.",
    {"group_advantage": "prime-rl and SkyRL as an option (MaxRL)"},
    scale="mean",
)
singleton_raw = always(
    "singleton-raw",
    "An answer that is alone in its group keeps its reward.",
    {"group_advantage": "verl, SkyRL", "rloo_advantage": "verl's rloo"},
    singleton="raw",
)


def _group_slack(form: Form, arrays: dict[str, Any], eps: float) -> Any:
    """Equal rewards have a mean that is rounded, which a small ε magnifies."""
    rewards, groups = np.asarray(arrays["rewards"]), np.asarray(arrays["groups"])
    own = [rewards[groups == name] for name in groups]
    return np.array([np.abs(x).max() / eps if x.max() == x.min() and eps else 0 for x in own])


@convention(
    "eps", {"group_advantage": "each library with its own"}, constants=[EPS], slack=_group_slack, sets="eps"
)
def group_eps(form: Form, eps: float, /, **arrays: Any) -> Outputs:
    """ε is added to the standard deviation."""
    return dict(form(**{**arrays, "eps": np.asarray(eps, np.asarray(arrays["rewards"]).dtype)}))


eps_1e_8 = group_eps.instance("eps-1e-8", {"group_advantage": "understand-r1-zero, open-instruct"}, 1e-8)
eps_1e_6 = group_eps.instance("eps-1e-6", {"group_advantage": "verl, slime, tunix, SkyRL, ROLL"}, 1e-6)
eps_1e_4 = group_eps.instance("eps-1e-4", {"group_advantage": "trl"}, 1e-4)


@convention(
    "singleton-raw-undivided",
    {"group_advantage": "loops over groups that leave one of a single answer as it is"},
    sets="singleton",
)
def singleton_raw_undivided(form: Form, /, **arrays: Any) -> Outputs:
    """An answer that is alone in its group keeps its reward, which is not divided by 1 + ε either."""
    found, groups = form(**{**arrays, "singleton": "raw"}), np.asarray(arrays["groups"])
    alone = (groups[:, None] == groups[None, :]).sum(-1) == 1
    return {**found, "advantages": np.where(alone, arrays["rewards"], found["advantages"])}


@convention(
    "singleton-nan",
    {"group_advantage": "OpenRLHF, torch.std of one number", "rloo_advantage": "OpenRLHF, 0/0"},
    sets="singleton",
)
def singleton_nan(form: Form, /, **arrays: Any) -> Outputs:
    """An answer that is alone in its group has no number: its spread is 0/0."""
    groups = np.asarray(arrays["groups"])
    alone = (groups[:, None] == groups[None, :]).sum(-1) == 1
    return {n: np.where(alone, np.nan, v) for n, v in form(**arrays).items() if v is not None}


_IN_TURNS = "rollouts that go through the prompts once for each answer"


@convention("answers-in-turns", {"group_advantage": _IN_TURNS, "rloo_advantage": _IN_TURNS})
def answers_in_turns(form: Form, /, **arrays: Any) -> Outputs:
    """The first answer to every prompt comes before the second to any: with the answers to a prompt one
    after the other, different prompts are compared.
    """
    groups = np.asarray(arrays["groups"])
    counts = (groups[:, None] == groups[None, :]).sum(-1)
    turns = np.arange(groups.size) % (groups.size // counts.max())
    return dict(form(**{**arrays, "groups": groups if counts.max() > counts.min() else turns}))


interior_zero = always(
    "interior-zero",
    "Masked tokens have the reward and the value 0, and count as steps.",
    {"token_gae": "OpenRLHF"},
    interior="zero",
)
interior_ignored = always(
    "interior-ignored",
    "The mask is not looked at.",
    {"token_gae": "slime, SkyRL, ROLL, torchtune, trl's PPO"},
    interior="ignore",
)
interior_counted = always(
    "interior-counted",
    "Masked tokens discount, and their rewards are dropped.",
    {"reinforce_pp_advantage": "OpenRLHF, slime"},
    interior="count",
)
interior_reset = always(
    "interior-reset",
    "A masked token ends the return.",
    {"reinforce_pp_advantage": "EasyR1, SkyRL, verl before PR #6376"},
    interior="reset",
)


@convention(
    "padding-at-the-end",
    {"token_rewards": "verl, and most code for answers of one turn"},
    excuses="where a masked token stands before a valid one, or an answer has none",
)
def padding_at_the_end(form: Form, /, **arrays: Any) -> Outputs:
    """Valid tokens come first, and there is one: of a batch with another answer nothing is asked."""
    mask = np.atleast_1d(np.asarray(True if arrays.get("mask") is None else arrays["mask"], bool))
    plain = bool(mask[..., 0].all()) and not (mask[..., 1:] & ~mask[..., :-1]).any()
    return dict(form(**arrays)) if plain else {n: np.full_like(v, np.nan) for n, v in form(**arrays).items()}
