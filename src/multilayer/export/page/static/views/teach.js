/* Teach it: one step of training on the drawing, and what it changes. */

import { register } from "../app.js";
import { answerChips } from "../chips.js";
import { h, say, section } from "../elements.js";
import { addTexts, percent, phrase, short } from "../texts.js";

addTexts({
  en: {
    teach: "Teach it",
    teachNote: "Say what is right. One step of gradient descent changes every weight a little, and you see how.",
    teachWaiting: "Draw something first.",
    right: "The right answer is",
    rate: "Learning rate",
    takeStep: "Take one step",
    undoStep: "Undo the step",
    reset: "Forget everything taught",
    taught: (count) => (count === 1 ? "1 step taught" : `${count} steps taught`),
    rightColumn: "right",
    beforeAfterNumbers: "What it gives before and after the step",
    taughtNumbers: "One step taken. Loss: {0} before.",
    taughtSpoken: "One step taken. {0}: from {1} to {2}. Loss: {3} before.",
    before: "before",
    after: "after",
    beforeAfter: "Probabilities before and after the step",
    answerColumn: "Answer",
  },
  ko: {
    teach: "가르치기",
    teachNote: "정답을 알려 주세요. 경사하강법 한 스텝이 모든 가중치를 조금씩 바꾸는 과정을 그대로 보여 줍니다.",
    teachWaiting: "먼저 그려 보세요.",
    right: "정답은",
    rate: "학습률",
    takeStep: "한 스텝 학습",
    undoStep: "되돌리기",
    reset: "가르친 것 모두 잊기",
    taught: "{0}스텝 학습함",
    rightColumn: "정답",
    beforeAfterNumbers: "학습 전후의 출력",
    taughtNumbers: "한 스텝 학습했습니다. 학습 전 손실: {0}.",
    taughtSpoken: "한 스텝 학습했습니다. {0}: {1}에서 {2}로. 학습 전 손실: {3}.",
    before: "전",
    after: "후",
    beforeAfter: "학습 전후의 확률",
    answerColumn: "답",
  },
});

const RATES = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5];
const FIRST_RATE = 0.005;

register({
  name: "teach",
  place: "below",
  when: ({ network }) => Boolean(network),
  make(app) {
    let right = null,
      shownFor = null,
      shown = null;
    app.taught = [];
    const choose = (answer) => {
      right = answer;
      app.changed();
    };
    const asksNumbers = app.network.task === "numbers";
    const { chips, options, mark } = asksNumbers
      ? numberFields(app, choose)
      : answerChips(app, "right-answer", "right", choose);
    const rate = h("input", {
      type: "range",
      id: "rate",
      min: 0,
      max: RATES.length - 1,
      step: 1,
      value: RATES.indexOf(FIRST_RATE),
    });
    const rateShown = h("output", { for: "rate" });
    const step = h("button", { type: "button", class: "primary", text: "takeStep" });
    const undo = h("button", { type: "button", text: "undoStep" });
    const reset = h("button", { type: "button", text: "reset" });
    const count = h("span", { class: "small" });
    const waiting = h("p", { class: "empty", text: "teachWaiting" });
    const controls = h(
      "div",
      { class: "teach-controls" },
      chips,
      h("div", { class: "rate" }, h("label", { class: "small", for: "rate", text: "rate" }), rate, rateShown),
      h("div", { class: "row" }, step, undo, reset),
      count,
    );
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
        const drawn = Boolean(app.pass),
          last = app.taught.at(-1) ?? null;
        waiting.hidden = drawn || last !== null;
        controls.hidden = !drawn && last === null;
        step.disabled = !drawn || right === null;
        undo.disabled = reset.disabled = last === null;
        mark(options, right);
        rateShown.textContent = RATES[rate.value];
        rate.setAttribute("aria-valuetext", RATES[rate.value]);
        if (last) say(count, "taught", app.taught.length);
        else ((count.textContent = ""), delete count.dataset.text);
        if (shown !== last) result.replaceChildren(...(last ? changes(app, last) : []));
        shown = last;
      },
    };
  },
});

/** One step on what is drawn, whose right answer is known; everything about it goes to the steps taught. */
function teach(app, answer, rate) {
  const { network } = app,
    before = network.weights();
  const numbers = network.task === "numbers";
  const taken = network.step(app.x, numbers ? answer : network.target(answer), rate, numbers ? null : answer);
  network.useWeights(taken.weights);
  app.taught.push({ ...taken, before, answer, rate, from: taken.pass.answers, to: network.forward(app.x).answers });
  app.changed();
}

function tell({ network, taught }) {
  const { answer, from, to, loss } = taught.at(-1);
  document.getElementById("spoken").textContent =
    network.task === "numbers"
      ? phrase("taughtNumbers", short(loss))
      : phrase("taughtSpoken", network.labels[answer], percent(from[answer]), percent(to[answer]), short(loss));
}

/** A field for what each output should be: in the form of `answerChips`. */
function numberFields(app, choose) {
  const fields = app.network.labels.map((label) => {
    const field = h("input", { type: "number", step: "any" });
    field.addEventListener("input", () => {
      const numbers = fields.map(({ field }) => field.valueAsNumber);
      choose(numbers.every(Number.isFinite) ? Float64Array.from(numbers) : null);
    });
    return { field, label: h("label", { class: "field" }, h("span", { class: "small", plain: label }), field) };
  });
  const chips = h(
    "fieldset",
    { class: "answer-chips" },
    h("legend", { class: "small", text: "right" }),
    h("div", { class: "fields" }, ...fields.map(({ label }) => label)),
  );
  return { chips, options: fields, mark: () => {} };
}

/** What it gave before the step and what it gives after it. */
function changes({ network }, { answer, from, to }) {
  if (network.task === "numbers") {
    const rows = network.labels.map((label, i) =>
      h(
        "tr",
        {},
        h("th", { scope: "row", plain: label }),
        ...[from[i], to[i], answer[i]].map((number) => h("td", { class: "bar-value", plain: short(number) })),
      ),
    );
    return tableOf("beforeAfterNumbers", ["answerColumn", "before", "after", "rightColumn"], rows);
  }
  const rows = network.labels.map((label, i) =>
    h(
      "tr",
      { class: i === answer ? "right" : null },
      h("th", { scope: "row", plain: label }),
      share(from[i]),
      share(to[i]),
    ),
  );
  return tableOf("beforeAfter", ["answerColumn", "before", "after"], rows);
}

function tableOf(title, columns, rows) {
  const heads = columns.map((text) => h("th", { scope: "col", text }));
  return [
    h("h3", { text: title }),
    h("table", { class: "before-after" }, h("thead", {}, h("tr", {}, ...heads)), h("tbody", {}, ...rows)),
  ];
}

function share(value) {
  const bar = h("span", { class: "bar" });
  bar.style.setProperty("--share", value);
  return h(
    "td",
    { class: "share" },
    h("span", { class: "bar-track" }, bar),
    h("span", { class: "bar-value", plain: percent(value) }),
  );
}
