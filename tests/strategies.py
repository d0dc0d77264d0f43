"""Exact numbers that tests draw: small enough to be read in a failure, of every sign, with their ends."""

from __future__ import annotations

from fractions import Fraction

from hypothesis import strategies as st

numbers = st.fractions(min_value=-20, max_value=20, max_denominator=20)
small_numbers = st.fractions(min_value=-9, max_value=9, max_denominator=8)
shares = st.fractions(min_value=0, max_value=1, max_denominator=12)
positive_shares = st.fractions(min_value=Fraction(1, 60), max_value=1, max_denominator=60)
positive_numbers = st.fractions(min_value=Fraction(1, 50), max_value=20, max_denominator=50)
step_sizes = st.fractions(min_value=Fraction(1, 50), max_value=Fraction(99, 50), max_denominator=50)
logits = st.lists(st.fractions(min_value=-8, max_value=8, max_denominator=30), min_size=1, max_size=5)


def probabilities(counts: list[int]) -> list[Fraction]:
    """Counts, not all of them 0, as shares of their sum."""
    return [Fraction(count, sum(counts)) for count in counts]
