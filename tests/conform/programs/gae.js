// Generalized advantage estimation for `rlcalc conform --exec "node gae.js" --formula gae`.
// One case a line on standard input, one answer a line on standard output.
"use strict";

const readline = require("node:readline");

function gae({ rewards, values, gamma, lam, terminated, truncated, next_values: next }) {
  if (Array.isArray(rewards[0])) {
    // a batch: every entry for itself; discounts and λ are shared
    const at = (array, k) => (array === undefined ? undefined : array[k]);
    return rewards.map((row, k) =>
      gae({
        rewards: row, values: at(values, k), gamma, lam,
        terminated: at(terminated, k), truncated: at(truncated, k), next_values: at(next, k),
      }));
  }
  const advantages = new Array(rewards.length);
  let later = 0;
  for (let t = rewards.length - 1; t >= 0; t--) {
    const discount = Array.isArray(gamma) ? gamma[t] : gamma;
    const over = terminated !== undefined && terminated[t];
    const cut = truncated !== undefined && truncated[t];
    const successor = over ? 0 : next === undefined ? values[t + 1] : next[t];
    const delta = rewards[t] + discount * successor - values[t];
    later = delta + (over || cut ? 0 : discount * lam * later);
    advantages[t] = later;
  }
  return advantages;
}

readline.createInterface({ input: process.stdin }).on("line", (line) => {
  const { id, given } = JSON.parse(line);
  console.log(JSON.stringify({ id, answer: gae(given) }));
});
