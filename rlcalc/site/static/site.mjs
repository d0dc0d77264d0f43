// The calculators on the pages: forms made of forms.json, answered by Python in a worker.

const here = new URL(".", import.meta.url);
const root = new URL("../../", here);
const MATHML = "http://www.w3.org/1998/Math/MathML";
const SECONDS = 60; // for an answer, once Python is there
const SECONDS_PASTED = 5; // for a pasted function

// elements

function make(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (value === true) made.setAttribute(name, "");
    else if (value !== false && value != null) made.setAttribute(name, value);
  }
  made.append(...children.flat().filter((child) => child != null && child !== "" && child !== false));
  return made;
}

/** MathML as elements; whatever is no mathematics in it stays text. */
function math(source, fallback = "") {
  const parsed = new DOMParser().parseFromString(source || "<none/>", "application/xml");
  const all = [...parsed.getElementsByTagName("*")];
  const plain = all.some((one) => one.namespaceURI !== MATHML || [...one.attributes].some((a) => /^(on|href|src|xlink)/.test(a.name)));
  return plain ? document.createTextNode(fallback) : document.importNode(parsed.documentElement, true);
}

const codeBlock = (text) => {
  const copy = make("button", { type: "button", class: "rl-copy", onclick: () => navigator.clipboard?.writeText(text) }, "Copy");
  return make("div", { class: "rl-line" }, make("code", {}, text), copy);
};

// Python

class Python {
  #worker = null;
  #waiting = null;

  /** One call; a new worker where there is none. Ends the worker when the seconds are over. */
  async call(call, asked, seconds, progress) {
    if (this.#waiting) this.stop("A newer question took its place.");
    this.#worker ??= this.#started();
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject, progress, seconds };
      this.#worker.postMessage({ call, asked });
    });
  }

  stop(why) {
    this.#worker?.terminate();
    this.#worker = null;
    this.#end()?.reject(new Error(why));
  }

  #end() {
    const waiting = this.#waiting;
    clearTimeout(waiting?.timer);
    this.#waiting = null;
    return waiting;
  }

  #started() {
    const worker = new Worker(new URL("worker.mjs", here), { type: "module" });
    worker.onmessage = ({ data }) => {
      const waiting = this.#waiting;
      if (!waiting) return;
      if (data.progress) {
        waiting.progress(data.progress);
        if (data.progress === "Working")
          waiting.timer = setTimeout(() => this.stop(`hangs: stopped after ${waiting.seconds} seconds`), waiting.seconds * 1000);
      } else if ("answer" in data) this.#end().resolve(data.answer);
      else this.#end().reject(new Error(data.failed));
    };
    worker.onerror = (event) => {
      event.preventDefault();
      this.stop(`Python did not start: ${event.message || "its files are not there"}`);
    };
    return worker;
  }
}

const python = new Python();
let forms;
const data = () => (forms ??= fetch(new URL("forms.json", here)).then((found) => found.json()));

async function ask(result, call, asked, seconds, show) {
  const status = make("p", { class: "rl-wait", role: "status" }, make("span", { class: "rl-spin" }), "Starting");
  result.replaceChildren(status);
  result.dataset.state = "busy";
  const began = performance.now();
  try {
    const found = await python.call(call, asked, seconds, (said) => (status.lastChild.textContent = `${said} …`));
    result.replaceChildren(...show(found));
    result.dataset.state = "error" in found ? "error" : "done";
  } catch (error) {
    result.replaceChildren(make("pre", { class: "rl-error" }, error.message));
    result.dataset.state = "error";
  }
  result.dataset.ms = Math.round(performance.now() - began);
}

function errorParts(found, known) {
  const name = known.codes.includes(found.code)
    ? found.code
    : known.codes.filter((code) => code.includes("NAME"))
        .sort((one, other) => other.length - one.length)
        .find((code) => new RegExp(`^${code.replaceAll("NAME", "[a-z][a-z0-9_]*")}$`).test(found.code));
  const about = name && make("p", {}, "About this error: ", make("a", { href: new URL(`errors/${name}/`, root).href }, found.code));
  return [make("pre", { class: "rl-error" }, found.error), about];
}

// a formula's form

function fieldOf(field, id, value) {
  const common = { id, name: field.name, "aria-describedby": `${id}-about`, spellcheck: "false", autocomplete: "off" };
  let input;
  if (field.switch) input = make("input", { ...common, type: "checkbox", value: "1", checked: value === "1" });
  else if (field.choices.length) {
    const options = field.choices.map((word) => make("option", { value: word, selected: word === (value || field.default) }, word));
    input = make("select", common, options);
  } else if (field.large || value?.includes("\n")) input = make("textarea", { ...common, rows: 3, placeholder: field.default }, value ?? "");
  else input = make("input", { ...common, type: "text", value: value ?? "", placeholder: field.default });
  return make("div", { class: "rl-field" },
    make("label", { for: id }, `${field.option.slice(2)} `, make("span", {}, field.symbol === field.name ? "" : field.symbol)),
    input,
    make("small", { id: `${id}-about` }, `${field.help} ${field.facts}`));
}

