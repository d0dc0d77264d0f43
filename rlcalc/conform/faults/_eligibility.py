"""Faults that tables have in common which are learnt with eligibility traces."""

from __future__ import annotations

from dataclasses import replace

from rlcalc.conform.fault import Arrays, argument_fault
from rlcalc.conform.faults._learning import OF_ONE_TABLE, TINY, with_steps


@argument_fault("discounting")
def traces_decay_without_discount(arrays: Arrays) -> Arrays:
    """Multiplies traces by λ, not by γλ.

    Shown when: λ above 0, γ between 0 and 1, and two steps of one episode.
    Cause: The name TD(λ) speaks of λ alone.
    Fix: z ← γλz.
    - trace *= lam
    + trace *= gamma * lam
    """
    lam, gamma = arrays.get("lam"), arrays["gamma"]
    if lam is None:
        return {}
    # of γ = 0 so little is left that only γλ shows it
    gamma = gamma or gamma + TINY
    return {"gamma": gamma, "lam": lam / gamma}


@argument_fault("ignored", presumes=("lam",))
def traces_decay_without_lambda(arrays: Arrays) -> Arrays:
    """Multiplies traces by γ, not by γλ.

    Shown when: λ and γ between 0 and 1, and two steps of one episode.
    Cause: λ is a parameter that no line uses.
    Fix: z ← γλz.
    - trace *= gamma
    + trace *= gamma * lam
    """
    # whoever has a λ is given 0 where the formula has none
    return {} if arrays["n"] != 1 else {"lam": arrays["gamma"] * 0 + 1}


@argument_fault("termination")
def traces_survive_the_end(arrays: Arrays) -> Arrays:
    """Keeps the traces of an episode when the next one begins.

    Shown when: λ above 0 and an episode after another one.
    Cause: The traces are set to 0 once, before the first episode.
    Fix: Set them to 0 at the start of every episode.
    - trace = np.zeros(n_states)
      for episode in episodes:
    +     trace = np.zeros(n_states)
    """
    if arrays.get("lam") is None:
        return {}
    return with_steps(arrays, lambda t, step: replace(step, last=False))


@argument_fault("indexing", presumes=("lam",))
def traces_decay_before_credit(arrays: Arrays) -> Arrays:
    """Lets the trace of a visit decay before it is credited: the state itself moves by αγλδ alone.

    Shown when: Traces, and γλ below 1.
    Cause: The decay stands between the visit and the update.
    Fix: Decay, visit, update; or visit, update, decay.
    - trace[s] += 1
    - trace *= gamma * lam
    - value += alpha * delta * trace
    + trace[s] += 1
    + value += alpha * delta * trace
    + trace *= gamma * lam
    """
    if isinstance(arrays["alpha"], str) or arrays["n"] != 1:
        return {}
    # whoever has a λ is given 0 where the formula has none
    lam = 0 if arrays.get("lam") is None else arrays["lam"]
    return {"alpha": arrays["alpha"] * arrays["gamma"] * lam}


WITH_TRACES = (
    *OF_ONE_TABLE,
    traces_decay_without_discount,
    traces_decay_without_lambda,
    traces_survive_the_end,
    traces_decay_before_credit,
)
