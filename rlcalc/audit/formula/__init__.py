"""The lecture's formulas: read from LaTeX, compared with what the evidence says, altered, written plainly."""

from rlcalc.audit.formula.alter import altered
from rlcalc.audit.formula.plain import plain_text
from rlcalc.audit.formula.reader import LatexError, read
from rlcalc.audit.formula.tie import Said, fill, mismatch

__all__ = ["LatexError", "Said", "altered", "fill", "mismatch", "plain_text", "read"]