function fieldsIn(form) {
  const found = {};
  for (const input of form.querySelectorAll("[name]")) {
    if (input.type === "checkbox") found[input.name] = input.checked ? "1" : "";
    else if (input.name !== "--check" && !(input.tagName === "SELECT" && input.selectedOptions[0].defaultSelected && !input.dataset.touched))
      found[input.name] = input.value;
  }
  return found;
}

function answerParts(spec, asked, found, known) {
  const line = [make("h4", {}, "In a terminal"), codeBlock(found.command)];
  if ("error" in found) return [...errorParts(found, known), ...line].filter(Boolean);
  const link = new URL("playground/", root);
  link.search = new URLSearchParams({ formula: spec.name, ...Object.fromEntries(Object.entries(asked.fields).filter(([, value]) => value)) });
  const steps = found.steps.map((step) => make("div", { class: "formula" }, math(step.math), step.note && make("small", {}, step.note)));
  return [
    found.said && make("pre", { class: "rl-error rl-check" }, found.said),
    ...found.outputs.map((output) => outputParts(output)),
    steps.length && make("details", { open: steps.length < 13 }, make("summary", {}, `${steps.length} steps`), steps),
    ...found.notes.map((note) => make("p", { class: "rl-note" }, note)),
    ...line,
    make("h4", {}, "In Python"),
    codeBlock(found.python),
    make("p", {}, make("a", { class: "rl-link", href: link.href }, "Link with these inputs")),
  ].filter(Boolean);
}

function outputParts(output) {
  const row = (exact, decimal, drawn, index) => make("tr", {},
    make("th", { scope: "row" }, index),
    make("td", { class: "rl-exact", "data-exact": exact }, drawn ? math(drawn, exact) : String(exact)),
    make("td", { class: "rl-decimal" }, decimal === null ? "" : String(decimal)));
  const rows = [];
  const walk = (exact, decimal, drawn, index) => {
    if (Array.isArray(exact)) exact.forEach((part, at) => walk(part, decimal?.[at] ?? null, drawn?.[at], [...index, at]));
    else rows.push(row(exact, decimal, drawn, index.join(", ")));
  };
  walk(output.exact, output.decimal, output.math, []);
  return make("div", { class: "rl-output", "data-output": output.name },
    make("h4", {}, output.name, " ", math(output.symbol)),
    make("p", {}, output.about),
    make("div", { class: "rl-scroll", tabindex: "0" }, make("table", {}, make("thead", {}, make("tr", {}, ["", "exact", "decimal"].map((head) => make("th", { scope: "col" }, head)))), make("tbody", {}, rows))));
}

let number = 0;
function calculator(place, spec, known, values, run) {
  const id = `rl-${++number}`;
  const result = make("div", { class: "rl-result", "aria-live": "polite" });
  const submit = (event) => {
    event?.preventDefault();
    const asked = { formula: spec.name, fields: fieldsIn(form), check: form.querySelector("[name='--check']")?.value ?? "" };
    ask(result, "calculate", asked, SECONDS, (found) => answerParts(spec, asked, found, known));
  };
  const examples = spec.examples.map((example, at) =>
    make("button", { type: "button", onclick: () => calculator(place, spec, known, example, false) }, `Example ${at + 1}`));
  const form = make("form", { class: "rl-form", onsubmit: submit, oninput: (event) => (event.target.dataset.touched = "1") },
    spec.fields.map((field) => fieldOf(field, `${id}-${field.name}`, values[field.name])),
    spec.check && make("div", { class: "rl-field" }, make("label", { for: `${id}-check` }, "your own answer"), make("input", { id: `${id}-check`, name: "--check", type: "text" }), make("small", {}, "Is it right?")),
    make("div", { class: "rl-buttons" }, make("button", { type: "submit", class: "md-button md-button--primary" }, "Calculate"), examples));
  for (const select of form.querySelectorAll("select")) if (values[select.name]) select.dataset.touched = "1";
  place.replaceChildren(form, result);
  if (run) submit();
}

// pages

async function onFormulaPage(place) {
  const known = await data();
  const spec = known.formulas.find((one) => one.name === place.dataset.formula);
  if (!known.python || !spec) return;
  calculator(place, spec, known, spec.examples[0], false);
}

