"""What an agent went through, and the tables it learns.

model      Experience, Step and Table
reading    text, tuples, records and CSV -> Experience; text or a number -> Table
"""

from rlcalc.experience.model import Experience, Step, Table, Universe, universe
from rlcalc.experience.reading import read_experience, read_table

__all__ = ["Experience", "Step", "Table", "Universe", "read_experience", "read_table", "universe"]
