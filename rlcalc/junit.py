"""JUnit XML, as CI systems read it: one writer for every command that has ``--junit``."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree as xml

from rlcalc.files import write_text

# what XML 1.0 has no way to hold, not even escaped
_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True)
class Entry:
    """One test: it passed unless one of the last three says otherwise."""

    name: str
    classname: str
    seconds: float = 0.0
    failure: str = ""
    error: str = ""
    skipped: str = ""


def write_junit(path: Path | str, suite: str, cases: Sequence[Entry]) -> None:
    """Write a report.

    Raises:
        InputError: ``file_not_written``.
    """
    write_text(path, junit_text(suite, cases))


def junit_text(suite: str, cases: Sequence[Entry]) -> str:
    """A report as XML."""
    counts: dict[str, int] = {
        "tests": len(cases),
        "failures": sum(bool(case.failure) for case in cases),
        "errors": sum(bool(case.error) for case in cases),
        "skipped": sum(bool(case.skipped) for case in cases),
    }
    root = xml.Element("testsuites")
    top = xml.SubElement(root, "testsuite", {"name": _clean(suite)} | {k: str(n) for k, n in counts.items()})
    for case in cases:
        facts = {
            "name": _clean(case.name),
            "classname": _clean(case.classname),
            "time": f"{case.seconds:.3f}",
        }
        node = xml.SubElement(top, "testcase", facts)
        for kind in ("failure", "error", "skipped"):
            text = getattr(case, kind)
            if text:
                xml.SubElement(node, kind, message=_clean(text.splitlines()[0])).text = _clean(text)
    return xml.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _clean(text: str) -> str:
    return _FORBIDDEN.sub("\ufffd", text)