async function onPlayground(place) {
  const known = await data();
  if (!known.python) return place.append("This copy of the site was built without Python for the browser.");
  const inner = make("div");
  const heading = make("div", { class: "formula" });
  const options = Map.groupBy
    ? [...Map.groupBy(known.formulas, (one) => one.group)].map(([group, all]) => make("optgroup", { label: group }, all.map((one) => make("option", { value: one.name }, one.title))))
    : known.formulas.map((one) => make("option", { value: one.name }, one.title));
  const select = make("select", { id: "rl-formula", onchange: () => choose(select.value, null) }, options);
  const choose = (name, values) => {
    const spec = known.formulas.find((one) => one.name === name) ?? known.formulas[0];
    select.value = spec.name;
    heading.replaceChildren(math(spec.math));
    calculator(inner, spec, known, values ?? spec.examples[0], values !== null);
  };
  place.replaceChildren(make("div", { class: "rl-field" }, make("label", { for: "rl-formula" }, "Formula"), select), heading, inner);
  const asked = new URLSearchParams(location.search);
  const values = Object.fromEntries([...asked].filter(([name]) => name !== "formula"));
  choose(asked.get("formula") ?? "lambda_return", Object.keys(values).length ? values : null);
}

const FAULTY = `def gae(rewards, values, gamma, lam, terminated, truncated, next_values):
    advantages, last = [0.0] * len(rewards), 0.0
    for t in reversed(range(len(rewards))):
        bootstrap = 0.0 if terminated[t] else next_values[t]
        delta = rewards[t] + gamma * bootstrap - values[t]
        last = delta + gamma * lam * (0.0 if terminated[t] else last)
        advantages[t] = last
    return advantages
`;

async function onJudge(place) {
  const known = await data();
  if (!known.python) return place.append("This copy of the site was built without Python for the browser.");
  const titles = Object.fromEntries(known.formulas.map((one) => [one.name, one.title]));
  const select = make("select", { id: "rl-judged" }, known.judged.map((name) => make("option", { value: name, selected: name === "gae" }, titles[name])));
  const source = make("textarea", { id: "rl-source", rows: 12, spellcheck: "false", autocomplete: "off" }, FAULTY);
  const result = make("div", { class: "rl-result", "aria-live": "polite" });
  const submit = async (event) => {
    event.preventDefault();
    const document = await (await fetch(new URL(`answers/${select.value}.json`, here))).json();
    ask(result, "judge", { document, source: source.value }, SECONDS_PASTED, (found) => verdictParts(found, known));
  };
  place.replaceChildren(make("form", { class: "rl-form", onsubmit: submit },
    make("div", { class: "rl-field" }, make("label", { for: "rl-judged" }, "It should be"), select),
    make("div", { class: "rl-field rl-wide" }, make("label", { for: "rl-source" }, "Your function, in plain Python"), source),
    make("div", { class: "rl-buttons" }, make("button", { type: "submit", class: "md-button md-button--primary" }, "Check"))), result);
}

const VERDICTS = {
  conforms: "conforms",
  "conforms-under-convention": "conforms under a convention",
  nonconforming: "differs",
  raises: "raises",
};

function verdictParts(found, known) {
  if ("error" in found) return errorParts(found, known).filter(Boolean);
  const page = (one) => new URL(`${one.kind === "fault" ? "faults" : "conventions"}/${one.name}/`, root).href;
  const matches = found.matches.map((one) => make("div", { class: "rl-match" },
    make("p", {}, one.kind === "fault" ? "Known bug: " : "Convention: ", make("a", { href: page(one) }, one.name)),
    make("p", {}, one.does), one.fix && make("p", {}, make("b", {}, "Fix: "), one.fix)));
  const shown = found.case && make("table", {}, make("tbody", {},
    Object.entries({ ...found.case.given, right: found.case.right, yours: found.case.yours }).map(([name, value]) => make("tr", {}, make("th", { scope: "row" }, name), make("td", {}, make("code", {}, value))))));
  const left = found.not_asked ? ` ${found.not_asked} need inputs that it does not take.` : "";
  return [
    make("p", { class: `rl-verdict ${found.verdict}` }, `${found.function} ${VERDICTS[found.verdict]}`),
    make("p", {}, `${found.passed} of ${found.asked} certified vectors passed.${left}`),
    ...matches,
    found.case && !matches.length && make("p", {}, "None of the known bugs gives these answers."),
    found.case && make("h4", {}, "The smallest case that fails"),
    found.case && make("p", {}, `${found.case.about} (${found.case.id}: ${found.case.why})`),
    found.case && make("div", { class: "rl-scroll", tabindex: "0" }, shown),
    make("p", { class: "rl-note" }, `Read as: ${Object.entries(found.read).map(([name, role]) => (name === role ? name : `${name} = ${role}`)).join(", ")}. rlcalc conform asks for more: batches, float32, generated cases, two bugs at once.`),
  ].filter(Boolean);
}

const PLACES = { "[data-formula]": onFormulaPage, "[data-playground]": onPlayground, "[data-judge]": onJudge };
for (const [selector, fill] of Object.entries(PLACES))
  for (const place of document.querySelectorAll(`.rlcalc${selector}`)) fill(place);

// what is wider than a narrow page scrolls by itself, with the keyboard too
for (const wide of document.querySelectorAll(".formula, .md-typeset__scrollwrap, pre > code, p:has(> img[src$='.svg'])")) wide.tabIndex = 0;
