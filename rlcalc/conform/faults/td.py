"""Faults of TD learning of state values."""

from __future__ import annotations

from rlcalc.conform.faults import _learning as shared

with_traces = shared.WITH_TRACES
