"""Generated hostile inputs: a few in the tests, many by ``python benchmarks/fuzz.py``.

Whatever is typed, rlcalc ends with 0, 1 (a check failed) or 2 (the input was
refused), within limits, with no traceback, and what it calls JSON is JSON.
"""
