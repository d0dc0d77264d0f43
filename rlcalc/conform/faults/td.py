"""Faults of TD learning of state values."""

from __future__ import annotations

from rlcalc.conform.faults import _learning as shared

discount_missing = shared.discount_missing
reward_discounted = shared.reward_discounted
never_bootstraps = shared.never_bootstraps
step_size_of_the_old_value = shared.step_size_of_the_old_value
away_from_target = shared.away_from_target
old_value_not_subtracted = shared.old_value_not_subtracted
step_size_on_the_reward_alone = shared.step_size_on_the_reward_alone
initial_values_throughout = shared.initial_values_throughout
terminal_value_bootstrapped = shared.terminal_value_bootstrapped
next_episode_bootstrapped = shared.next_episode_bootstrapped
own_state_bootstrapped = shared.own_state_bootstrapped
all_steps_counted = shared.all_steps_counted
n_step_discounted_once = shared.n_step_discounted_once
traces_decay_without_discount = shared.traces_decay_without_discount
traces_survive_the_end = shared.traces_survive_the_end
