/* A network for tables: each column with what it is set to, and how the prediction changes along it. */

import { app, register } from "./app.js";
import { paletteOf } from "./colours.js";
import { h, say, sayLabel, section } from "./elements.js";
import "./live.js";
import { addTexts, percent, phrase, short } from "./texts.js";

addTexts({
  en: {
    titleTable: "What does it predict?",
    leadTable: "Set the columns of a row. Below each stands how the prediction changes along it, while all others stay as they are.",
    predicts: "{0}",
    columns: "The row",
    columnsNote: "It begins with the typical values of the table that it was trained on.",
    reset: "Typical values",
    unknown: "not known",
    yes: "yes",
    no: "no",
    more: "Show all {0} columns",
    others: "Other values",
    otherThan: "Other value of {0}",
    classesLabel: "Classes with their probabilities; the chosen one is followed along the columns",
    along: "{0} along {1}: from {2} to {3} between {4} and {5}. Now, at {6}: {7}.",
    alongUnknown: "{0} along {1}: from {2} to {3} between {4} and {5}. Its value is not known now: {7}.",
    spokenClass: "{0}: {1}, with {2}.",
    spokenNumber: "{0}: {1}.",
    refused: "The server cannot predict this row. {0}",
  },
  ko: {
    titleTable: "무엇을 예측할까요?",
    leadTable: "한 행의 열을 정해 보세요. 각 열 아래에, 나머지를 그대로 두고 그 열만 바꿀 때 예측이 어떻게 달라지는지 보입니다.",
    predicts: "{0}",
    columns: "행",
    columnsNote: "학습한 표의 전형적인 값에서 시작합니다.",
    reset: "전형적인 값으로",
    unknown: "모름",
    yes: "예",
    no: "아니요",
    more: "열 {0}개 모두 보기",
    others: "다른 값",
    otherThan: "{0}의 다른 값",
    classesLabel: "클래스와 확률; 고른 클래스를 열마다 따라가 봅니다",
    along: "{1}에 따른 {0}: {4}에서 {5}까지 {2}에서 {3}. 지금 {6}에서 {7}.",
    alongUnknown: "{1}에 따른 {0}: {4}에서 {5}까지 {2}에서 {3}. 지금은 값을 모름: {7}.",
    spokenClass: "{0}: {1}, 확률 {2}.",
    spokenNumber: "{0}: {1}.",
    refused: "서버가 이 행을 예측하지 못했습니다. {0}",
  },
});

const POINTS = 25; // of a curve
const MOST_BARS = 8; // values of a column that have a bar; the others are in a list
const FIRST_CARDS = 24; // columns that are shown at first
const MOST_ROWS = 4000; // that are asked about at once
const SETTLED = 900; // milliseconds without change after which a screen reader is told
const DAY = 86_400_000;

const table = {
  about: null, // what the server says of it: { target, classes, columns }
  row: {}, // the value of each column
  followed: null, // the class that is followed, by its number; null for the likeliest
  answer: null, // of the row: { value, probabilities }
  along: {}, // of each column the values that were tried, and what came of them: { values, said }
  trouble: null, // why there is no answer
  all: false, // whether all columns are shown
};

app.whenServed.push(async ({ live }) => {
  if (live !== "table") return;
  table.about = await (await fetch("columns")).json();
  app.heading = "Table";
  table.row = typicalRow();
  ask();
});

const tidy = (value, whole) => (whole ? Math.round(value) : +value.toPrecision(6));
const typicalRow = () => Object.fromEntries(table.about.columns.map(
  ({ name, kind, typical, whole }) => [name, kind === "number" ? tidy(typical, whole) : typical]));
const shownColumns = () => (table.all ? table.about.columns : table.about.columns.slice(0, FIRST_CARDS));

// --- Asking ---

let asking = false, changedMeanwhile = false;

/** Asks for the prediction and for how it changes; while an answer is awaited, once more when it has come. */
async function ask() {
  if (asking) {
    changedMeanwhile = true;
    return;
  }
  asking = true;
  do {
    changedMeanwhile = false;
    await askOnce();
    app.changed();
  } while (changedMeanwhile);
  asking = false;
}

