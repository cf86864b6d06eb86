/* Teach it: one step of training on the drawing, laid open by the names and formulas of Python's glass box. */

import { register } from "../app.js";
import { greatest, paintSigned } from "../colours.js";
import { answerChips } from "../chips.js";
import { h, say, section } from "../elements.js";
import { addTexts, percent, phrase, short } from "../texts.js";

addTexts({
  en: {
    teach: "Teach it",
    teachNote: "Say what you meant. One step of gradient descent changes every weight a little, and you see how.",
    teachWaiting: "Draw something first.",
    right: "The right answer is",
    rate: "Learning rate",
    takeStep: "Take one step",
    undoStep: "Undo the step",
    reset: "Forget everything taught",
    taught: (count) => (count === 1 ? "1 step taught" : `${count} steps taught`),
    taughtSpoken: "One step taken. {0}: from {1} to {2}. Loss: {3} before.",
    before: "before",
    after: "after",
    beforeAfter: "Probabilities before and after the step",
    open: "The step, laid open",
    openNote: "As model.trace prints it: n = 1 sample, @ is the matrix product.",
    part_forward: "Forward",
    part_loss: "Loss",
    part_backward: "Backward",
    part_update: "Update",
    columnName: "Name",
    columnFormula: "Formula",
    columnShape: "Shape",
    columnPicture: "Picture",
    columnLeast: "Least",
    columnMost: "Most",
    answerColumn: "Answer",
  },
  ko: {
    teach: "가르치기",
    teachNote: "무엇을 그렸는지 알려 주세요. 경사하강법 한 걸음이 모든 가중치를 조금씩 바꾸는 과정을 그대로 보여 줍니다.",
    teachWaiting: "먼저 그려 보세요.",
    right: "정답은",
    rate: "학습률",
    takeStep: "한 걸음 학습",
    undoStep: "되돌리기",
    reset: "가르친 것 모두 잊기",
    taught: "{0}걸음 학습함",
    taughtSpoken: "한 걸음 학습했습니다. {0}: {1}에서 {2}로. 학습 전 손실: {3}.",
    before: "전",
    after: "후",
    beforeAfter: "학습 전후의 확률",
    open: "속을 열어 본 한 걸음",
    openNote: "model.trace의 출력과 같습니다: 표본 n = 1개, @은 행렬곱입니다.",
    part_forward: "순전파",
    part_loss: "손실",
    part_backward: "역전파",
    part_update: "갱신",
    columnName: "이름",
    columnFormula: "식",
    columnShape: "모양",
    columnPicture: "그림",
    columnLeast: "최소",
    columnMost: "최대",
    answerColumn: "답",
  },
});

const RATES = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5];
const FIRST_RATE = 0.02;

register({
  name: "teach",
  place: "below",
  when: ({ network }) => Boolean(network && network.task !== "numbers"),
  make(app) {
    let right = null, shownFor = null, opened = null;
    app.taught = [];
    const { chips, options, mark } = answerChips(app, "right-answer", "right", (answer) => {
      right = answer;
      app.changed();
    });
    const rate = h("input", { type: "range", id: "rate", min: 0, max: RATES.length - 1, step: 1, value: RATES.indexOf(FIRST_RATE) });
    const rateShown = h("output", { for: "rate" });
    const step = h("button", { type: "button", class: "primary", text: "takeStep" });
    const undo = h("button", { type: "button", text: "undoStep" });
    const reset = h("button", { type: "button", text: "reset" });
    const count = h("span", { class: "small" });
    const waiting = h("p", { class: "empty", text: "teachWaiting" });
    const controls = h("div", { class: "teach-controls" }, chips,
      h("div", { class: "rate" }, h("label", { class: "small", for: "rate", text: "rate" }), rate, rateShown),
      h("div", { class: "row" }, step, undo, reset), count);
    const result = h("div", { class: "teach-result" });
    rate.addEventListener("input", () => app.changed());
    step.addEventListener("click", () => {
      teach(app, right, RATES[rate.value]);
      tell(app);
    });
    undo.addEventListener("click", () => {
      app.network.useWeights(app.taught.pop().before);
      app.changed();
    });
    reset.addEventListener("click", () => {
      app.network.useWeights(app.taught[0].before);
      app.taught = [];
      app.changed();
    });
    return {
      element: section("teach", { heading: "teach", note: "teachNote" }, waiting, controls, result),
      update(app) {
        if (shownFor !== app.network) {
          shownFor = app.network;
          app.taught = [];
        }
        const drawn = Boolean(app.pass), last = app.taught.at(-1) ?? null;
        waiting.hidden = drawn || last !== null;
        controls.hidden = !drawn && last === null;
        step.disabled = !drawn || right === null;
        undo.disabled = reset.disabled = last === null;
        mark(options, right);
        rateShown.textContent = RATES[rate.value];
        rate.setAttribute("aria-valuetext", RATES[rate.value]);
        if (last) say(count, "taught", app.taught.length);
        else (count.textContent = ""), delete count.dataset.text;
        if (opened !== last) result.replaceChildren(...(last ? laidOpen(app, last) : []));
        opened = last;
        result.querySelectorAll("canvas").forEach((canvas) => paintSigned(canvas, ...canvas.shown));
      },
    };
  },
});

