/* Where one sets a network's inputs, when they are no picture: a slider and a field for each number. */

import { app, register } from "../app.js";
import { h, section } from "../elements.js";
import { decoded } from "../network.js";
import { addTexts } from "../texts.js";

addTexts({
  en: { inputs: "Set its inputs", inputsNote: "Everything is computed anew while you move a slider." },
  ko: { inputs: "입력 정하기", inputsNote: "슬라이더를 움직이는 동안 모두 새로 계산됩니다." },
});

register({
  name: "inputs",
  place: "stage",
  when: ({ network }) => Boolean(network && !network.picture),
  make() {
    const { columns, middle, spread } = app.network.input;
    const from = decoded(middle).values,
      wide = decoded(spread).values;
    const x = app.x ?? Float64Array.from(from);
    const rows = columns.map((column, i) => {
      const range = { min: from[i] - 3 * wide[i], max: from[i] + 3 * wide[i], step: "any" };
      const slider = h("input", { type: "range", ...range, value: x[i], "aria-label": column });
      const field = h("input", { type: "number", step: "any", value: +x[i].toPrecision(4), "aria-label": column });
      const set = (other) => (event) => {
        const value = event.target.valueAsNumber;
        if (!Number.isFinite(value)) return;
        other.value = +value.toPrecision(4);
        x[i] = value;
        app.useInput(Float64Array.from(x));
      };
      slider.addEventListener("input", set(field));
      field.addEventListener("input", set(slider));
      return h("div", { class: "input-row" }, h("span", { class: "input-name", plain: column }), slider, field);
    });
    app.x = x;
    return { element: section("inputs", { heading: "inputs", note: "inputsNote" }, ...rows) };
  },
});
