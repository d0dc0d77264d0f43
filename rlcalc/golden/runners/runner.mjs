// Run one file of vectors on one function: node runner.mjs entropy.json ./mine.mjs
// The module's default function takes the inputs as an object and returns its answer, or an
// object of outputs by name; it refuses an input that it cannot take by throwing.
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const [path, module] = process.argv.slice(2);
const own = (await import(pathToFileURL(module))).default;
const { cases, answer } = JSON.parse(readFileSync(path, "utf8"));
const flat = (value) => [value].flat(Infinity).map((part) => ({ inf: Infinity, "-inf": -Infinity })[part] ?? Number(part));

function isRight(got, right, digits, scale) {
  if (got === right) return true;
  return Math.abs(got - right) <= 10 ** -digits * (Math.max(Math.abs(right), scale) || 1);
}

function problem({ result, error, float64 }) {
  let found;
  try {
    found = own(float64.inputs);
  } catch (refusal) {
    return result === "invalid" ? "" : `was refused: ${refusal.message}`;
  }
  if (result === "invalid") return `was not refused (${error})`;
  const outputs = typeof found === "object" && !Array.isArray(found) ? found : { [answer]: found };
  for (const [name, right] of Object.entries(float64.answers)) {
    if (!(name in outputs)) continue;
    const [mine, theirs] = [flat(outputs[name]), flat(right)];
    if (mine.length !== theirs.length || !mine.every((one, at) => isRight(one, theirs[at], float64.digits, float64.scale)))
      return `${name}: ${JSON.stringify(outputs[name])}, not ${JSON.stringify(right)}`;
  }
  return "";
}

const failed = cases.filter((one) => one.float64).map((one) => [one.id, problem(one)]);
const wrong = failed.filter(([, said]) => said);
for (const [id, said] of wrong) console.log(`${id}: ${said}`);
console.log(`${failed.length - wrong.length} passed, ${wrong.length} failed`);
process.exit(wrong.length ? 1 : 0);
