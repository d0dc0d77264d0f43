"""Written by ``python -m rlcalc._stubs`` from the specifications; do not edit."""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal, TypeAlias

import torch
from numpy.typing import ArrayLike

from rlcalc._version import __version__ as __version__
from rlcalc.api import compute as compute
from rlcalc.errors import CheckFailed as CheckFailed
from rlcalc.errors import DataError as DataError
from rlcalc.errors import InputError as InputError
from rlcalc.errors import RlcalcError as RlcalcError
from rlcalc.errors import UnknownName as UnknownName
from rlcalc.evaluation import derive as derive
from rlcalc.evaluation import evaluate as evaluate
from rlcalc.experience import Experience, Table
from rlcalc.mdp.model import MDP

_Numbers: TypeAlias = ArrayLike | torch.Tensor | Fraction | Sequence[Any]
_Steps: TypeAlias = str | int | float | Fraction | Sequence[Any] | Mapping[Any, Any] | Experience | Table
_Process: TypeAlias = str | Path | Mapping[str, Any] | MDP

def discounted_return(
    rewards: _Numbers,
    values: _Numbers | None = None,
    gamma: _Numbers = 1,
    bootstrap: _Numbers | None = None,
    tail: _Numbers | None = None,
    repeat: bool | None = None,
    terminated: _Numbers | None = None,
    truncated: _Numbers | None = None,
    next_values: _Numbers | None = None,
) -> Any:
    """Discounted return."""

def n_step_return(
    rewards: _Numbers,
    values: _Numbers | None = None,
    gamma: _Numbers = ...,
    n: int | float | Literal["inf"] = ...,
    terminated: _Numbers | None = None,
    truncated: _Numbers | None = None,
    next_values: _Numbers | None = None,
    alpha: _Numbers | None = None,
    terminal: bool | None = None,
) -> Any:
    """n-step return."""

def td_error(
    rewards: _Numbers | None = None,
    values: _Numbers | None = None,
    gamma: _Numbers = ...,
    terminated: _Numbers | None = None,
    truncated: _Numbers | None = None,
    next_values: _Numbers | None = None,
    reward: _Numbers | None = None,
    value: _Numbers | None = None,
    next_value: _Numbers | None = None,
) -> Any:
    """TD error."""

def td_update(
    value: _Numbers,
    target: _Numbers | None = None,
    alpha: _Numbers = 0.1,
    reward: _Numbers | None = None,
    next_value: _Numbers | None = None,
    gamma: _Numbers = 1,
) -> Any:
    """TD update."""

def mc_update(
    value: _Numbers = 0,
    returns: _Numbers = ...,
    alpha: _Numbers | Literal["mean", "1/k"] = "mean",
) -> Any:
    """Monte Carlo update."""

def lambda_weights(
    lam: _Numbers,
    steps: int | float | Literal["inf"],
) -> Any:
    """Weights of the λ-return."""

def lambda_return(
    rewards: _Numbers,
    values: _Numbers | None = None,
    gamma: _Numbers = 1,
    lam: _Numbers = ...,
    terminated: _Numbers | None = None,
    truncated: _Numbers | None = None,
    next_values: _Numbers | None = None,
    alpha: _Numbers | None = None,
    terminal: bool | None = None,
) -> Any:
    """λ-return."""

def gae(
    rewards: _Numbers,
    values: _Numbers | None = None,
    gamma: _Numbers = 0.99,
    lam: _Numbers = 0.95,
    terminated: _Numbers | None = None,
    truncated: _Numbers | None = None,
    next_values: _Numbers | None = None,
) -> Any:
    """Generalized advantage estimation (GAE)."""

def traces(
    states: _Numbers | str,
    gamma: _Numbers = 1,
    lam: _Numbers = ...,
    rewards: _Numbers | None = None,
    values: _Numbers | None = None,
    alpha: _Numbers | None = None,
    replacing: bool | None = None,
    ratios: _Numbers | None = None,
) -> Any:
    """Eligibility traces and offline TD(λ)."""

def q_target(
    rewards: _Numbers,
    next_q: _Numbers,
    gamma: _Numbers,
    terminated: _Numbers | None = None,
    truncated: _Numbers | None = None,
    n: _Numbers = 1,
) -> Any:
    """Target of Q-learning and DQN."""