/** One step on what is drawn, whose right answer is known; everything about it goes to the steps taught. */
function teach(app, answer, rate) {
  const { network } = app, before = network.weights();
  const taken = network.step(app.x, network.target(answer), rate, answer);
  network.useWeights(taken.weights);
  app.taught.push({ ...taken, before, answer, rate, from: taken.pass.answers, to: network.forward(app.x).answers });
  app.changed();
}

function tell({ network, taught }) {
  const { answer, from, to, loss } = taught.at(-1);
  document.getElementById("spoken").textContent =
    phrase("taughtSpoken", network.labels[answer], percent(from[answer]), percent(to[answer]), short(loss));
}

function laidOpen({ network }, { entries, answer, from, to }) {
  return [
    h("h3", { text: "beforeAfter" }),
    table("before-after", ["answerColumn", "before", "after"], network.labels.map((label, i) =>
      h("tr", { class: i === answer ? "right" : null }, h("th", { scope: "row", plain: label }), share(from[i]), share(to[i])))),
    h("h3", { text: "open" }),
    h("p", { class: "note", text: "openNote" }),
    h("div", { class: "scroll", tabindex: 0, role: "region", label: "open" },
      table("step", ["columnName", "columnFormula", "columnShape", "columnPicture", "columnLeast", "columnMost"], rowsOf(entries))),
  ];
}

function share(value) {
  const bar = h("span", { class: "bar" });
  bar.style.setProperty("--share", value);
  return h("td", { class: "share" }, h("span", { class: "bar-track" }, bar), h("span", { class: "bar-value", plain: percent(value) }));
}

function table(name, columns, rows) {
  return h("table", { class: name }, h("thead", {}, h("tr", {}, ...columns.map((text) => h("th", { scope: "col", text })))), h("tbody", {}, ...rows));
}

function rowsOf(entries) {
  const rows = [];
  let part = null;
  for (const entry of entries) {
    if (entry.part !== part) {
      part = entry.part;
      rows.push(h("tr", { class: "part" }, h("th", { colspan: 6, scope: "colgroup", text: `part_${part}` })));
    }
    rows.push(h("tr", {},
      h("th", { scope: "row", class: "code", plain: entry.name }),
      h("td", { class: "code", plain: entry.formula }),
      h("td", { class: "code", plain: entry.shape.join(" × ") }),
      h("td", {}, pictureOf(entry)),
      h("td", { class: "number", plain: short(entry.values.reduce((a, b) => Math.min(a, b), Infinity)) }),
      h("td", { class: "number", plain: short(entry.values.reduce((a, b) => Math.max(a, b), -Infinity)) })));
  }
  return rows;
}

const WIDEST = 64; // columns of a small picture; larger arrays are shown by the means of blocks

/** An array as a small picture; of one number there is nothing to see. */
function pictureOf({ values, shape }) {
  if (values.length < 2) return null;
  const side = Math.sqrt(values.length), square = Number.isInteger(side) && side >= 8 && shape.length < 3;
  const columns = square && shape[0] === 1 ? side : shape.at(-1) ?? 1;
  const canvas = h("canvas", { class: "pixels small-picture", "aria-hidden": "true" });
  canvas.shown = blocks(values, columns);
  const rows = canvas.shown[0].length / canvas.shown[1];
  canvas.style.setProperty("--columns", canvas.shown[1]);
  canvas.style.setProperty("--rows", rows);
  return canvas;
}

/** Numbers in rows, few enough to be seen: the means of blocks where there are more. */
function blocks(values, columns) {
  const rows = values.length / columns, wide = Math.ceil(columns / WIDEST), high = Math.ceil(rows / 28);
  if (wide === 1 && high === 1) return [Array.from(values), columns, greatest(values)];
  const across = Math.ceil(columns / wide), down = Math.ceil(rows / high);
  const sums = new Float64Array(across * down), counts = new Float64Array(across * down);
  values.forEach((value, i) => {
    const at = Math.floor(Math.floor(i / columns) / high) * across + Math.floor((i % columns) / wide);
    sums[at] += value;
    counts[at]++;
  });
  const means = Array.from(sums, (sum, i) => sum / counts[i]);
  return [means, across, greatest(means)];
}
