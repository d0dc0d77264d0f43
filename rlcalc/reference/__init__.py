"""The literal definitions in rational arithmetic, for inputs that are numbers.

The exact forms of the calculator build a tree of steps for people; a
thousand generated cases (`rlcalc.conform`) and a check on every update of a
run (`rlcalc.ppo`) need none. These say the same in plain Fractions, as
sums over the definition and never as the algorithm that implementations run,
and a test holds them equal to the step trees. Where a definition leaves the
rationals (a logarithm, a root) fifty digits stand for the exact number.

The formulas lie in ``returns``, ``samples``, ``tables`` (decision processes)
and ``visits`` (named states and tokens).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from rlcalc.reference import returns, samples, tables, visits

if TYPE_CHECKING:
    from rlcalc.inputs.bind import Inputs

ORACLES: Mapping[str, Callable[[Any], Mapping[str, Any]]] = {
    function.__name__: function
    for function in (
        returns.gae,
        returns.td_error,
        returns.discounted_return,
        returns.n_step_return,
        returns.lambda_return,
        samples.lambda_weights,
        samples.td_update,
        samples.mc_update,
        samples.advantage,
        samples.critic_loss,
        samples.actor_loss,
        samples.ppo_clip,
        samples.ppo_loss,
        samples.ratio,
        samples.softmax,
        samples.score,
        samples.reinforce_step,
        samples.entropy,
        samples.kl,
        samples.grpo_advantage,
        samples.importance,
        samples.ppo_count,
        tables.bellman,
        tables.policy_eval,
        tables.policy_gradient,
        visits.traces,
        visits.token_mdp,
    )
}


def exact_answer(inputs: Inputs) -> dict[str, Any]:
    """Outputs as nested Fractions, ±inf as floats: by the definitions above, else by the step tree."""
    from rlcalc.digits import truth_of
    from rlcalc.evaluation import derive_bound
    from rlcalc.nested import map_nested as each

    oracle = ORACLES.get(inputs.formula.name)
    if oracle is not None:
        return dict(oracle(inputs))
    numbers = {o.name for o in inputs.formula.outputs if o.kind == "number" and not o.exact_only}
    found = derive_bound(inputs).outputs
    return {name: each(truth_of, value) for name, value in found.items() if name in numbers}