def double_q_target(
    rewards: _Numbers,
    next_q_online: _Numbers,
    next_q_target: _Numbers,
    gamma: _Numbers,
    terminated: _Numbers | None = None,
    truncated: _Numbers | None = None,
    n: _Numbers = 1,
) -> Any:
    """Target of double Q-learning and double DQN."""

def sarsa_target(
    rewards: _Numbers,
    next_q: _Numbers,
    next_actions: _Numbers,
    gamma: _Numbers,
    terminated: _Numbers | None = None,
    truncated: _Numbers | None = None,
    n: _Numbers = 1,
) -> Any:
    """Target of SARSA."""

def expected_sarsa_target(
    rewards: _Numbers,
    q_values: _Numbers,
    policy: _Numbers | None = None,
    gamma: _Numbers = ...,
    epsilon: _Numbers | None = None,
    terminated: _Numbers | None = None,
    truncated: _Numbers | None = None,
    n: _Numbers = 1,
) -> Any:
    """Target of expected SARSA."""

def sac_target(
    rewards: _Numbers,
    alpha: _Numbers,
    gamma: _Numbers,
    next_q1: _Numbers | None = None,
    next_q2: _Numbers | None = None,
    next_log_probs: _Numbers | None = None,
    q1_values: _Numbers | None = None,
    q2_values: _Numbers | None = None,
    policy: _Numbers | None = None,
    terminated: _Numbers | None = None,
    truncated: _Numbers | None = None,
    n: _Numbers = 1,
) -> Any:
    """Target of soft actor-critic and TD3."""

def c51_projection(
    rewards: _Numbers,
    next_probs: _Numbers,
    gamma: _Numbers,
    v_min: _Numbers | None = None,
    v_max: _Numbers | None = None,
    atoms: _Numbers | None = None,
    terminated: _Numbers | None = None,
    truncated: _Numbers | None = None,
    n: _Numbers = 1,
) -> Any:
    """Projection of a distributional target (C51)."""

def quantile_huber_loss(
    quantiles: _Numbers,
    targets: _Numbers,
    taus: _Numbers | None = None,
    kappa: _Numbers = 1,
    reduction: Literal["sum", "mean"] = "sum",
) -> Any:
    """Quantile Huber loss (QR-DQN, IQN)."""

def backup(
    rewards: _Numbers,
    next_values: _Numbers,
    probs: _Numbers | None = None,
    gamma: _Numbers = ...,
    max: bool | None = None,
) -> Any:
    """One backup."""

def bellman(
    mdp: _Process,
    gamma: _Numbers | None = None,
) -> Any:
    """Bellman optimality equation."""

def value_iteration(
    mdp: _Process,
    gamma: _Numbers | None = None,
    sweeps: int = ...,
    values: _Numbers | None = None,
    in_place: bool | None = None,
    order: _Numbers | str | None = None,
) -> Any:
    """Value iteration."""

def policy_iteration(
    mdp: _Process,
    policy: _Numbers | str | Mapping[str, Any] | None = None,
    gamma: _Numbers | None = None,
) -> Any:
    """Policy iteration."""

def policy_eval(
    mdp: _Process,
    policy: _Numbers | str | Mapping[str, Any] = "uniform",
    gamma: _Numbers | None = None,
    sweeps: int | None = None,
    values: _Numbers | None = None,
    in_place: bool | None = None,
    order: _Numbers | str | None = None,
) -> Any:
    """Value of a policy."""

def average_reward(
    mdp: _Process,
    policy: _Numbers | str | Mapping[str, Any] = "uniform",
) -> Any:
    """Average reward of a policy."""

def softmax(
    theta: _Numbers,
    temperature: _Numbers | None = None,
) -> Any:
    """Softmax policy."""

def score(
    theta: _Numbers,
    action: _Numbers,
) -> Any:
    """Score of a softmax policy."""

def reinforce_step(
    theta: _Numbers,
    action: _Numbers,
    return_: _Numbers,
    alpha: _Numbers = 0.1,
    baseline: _Numbers = 0,
) -> Any:
    """One step of REINFORCE."""

def policy_gradient(
    mdp: _Process,
    theta: _Numbers,
    gamma: _Numbers = 1,
    form: Literal["trajectory", "reward-to-go", "no-gamma-t"] = "trajectory",
    horizon: int | float | Literal["inf"] = ...,
) -> Any:
    """Exact policy gradient."""

