// Optimal values for `rlcalc conform --exec "node bellman.js" --formula bellman`.
// One case a line on standard input, one answer a line on standard output.
"use strict";

const readline = require("node:readline");

// value iteration: rows of a terminal state are zeros, so its value is 0
function bellman({ mdp: { p, r }, gamma }) {
  const ahead = (values, s, a) => r[s][a] + gamma * p[s][a].reduce((sum, x, t) => sum + x * values[t], 0);
  const best = (values, s) => Math.max(...r[s].map((_, a) => ahead(values, s, a)));
  let values = p.map(() => 0);
  for (let sweep = 0; sweep < 3_000_000; sweep++) {
    const next = values.map((_, s) => best(values, s));
    if (next.every((x, s) => x === values[s])) break;
    values = next;
  }
  return values;
}

readline.createInterface({ input: process.stdin }).on("line", (line) => {
  const { id, given } = JSON.parse(line);
  console.log(JSON.stringify({ id, answer: bellman(given) }));
});
