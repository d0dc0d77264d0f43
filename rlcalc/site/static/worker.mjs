// Python in a worker: it loads Pyodide and the wheels beside the page, and answers calls one by one.

const python = new URL("../python/", import.meta.url);
const tell = (said) => postMessage({ progress: said });

async function start() {
  tell("Loading Python");
  const names = await (await fetch(new URL("wheels.json", python))).json();
  const wheels = names.map(async (name) => (await fetch(new URL(name, python))).arrayBuffer());
  const { loadPyodide } = await import(new URL("pyodide.mjs", python));
  const pyodide = await loadPyodide({ indexURL: python.href });
  tell("Loading rlcalc and SymPy");
  for (const wheel of await Promise.all(wheels)) pyodide.unpackArchive(wheel, "whl");
  // before the first question: what a question may cost is measured
  pyodide.runPython("import sympy, rlcalc.site.browser, rlcalc.evaluation");
  return pyodide;
}

const CALLS = {
  calculate: `
import json
from rlcalc.site.browser import calculate
json.dumps(calculate(asked["formula"], asked["fields"], asked["check"]))`,
  judge: `
import json
from rlcalc.errors import RlcalcError
from rlcalc.site.judge import judge
try:
    found = judge(asked["document"], asked["source"])
except RlcalcError as error:
    found = {"error": f"error: {error}", "code": error.code}
json.dumps(found)`,
};

let ready;
onmessage = async ({ data }) => {
  try {
    ready ??= start();
    const pyodide = await ready;
    tell("Working");
    const asked = pyodide.toPy(data.asked);
    const namespace = pyodide.toPy({ asked });
    postMessage({ answer: JSON.parse(pyodide.runPython(CALLS[data.call], { globals: namespace })) });
  } catch (error) {
    postMessage({ failed: String(error.message ?? error).trim().split("\n").at(-1) });
  }
};