def reinforce_episode(
    theta: _Numbers,
    states: _Numbers,
    actions: _Numbers,
    rewards: _Numbers,
    gamma: _Numbers = 1,
    baseline: _Numbers | None = None,
    terminated: _Numbers | None = None,
) -> Any:
    """REINFORCE from episodes."""

def is_return(
    ratios: _Numbers | None = None,
    returns: _Numbers | None = None,
    step_ratios: _Numbers | None = None,
    rewards: _Numbers | None = None,
    gamma: _Numbers = 1,
) -> Any:
    """Returns by importance sampling."""

def td(
    steps: _Steps | None = None,
    episodes: _Steps | None = None,
    values: _Steps | None = None,
    alpha: _Numbers | Literal["1/k"] = ...,
    gamma: _Numbers = 1,
    n: int | float | Literal["inf"] = 1,
    lam: _Numbers | None = None,
    replacing: bool | None = None,
) -> Any:
    """TD learning of state values: TD(0), n-step TD, TD(λ)."""

def q_learning(
    steps: _Steps,
    q: _Steps | None = None,
    alpha: _Numbers | Literal["1/k"] = ...,
    gamma: _Numbers = 1,
    n: int | float | Literal["inf"] = 1,
    lam: _Numbers | None = None,
    replacing: bool | None = None,
    actions: _Numbers | str | None = None,
) -> Any:
    """Q-learning from steps."""

def sarsa(
    steps: _Steps,
    q: _Steps | None = None,
    alpha: _Numbers | Literal["1/k"] = ...,
    gamma: _Numbers = 1,
    n: int | float | Literal["inf"] = 1,
    lam: _Numbers | None = None,
    replacing: bool | None = None,
    actions: _Numbers | str | None = None,
) -> Any:
    """SARSA from steps."""

def expected_sarsa(
    steps: _Steps,
    q: _Steps | None = None,
    alpha: _Numbers | Literal["1/k"] = ...,
    epsilon: _Numbers = ...,
    gamma: _Numbers = 1,
    n: int | float | Literal["inf"] = 1,
    actions: _Numbers | str | None = None,
) -> Any:
    """Expected SARSA from steps."""

def double_q(
    steps: _Steps,
    q1: _Steps | None = None,
    q2: _Steps | None = None,
    alpha: _Numbers | Literal["1/k"] = ...,
    gamma: _Numbers = 1,
    update: _Numbers | str | None = None,
    actions: _Numbers | str | None = None,
) -> Any:
    """Double Q-learning from steps."""

def mc(
    steps: _Steps | None = None,
    episodes: _Steps | None = None,
    gamma: _Numbers = 1,
    visit: Literal["first", "every"] = "first",
    values: _Steps | None = None,
    alpha: _Numbers | Literal["1/k"] | None = None,
) -> Any:
    """Monte Carlo prediction from episodes."""

def batch(
    steps: _Steps | None = None,
    episodes: _Steps | None = None,
    method: Literal["td", "mc"] = "td",
    gamma: _Numbers = 1,
) -> Any:
    """Batch TD and batch Monte Carlo."""

def bandit(
    actions: _Numbers | str,
    rewards: _Numbers,
    arms: _Numbers | str | None = None,
    initial: _Numbers = 0,
    alpha: _Numbers | Literal["1/k"] = "1/k",
) -> Any:
    """Estimates of a bandit, pull by pull."""

def epsilon_greedy(
    q: _Numbers,
    epsilon: _Numbers,
) -> Any:
    """ε-greedy policy."""

def ucb(
    q: _Numbers,
    counts: _Numbers,
    c: _Numbers = 2,
    t: _Numbers | None = None,
) -> Any:
    """Upper confidence bound."""

def gradient_bandit(
    actions: _Numbers,
    rewards: _Numbers,
    preferences: _Numbers,
    alpha: _Numbers,
    baseline: _Numbers | Literal["before", "with"] = "before",
) -> Any:
    """Gradient bandit."""

def gaussian_log_prob(
    x: _Numbers,
    mean: _Numbers,
    std: _Numbers | None = None,
    log_std: _Numbers | None = None,
) -> Any:
    """Log-probability of a Gaussian policy."""

def gaussian_entropy(
    std: _Numbers | None = None,
    log_std: _Numbers | None = None,
) -> Any:
    """Entropy of a Gaussian policy."""

