"""``rlcalc diff``: two functions against each other."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from rlcalc.cli import main

pytestmark = pytest.mark.slow  # each a whole run of conform, of two functions

FILE = """\
import numpy as np
import rlcalc

def right(ratio, adv, eps):
    return rlcalc.ppo_clip(ratio=ratio, adv=adv, eps=eps)

def wrong(ratio, adv, eps):
    return np.clip(ratio, 1 - eps, 1 + eps) * adv

def raises(ratio, adv, eps):
    raise RuntimeError("not here")

def mixes(rewards, gamma):
    found = rlcalc.discounted_return(rewards, gamma=gamma)
    return found if rewards.ndim < 2 else found[::-1]

def plain(rewards, gamma):
    return rlcalc.discounted_return(rewards, gamma=gamma)

def off(rewards, gamma):
    found = rlcalc.discounted_return(rewards, gamma=gamma)
    return np.concatenate([found[..., :1], found[..., 1:] + 1], axis=-1)

def advantages(rews, vals, dones, last_val, gamma=0.99, lam=0.95):
    out, later = np.zeros_like(rews), 0.0
    for t in reversed(range(len(rews))):
        after = last_val if t == len(rews) - 1 else vals[t + 1]
        delta = rews[t] + gamma * after * (1 - dones[t]) - vals[t]
        later = out[t] = delta + gamma * lam * (1 - dones[t]) * later
    return out

def nats(p):
    return -(p * np.log(np.where(p > 0, p, 1))).sum(-1)

def bits(p):
    return nats(p) / np.log(2)

def rows_first(rewards, values, lam):
    steps, later = rewards.shape[-1], 0.0
    out = np.zeros_like(rewards)
    for t in reversed(range(steps)):
        later = rewards[..., t] + 0.5 * values[..., t + 1] - values[..., t] + 0.5 * lam * later
        out[..., t] = later
    return out

def other_discount(rewards, values, lam):
    return rewards + 0.25 * values[..., 1:] - values[..., :-1]
"""


@pytest.fixture
def diff(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    (tmp_path / "two.py").write_text(FILE)
    monkeypatch.chdir(tmp_path)

    def run(*words: str, formula: str = "ppo_clip") -> tuple[int, str, str]:
        code = main(["diff", *(f"two.py:{word}" for word in words[:2]), "--formula", formula, *words[2:]])
        out, err = capsys.readouterr()
        return code, out, err

    return run


def test_the_right_one_is_named(diff) -> None:
    code, out, err = diff("right", "wrong", "--random", "40")
    assert code == 1
    assert err == "error: two.py:right and two.py:wrong differ.\n"
    assert "two.py:right conforms to ppo_clip\n" in out
    assert "two.py:wrong differs from ppo_clip: " in out
    first, second, exact = (line.split()[-1] for line in out.splitlines()[-3:])
    assert float(first) == pytest.approx(float(exact))
    assert first != second


@pytest.mark.usefixtures("verdict_alone")
def test_the_formula_is_found_by_the_name_of_the_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "two.py").write_text(FILE.replace("right", "ppo_clip"))
    monkeypatch.chdir(tmp_path)
    assert main(["diff", "two.py:ppo_clip", "two.py:wrong", "--random", "0"]) == 1
    assert "two.py:ppo_clip conforms to ppo_clip\n" in capsys.readouterr().out
    # a first one whose name says nothing is what the second is
    assert main(["diff", "two.py:plain", "two.py:ppo_clip", "--random", "0"]) == 2
    assert "ppo_clip" in capsys.readouterr().err


@pytest.mark.usefixtures("verdict_alone")
def test_two_that_agree(diff) -> None:
    code, out, err = diff("right", "right", "--random", "10")
    assert (code, err) == (0, "")
    assert "agree on all" in out
    # also where both are wrong in the same way
    code, out, _ = diff("wrong", "wrong", "--random", "10")
    assert code == 0
    assert "differs from ppo_clip" in out


@pytest.mark.usefixtures("verdict_alone")
def test_a_list_is_a_table_with_the_rows_that_differ(diff) -> None:
    code, out, _ = diff("plain", "off", "--random", "50", formula="discounted_return")
    assert code == 1
    (heading,) = (line for line in out.splitlines() if line.split()[:2] == ["t", "rewards"])
    assert heading.split()[-3:] == ["first", "second", "exact"]
    rows = out.partition(heading)[2].strip().splitlines()
    assert [row.endswith("<-") for row in rows] == [False, True]


@pytest.mark.usefixtures("verdict_alone")
def test_what_is_no_fraction_is_shown_as_a_decimal(diff) -> None:
    code, out, _ = diff("nats", "bits", "--random", "0", formula="entropy")
    assert code == 1
    first, _, exact = (line.split()[-1] for line in out.splitlines()[-3:])
    assert (first[:12], len(exact) < 20) == (exact[:12], True)


@pytest.mark.usefixtures("verdict_alone")
def test_what_shows_in_batches_alone_is_found_too(diff) -> None:
    code, out, _ = diff("plain", "mixes", "--random", "20", formula="discounted_return")
    assert code == 1
    assert "two.py:plain conforms to discounted_return\n" in out
    assert "rewards = [[" in out


@pytest.mark.usefixtures("verdict_alone")
def test_one_that_raises_differs_and_says_so(diff) -> None:
    code, out, _ = diff("right", "raises", "--random", "0", "--json")
    found = json.loads(out)
    assert code == 1
    assert not found["agree"]
    assert found["case"]["second"] == "raises: RuntimeError: not here"
    assert [report["verdict"] for report in found["reports"]] == ["conforms", "raises"]


@pytest.mark.usefixtures("verdict_alone")
def test_each_is_called_as_its_own_names_and_layout_ask(diff) -> None:
    code, out, _ = diff("advantages", "rows_first", "--random", "10", formula="gae")
    # γ stands in the body of one, so that the other is asked with that; it has flags, which no vector brings
    assert code == 0
    assert "agree on all" in out
    code, out, err = diff("rows_first", "other_discount", "--random", "10", formula="gae")
    assert code == 2
    assert "both" in err


@pytest.mark.parametrize(
    "words", [[], ["a.py:f"], ["a.py:f", "b.py:f"], ["a.py:f", "b.py:f", "--formula", "gae"]]
)
def test_wrong_use(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["diff", *words]) == 2
    assert capsys.readouterr().err.startswith("error: ")
