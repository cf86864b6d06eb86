/* The hidden units, which light up as they answer to the drawing. */

import { register } from "../app.js";
import { greatest } from "../colours.js";
import { h, say, sayLabel, section } from "../elements.js";
import { addTexts, short } from "../texts.js";
import { arranged, hiddenLayers, looks, MOST, roving } from "../units.js";
import { weightsOf } from "../network.js";

addTexts({
  en: {
    thinks: "What it thinks",
    thinksNote: "The brighter a unit, the louder it speaks.",
    layerName: "{0}: {1} units",
    layerPart: "{0}: {2} of {1} units",
    layerLabel: "Units of layer {0}; arrow keys go from one to the next",
    unitLabel: "Unit {0}: {1}",
    unitQuiet: "Unit {0}",
  },
  ko: {
    thinks: "신경망이 생각하는 것",
    thinksNote: "밝은 유닛일수록 크게 말합니다.",
    layerName: "{0}: 유닛 {1}개",
    layerPart: "{0}: 유닛 {1}개 중 {2}개",
    layerLabel: "{0} 층의 유닛들; 화살표 키로 옮겨 갑니다",
    unitLabel: "{0}번 유닛: {1}",
    unitQuiet: "{0}번 유닛",
  },
});

register({
  name: "hidden",
  place: "stage",
  when: ({ network }) => Boolean(network && hiddenLayers(network).length),
  make(app) {
    const { layers, output } = app.network;
    const groups = layers.map((layer, number) => (layer.tensor === output ? null : made(app, layer, number)));
    const boxes = groups.filter(Boolean).map(({ box }) => box);
    return {
      element: section("hidden", { heading: "thinks", note: "thinksNote" }, ...boxes),
      update: (app) => groups.filter(Boolean).forEach((group) => shown(app, group)),
    };
  },
});

function made(app, layer, number) {
  const count = Math.min(layer.size, MOST);
  const { columns, side } = arranged(app.network, count);
  const units = Array.from({ length: count }, (_, index) => {
    const unit = h("button", { type: "button", class: "unit" });
    unit.dataset.unit = `${number}.${index}`;
    looks(app, unit, { layer: number, index });
    return unit;
  });
  const grid = h("div", { class: "units", role: "group" }, ...units);
  grid.style.setProperty("--columns", columns);
  grid.style.setProperty("--side", `${side}px`);
  sayLabel(grid, "layerLabel", layer.name);
  roving(units, () => getComputedStyle(grid).gridTemplateColumns.split(" ").length); // fewer or more by the screen
  const title = h("p", { class: "small layer-name" });
  say(title, count < layer.size ? "layerPart" : "layerName", layer.name, layer.size, count);
  return { box: h("div", { class: "layer" }, title, grid), units, number };
}

function shown(app, { units, number }) {
  const layer = app.network.layers[number];
  const values = app.pass?.values[layer.tensor] ?? null;
  const most = values ? greatest(values) : 1;
  const votes = votesOf(app, number);
  const strongest = votes ? greatest(votes) : 1;
  units.forEach((unit, index) => {
    const value = values ? values[index] : 0;
    unit.style.setProperty("--on", Math.abs(value) / most);
    unit.classList.toggle("negative", value < 0);
    unit.style.setProperty("--vote", votes ? Math.abs(votes[index]) / strongest : 0);
    unit.classList.toggle("votes", votes !== null);
    unit.classList.toggle("against", votes !== null && votes[index] < 0);
    unit.classList.toggle("looked", app.unit?.layer === number && app.unit.index === index);
    if (values) sayLabel(unit, "unitLabel", index + 1, short(value));
    else sayLabel(unit, "unitQuiet", index + 1);
  });
}

/** The weights from this layer's units to the one that is looked at, where it is one of the next layer. */
function votesOf(app, number) {
  if (!app.unit) return null;
  const above = app.network.layers[app.unit.layer];
  return above.below === number ? weightsOf(above, app.unit.index) : null;
}
