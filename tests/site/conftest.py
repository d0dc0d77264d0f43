"""The site, built once for all its tests, served, and a Chromium to open it in."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.site.chromium import NO_PACKAGE, NO_PROGRAM, build, opened, served

BUILT = "RLCALC_SITE"  # a site that is there already, to try a test again


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the whole site."""
    if os.environ.get(BUILT):
        return Path(os.environ[BUILT])
    if NO_PACKAGE:
        pytest.skip(f"not installed: {', '.join(NO_PACKAGE)}; rlcalc[docs] has them")
    out = tmp_path_factory.mktemp("site") / "out"
    print(build(out))
    return out


@pytest.fixture(scope="session")
def address(site: Path) -> Iterator[str]:
    """Where the site is served."""
    with served(site) as found:
        yield found


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    """One browser for all tests."""
    if NO_PACKAGE or NO_PROGRAM:
        pytest.skip(f"not installed: {', '.join([*NO_PACKAGE, *NO_PROGRAM])}")
    with opened() as browser:
        yield browser
