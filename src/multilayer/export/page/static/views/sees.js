/* What the network sees of the drawing, and below it the weights of the unit that is looked at. */

import { register } from "../app.js";
import { greatest, paintInk, paintSigned } from "../colours.js";
import { h, say, sayLabel, section } from "../elements.js";
import { weightsOf } from "../network.js";
import { addTexts, short } from "../texts.js";
import { answerName, arranged, lookedAt } from "../units.js";

addTexts({
  en: {
    sees: "What it sees",
    seesNote: "Cut out, scaled, centred by mass: {0}\u00a0×\u00a0{0} pixels.",
    seesLabel: "The drawing as the network gets it, {0} by {0} pixels",
    weights: "What it looks for",
    weightsHint: "Point at a unit, or go there with the keyboard.",
    weightsUnit: "Unit {0} of {1}, which gives {2}",
    weightsUnitQuiet: "Unit {0} of {1}",
    weightsAnswer: "The answer “{0}”",
    weightsLabel: "Weights of {0}: the largest {1}, the smallest {2}",
    legend: "Ink here speaks",
    against: "against",
    for: "for",
  },
  ko: {
    sees: "신경망이 보는 것",
    seesNote: "잘라내고, 크기를 맞추고, 무게중심을 가운데로: {0}\u00a0×\u00a0{0} 픽셀.",
    seesLabel: "신경망이 받는 그림, {0} × {0} 픽셀",
    weights: "무엇을 찾는가",
    weightsHint: "유닛을 가리키거나 키보드로 옮겨 가 보세요.",
    weightsUnit: "{1}의 {0}번 유닛, 출력 {2}",
    weightsUnitQuiet: "{1}의 {0}번 유닛",
    weightsAnswer: "답 “{0}”",
    weightsLabel: "{0}의 가중치: 최대 {1}, 최소 {2}",
    legend: "이곳의 잉크는",
    against: "반대",
    for: "찬성",
  },
});

register({
  name: "sees",
  place: "stage",
  make(app) {
    const canvas = h("canvas", { class: "pixels input-picture", role: "img" });
    const note = h("p", { class: "note" });
    const lens = h("canvas", { class: "pixels lens", role: "img" });
    const caption = h("p", { class: "small caption" });
    const scale = h(
      "p",
      { class: "small scale", "aria-hidden": "true" },
      h("span", { text: "against" }),
      h("span", { class: "ramp" }),
      h("span", { text: "for" }),
    );
    const picture = app.network.picture;
    const rows = h("div", { class: "weights" }); // in the place of a picture, where inputs have names
    const weights = [h("div", { class: "frame" }, lens), rows, caption, scale];
    const element = picture
      ? section(
          "sees",
          {},
          h(
            "div",
            { class: "figure" },
            h("h2", { id: "heading-sees", text: "sees" }),
            note,
            h("div", { class: "frame" }, canvas),
          ),
          h("div", { class: "figure" }, h("h3", { text: "weights" }), ...weights),
        )
      : section("sees", { heading: "weights" }, ...weights);
    if (picture) element.setAttribute("aria-labelledby", "heading-sees");
    return {
      element,
      update(app) {
        const { picture } = app.network;
        if (picture) {
          const { side, scale: most } = picture;
          say(note, "seesNote", side);
          sayLabel(canvas, "seesLabel", side);
          const pixels = app.x ?? new Float64Array(side * side);
          paintInk(
            canvas,
            Array.from(pixels, (value) => value / most),
            side,
          );
        }
        showWeights(app, lens, rows, caption);
      },
    };
  },
});

/** The weights of a unit as a picture: in the form of what lies below it. */
function showWeights(app, lens, rows, caption) {
  const looked = lookedAt(app);
  lens.hidden = !looked;
  rows.replaceChildren();
  if (!looked) return say(caption, "weightsHint");
  const { layers, picture } = app.network;
  const layer = layers[looked.layer],
    weights = weightsOf(layer, looked.index);
  const columns = layer.below === "input" && picture ? picture.side : arranged(app.network, weights.length).columns;
  const named = layer.below === "input" && !picture;
  lens.parentElement.hidden = named;
  if (named) rows.append(...namedRows(app.network.input.columns, weights));
  else paintSigned(lens, weights, columns);
  const value = app.pass ? app.pass.values[layer.tensor][looked.index] : null;
  const answer = answerName(app, looked);
  if (answer !== null) say(caption, "weightsAnswer", answer);
  else if (value === null) say(caption, "weightsUnitQuiet", looked.index + 1, layer.name);
  else say(caption, "weightsUnit", looked.index + 1, layer.name, short(value));
  return sayLabel(lens, "weightsLabel", caption.textContent, short(Math.max(...weights)), short(Math.min(...weights)));
}

function namedRows(names, weights) {
  const most = greatest(weights);
  return names.map((name, i) => {
    const bar = h("span", { class: weights[i] < 0 ? "bar negative" : "bar" });
    bar.style.setProperty("--share", Math.abs(weights[i]) / most);
    return h(
      "div",
      {},
      h("span", { plain: name }),
      h("span", { class: "bar-track" }, bar),
      h("span", { class: "bar-value", plain: short(weights[i]) }),
    );
  });
}
