/* The strongest ways from the picture through the units to the answer, as lines across the stage. */

import { register } from "../app.js";
import { greatest } from "../colours.js";
import { strongest } from "../contributions.js";
import { svg } from "../elements.js";

register({
  name: "paths",
  place: "stage",
  when: ({ network }) => Boolean(network && network.layers.length > 1),
  make() {
    const element = svg("svg", { class: "paths", "aria-hidden": "true" });
    return { element, update: (app) => element.replaceChildren(...(app.pass ? lines(app, element) : [])) };
  },
});

function lines({ network, pass }, element) {
  const edges = strongest(network, pass),
    most = greatest(edges.map(({ amount }) => amount));
  const origin = element.getBoundingClientRect();
  const drawn = [];
  for (const { from, to, amount } of edges) {
    const start = point(from, network, origin),
      end = point(to, network, origin, true);
    if (!start || !end || end[0] - start[0] < 8) continue; // they stand below each other on a narrow screen
    const middle = (start[0] + end[0]) / 2;
    const line = svg("path", {
      d: `M ${start[0]} ${start[1]} C ${middle} ${start[1]}, ${middle} ${end[1]}, ${end[0]} ${end[1]}`,
      class: amount < 0 ? "against" : "for",
    });
    line.style.setProperty("--share", Math.sqrt(Math.abs(amount) / most));
    drawn.push(line);
  }
  return drawn;
}

/** Where an end is on the stage: the middle of its unit, or the edge of its answer. */
function point(end, network, origin, incoming = false) {
  if (end.at) {
    const box = document.querySelector(".input-picture")?.getBoundingClientRect();
    return box && [box.left - origin.left + end.at[0] * box.width, box.top - origin.top + end.at[1] * box.height];
  }
  const isAnswer = network.layers[end.layer]?.tensor === network.output;
  const name = isAnswer
    ? `[data-answer="${network.task === "yes_no" ? 1 : end.index}"]`
    : `[data-unit="${end.layer}.${end.index}"]`;
  const box = document.querySelector(name)?.getBoundingClientRect();
  if (!box) return null;
  const x = isAnswer ? box.left : incoming ? box.left + 2 : box.right - 2;
  return [x - origin.left, box.top - origin.top + box.height / 2];
}
