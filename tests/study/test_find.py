"""``rlcalc find`` and what an unknown command is told."""

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


@pytest.mark.parametrize(
    ("word", "hint"),
    [
        ("boltzmann", "Did you mean softmax?"),
        ("boltzman", "Did you mean softmax?"),
        ("policy-iteratoin", "Did you mean policy-iteration?"),
        ("lamda-return", "Did you mean lambda-return?"),
        ("bootstrapping", "'rlcalc find bootstrapping' shows more."),
        ("importance-weights", "importance"),
        ("zebra", "'rlcalc -h' shows all commands."),
    ],
)
def test_an_unknown_command_is_told_what_is_near(word, hint):
    code, _, err = run(word)
    assert code == 2
    assert hint in err


def test_no_name_is_given_to_two_commands_by_mistake():
    from rlcalc.cli.aliases import command_names
    from rlcalc.cli.commands import BUILT_IN
    from rlcalc.heads import heads

    commands = {head.command for head in heads()} | set(BUILT_IN)
    others = command_names()
    assert set(others) <= commands
    assert not commands & {name for names in others.values() for name in names}
