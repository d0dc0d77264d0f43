"""Faults of TD learning of state values."""

from __future__ import annotations

from rlcalc.conform.faults import _eligibility as eligibility

with_traces = eligibility.WITH_TRACES
