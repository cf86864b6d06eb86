/* A row with each answer, of which one can be chosen. */

import { h } from "./elements.js";

/** Radio buttons for the network's answers: { chips, options, mark }; `choose(answer)` is called with a number. */
export function answerChips(app, name, legend, choose) {
  const options = app.network.labels.map((label, answer) => {
    const input = h("input", { type: "radio", name, value: answer });
    input.addEventListener("change", () => choose(answer));
    return { input, label: h("label", { class: "chip" }, input, h("span", { plain: label })) };
  });
  const chips = h(
    "fieldset",
    { class: "answer-chips" },
    h("legend", { class: "small", text: legend }),
    h("div", { class: "chips" }, ...options.map(({ label }) => label)),
  );
  return { chips, options, mark };
}

function mark(options, answer) {
  options.forEach(({ input }, i) => (input.checked = i === answer));
}
