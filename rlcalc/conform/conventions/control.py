"""Conventions of continuous actions, targets and bandits."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from rlcalc._lazy import np
from rlcalc.conform.convention import Constant, Convention, convention
from rlcalc.conform.forms import Form, Outputs, log_std
from rlcalc.formulas._learning import visits

# roundings; fewer are within the digits that are asked of every answer
SHOWN = 100.0


@convention(
    "per-dimension",
    {
        "gaussian_entropy": "users of torch.distributions.Normal who sum later",
        "gaussian_log_prob": "users of torch.distributions.Normal who sum later",
        "squashed_gaussian_log_prob": "users of torch.distributions.Normal who sum later",
    },
)
def per_dimension(form: Form, /, **arrays: Any) -> Outputs:
    """One number per dimension of the action, which the caller adds up."""
    found = dict(form(**arrays))
    name, parts = ("entropy", "entropies") if "entropy" in found else ("log_prob", "log_probs")
    return {**found, name: found[parts]}


@convention(
    "one-rho-bound", {"vtrace": "agents after IMPALA that cut every ratio off once"}, sets="rho_bar_pg"
)
def one_rho_bound(form: Form, /, **arrays: Any) -> Outputs:
    """The advantages are cut off at ρ_max, as the errors are: there is no ρ_pg of their own."""
    return dict(form(**{**arrays, "rho_bar_pg": arrays["rho_bar"]}))


_WIDTH_EPS = Constant("eps", 1e-13, 0.5)


@convention(
    "width-eps",
    {
        "gaussian_log_prob": "gaussian_likelihood of Spinning Up and its exercises, with 1e-8",
        "squashed_gaussian_log_prob": "SAC of Spinning Up in TensorFlow, with 1e-8",
    },
    constants=[_WIDTH_EPS],
)
def width_eps(form: Form, eps: float, /, **arrays: Any) -> Outputs:
    """ε is added to σ where a distance is divided by it, and not under the logarithm."""
    point, sigma = arrays["u" if "u" in arrays else "x"], np.exp(log_std(arrays))
    at_the_top = form(**{**arrays, "mean": point})["log_probs"]
    logs = at_the_top - np.square((point - arrays["mean"]) / (sigma + sigma.dtype.type(eps))) / 2
    return {"log_prob": logs.sum(-1), "log_probs": logs}


@convention(
    "wider-by-eps",
    {
        "gaussian_entropy": "heads that add ε to their width",
        "gaussian_log_prob": "heads that add ε to their width",
        "squashed_gaussian_log_prob": "heads that add ε to their width",
    },
    constants=[_WIDTH_EPS],
)
def wider_by_eps(form: Form, eps: float, /, **arrays: Any) -> Outputs:
    """The Gaussian has the width σ + ε throughout, which keeps it from being a point."""
    sigma = np.exp(log_std(arrays))
    return dict(form(**{**arrays, "log_std": None, "std": sigma + sigma.dtype.type(eps)}))


def _squashed(form: Form, arrays: dict[str, Any], inside: Callable[[Any, Any], Any]) -> Outputs:
    """A squashed density with another logarithm of its slope, made from the slope of tanh and from s."""
    found, u, low = dict(form(**arrays)), arrays["u"], arrays.get("low")
    half = arrays["scale"] if low is None else (arrays["high"] - low) / 2
    slope = 2 * (np.log(2).astype(u.dtype) - u - np.logaddexp(np.zeros_like(u), -2 * u))
    logs = found["log_probs"] + np.log(half) + slope - inside(1 - np.square(np.tanh(u)), half)
    return {**found, "log_prob": logs.sum(-1), "log_probs": logs}


def _cut_off_slack(form: Form, arrays: dict[str, Any], eps: float) -> Any:
    """What 1 − tanh² loses near the bounds, where eps is all that is left of it."""
    u, low = arrays["u"], arrays.get("low")
    half = arrays["scale"] if low is None else (arrays["high"] - low) / 2
    lost = half / (half * (1 - np.square(np.tanh(u))) + eps)
    return np.where(lost > SHOWN, lost, 0).sum(-1).max(initial=0)


@convention(
    "epsilon-inside",
    {"squashed_gaussian_log_prob": "SAC of rlkit, CleanRL and pytorch-soft-actor-critic, with 1e-6"},
    constants=[Constant("eps", 1e-13, 0.5)],
    slack=_cut_off_slack,
)
def epsilon_inside(form: Form, eps: float, /, **arrays: Any) -> Outputs:
    """The logarithm of s·(1 − tanh²) + eps: a density that is cut off near the bounds."""
    return _squashed(form, arrays, lambda slope, half: np.log(half * slope + eps))


epsilon_inside_1e_6 = epsilon_inside.instance(
    "epsilon-inside",
    {"squashed_gaussian_log_prob": "SAC of rlkit, CleanRL and pytorch-soft-actor-critic"},
    1e-6,
)


@convention(
    "td3", {"sac_target": "TD3 of its authors, CleanRL, stable-baselines3 and others"}, sets="entropy"
)
def td3(form: Form, /, **arrays: Any) -> Outputs:
    """No entropy at all, α = 0: the smaller of two critics, for the action of the target policy."""
    return dict(form(**{**arrays, "alpha": arrays["alpha"] * 0}))


@convention("mean-of-nothing", {"gradient_bandit": "agents whose running mean begins with 0"})
def mean_of_nothing(form: Form, /, **arrays: Any) -> Outputs:
    """The mean of earlier rewards is 0 where there are none: the first pull has no baseline."""
    rewards, baseline = arrays["rewards"], arrays["baseline"]
    if str(baseline) != "before":
        return dict(form(**arrays))
    counts = np.arange(1, rewards.shape[-1], dtype=rewards.dtype)
    means = np.concatenate([rewards[..., :1] * 0, np.cumsum(rewards, -1)[..., :-1] / counts], -1)
    plain = {"rewards": rewards - means, "baseline": np.zeros((), rewards.dtype)}
    return {**form(**{**arrays, **plain}), "baselines": means}


@convention("visits-backwards", {"mc": "agents that go through an episode once, from its end"})
def visits_backwards(form: Form, /, **arrays: Any) -> Outputs:
    """With a step size, the visits of an episode count from the last one to the first."""
    if arrays["alpha"] is None or isinstance(arrays["alpha"], str):
        return dict(form(**arrays))
    seen = arrays["steps"] if arrays.get("steps") is not None else arrays["episodes"]
    every = {**arrays, "alpha": None, "values": None}
    found, first = dict(form(**every)), arrays["values"]
    counted = visits(seen, arrays["visit"])
    now = {step.state: 0 if first is None else first.get((step.state,)) for step in seen.steps}
    new: list[Any] = [None] * len(counted)
    for k in sorted(range(len(counted)), key=lambda k: (counted[k].episode, -counted[k].step)):
        state = seen.steps[counted[k].t].state
        now[state] = now[state] + arrays["alpha"] * (found["returns"][k] - now[state])
        new[k] = now[state]
    kind = found["returns"].dtype
    return {**found, "state_values": np.array(list(now.values()), kind), "new_value": np.array(new, kind)}


@convention("mean-over-quantiles", {"quantile_huber_loss": "TQC of sb3-contrib, users of mean()"})
def mean_over_quantiles(form: Form, /, **arrays: Any) -> Outputs:
    """The mean over the quantiles as well as over the sample."""
    return dict(form(**{**arrays, "reduction": "mean"}))


@convention("kappa-undivided", {"quantile_huber_loss": "the paper of QR-DQN, where κ = 1"})
def kappa_undivided(form: Form, /, **arrays: Any) -> Outputs:
    """The loss is not divided by κ, so that its slope far out grows with κ; κ = 0 is the quantile loss."""
    kappa = arrays["kappa"]
    return {name: value * np.where(kappa > 0, kappa, 1) for name, value in form(**arrays).items()}


@convention("absolute", {"td_error": "priorities of a prioritized replay"})
def absolute(form: Form, /, **arrays: Any) -> Outputs:
    """The size of the error alone, as what a replay buffer draws by."""
    found = dict(form(**arrays))
    return {**found, "td_error": np.abs(found["td_error"])}


def _loss_of_errors(
    name: str, users: str, about: str, of_size: Callable[[Any], Any], reduced: Callable[..., Any] = np.mean
) -> Convention:
    """A loss of TD errors, as agents minimise it in the place of the errors."""

    def change(form: Form, /, **arrays: Any) -> Outputs:
        losses = of_size(np.abs(form(**arrays)["td_error"]))
        # one number for one step is read as that of the step: it may have been squeezed
        return {"td_error": losses if losses.shape[-1:] == (1,) else reduced(losses, axis=-1)}

    change.__doc__ = about
    return convention(name, {"td_error": users}, sets="loss")(change)


mean_squared_error = _loss_of_errors(
    "mean-squared-error", "DQN with mse_loss", "The mean of the squared errors.", np.square
)
half_mean_squared_error = _loss_of_errors(
    "half-mean-squared-error",
    "spinningup and other actor-critic code",
    "Half the mean of the squared errors.",
    lambda size: np.square(size) / 2,
)
summed_squared_error = _loss_of_errors(
    "summed-squared-error",
    "agents that add up the batch, so that a step grows with it",
    "The sum of the squared errors.",
    np.square,
    np.sum,
)
half_summed_squared_error = _loss_of_errors(
    "half-summed-squared-error",
    "agents that add up the batch, so that a step grows with it",
    "Half the sum of the squared errors.",
    lambda size: np.square(size) / 2,
    np.sum,
)
smooth_l1_error = _loss_of_errors(
    "smooth-l1-error",
    "DQN with smooth_l1_loss or Huber's loss",
    "The mean of half the squared error up to 1, and of its size less 1/2 beyond it.",
    lambda size: np.where(size < 1, np.square(size) / 2, size - 0.5),
)


@convention("no-huber", {"quantile_huber_loss": "quantile regression, QR-DQN-0"}, sets="kappa")
def no_huber(form: Form, /, **arrays: Any) -> Outputs:
    """κ = 0: the quantile loss itself, which has a corner where an error is 0 and no parabola."""
    return dict(form(**{**arrays, "kappa": arrays["kappa"] * 0}))


@convention(
    "n-step",
    {
        "double_q_target": "Rainbow and others with a buffer of n-step returns",
        "expected_sarsa_target": "code with a buffer of n-step returns",
        "q_target": "Rainbow and others with a buffer of n-step returns",
        "sac_target": "code with a buffer of n-step returns",
        "sarsa_target": "code with a buffer of n-step returns",
    },
    constants=[Constant("n", 1.0, 1000.0)],
)
def n_step(form: Form, n: float, /, **arrays: Any) -> Outputs:
    """Rewards sum n steps, a constant of the code, so that what follows is discounted by γ^n."""
    return dict(form(**{**arrays, "n": np.asarray(n, arrays["gamma"].dtype)}))


@convention("first-of-equals", {"epsilon_greedy": "code with argmax"})
def first_of_equals(form: Form, /, **arrays: Any) -> Outputs:
    """Of several equal best actions the first gets the whole greedy probability."""
    q = arrays["q"]
    # in their order, with the first of equals above the others
    places = np.argsort(np.argsort(-q, axis=-1, kind="stable"), axis=-1, kind="stable")
    policy = form(**{**arrays, "q": -places.astype(q.dtype)})["policy"]
    return {"policy": policy, "value": (policy * q).sum(-1)}


@convention("t-counts-this-pull", {"ucb": "Sutton and Barto, equation 2.10"})
def t_counts_this_pull(form: Form, /, **arrays: Any) -> Outputs:
    """The time in the logarithm counts the choice at hand: one more than the pulls so far."""
    if arrays.get("t") is not None:
        return dict(form(**arrays))
    rows = arrays["counts"].reshape(-1, arrays["counts"].shape[-1])
    each = [_one_bandit(form, arrays, q, n) for q, n in zip(_spread(arrays["q"], rows), rows, strict=True)]
    shape = arrays["counts"].shape
    return {
        "scores": np.stack([one["scores"] for one in each]).reshape(shape),
        "action": np.stack([one["action"] for one in each]).reshape(shape[:-1]),
    }


@convention("t-from-0", {"ucb": "code whose loop counts its pulls from 0 and takes log(t + 1)"})
def t_from_0(form: Form, /, **arrays: Any) -> Outputs:
    """t is the number of pulls before this one, and the logarithm is that of t + 1."""
    if arrays.get("t") is None:
        return dict(t_counts_this_pull.change(form, **arrays))
    return dict(form(**{**arrays, "t": arrays["t"] + 1}))


@convention(
    "pulls-eps",
    {"ucb": "code that keeps from dividing by 0"},
    constants=[Constant("eps", 1e-12, 0.1)],
)
def pulls_eps(form: Form, eps: float, /, **arrays: Any) -> Outputs:
    """ε is added to the number of pulls: an arm without one has a wide bonus, and not an endless one."""
    pulls = arrays["counts"].astype(arrays["q"].dtype)
    time = pulls.sum(-1)[..., None] if arrays.get("t") is None else np.asarray(arrays["t"], pulls.dtype)
    scores = arrays["q"] + arrays["c"] * np.sqrt(np.log(np.maximum(time, 1)) / (pulls + eps))
    return {"scores": scores, "action": scores.argmax(-1).astype(scores.dtype)}


@convention("c-under-the-root", {"ucb": "lectures that write sqrt(c log t / N)"})
def c_under_the_root(form: Form, /, **arrays: Any) -> Outputs:
    """The number that stands beside the logarithm under the root is the square of c: UCB1 has 2 there."""
    return dict(form(**{**arrays, "c": np.sqrt(arrays["c"])}))


def _spread(q: Any, rows: Any) -> Any:
    return np.broadcast_to(q.reshape(-1, q.shape[-1]), rows.shape)


def _one_bandit(form: Form, arrays: dict[str, Any], q: Any, counts: Any) -> Mapping[str, Any]:
    return form(**{**arrays, "q": q, "counts": counts, "t": np.asarray(counts.sum() + 1)})


@convention(
    "baseline-with-the-reward",
    {"gradient_bandit": "code that updates the mean first, such as that of the book's figures"},
)
def baseline_with_the_reward(form: Form, /, **arrays: Any) -> Outputs:
    """The running mean counts the present reward already."""
    running = isinstance(arrays["baseline"], str)
    return dict(form(**{**arrays, "baseline": "with" if running else arrays["baseline"]}))
