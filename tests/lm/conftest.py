"""Runs of language models are as small as those of PPO."""

from tests.ppo.conftest import one_thread  # noqa: F401
