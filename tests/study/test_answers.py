"""``--check``: published and made-up answers, as a student types them."""

from __future__ import annotations

import json
import shlex

import pytest

from tests.command import run

LAMBDA = "lambda-return --rewards 1 2 3 --lam 0.5 --check"
N_STEP = "n-step --rewards 2 3 --values 5 8 10 --terminated 0 1 --gamma 0.9 --n 2 --check"
GRPO = "grpo-advantage --rewards 1 0 0 0 --check"
DRIVING = "td-error --rewards 5 15 10 10 3 --values 30 35 15 10 3 0 --gamma 1"
GRPO_8 = "grpo-advantage --rewards 0 1 0 1 0 0 1 0 --check"

SARSA = "--steps 'A l 1 B; B r 2 A; A l 3 end' --q 'A l 1; A r 5; B l 4; B r 2' --alpha 1/2 --gamma 1/2"
DOUBLE = "--steps 's a 1 t' --q1 's a 1/2; t b 1; t c 2' --q2 't b 3; t c 1/4' --alpha 1/10 --gamma 9/10"
VISITS = "--episodes 'A 3 A 2 B -4 A 4 B -3; B -2 A 3 B -3'"


@pytest.mark.parametrize(
    ("line", "verdict", "named"),
    [
        # the three of CONTROL_FORMULAS.md, section 6
        (f"{LAMBDA} 2", "wrong", "remainder-missing"),
        (f"{N_STEP} 12.8", "wrong", "bootstrap-after-terminal"),
        (f"{GRPO} 1.5 -0.5 -0.5 -0.5", "wrong", "ddof-1"),
        # right ones, in several spellings
        (f"{LAMBDA} 11/4", "exact", ""),
        (f"{LAMBDA} 2.750", "exact", ""),
        (f"{LAMBDA} 2.8", "rounded", ""),
        (f"{LAMBDA} 2.69", "wrong", ""),
        (f"{LAMBDA} 3", "rounded", ""),
        (f"{GRPO} sqrt(3) -1/sqrt(3) -0.577 -0.58", "rounded", ""),
        (f"{GRPO} [1.73, -0.58, -0.58, -0.57]", "wrong", ""),
        ("lambda-return --rewards 1 2 3 --lam l --check '3*l^2+2*l+1'", "exact", ""),
        ("lambda-return --rewards 1 2 3 --lam l --check '3*l^2+2*l'", "wrong", ""),
        ("traces --states A B A --gamma 1 --lam 1/2 --check '1 0; 1/2 1; 1 1/2'", "wrong", "replac"),
        ("traces --states A B A --gamma 1 --lam 1/2 --check '1 0; 1/2 1; 5/4 1/2'", "exact", ""),
        # inputs forgotten, outputs mixed up, signs
        ("discounted-return --rewards 1 2 3 --gamma 0.9 --check 6", "wrong", "gamma-ignored"),
        ("discounted-return --rewards 1 2 3 --gamma 0.9 --check 4.7", "wrong", "entry 1"),
        ("advantage --return 15 --value 10 --check -5", "wrong", "reversed"),
        # published answers: Tel-Aviv recitation 8 and a GRPO notebook with torch.std
        ("lambda-return --rewards 0 0 1 --values 0 -2 0 0 --gamma 1/2 --lam 1/2 --check -15/32",
         "wrong", "remainder-missing"),
        (f"{GRPO_8} -0.725 1.208 -0.725 1.208 -0.725 -0.725 1.208 -0.725", "wrong", "ddof-1"),
        # no weights of the form α^i (1−α)^j give the published 5.003; 4.37 is what a reversed list gives
        ("mc-update --value 2 --returns 5 9 --alpha 0.3 --check 5.003", "wrong", ""),
        ("mc-update --value 2 --returns 5 9 --alpha 0.3 --check 4.37", "wrong", "oldest-weighs-most"),
        ("gradient-bandit --actions 0 --rewards 1 --preferences 0 0 0 --alpha 0.1 --baseline 0"
         " --output policy --check 0.32 0.34 0.34", "wrong", "descends + other-arms-unchanged"),
        ("td --steps 's 1 t' --values 2 --alpha 1/4 --output new-value --check 2.75", "wrong",
         "old-value-not-subtracted"),  # 2 + 3/4; 2/4 + 9/4 as well, which is named second
        # published with log 12 for log 13
        ("ucb --q 2/5 3/5 --counts 10 3 --c 1 --check 0.90 1.51", "wrong", "last-pull-not-counted"),
        # a part of an answer, by name; the published value is sweep 41, whose change is below 1/1000
        ("policy-eval --mdp grid:5x5 --gamma 0.9 --check (2,2)=-7.0902", "wrong", "stops-at-a-small-change"),
        ("policy-eval --mdp grid:5x5 --gamma 0.9 --check 2,2=-7.0944", "rounded", ""),
        (f"sarsa {SARSA} --check 'B r=19/8; A l=2.25'", "exact", ""),
        (f"sarsa {SARSA} --check B r=3.25", "wrong", "best-next-action"),
        # tables: each answer worked out by hand with the mistake in it
        ("td --steps 'A 2 B; B 4 end' --values 1 --alpha 1/2 --gamma 1/2 --check 7/4 11/4",
         "wrong", "terminal-value-bootstrapped"),
        (f"sarsa {SARSA} --check 2.5 5 4 3.25", "wrong", "best-next-action"),
        (f"q-learning {SARSA} --check 2.25 5 4 2.375", "wrong", "next-action-taken"),
        ("expected-sarsa --steps 'A l 1 B' --q 'B l 4; B r 2' --alpha 1 --epsilon 0.1 --check 4.8 0 4 2",
         "wrong", "epsilon-among-the-others"),
        (f"double-q {DOUBLE} --output target --check 2.8", "wrong", "own-table-values"),
        (f"mc {VISITS} --check 0.5 -2.75", "wrong", "every-visit-counted"),
        (f"mc {VISITS} --check -2 1/2", "wrong", "own-reward-left-out"),
        ("batch --episodes 'A 0 B 0; B 1 x6; B 0' --check 0 3/4", "wrong", "returns-in-place-of-the-chain"),
        ("bandit --actions a a --rewards 5 9 --initial 2 --alpha 0.3 --check 7",
         "wrong", "sample-average-with-a-constant-step"),
        ("bandit --actions a a --rewards 5 9 --initial 2 --alpha 0.3 --check 6.2",
         "wrong", "old-value-not-subtracted"),
        ("backup --rewards 1 --next-values 10 0 4 --probs '1/2 1/2 0; 0 0 1' --gamma 1/2 --max --check 3.25",
         "wrong", "mean-over-actions"),
        ("value-iteration --mdp racing --gamma 0.9 --sweeps 2 --check 3.5 2.5 0",
         "wrong", "discount-missing"),
        ("policy-iteration --mdp robot --policy wait wait --gamma 0.9 --check 30 30",
         "wrong", "first-policy-kept"),
        ("average-reward --mdp robot --policy search recharge --check 5", "wrong", "states-weighed-alike"),
        ("value-iteration --mdp racing --gamma 0.9 --sweeps 2 --check 3.755 3.54475 0",
         "wrong", "--in-place"),
        (f"{DRIVING} --check 10 -5 5 3 0", "exact", ""),
    ],
)  # fmt: skip
def test_an_answer_is_judged_and_the_mistake_named(line, verdict, named):
    code, out, err = run(*shlex.split(line), "--json")
    assert not err
    found = json.loads(out)
    assert found["verdict"] == verdict
    assert code == (1 if verdict == "wrong" else 0)
    first = found["mistakes"][0] if found["mistakes"] else {"name": "", "about": "", "kind": ""}
    assert (
        named in (first["name"] or f"{first['kind']}: {first['about']}") if named else not found["mistakes"]
    )


