"""Functions, programs and environments that misbehave, written out as source."""

from __future__ import annotations

import random
import sys
from pathlib import Path

FORMULAS = ["gae", "ppo_clip", "discounted_return", "critic_loss", "kl", "bellman", "grpo_advantage"]
# what stands in the body of a function of any keyword arguments
BODIES = [
    "return None", "return np.zeros((300, 300))", "return np.nan", "return 'text'", "return {}",
    "return []", "return [[1], [1, 2]]", "return np.longdouble(1)", "return 10**400", "return float('inf')",
    "return 1 + 2j", "return np.ma.masked_array([1.0], [True])", "return np.array(['a'])",
    "return np.array([None])", "return object()", "return lambda: 0", "return iter([1])",
    "raise ValueError('no' * 100000)", "raise SystemExit", "raise KeyboardInterrupt", "raise MemoryError",
    "return 1 / 0", "os._exit(0)", "sys.exit(3)", "os.abort()", "print('x' * 100000); return 0",
    "os.write(1, b'\\x00' * 1000); return 0", "os.close(1); return 0", "os.write(2, b'noise'); return 0",
    "sys.stdout = None; return 0", "return f(**given)",
    "for v in given.values():\n        if isinstance(v, np.ndarray) and v.size: v.flat[0] = 7\n    return 0",
    "return next(iter(given.values()))", "return given",
    "return np.array(next(iter(given.values())), dtype=object)", "return np.array(0, dtype='M8[s]')",
    "return {'answer': 1, 'nosuch': 2}", "return (1, 2, 3)", "x = []\n    x.append(x)\n    return x",
    "return np.random.default_rng().random()", "return True", "return b'1'",
    "warnings.warn('careful'); return 0",
    "threading.Thread(target=time.sleep, args=(0.2,)).start(); return 0",
    "return np.broadcast_to(0.0, (10**6, 10**6))",
]  # fmt: skip
HEADS = ["import os, sys, threading, time, warnings\nimport numpy as np\n"]
BROKEN = [
    "def f(:\n",
    "raise RuntimeError('at import')\n",
    "import nosuch_module\n",
    "sys.exit(0)\n",
    "f = 3\n",
    "",
]
# what a program prints for each line that it reads
REPLIES = [
    '{"answer": 0}', '{"answer": ' + "9" * 400 + "}", "[" * 900 + "]" * 900, "not json", "", "null", "[]",
    "{}", '{"answer": NaN}', '{"answer": "x"}', '{"answer": [1, [2]]}', '{"answer": null}',
    '{"answer": 1e999}', "\x00", '{"error": "no"}', '{"refused": true}', '{"answer": 0}\n{"answer": 0}',
    "x" * 100000, '{"answer": true}',
]  # fmt: skip
# the method of an environment that goes wrong, and how
FAULTS = [
    ("__init__", "raise RuntimeError('no display')"), ("__init__", "sys.exit(0)"), ("reset", "return 3"),
    ("reset", "raise ValueError('bad')"), ("reset", "sys.exit(0)"), ("reset", "return np.zeros(7), {}"),
    ("step", "return 1, 2, 3, 4"), ("step", "raise ValueError('bad')"), ("step", "sys.exit(0)"),
    ("step", "return np.zeros(7), 0.0, False, False, {}"), ("step", "return None"), ("step", "os._exit(0)"),
    ("step", "return np.zeros(2, np.float32), float('nan'), False, False, {}"),
    ("step", "return np.zeros(2, np.float32), 'much', False, False, {}"),
    ("step", "return np.full(2, np.nan, np.float32), 0.0, False, False, {}"),
    ("step", "return np.zeros(2, np.float32), 1e300, False, False, {}"),
    ("step", "return np.zeros(2, np.float32), 0.0, 'yes', None, {}"),
]  # fmt: skip


def target_command(chance: random.Random, folder: Path) -> list[str]:
    """Write a module with a function ``f``, and name the command that checks it."""
    path = folder / chance.choice(["agent.py", "my-agent.py", "01_loss.py", "a b.py"])
    if chance.random() < 0.1:
        source = chance.choice(BROKEN)
    else:
        body = chance.choice(BODIES)
        when = chance.choice(["", "", "if len(given) % 2:\n        "])
        source = f"{HEADS[0]}\ndef f(**given):\n    {when}{body}\n" + ("    return 0.0\n" if when else "")
    path.write_text(source, "utf-8")
    words = [
        "conform",
        f"{path}:f",
        "--formula",
        chance.choice(FORMULAS),
        "--random",
        chance.choice(["0", "0", "5"]),
    ]
    words += ["--limit", "2"]
    return words + chance.choice([[], [], ["--json"], ["--no-batch"], ["--dtype", "float32"]])


def program_command(chance: random.Random, folder: Path) -> list[str]:
    """Write a program that answers in its own way, and name the command that checks it."""
    path = folder / "program.py"
    reply = chance.choice(REPLIES)
    source = chance.choice(
        [
            f"import sys\nfor line in sys.stdin:\n    print({reply!r}, flush=True)\n",
            f"while True:\n    print({reply!r}, flush=True)\n",
            f"import sys\nsys.stdin.readline()\nprint({reply!r}, end='', flush=True)\n",
            "import os\nos._exit(0)\n",
            "import sys\nsys.stdin.close()\nimport time\ntime.sleep(60)\n",
        ]
    )
    path.write_text(source, "utf-8")
    words = ["conform", "--exec", f"{sys.executable} {path}", "--formula", chance.choice(FORMULAS)]
    return [*words, "--random", "0", "--limit", "1", *chance.choice([[], ["--json"]])]


def environment_command(chance: random.Random, folder: Path) -> list[str]:
    """Write a Gymnasium environment with one fault, and name the run that meets it."""
    method, body = chance.choice(FAULTS)
    parts = {
        "__init__": "pass",
        "reset": "return np.zeros(2, np.float32), {}",
        "step": "return np.zeros(2, np.float32), 1.0, False, False, {}",
    }
    parts[method] = f"if random.random() < {chance.choice([0.01, 1.0])}: {body}\n        {parts[method]}"
    source = f"""
import os, random, sys
import gymnasium
import numpy as np

class Env(gymnasium.Env):
    observation_space = gymnasium.spaces.Box(-1, 1, (2,), np.float32)
    action_space = gymnasium.spaces.Discrete(2)

    def __init__(self, **options):
        {parts["__init__"]}

    def reset(self, *, seed=None, options=None):
        {parts["reset"]}

    def step(self, action):
        {parts["step"]}

gymnasium.register("Fuzz-v0", entry_point=Env, max_episode_steps=20)
"""
    (folder / "fuzzed_env.py").write_text(source, "utf-8")
    words = ["ppo-run", "--env", "gym:fuzzed_env:Fuzz-v0", "--steps", "2048", "--envs", "2"]
    return words + chance.choice([[], ["--json"], ["--no-checks"]])
