"""Every picture depends on every input of its command: another input, another picture or a refusal."""

from __future__ import annotations

from typing import Any

import pytest

from rlcalc import plotting
from rlcalc.cli import plots
from rlcalc.errors import RlcalcError
from rlcalc.evaluation import evaluate
from rlcalc.specs import heads, load_formula
from tests.sweep import sweep

pytest.importorskip("matplotlib")

STEPS = "s a 1 t; t b 2 s; s b 0 t; t a 3 s a"
AGAIN = "s a 1 s a; s a 2 s a; s a 3 end"  # one pair, visited while its trace lasts
SARSA = {"steps": "s a 1 t b; t b 2 s b; s b 0 t a; t a 3 end", "q": "s a 1; t b 2", "alpha": "1/2"}
TABLE = {"steps": STEPS, "q": "s a 1; t b 2", "alpha": "1/2", "gamma": "9/10", "n": 1}
EPISODE = {
    "rewards": ["1", "2", "3"],
    "values": ["1", "0", "2", "1"],
    "gamma": "9/10",
    "terminated": [0, 0, 0],
    "truncated": [0, 0, 0],
}
ENDS: dict[str, Any] = {
    "rewards": ["1", "2", "4"],
    "values": ["1", "3", "2", "1"],
    "gamma": "1/2",
    "terminated": [0, 1, 0],
    "truncated": [0, 1, 0],
    "next_values": ["5", "6", "7"],
}
SWEEPS = {"mdp": "racing", "gamma": "9/10", "sweeps": 2, "values": ["1", "3"]}
LOGS = {"logp": [["-1", "-2", "-1/2"]], "old_logp": [["-1/2", "-2", "-1"]], "adv": [["1", "-1", "2"]]}
# formula: inputs, then for each of them another value; None leaves it out
ONE: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "bandit": (
        {"actions": ["1", "2", "2"], "rewards": ["1", "0", "2"], "arms": ["3"], "initial": "1"},
        {
            "actions": ["1", "2", "1"],
            "rewards": ["1", "0", "3"],
            "arms": ["4"],
            "initial": "0",
            "alpha": "1/4",
        },
    ),
    "batch": (
        {"episodes": "A 1 B 0; B 1 x3; B 0", "gamma": "9/10"},
        {"episodes": "A 1 B 0; B 1 x2; B 0", "gamma": "1/2", "method": "mc"},
    ),
    "bellman": ({"mdp": "racing", "gamma": "9/10"}, {"mdp": "robot", "gamma": "1/2"}),
    "double_q": (
        {"steps": STEPS, "q1": "s a 1; t b 2", "q2": "s a 3", "alpha": "1/2", "update": ["1", "2", "1", "2"]},
        {
            "steps": STEPS.replace("3", "4"),
            "q1": "s a 2",
            "q2": "t b 3",
            "alpha": "1/4",
            "gamma": "1/2",
            "update": ["2"],
            "actions": ["a", "b", "c"],
        },
    ),
    "expected_sarsa": (
        {**TABLE, "epsilon": "1/10"},
        {"steps": STEPS.replace("3", "4"), "q": "s a 2", "alpha": "1/4", "epsilon": "1/2", "gamma": "1/2"}
        | {"n": 2, "actions": ["a", "b", "c"]},
    ),
    "gae": (EPISODE | {"lam": "1/2"}, {**ENDS, "lam": "1/4"}),
    "kl": ({"p": ["1/2", "1/2"], "q": ["1/4", "3/4"]}, {"p": ["1/4", "3/4"], "q": ["1/2", "1/2"]}),
    "lambda_return": (EPISODE | {"lam": "1/2"}, {**ENDS, "lam": "1/4", "alpha": "1/2", "terminal": True}),
    "lambda_weights": ({"lam": "1/2", "steps": 4}, {"lam": "1/4", "steps": 5}),
    "mc": (
        {"episodes": "A 3 A 2 B -4; B 1 A 2", "gamma": "9/10"},
        {
            "episodes": "A 3 A 1 B -4; B 1 A 2",
            "gamma": "1/2",
            "visit": "every",
            "alpha": "1/2",
            "values": "A 1",
        },
    ),
    "n_step_return": (EPISODE | {"n": 2}, {**ENDS, "n": 1, "alpha": "1/2", "terminal": True}),
    "policy_eval": (
        SWEEPS | {"policy": "uniform"},
        {"mdp": "robot", "gamma": "1/2", "sweeps": 3, "values": ["2", "2"], "policy": "fast slow"}
        | {"in_place": True, "order": ["warm", "cool", "overheated"]},
    ),
    "policy_iteration": (
        {"mdp": "racing", "gamma": "9/10"},
        {"mdp": "robot", "gamma": "1/2", "policy": "slow slow"},
    ),
    "ppo_clip": ({"ratio": "3/2", "adv": "5"}, {"ratio": "1", "adv": "2", "eps": "1/4"}),
    "q_learning": (
        TABLE,
        {"steps": STEPS.replace("3", "4"), "q": "s a 2", "alpha": "1/4", "gamma": "1/2", "n": 2}
        | {"lam": "1/2", "replacing": True, "actions": ["a", "b", "c"]},
    ),
    "sarsa": (
        SARSA,
        {"steps": SARSA["steps"].replace("3", "4"), "q": "s a 2", "alpha": "1/4", "gamma": "1/2", "n": 2}
        | {"lam": "1/2", "replacing": True, "actions": ["a", "b", "c"]},
    ),
    "td": (
        {"steps": "A 1 B; B 0 A; A 2 end", "values": "A 1", "alpha": "1/2"},
        {"steps": "A 1 B; B 0 A; A 3 end", "values": "A 2", "alpha": "1/4", "gamma": "1/2", "n": 2}
        | {"lam": "1/2", "replacing": True},
    ),
    "dpo_loss": (
        {
            "chosen": ["-1", "-2"],
            "rejected": ["-2", "-1"],
            "ref_chosen": ["-1", "-1"],
            "ref_rejected": ["-1", "-3"],
        },
        {
            "chosen": ["-2", "-2"],
            "rejected": ["-3", "-1"],
            "ref_chosen": ["-2", "-1"],
            "ref_rejected": ["-2", "-3"],
        }
        | {"beta": "1/2", "label_smoothing": "1/5", "kind": "hinge"}
        | {"chosen_lengths": [2, 3], "rejected_lengths": [1, 2]},
    ),
    "group_advantage": (
        {"rewards": ["1", "0", "0", "1", "1", "1"], "groups": [0, 0, 0, 1, 1, 2]},
        {"rewards": ["1", "0", "1", "1", "1", "1"], "groups": [0, 0, 1, 1, 1, 2], "scale": "none", "ddof": 0}
        | {"eps": "1/10", "singleton": "raw"},
    ),
    "kl_estimate": (
        {"logp": ["-1", "-2"], "ref_logp": ["-2", "-1/2"]},
        {
            "logp": ["-1", "-3"],
            "ref_logp": ["-3", "-1/2"],
            "kind": "k1",
            "clamp_in": "1/2",
            "clamp_out": "1/4",
        },
    ),
    "loss_aggregation": (
        {"loss": [["1", "2", "4"], ["3", "4", "8"]], "mask": [[1, 1, 0], [1, 1, 1]]},
        {
            "loss": [["1", "2", "4"], ["3", "4", "9"]],
            "mask": [[1, 0, 0], [1, 1, 1]],
            "mode": "seq-mean-token-sum",
        }
        | {"divisor": 5, "tokens": 7, "sequences": 3, "ranks": 2, "groups": [0, 0], "count_all": True},
    ),
    "policy_clip": (
        {"logp": ["-1", "-2"], "old_logp": ["-3/2", "-1"], "adv": ["1", "-1"]},
        {"logp": ["-1", "-3"], "old_logp": ["-3/2", "-2"], "adv": ["1", "1"], "eps_low": "1/10"}
        | {"eps_high": "3/10", "dual": "2", "log_clamp": "1/4"},
    ),
    "rloo_advantage": (
        {"rewards": ["1", "0", "0", "1", "1", "1"], "groups": [0, 0, 0, 1, 1, 2]},
        {"rewards": ["1", "0", "1", "1", "1", "1"], "groups": [0, 0, 1, 1, 1, 2], "singleton": "raw"},
    ),
    "value_iteration": (
        SWEEPS,
        {"mdp": "robot", "gamma": "1/2", "sweeps": 3, "values": ["0", "7"], "in_place": True}
        | {"order": ["warm", "cool", "overheated"]},
    ),
}
# of these a picture says nothing, and why
LEFT_OUT = {
    ("lambda_return", "alpha"): "moves a value towards the return, which is what is drawn",
    ("n_step_return", "alpha"): "moves a value towards the return, which is what is drawn",
}
# without which a parameter has no effect or is refused
NEEDS: dict[tuple[str, str], dict[str, Any]] = {
    **{(name, "order"): {"in_place": True} for name in ("policy_eval", "value_iteration")},
    ("mc", "values"): {"alpha": "1/2"},
    ("loss_aggregation", "divisor"): {"mode": "fixed-divisor", "divisor": 4},
    ("loss_aggregation", "sequences"): {"mode": "seq-mean-token-mean"},
    ("loss_aggregation", "count_all"): {"mode": "seq-mean-token-mean", "mask": [[1, 1, 1], [0, 0, 0]]},
    ("loss_aggregation", "groups"): {"mode": "prompt-mean", "groups": [0, 1]},
}
CASES = [(name, parameter) for name, (_, others) in ONE.items() for parameter in others]


