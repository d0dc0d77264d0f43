"""Where ``rational`` was before ``rlcalc.exact`` offered it."""

from rlcalc.exact.values import rational

__all__ = ["rational"]
