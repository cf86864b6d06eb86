/* Everything in words and numbers, for those who would rather read: the answers, the units, the strongest ways. */

import { register } from "../app.js";
import { strongest } from "../contributions.js";
import { h, section } from "../elements.js";
import { addTexts, percent, phrase, short } from "../texts.js";
import { hiddenLayers } from "../units.js";

addTexts({
  en: {
    tables: "The same in numbers",
    tableAnswers: "Answers",
    tableUnits: "Units of {0}",
    tablePaths: "Strongest connections",
    tableEmpty: "There is nothing to count yet.",
    columnAnswer: "Answer",
    columnShare: "Probability",
    columnValue: "Value",
    columnUnit: "Unit",
    columnFrom: "From",
    columnTo: "To",
    columnAmount: "Adds",
    fromPicture: "the picture",
    fromInput: "input {0}",
    fromUnit: "unit {1} of {0}",
  },
  ko: {
    tables: "숫자로 보기",
    tableAnswers: "답",
    tableUnits: "{0}의 유닛",
    tablePaths: "가장 강한 연결",
    tableEmpty: "아직 셀 것이 없습니다.",
    columnAnswer: "답",
    columnShare: "확률",
    columnValue: "값",
    columnUnit: "유닛",
    columnFrom: "어디서",
    columnTo: "어디로",
    columnAmount: "더한 값",
    fromPicture: "그림",
    fromInput: "입력 {0}",
    fromUnit: "{0}의 {1}번 유닛",
  },
});

register({
  name: "tables",
  place: "below",
  make(app) {
    const body = h("div", { class: "tables" });
    const details = h("details", {}, h("summary", { text: "tables" }), body);
    details.addEventListener("toggle", () => app.changed());
    return {
      element: h("section", { class: "view view-tables", label: "tables" }, details),
      update(app) {
        if (details.open)
          body.replaceChildren(...(app.pass ? tablesOf(app) : [h("p", { class: "empty", text: "tableEmpty" })]));
      },
    };
  },
});

function tablesOf({ network, pass }) {
  const numbers = network.task === "numbers";
  const answers = network.labels.map((label, i) => [
    label,
    numbers ? short(pass.answers[i]) : percent(pass.answers[i], 2),
  ]);
  const units = hiddenLayers(network).map((layer) =>
    table(
      phrase("tableUnits", layer.name),
      ["columnUnit", "columnValue"],
      Array.from(pass.values[layer.tensor], (value, i) => [String(i + 1), short(value)]),
    ),
  );
  const paths = strongest(network, pass).map(({ from, to, amount }) => [
    nameOf(network, from),
    nameOf(network, to),
    short(amount),
  ]);
  return [
    table(phrase("tableAnswers"), ["columnAnswer", numbers ? "columnValue" : "columnShare"], answers),
    ...(paths.length ? [table(phrase("tablePaths"), ["columnFrom", "columnTo", "columnAmount"], paths)] : []),
    ...units,
  ];
}

function nameOf(network, end) {
  if (end.at) return phrase("fromPicture");
  if (end.layer === "input") return phrase("fromInput", network.input.columns[end.index]);
  const layer = network.layers[end.layer];
  if (layer.tensor === network.output) return network.labels[network.task === "yes_no" ? 1 : end.index];
  return phrase("fromUnit", layer.name, end.index + 1);
}

function table(caption, columns, rows) {
  const head = h("tr", {}, ...columns.map((text) => h("th", { scope: "col", text })));
  const body = rows.map(([first, ...others]) =>
    h(
      "tr",
      {},
      h("th", { scope: "row", plain: first }),
      ...others.map((plain, i) => h("td", { class: i === others.length - 1 ? "number" : null, plain })),
    ),
  );
  return h(
    "div",
    { class: "scroll", tabindex: 0, role: "region", "aria-label": caption },
    h("table", {}, h("caption", { plain: caption }), h("thead", {}, head), h("tbody", {}, ...body)),
  );
}