async function askOnce() {
  const tried = shownColumns().map((column) => [column.name, valuesAlong(column)]);
  const rows = [table.row, ...tried.flatMap(([name, values]) => values.map((value) => ({ ...table.row, [name]: value })))];
  const said = [];
  for (let from = 0; from < rows.length; from += MOST_ROWS) {
    const answer = await predicted(rows.slice(from, from + MOST_ROWS));
    if (!answer) return;
    said.push(...answer);
  }
  table.trouble = null;
  table.answer = said[0];
  let at = 1;
  table.along = Object.fromEntries(tried.map(([name, values]) => [name, { values, said: said.slice(at, (at += values.length)) }]));
  tellSoon();
}

/** What is said of rows, [{ value, probabilities }]; null where it is refused. */
async function predicted(rows) {
  try {
    const response = await fetch("predict", {
      method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ rows }),
    });
    const answer = await response.json();
    if (response.ok) return answer.predictions.map((value, i) => ({ value, probabilities: answer.probabilities?.[i] ?? null }));
    table.trouble = answer.error ?? answer.detail ?? answer.title ?? String(response.status);
  } catch (error) {
    table.trouble = error.message;
  }
  return null;
}

/** The values of a column that are tried. */
function valuesAlong(column) {
  if (column.values) return column.values.slice(0, MOST_BARS);
  const scale = scaleOf(column);
  return Array.from({ length: POINTS }, (_, i) => scale.value(i / (POINTS - 1)));
}

function set(name, value) {
  table.row = { ...table.row, [name]: value };
  app.changed();
  ask();
}

// --- Numbers and dates on a line from 0 to 1 ---

/** How a column's values lie on a line: { value(share), share(value) }. */
function scaleOf({ kind, low, high, typical, whole }) {
  if (kind === "date") {
    const [from, to] = [Date.parse(low), Date.parse(high)];
    return {
      value: (share) => new Date(Math.round((from + share * (to - from)) / DAY) * DAY).toISOString().slice(0, 10),
      share: (date) => (Date.parse(date) - from) / (to - from || 1),
    };
  }
  // Incomes and prices: most of them lie far below the middle, where a slider of equal steps would have no room.
  if (low > 0 && high > 20 * low && typical < low + 0.2 * (high - low)) {
    const ratio = Math.log(high / low);
    return { value: (share) => tidy(low * Math.exp(ratio * share), whole), share: (value) => Math.log(Math.max(value, low) / low) / ratio };
  }
  return { value: (share) => tidy(low + share * (high - low), whole), share: (value) => (value - low) / (high - low || 1) };
}

// --- Words ---

const isTruth = ({ kind }) => kind === "boolean";

/** A value as it is written on the page. */
function written(column, value) {
  if (value === null) return phrase("unknown");
  if (isTruth(column)) return phrase(value ? "yes" : "no");
  return typeof value === "number" ? number(value) : String(value);
}

function number(value) {
  return Number.isFinite(value) && Math.abs(value) < 1e7 && Math.abs(value) >= 1e-3
    ? value.toLocaleString(document.documentElement.lang, { maximumSignificantDigits: Math.abs(value) >= 1e4 ? 6 : 4 }).replace("-", "\u2212")
    : short(value);
}

/** The class that is followed. */
function followed() {
  if (table.followed !== null || !table.answer?.probabilities) return table.followed ?? 0;
  return table.answer.probabilities.indexOf(Math.max(...table.answer.probabilities));
}

/** What is followed along the columns: a probability, or the number that is predicted. */
const amountOf = ({ value, probabilities }) => (probabilities ? probabilities[followed()] : value);
const amountText = (amount) => (table.about.classes ? percent(amount, 0) : number(amount));
const followedName = () => (table.about.classes ? table.about.classes[followed()] : table.about.target);

let telling = null;

/** Tells a screen reader what is predicted, once nothing has changed for a while. */
function tellSoon() {
  clearTimeout(telling);
  telling = setTimeout(() => {
    const { value, probabilities } = table.answer;
    document.getElementById("spoken").textContent = probabilities
      ? phrase("spokenClass", table.about.target, value, percent(Math.max(...probabilities), 0))
      : phrase("spokenNumber", table.about.target, number(value));
  }, SETTLED);
}

// --- The prediction ---

