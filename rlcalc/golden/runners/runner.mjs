// Run one file of vectors on one function: node runner.mjs entropy.json ./mine.mjs
// The module's default function takes the inputs as an object and returns its answer, or an
// object of outputs by name; it refuses an input that it cannot take by throwing.
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const [path, module] = process.argv.slice(2);
const own = (await import(pathToFileURL(module))).default;
const { cases, answer } = JSON.parse(readFileSync(path, "utf8"));
const flat = (value) => [value].flat(Infinity).map((part) => Number(String(part).replace("inf", "Infinity")));

function problem({ result, error, float64: { inputs, answers, digits, scale } }) {
  let found;
  try {
    found = own(inputs);
  } catch (refusal) {
    return result === "invalid" ? "" : `was refused: ${refusal.message}`;
  }
  if (result === "invalid") return `was not refused (${error})`;
  const outputs = typeof found === "object" && !Array.isArray(found) ? found : { [answer]: found };
  const isRight = (got, right) =>
    got === right || Math.abs(got - right) <= 10 ** -digits * (Math.max(Math.abs(right), scale) || 1);
  const wrong = Object.keys(answers).filter((name) => name in outputs).find((name) => {
    const [mine, theirs] = [flat(outputs[name]), flat(answers[name])];
    return mine.length !== theirs.length || !mine.every((one, at) => isRight(one, theirs[at]));
  });
  return wrong ? `${wrong}: ${JSON.stringify(outputs[wrong])}, not ${JSON.stringify(answers[wrong])}` : "";
}

const judged = cases.filter((one) => one.float64).map((one) => [one.id, problem(one)]);
const failed = judged.filter(([, said]) => said);
for (const [id, said] of failed) console.log(`${id}: ${said}`);
console.log(`${judged.length - failed.length} passed, ${failed.length} failed`);
process.exit(failed.length ? 1 : 0);