def squashed_gaussian_log_prob(
    u: _Numbers,
    mean: _Numbers,
    std: _Numbers | None = None,
    log_std: _Numbers | None = None,
    scale: _Numbers = 1,
    low: _Numbers | None = None,
    high: _Numbers | None = None,
) -> Any:
    """Log-probability of a squashed Gaussian policy."""

def advantage(
    return_: _Numbers | None = None,
    value: _Numbers | None = None,
    reward: _Numbers | None = None,
    next_value: _Numbers | None = None,
    gamma: _Numbers | None = None,
) -> Any:
    """Advantage."""

def actor_loss(
    probs: _Numbers | None = None,
    advantages: _Numbers = ...,
    log_probs: _Numbers | None = None,
    reduction: Literal["sum", "mean"] = "sum",
) -> Any:
    """Actor loss."""

def critic_loss(
    values: _Numbers,
    returns: _Numbers,
    reduction: Literal["sum", "mean", "half-mean"] = "sum",
    alpha: _Numbers | None = None,
) -> Any:
    """Critic loss."""

def baseline_variance(
    policy: _Numbers,
    returns: _Numbers,
    baseline: _Numbers | Literal["value", "best"] = "value",
) -> Any:
    """Gradient variance under a baseline."""

def control_variate(
    x: _Numbers,
    b: _Numbers,
    k: _Numbers | Literal["best"] = "1",
) -> Any:
    """Control variate."""

def importance(
    p: _Numbers,
    q: _Numbers,
    f: _Numbers,
    samples: _Numbers | None = None,
) -> Any:
    """Importance sampling."""

def ratio(
    new: _Numbers | None = None,
    old: _Numbers | None = None,
    new_log: _Numbers | None = None,
    old_log: _Numbers | None = None,
) -> Any:
    """Probability ratio."""

def ppo_clip(
    ratio: _Numbers,
    adv: _Numbers,
    eps: _Numbers = 0.2,
) -> Any:
    """PPO's clipped objective."""

def ppo_loss(
    clip: _Numbers,
    critic: _Numbers,
    entropy: _Numbers,
    c1: _Numbers,
    c2: _Numbers,
) -> Any:
    """Combined PPO loss."""

def entropy(
    p: _Numbers,
    base: _Numbers | Literal["e"] = "e",
) -> Any:
    """Entropy of a policy."""

def branch_entropy(
    p: _Numbers,
) -> Any:
    """Entropy of several action branches."""

def kl(
    p: _Numbers,
    q: _Numbers,
) -> Any:
    """Kullback–Leibler divergence."""

def trust_region(
    radius: _Numbers,
    old: _Numbers | None = None,
    new: _Numbers | None = None,
    theta: _Numbers | None = None,
    gradient: _Numbers | None = None,
) -> Any:
    """Trust region and natural gradient."""

def grpo_advantage(
    rewards: _Numbers,
    ddof: _Numbers = 0,
    eps: _Numbers = 0,
) -> Any:
    """Group-relative advantage."""

def token_mdp(
    prompt: str,
    tokens: _Numbers | str,
    reward: _Numbers = 1,
    gamma: _Numbers = 1,
    vocabulary: _Numbers | None = None,
) -> Any:
    """Token-level MDP."""

def ppo_count(
    trajectories: _Numbers = 100,
    epochs: _Numbers = 4,
    minibatches: _Numbers = 1,
    iterations: _Numbers = 1,
) -> Any:
    """Trajectories and gradient steps of PPO."""

def loss_aggregation(
    loss: _Numbers,
    mask: _Numbers | None = None,
    mode: Literal[
        "token-mean",
        "token-sum",
        "seq-mean-token-sum",
        "seq-mean-token-mean",
        "fixed-divisor",
        "fixed-divisor-sum",
        "prompt-mean",
    ] = "token-mean",
    divisor: _Numbers | None = None,
    tokens: _Numbers | None = None,
    sequences: _Numbers | None = None,
    ranks: _Numbers = 1,
    groups: _Numbers | None = None,
    count_all: bool | None = None,
) -> Any:
    """Masked aggregation of token losses."""

def token_logprobs(
    logits: _Numbers,
    ids: _Numbers,
    temperature: _Numbers = 1,
) -> Any:
    """Log-probabilities of the tokens taken."""

def answer_logprobs(
    logps: _Numbers,
    mask: _Numbers | None = None,
    average: _Numbers = 0,
) -> Any:
    """Log-probabilities of whole answers."""