register({
  name: "prediction",
  place: "stage",
  when: () => Boolean(table.about),
  make() {
    const verdict = h("p", { class: "verdict" }, h("strong"), h("span"));
    const bars = h("div", { class: "bars", role: "group", label: "classesLabel", hidden: !table.about.classes });
    const rows = (table.about.classes ?? []).map((name, i) => {
      const bar = h("span", { class: "bar" }), value = h("span", { class: "bar-value" });
      const button = h("button", { type: "button", class: "answer", on: { click: () => follow(i) } },
        h("span", { class: "bar-label", plain: name }), h("span", { class: "bar-track" }, bar), value);
      return { button, bar, value };
    });
    bars.append(...rows.map(({ button }) => button));
    const trouble = h("p", { class: "empty", role: "alert", hidden: true });
    const heading = h("h2", { id: "heading-prediction", plain: table.about.target });
    const element = h("section", { class: "view view-prediction", "aria-labelledby": "heading-prediction" }, heading, verdict, bars, trouble);
    return {
      element,
      update() {
        const { answer } = table, [what, sure] = verdict.children;
        trouble.hidden = table.trouble === null;
        if (table.trouble !== null) say(trouble, "refused", table.trouble);
        if (!answer) return;
        what.textContent = answer.probabilities ? String(answer.value) : number(answer.value);
        if (!answer.probabilities) return;
        say(sure, "sure", percent(Math.max(...answer.probabilities)));
        rows.forEach(({ button, bar, value }, i) => {
          bar.style.setProperty("--share", answer.probabilities[i]);
          value.textContent = percent(answer.probabilities[i]);
          button.setAttribute("aria-pressed", i === followed());
          button.classList.toggle("best", i === followed());
        });
      },
    };
  },
});

function follow(index) {
  table.followed = index;
  app.changed();
}

// --- The columns ---

register({
  name: "columns",
  place: "stage",
  when: () => Boolean(table.about),
  make() {
    const cards = h("div", { class: "cards" });
    const reset = h("button", { type: "button", text: "reset", on: { click: () => ((table.row = typicalRow()), app.changed(), ask()) } });
    const more = h("button", { type: "button", on: { click: () => ((table.all = true), app.changed(), ask()) } });
    let made = [];
    return {
      element: section("columns", { heading: "columns", note: "columnsNote" }, h("div", { class: "row" }, reset), cards, h("div", { class: "row" }, more)),
      update() {
        const columns = shownColumns(), count = table.about.columns.length;
        if (made.length !== columns.length) {
          const later = columns.slice(made.length).map(card);
          cards.append(...later.map(({ element }) => element));
          made = [...made, ...later];
        }
        more.parentElement.hidden = columns.length === count;
        say(more, "more", count);
        const range = rangeOfAll();
        made.forEach((one) => one.update(range));
      },
    };
  },
});

/** From what to what the curves of all columns go: all are drawn on the same scale, so that they compare. */
function rangeOfAll() {
  if (table.about.classes) return [0, 1];
  const all = Object.values(table.along).flatMap(({ said }) => said.map(amountOf));
  const least = all.reduce((a, b) => Math.min(a, b), Infinity), most = all.reduce((a, b) => Math.max(a, b), -Infinity);
  return most > least ? [least, most] : [least - 1, least + 1];
}

function card(column, index) {
  const id = `column-${index}-${column.name.length}`;
  const inner = column.values ? barsCard(column, id) : curveCard(column, id);
  const unknown = column.missing ? unknownBox(column) : null;
  const element = h("fieldset", { class: "card" }, h("legend", { plain: column.name }), ...inner.parts, unknown?.element);
  return {
    element,
    update(range) {
      inner.update(range);
      unknown?.update();
    },
  };
}

function unknownBox(column) {
  const box = h("input", { type: "checkbox" });
  let before = column.typical;
  box.addEventListener("change", () => {
    if (box.checked) before = table.row[column.name];
    set(column.name, box.checked ? null : before);
  });
  return {
    element: h("label", { class: "small unknown" }, box, h("span", { text: "unknown" })),
    update: () => (box.checked = table.row[column.name] === null),
  };
}

