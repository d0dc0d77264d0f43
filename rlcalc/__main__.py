"""``python -m rlcalc`` is the command ``rlcalc``."""

from __future__ import annotations

import sys

from rlcalc.cli import main

if __name__ == "__main__":
    sys.exit(main())
