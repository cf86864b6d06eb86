/* The step that was taught last, laid open by the names and formulas of Python's glass box. */

import { register } from "../app.js";
import { greatest, paintSigned } from "../colours.js";
import { h, section } from "../elements.js";
import { addTexts, short } from "../texts.js";

addTexts({
  en: {
    open: "The step, laid open",
    openTable: "Table of the step",
    openNote: "As model.trace prints it: n = 1 sample, @ is the matrix product.",
    part_forward: "Forward",
    part_loss: "Loss",
    part_backward: "Backward",
    part_update: "Update",
    columnName: "Name",
    columnFormula: "Formula",
    columnShape: "Shape",
    columnPicture: "Picture",
    columnLeast: "Smallest",
    columnMean: "Mean",
    columnMost: "Largest",
  },
  ko: {
    open: "속을 열어 본 한 스텝",
    openTable: "한 스텝의 표",
    openNote: "model.trace의 출력과 같습니다: 샘플 n = 1개, @는 행렬곱입니다.",
    part_forward: "순전파",
    part_loss: "손실",
    part_backward: "역전파",
    part_update: "갱신",
    columnName: "이름",
    columnFormula: "식",
    columnShape: "모양",
    columnPicture: "그림",
    columnLeast: "최소",
    columnMean: "평균",
    columnMost: "최대",
  },
});

const COLUMNS = [
  "columnName",
  "columnFormula",
  "columnShape",
  "columnPicture",
  "columnLeast",
  "columnMean",
  "columnMost",
];
const WIDEST = 64,
  HIGHEST = 28; // numbers of a small picture; larger arrays are shown by the means of blocks

register({
  name: "opened",
  place: "below",
  when: ({ network }) => Boolean(network),
  make() {
    const body = h("tbody", {});
    const heads = COLUMNS.map((text) => h("th", { scope: "col", text }));
    const table = h("table", { class: "step" }, h("thead", {}, h("tr", {}, ...heads)), body);
    const element = section(
      "opened",
      { heading: "open", note: "openNote" },
      h("div", { class: "scroll", tabindex: 0, role: "region", label: "openTable" }, table),
    );
    let shown = null;
    return {
      element,
      update({ taught = [] }) {
        const last = taught.at(-1) ?? null;
        element.hidden = last === null;
        if (last !== shown) body.replaceChildren(...(last ? rowsOf(last.entries) : []));
        shown = last;
        body.querySelectorAll("canvas").forEach((canvas) => paintSigned(canvas, ...canvas.shown));
      },
    };
  },
});

function rowsOf(entries) {
  const rows = [];
  let part = null;
  for (const entry of entries) {
    if (entry.part !== part) {
      part = entry.part;
      rows.push(
        h("tr", { class: "part" }, h("th", { colspan: COLUMNS.length, scope: "colgroup", text: `part_${part}` })),
      );
    }
    rows.push(
      h(
        "tr",
        {},
        h("th", { scope: "row", class: "code", plain: entry.name }),
        h("td", { class: "code formula", plain: entry.formula }),
        h("td", { class: "code", plain: entry.shape.join(" × ") }),
        h("td", {}, pictureOf(entry)),
        ...numbersOf(entry).map((number) => h("td", { class: "number", plain: number })),
      ),
    );
  }
  return rows;
}

/** The smallest, mean and largest number of an array; a single number stands in the middle. */
function numbersOf({ values, shape }) {
  let low = Infinity,
    high = -Infinity,
    total = 0;
  for (const value of values) {
    low = Math.min(low, value);
    high = Math.max(high, value);
    total += value;
  }
  const middle = short(total / values.length);
  return shape.length ? [short(low), middle, short(high)] : ["", middle, ""];
}

/** An array as a small picture; of one number there is nothing to see. */
function pictureOf({ values, shape }) {
  if (values.length < 2) return null;
  const side = Math.sqrt(values.length),
    square = Number.isInteger(side) && side >= 8 && shape.length < 3;
  const columns = square && shape[0] === 1 ? side : (shape.at(-1) ?? 1);
  const canvas = h("canvas", { class: "pixels small-picture", "aria-hidden": "true" });
  canvas.shown = blocks(values, columns);
  const rows = canvas.shown[0].length / canvas.shown[1];
  canvas.style.setProperty("--columns", canvas.shown[1]);
  canvas.style.setProperty("--rows", rows);
  return canvas;
}

/** Numbers in rows, few enough to be seen: the means of blocks where there are more. */
function blocks(values, columns) {
  const rows = values.length / columns,
    wide = Math.ceil(columns / WIDEST),
    high = Math.ceil(rows / HIGHEST);
  if (wide === 1 && high === 1) return [Array.from(values), columns, greatest(values)];
  const across = Math.ceil(columns / wide),
    down = Math.ceil(rows / high);
  const sums = new Float64Array(across * down),
    counts = new Float64Array(across * down);
  values.forEach((value, i) => {
    const at = Math.floor(Math.floor(i / columns) / high) * across + Math.floor((i % columns) / wide);
    sums[at] += value;
    counts[at]++;
  });
  const means = Array.from(sums, (sum, i) => sum / counts[i]);
  return [means, across, greatest(means)];
}
