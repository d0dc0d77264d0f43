"""PPO end to end, trained with the formulas that rlcalc verifies.

If one of them is wrong, the run says so: before learning against exact
answers, on every update against independent ones, and at the end by whether
the agent solved its task.

The modules:

- ``settings``: every number of a run, the lecture's beside ours;
- ``train``: the algorithm, one readable file;
- ``policy``, ``optimiser``, ``envs``: what it acts with, learns with and acts in;
- ``exact``: checks before learning; ``checks``: checks on every update;
- ``sabotage``: deliberate faults, and which check catches which;
- ``run``, ``evaluate``, ``acceptance``: one run, its verdict, five of them;
- ``checkpoint``, ``ranks``, ``display``: stop and go on, several processes, what people see.
"""
