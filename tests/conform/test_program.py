"""Programs in other languages, asked over lines of JSON."""

from __future__ import annotations

import json
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from rlcalc.conform.runner import run
from rlcalc.conform.target.program import Program, case_json, read_line
from rlcalc.conform.vectors import golden_vectors
from rlcalc.data import data_folder
from rlcalc.errors import InputError

PROGRAMS = Path(__file__).parent / "programs"


def commands(folder: Path) -> dict[str, str]:
    """The worked examples that can run here, by language."""
    found = {}
    node = shutil.which("node")
    if node:
        found["javascript"] = shlex.join([node, str(PROGRAMS / "gae.js")])
    compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if compiler:
        built = folder / "gae"
        subprocess.run([compiler, "-O1", "-o", str(built), str(PROGRAMS / "gae.c")], check=True)
        found["c"] = shlex.join([str(built)])
    return found


def test_worked_examples_conform(tmp_path: Path) -> None:
    found = commands(tmp_path)
    assert found, "neither node nor a C compiler is here: no other language was tried"
    for language, command in found.items():
        target = Program(command)
        try:
            report = run(target, "gae", random=60, batches=language != "c")
        finally:
            target.close()
        assert report.verdict == "conforms", (language, report.failures[:1], report.found)
        assert report.random == 60
        assert (report.digits("float64") or 0) > 15


def script(tmp_path: Path, body: str) -> str:
    path = tmp_path / "program.py"
    path.write_text("import json, sys, time\nfor line in sys.stdin:\n    case = json.loads(line)\n" + body)
    return shlex.join([sys.executable, str(path)])


def verdict(command: str, limit: float = 5.0, formula: str = "ppo_loss") -> str:
    target = Program(command, limit)
    try:
        report = run(target, formula)
    finally:
        target.close()
    return report.verdict


RIGHT = "v = case['given']; r = v['clip'] - v['c1'] * v['critic'] + v['c2'] * v['entropy']"


def test_answers(tmp_path: Path) -> None:
    answer = "json.dumps({'id': case['id'], 'outputs': {'objective': r, 'loss': -r}})"
    body = f"    {RIGHT}\n    print({answer}, flush=True)\n"
    assert verdict(script(tmp_path, body)) == "conforms"


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("    print(json.dumps({'answer': 1e9}), flush=True)\n", "nonconforming"),
        ("    print(json.dumps({'answer': 'nan'}), flush=True)\n", "nan"),
        ("    print(json.dumps({'answer': [1.0]}), flush=True)\n", "wrong-shape"),
        ("    print(json.dumps({'answer': 'much'}), flush=True)\n", "wrong-shape"),
        ("    print(json.dumps({'error': 'not today'}), flush=True)\n", "raises"),
        ("    print('__import__(\"os\").getcwd()', flush=True)\n", "raises"),
        ("    sys.exit(3)\n", "raises"),
        ("    print(json.dumps({'id': 'another', 'answer': 1}), flush=True)\n", "raises"),
        ("    time.sleep(60)\n", "hangs"),
    ],
)
def test_what_a_program_can_do_wrong(tmp_path: Path, body: str, expected: str) -> None:
    assert verdict(script(tmp_path, body), limit=1.0) == expected


def test_last_words_of_a_program(tmp_path: Path) -> None:
    target = Program(script(tmp_path, "    raise RuntimeError('no such thing')\n"))
    outcome = target.call(golden_vectors("td_update")[0])
    target.close()
    assert outcome.kind == "raises"
    assert "exit code 1" in outcome.detail
    assert "no such thing" in outcome.detail


def test_commands_that_are_none() -> None:
    codes = {"": "command_syntax", "'": "command_syntax", "no-such-program-": "command_not_found"}
    for command, code in codes.items():
        with pytest.raises(InputError) as caught:
            run(Program(command), "td_update")
        assert caught.value.code == code


@pytest.mark.parametrize("formula", ["gae", "bellman", "ratio", "token_mdp", "traces"])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_cases_follow_their_schema(formula: str, dtype: str) -> None:
    path = data_folder("specs") / "schemas" / "case.schema.json"
    schema = json.loads(path.read_text("utf-8"))
    Draft202012Validator.check_schema(schema)
    validator = Draft202012Validator(schema)
    target = Program("true")
    for vector in golden_vectors(formula):
        case = case_json(vector, dtype, target.arguments(vector, dtype))
        line = json.dumps(case, allow_nan=False)
        assert [error.message for error in validator.iter_errors(json.loads(line))] == []


def test_float32_goes_out_as_its_shortest_decimal() -> None:
    vector = next(v for v in golden_vectors("gae") if v.id == "gae/defaults")
    target = Program("true")
    given = case_json(vector, "float32", target.arguments(vector, "float32"))["given"]
    assert given["rewards"] == [1.0, 0.0, 2.0]
    assert (given["gamma"], given["lam"]) == (0.99, 0.95)


def test_specification_shows_a_case_that_is_one() -> None:
    text = (data_folder("specs") / "conform-protocol.md").read_text("utf-8")
    start = text.index('{"schema"')
    case = json.loads(text[start : text.index("}}", start) + 2])
    vector = next(v for v in golden_vectors("gae") if v.id == case["id"])
    assert case == case_json(vector, "float64", Program("true").arguments(vector, "float64"))
    answer = '{"id": "gae/lecture-2.4", "answer": [2.75, 3.5, 3.0]}'
    assert answer in text
    assert read_line(vector, answer.encode()).outputs["advantages"].tolist() == [2.75, 3.5, 3.0]
