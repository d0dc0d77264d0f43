"""Programs in other languages, asked over lines of JSON."""

from __future__ import annotations

import json
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from rlcalc.conform.outcome import judge
from rlcalc.conform.runner import run
from rlcalc.conform.target.program import Program, case_json, read_line
from rlcalc.conform.vectors import golden_vectors
from rlcalc.data import data_folder
from rlcalc.errors import InputError
from tests.refused import refused

pytestmark = pytest.mark.slow  # each starts a program

PROGRAMS = Path(__file__).parent / "programs"
LOSS = golden_vectors("ppo_loss")[0]
Script = Callable[..., Program]


@pytest.fixture
def script(tmp_path: Path) -> Iterator[Script]:
    """Programs by what they do with each case; ended afterwards."""
    made: list[Program] = []

    def make(body: str, limit: float = 5.0) -> Program:
        path = tmp_path / "program.py"
        path.write_text(
            "import json, sys, time\nfor line in sys.stdin:\n    case = json.loads(line)\n" + body
        )
        made.append(Program(shlex.join([sys.executable, str(path)]), limit))
        return made[-1]

    yield make
    for target in made:
        target.close()


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
        report = run(target, "gae", random=60, batches=language != "c")
        target.close()
        assert report.verdict == "conforms", (language, report.failures[:1], report.found)
        assert report.random == 60
        assert (report.digits("float64") or 0) > 15


def test_answers(script: Script) -> None:
    right = "v = case['given']; r = v['clip'] - v['c1'] * v['critic'] + v['c2'] * v['entropy']"
    answer = "json.dumps({'id': case['id'], 'outputs': {'objective': r, 'loss': -r}})"
    assert run(script(f"    {right}\n    print({answer}, flush=True)\n"), "ppo_loss").verdict == "conforms"


@pytest.mark.parametrize(
    ("line", "status"),
    [
        ('{"answer": 1e9}', "wrong"),
        ('{"answer": "nan"}', "nan"),
        ('{"answer": NaN}', "nan"),
        ('{"answer": [1.0]}', "wrong-shape"),
        ('{"answer": "much"}', "wrong-shape"),
        ('{"answer": true}', "wrong-shape"),
        ('{"answer": ' + "[" * 900 + "]" * 900 + "}", "wrong-shape"),
        ('{"answer": ' + "9" * 400 + "}", "wrong"),
        ('{"answer": ' + "9" * 5000 + "}", "wrong"),
        ('{"outputs": {"' + "x" * 5000 + '": 1}}', "wrong-shape"),
        ("[" * 100_000, "raises"),
        ('{"error": "not today"}', "raises"),
        ("__import__('os').getcwd()", "raises"),
        ('{"id": "another", "answer": 1}', "raises"),
        ("{}", "raises"),
        ("\x00\xff", "raises"),
    ],
)
def test_lines_that_are_wrong(line: str, status: str) -> None:
    found = judge(LOSS, read_line(LOSS, line.encode("latin-1")))
    assert found.status == status
    assert len(found.why) < 500


@pytest.mark.parametrize(
    ("body", "kind", "words"),
    [
        ("    sys.exit(3)\n", "raises", "the process ended with exit code 3"),
        ("    raise RuntimeError('no such thing')\n", "raises", "exit code 1: RuntimeError: no such thing"),
        ("    sys.stderr.write('\\x1b[31m' * 10**6 + 'end'); sys.exit(4)\n", "raises", "exit code 4: "),
        ("    sys.stdout.write('1' * 11_000_000); sys.stdout.flush()\n", "raises", "its answer has no end"),
        ("    time.sleep(60)\n", "hangs", "no answer within 1 s"),
    ],
)
def test_programs_that_do_not_answer(script: Script, body: str, kind: str, words: str) -> None:
    target = script(body, limit=1.0)
    for _ in range(2):  # it is started again
        outcome = target.call(LOSS)
        assert outcome.kind == kind
        assert words in outcome.detail
        assert len(outcome.detail) < 500


def test_a_program_that_does_not_read_is_late() -> None:
    """It answers rightly until its input is full, which has no end by itself."""
    target = Program("""yes '{"answer": 0}'""", limit=0.3)
    zero = replace(LOSS, truth={"objective": 0})
    start = time.monotonic()
    kinds = {target.call(zero).kind for _ in range(1000)}
    assert kinds == {"answer", "hangs"}
    assert time.monotonic() - start < 60
    target.close()


def test_a_question_larger_than_a_pipe(script: Script) -> None:
    """Either side may write first; neither waits for the other."""
    vector = next(v for v in golden_vectors("discounted_return") if v.arrays["rewards"].size > 90)
    long = replace(vector, arrays={**vector.arrays, "rewards": vector.arrays["rewards"].repeat(1000) / 3})
    body = "    print(json.dumps({'answer': [0.1] * len(case['given']['rewards'])}), flush=True)\n"
    outcome = script(body).call(long)
    assert outcome.kind == "answer"


def test_commands_that_are_none(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("not a program\n")
    (tmp_path / "text").chmod(0o755)
    codes = {"": "command_syntax", "'": "command_syntax", "no-such-program-": "command_not_found"}
    for command, code in {**codes, str(tmp_path / "text"): "command_not_found"}.items():
        with refused(InputError, code):
            run(Program(command), "td_update")


def test_one_that_refuses_discounts_per_step_is_narrowed(script: Script) -> None:
    target = script(
        "    import numpy as np\n    from rlcalc.api import compute\n    given = case['given']\n"
        "    if isinstance(given['gamma'], list):\n"
        "        print(json.dumps({'error': 'one number'}), flush=True)\n        continue\n"
        "    given = {k: np.array(v) if isinstance(v, list) else v for k, v in given.items()}\n"
        "    print(json.dumps({'answer': compute('gae', **given)['advantages'].tolist()}), flush=True)\n"
    )
    found = run(target, "gae")
    assert any("tested with scalar gamma" in note for note in found.notes)
    assert {j.status for j in found.judgements if j.dtype == "float64"} == {"passed", "skipped"}


@pytest.mark.parametrize("formula", ["gae", "bellman", "ratio", "token_mdp", "traces"])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_cases_follow_their_schema(formula: str, dtype: str) -> None:
    schema = json.loads((data_folder("specs") / "schemas" / "case.schema.json").read_text("utf-8"))
    Draft202012Validator.check_schema(schema)
    validator = Draft202012Validator(schema)
    target = Program("true")
    for vector in golden_vectors(formula):
        line = json.dumps(case_json(vector, dtype, target.arguments(vector, dtype)), allow_nan=False)
        assert [error.message for error in validator.iter_errors(json.loads(line))] == []


def test_float32_goes_out_as_its_shortest_decimal() -> None:
    vector = next(v for v in golden_vectors("gae") if v.id == "gae/defaults")
    given = case_json(vector, "float32", Program("true").arguments(vector, "float32"))["given"]
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