def kl_estimate(
    logp: _Numbers,
    ref_logp: _Numbers,
    kind: Literal["k1", "k2", "k3", "abs"] = "k3",
    clamp_in: _Numbers | None = None,
    clamp_out: _Numbers | None = None,
) -> Any:
    """Estimates of the KL divergence per token."""

def kl_expected_gradient(
    p: _Numbers,
    q: _Numbers,
) -> Any:
    """Expected gradients of the KL estimates."""

def masked_whiten(
    x: _Numbers,
    mask: _Numbers | None = None,
    ddof: _Numbers = 1,
    eps: _Numbers = 0,
    place: Literal["inside", "outside", "floor"] = "inside",
    shift_mean: _Numbers = 1,
) -> Any:
    """Whitening over valid tokens."""

def token_rewards(
    score: _Numbers,
    logp: _Numbers,
    ref_logp: _Numbers,
    mask: _Numbers | None = None,
    beta: _Numbers = ...,
    kind: Literal["k1", "k2", "k3", "abs"] = "k1",
    clip_score: _Numbers | None = None,
) -> Any:
    """Token rewards: KL penalty and the score of an answer."""

def sft_loss(
    logits: _Numbers,
    labels: _Numbers,
    tokens: _Numbers | None = None,
    smoothing: _Numbers = 0,
) -> Any:
    """Causal cross-entropy with shift and mask."""

def token_entropy(
    logits: _Numbers,
    temperature: _Numbers = 1,
    top_k: _Numbers | None = None,
    top_p: _Numbers | None = None,
) -> Any:
    """Entropy of the next token, tempered and truncated."""

def rollout_correction(
    train_logp: _Numbers,
    rollout_logp: _Numbers,
    mask: _Numbers | None = None,
    level: Literal["token", "sequence", "geometric"] = "token",
    action: Literal["truncate", "mask", "none"] = "truncate",
    low: _Numbers | None = None,
    high: _Numbers | None = None,
    gate: Literal["token", "sequence", "geometric"] | None = None,
    normalise: bool | None = None,
) -> Any:
    """Weights for tokens that another engine sampled."""

def overlong_penalty(
    lengths: _Numbers,
    max_length: _Numbers,
    buffer: _Numbers,
    factor: _Numbers = 1,
    floor: _Numbers = 1,
) -> Any:
    """Soft punishment of overlong answers."""

def policy_clip(
    logp: _Numbers,
    old_logp: _Numbers,
    adv: _Numbers,
    eps_low: _Numbers = 0.2,
    eps_high: _Numbers | None = None,
    dual: _Numbers | None = None,
    log_clamp: _Numbers | None = None,
) -> Any:
    """Clipped surrogate per token, with dual clip."""

def value_clip_loss(
    values: _Numbers,
    old_values: _Numbers,
    returns: _Numbers,
    mask: _Numbers | None = None,
    eps: _Numbers = 0.5,
    factor: _Numbers = 0.5,
    tokens: _Numbers | None = None,
) -> Any:
    """Clipped value loss over tokens."""

def gspo(
    logp: _Numbers,
    old_logp: _Numbers,
    adv: _Numbers,
    mask: _Numbers | None = None,
    eps_low: _Numbers = 0.0003,
    eps_high: _Numbers = 0.0004,
    sequences: _Numbers | None = None,
) -> Any:
    """Loss with one clipped ratio a sequence (GSPO)."""

def cispo(
    logp: _Numbers,
    old_logp: _Numbers,
    adv: _Numbers,
    low: _Numbers | None = None,
    high: _Numbers | None = None,
) -> Any:
    """REINFORCE with a clipped importance weight (CISPO)."""

def decoupled_ppo(
    logp: _Numbers,
    prox_logp: _Numbers,
    behav_logp: _Numbers,
    adv: _Numbers,
    eps_low: _Numbers = 0.2,
    eps_high: _Numbers = 0.2,
    cap: _Numbers | None = None,
    action: Literal["truncate", "mask"] = "truncate",
) -> Any:
    """Clipped surrogate of three policies."""

def group_advantage(
    rewards: _Numbers,
    groups: _Numbers,
    scale: Literal["group", "none", "batch", "batch-centred", "mean"] = "group",
    ddof: _Numbers = 1,
    eps: _Numbers = 0,
    singleton: Literal["zero", "raw"] = "zero",
) -> Any:
    """Group-relative advantages of a batch."""

