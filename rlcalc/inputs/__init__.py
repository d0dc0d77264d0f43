"""From what a user gave to checked values: bind, read, check domains, convert to arrays.

Here is what a formula is handed: exact inputs, and arrays to be checked.
"""

from rlcalc.inputs.array_checks import Arrays
from rlcalc.inputs.bind import Inputs

__all__ = ["Arrays", "Inputs"]