def fingerprint(name: str, raw: dict[str, Any]) -> list[Any]:
    """All numbers and words of a picture."""
    panels, function = plots.DRAW[load_formula(name).plot]
    _, axes = plotting.new_figure(panels)
    function(*axes, evaluate(name, raw))
    found: list[Any] = []
    for one in axes:
        found += [line.get_xydata().tolist() for line in one.get_lines()]
        found += [line.get_label() for line in one.get_lines()]
        found += [(bar.get_x(), bar.get_height()) for bar in one.patches if hasattr(bar, "get_height")]
        found += [spot.get_offsets().tolist() for spot in one.collections]
        found += [one.get_title(), *(text.get_text() for text in one.texts)]
        found += [image.get_array().tolist() for image in one.get_images()]
    return found


def changed(name: str, parameter: str) -> dict[str, Any]:
    base, others = ONE[name]
    raw = {**base, **NEEDS.get((name, parameter), {}), parameter: others[parameter]}
    if parameter == "mdp":  # the states are others
        raw = {key: value for key, value in raw.items() if key not in ("values", "policy")}
    if parameter in ("lam", "replacing") and name not in ("gae", "lambda_return", "lambda_weights"):
        raw = {key: value for key, value in raw.items() if key != "n"}
    return raw


@pytest.mark.parametrize(("name", "parameter"), sweep(CASES, 10))
def test_another_input_another_picture(name: str, parameter: str) -> None:
    base, raw = {**ONE[name][0], **NEEDS.get((name, parameter), {})}, changed(name, parameter)
    if parameter == "replacing":
        base = {key: value for key, value in {**base, "lam": "1/2"}.items() if key != "n"}
        base |= {} if name == "td" else {"steps": AGAIN}
        raw = {**base, "replacing": True}
    try:
        other = fingerprint(name, raw)
    except RlcalcError:
        return
    if (name, parameter) in LEFT_OUT:
        assert other == fingerprint(name, base)
    else:
        assert other != fingerprint(name, base)


def test_every_picture_is_here() -> None:
    drawn = {head.name for head in heads() if load_formula(head.name).plot}
    assert drawn == set(ONE)