def token_gae(
    rewards: _Numbers,
    values: _Numbers,
    mask: _Numbers | None = None,
    gamma: _Numbers = 1,
    lam: _Numbers = 1,
    bootstrap: _Numbers | None = None,
    interior: Literal["skip", "zero", "ignore"] = "skip",
) -> Any:
    """GAE over tokens, with padding and tool turns."""

def reinforce_pp_advantage(
    rewards: _Numbers,
    mask: _Numbers | None = None,
    gamma: _Numbers = 1,
    ddof: _Numbers = 1,
    eps: _Numbers = 0,
    place: Literal["inside", "outside", "floor"] = "inside",
    interior: Literal["skip", "count", "reset"] = "skip",
) -> Any:
    """Advantages of REINFORCE++: returns, whitened over the batch."""

def rloo_advantage(
    rewards: _Numbers,
    groups: _Numbers,
    singleton: Literal["zero", "raw"] = "zero",
) -> Any:
    """Leave-one-out advantage (RLOO)."""

def vtrace(
    rewards: _Numbers,
    values: _Numbers,
    discounts: _Numbers,
    log_rhos: _Numbers,
    rho_bar: _Numbers = 1,
    c_bar: _Numbers = 1,
    lam: _Numbers = 1,
    rho_bar_pg: _Numbers = 1,
) -> Any:
    """V-trace."""

def retrace(
    rewards: _Numbers,
    q: _Numbers,
    expected_q: _Numbers,
    discounts: _Numbers,
    log_rhos: _Numbers,
    lam: _Numbers = 1,
) -> Any:
    """Retrace."""

def dpo_loss(
    chosen: _Numbers,
    rejected: _Numbers,
    ref_chosen: _Numbers,
    ref_rejected: _Numbers,
    beta: _Numbers = 0.1,
    label_smoothing: _Numbers = 0,
    kind: Literal["sigmoid", "robust", "hinge"] = "sigmoid",
    chosen_lengths: _Numbers | None = None,
    rejected_lengths: _Numbers | None = None,
) -> Any:
    """Loss of direct preference optimisation."""

def reward_model_loss(
    chosen: _Numbers,
    rejected: _Numbers,
    margin: _Numbers | None = None,
    centre: _Numbers = 0,
) -> Any:
    """Loss of a reward model (Bradley–Terry)."""

def kto_loss(
    logps: _Numbers,
    ref_logps: _Numbers,
    desirable: _Numbers,
    kl_logps: _Numbers,
    kl_ref_logps: _Numbers,
    beta: _Numbers = 0.1,
    weight_desirable: _Numbers = 1,
    weight_undesirable: _Numbers = 1,
) -> Any:
    """Loss of Kahneman–Tversky optimisation."""

def ipo_loss(
    chosen: _Numbers,
    rejected: _Numbers,
    ref_chosen: _Numbers,
    ref_rejected: _Numbers,
    beta: _Numbers = 0.1,
    chosen_lengths: _Numbers | None = None,
    rejected_lengths: _Numbers | None = None,
) -> Any:
    """Loss of identity preference optimisation."""

def simpo_loss(
    chosen: _Numbers,
    rejected: _Numbers,
    chosen_lengths: _Numbers,
    rejected_lengths: _Numbers,
    beta: _Numbers = 2,
    gamma: _Numbers = 0.5,
) -> Any:
    """Loss of simple preference optimisation."""

def orpo_loss(
    chosen: _Numbers,
    rejected: _Numbers,
    chosen_lengths: _Numbers,
    rejected_lengths: _Numbers,
    beta: _Numbers = 0.1,
) -> Any:
    """Loss of odds-ratio preference optimisation."""

def adaptive_kl(
    coef: _Numbers,
    kl: _Numbers,
    target: _Numbers,
    n_steps: _Numbers,
    horizon: _Numbers,
    limit: _Numbers = 0.2,
) -> Any:
    """Adaptive coefficient of a KL penalty."""

def pass_at_k(
    n: _Numbers,
    c: _Numbers,
    k: _Numbers,
) -> Any:
    """Chance that k samples hold a right one (pass@k)."""

def best_of_n_kl(
    probs: _Numbers,
    n: _Numbers,
) -> Any:
    """KL divergence of the best of n."""