/** A number or a date: a curve, and the slider below it. */
function curveCard(column, id) {
  const scale = scaleOf(column), isDate = column.kind === "date";
  const canvas = h("canvas", { class: "effect", role: "img" });
  const slider = h("input", { type: "range", min: 0, max: 1, step: column.whole ? 1 / Math.max(column.high - column.low, 1) : 0.002, "aria-label": column.name });
  const field = h("input", { type: isDate ? "date" : "number", step: isDate ? null : "any", id, "aria-label": column.name });
  const ends = h("p", { class: "ends small", "aria-hidden": "true" }, h("span"), h("span"));
  slider.addEventListener("input", () => set(column.name, scale.value(slider.valueAsNumber)));
  field.addEventListener("input", () => {
    if (isDate ? field.value : Number.isFinite(field.valueAsNumber)) set(column.name, isDate ? field.value : field.valueAsNumber);
  });
  canvas.addEventListener("pointerdown", (event) => {
    const box = canvas.getBoundingClientRect();
    set(column.name, scale.value(Math.min(Math.max((event.clientX - box.left) / box.width, 0), 1)));
  });
  return {
    parts: [field, canvas, slider, ends],
    update(range) {
      const value = table.row[column.name];
      if (value !== null) {
        if (document.activeElement !== slider) slider.value = scale.share(value);
        if (document.activeElement !== field) field.value = value;
      } else field.value = "";
      [column.low, column.high].forEach((end, i) => (ends.children[i].textContent = written(column, end)));
      slider.setAttribute("aria-valuetext", written(column, value));
      paintEffect(canvas, table.along[column.name], value === null ? null : scale.share(value), range);
      describeEffect(canvas, column, value);
    },
  };
}

/** Text or a truth value: a bar for each value, which chooses it. */
function barsCard(column, id) {
  const few = column.values.slice(0, MOST_BARS), others = column.values.slice(MOST_BARS);
  const rows = few.map((one) => {
    const input = h("input", { type: "radio", name: id });
    const bar = h("span", { class: "bar" }), said = h("span", { class: "bar-value" }), label = h("span", { class: "bar-label" });
    input.addEventListener("change", () => set(column.name, one));
    return { one, input, bar, said, label, element: h("label", { class: "value" }, input, label, h("span", { class: "bar-track" }, bar), said) };
  });
  const select = others.length ? h("select", {}, h("option", { value: "", text: "others" }), ...others.map((plain, i) => h("option", { value: i, plain }))) : null;
  if (select) sayLabel(select, "otherThan", column.name);
  select?.addEventListener("change", () => select.value !== "" && set(column.name, others[select.value]));
  return {
    parts: [h("div", { class: "values" }, ...rows.map(({ element }) => element)), select],
    update([least, most]) {
      const value = table.row[column.name], along = table.along[column.name];
      rows.forEach(({ one, input, bar, said, label }, i) => {
        input.checked = one === value;
        label.textContent = written(column, one);
        if (!along) return;
        const amount = amountOf(along.said[i]);
        bar.style.setProperty("--share", (amount - least) / (most - least));
        said.textContent = amountText(amount);
      });
      if (select && document.activeElement !== select) select.value = Math.max(others.indexOf(value), -1) < 0 ? "" : others.indexOf(value);
    },
  };
}

/** Draws a column's curve, and a dot where the row is. */
function paintEffect(canvas, along, now, [least, most]) {
  const dense = devicePixelRatio, wide = canvas.clientWidth, high = canvas.clientHeight, edge = 6;
  if (!along || !wide) return;
  canvas.width = Math.round(wide * dense);
  canvas.height = Math.round(high * dense);
  const context = canvas.getContext("2d"), palette = paletteOf(canvas), style = getComputedStyle(canvas);
  const x = (share) => edge + share * (wide - 2 * edge);
  const y = (amount) => edge + (1 - (amount - least) / (most - least)) * (high - 2 * edge);
  const points = along.said.map((one, i) => [x(i / (along.said.length - 1)), y(amountOf(one))]);
  context.scale(dense, dense);
  context.strokeStyle = style.getPropertyValue("--line");
  for (const amount of [least, most]) stroke(context, [[x(0), y(amount)], [x(1), y(amount)]]);
  context.lineJoin = context.lineCap = "round";
  context.lineWidth = 2;
  context.strokeStyle = palette.accent;
  stroke(context, points);
  if (now === null || !table.answer) return;
  context.beginPath();
  context.arc(x(Math.min(Math.max(now, 0), 1)), y(Math.min(Math.max(amountOf(table.answer), least), most)), 5, 0, 2 * Math.PI);
  context.fillStyle = palette.positive;
  context.fill();
}

function stroke(context, points) {
  context.beginPath();
  points.forEach(([x, y], i) => (i ? context.lineTo(x, y) : context.moveTo(x, y)));
  context.stroke();
}

function describeEffect(canvas, column, value) {
  const along = table.along[column.name];
  if (!along || !table.answer) return;
  sayLabel(canvas, value === null ? "alongUnknown" : "along", followedName(), column.name,
    amountText(amountOf(along.said[0])), amountText(amountOf(along.said.at(-1))),
    written(column, along.values[0]), written(column, along.values.at(-1)), written(column, value), amountText(amountOf(table.answer)));
}