def test_it_is_said_in_words_at_80_columns():
    code, out, _ = run(*f"{N_STEP} 12.8".split())
    assert code == 1
    assert out.startswith(
        "wrong: return = 12.8\n  right: G_0^(n) = 47/10 = 4.7\n  known bug: bootstrap-after"
    )
    assert max(map(len, out.splitlines())) <= 80
    assert run(*f"{LAMBDA} 2.8 -q".split())[:2] == (0, "rounded\n")


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (f"{GRPO} 1.5 -0.5", "check_wrong_length"),
        (f"{LAMBDA} two", "unknown_name"),
        (f"{LAMBDA} x=2", "check_has_no_names"),
        ("bellman --mdp robot --gamma 0.9 --check hihg=2", "check_unknown_entry"),
        ("bellman --mdp robot --gamma 0.9 --check high=2 3", "check_mixed"),
        (f"{LAMBDA} []", "check_empty"),
        (f"{LAMBDA} 2 --latex", "check_has_no_steps"),
        (f"{LAMBDA} 2 --output returs", "unknown_output"),
    ],
)
def test_what_is_no_answer_is_refused(line, code):
    exit_code, _, err = run(*line.split(), "--json") if "latex" not in line else run(*line.split())
    assert exit_code == 2
    assert code in err or "do not go together" in err


def test_of_what_no_mistake_gives_the_distance_is_said():
    line = "mc-update --value 2 --returns 5 9 --alpha 0.3 --check 5.003"
    _, out, _ = run(*line.split())
    assert "No known mistake gives this: 5.003 is 0.273 too large." in out


def test_one_output_alone():
    code, out, _ = run(
        "lambda-return", "--rewards", "1", "2", "3", "--lam", "0.5", "-q", "--output", "weights"
    )
    assert (code, out) == (0, "1/2 1/4 1/4\n")
    code, out, _ = run(
        "lambda-return", "--rewards", "1", "2", "3", "--lam", "0.5", "--json", "--output", "weights"
    )
    assert list(json.loads(out)["outputs"]) == ["weights"]
    assert run(*f"{LAMBDA} 1/2 1/4 0.1 --output weights -q".split())[:2] == (1, "wrong\n")


LONG = "discounted-return --rewards 0.1234567890123456 0 --output return -q"


@pytest.mark.parametrize(
    ("line", "answer"),
    [
        (LONG, "0.1234567890123456"),
        (f"{LONG} --all", "19290123283179/156250000000000"),
        (f"{LONG} --digits 4", "0.1235"),
        ("discounted-return --rewards 1 2 3 --gamma 1/7 -q --output return", "66/49"),
        ("discounted-return --rewards 0.1 0.2 --gamma 0.5 -q --output return", "1/5"),
    ],
)
def test_who_types_decimals_gets_no_long_fraction(line, answer):
    assert run(*line.split()) == (0, answer + "\n", "")
