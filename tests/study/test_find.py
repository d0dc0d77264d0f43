"""``rlcalc find``; what an unknown command is told is in test_cli_help.py."""

from __future__ import annotations

import json

import pytest

from tests.command import run


@pytest.mark.parametrize(
    ("words", "first"),
    [
        ("boltzmann", "softmax"),
        ("eligibility traces", "traces"),
        ("discounts", "discounted-return"),
        ("clipping", "ppo-clip"),
        ("preference loss", "dpo-loss"),
        ("generalised advantage estimation", "gae"),
        ("certified vectors", "conform"),
        ("monte carlo update", "mc-update"),
    ],
)
def test_commands_are_found_by_what_they_are_about(words, first):
    code, out, _ = run("find", *words.split(), "--json")
    assert code == 0
    assert json.loads(out)["found"][0]["command"] == first


def test_the_list_is_short_and_narrow():
    code, out, _ = run("find", "advantage")
    lines = out.splitlines()
    assert code == 0
    assert lines[0].startswith("advantage")
    assert max(map(len, lines)) <= 80
    assert run("find", "zebra")[0] == 2
