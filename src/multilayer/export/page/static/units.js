/* Which unit is looked at, and how one goes through many with the keyboard. */

import { argmax } from "./functional.js";

/** The unit that is looked at: the one that was pointed at, else the one that says most, or the first. */
export function lookedAt(app) {
  const { network, pass } = app;
  if (!network?.layers.length) return null;
  if (app.unit) return app.unit;
  const first = network.layers[0];
  if (network.layers.length < 2) return null;
  return { layer: 0, index: pass ? argmax(pass.values[first.tensor]) : 0 };
}

/** What an answer is called, where a unit is one; else null. */
export function answerName({ network }, { layer, index }) {
  if (network.layers[layer].tensor !== network.output) return null;
  return network.labels[network.task === "yes_no" ? 1 : index];
}

/** The layers between input and answer. */
export const hiddenLayers = ({ layers, output }) => layers.filter((layer) => layer.tensor !== output);

export const MOST = 256; // units of a layer that are shown
const WIDE = 216,
  HIGH = 420; // pixels that all layers have together, where there is room
const LARGEST = 43,
  SMALLEST = 11;

/** How many units of a layer stand side by side, and how large a square each has: as small as their number asks for. */
export function arranged(network, size) {
  const count = Math.min(size, MOST);
  const side = Math.sqrt((WIDE * HIGH) / Math.max(hiddenLayers(network).length, 1) / count);
  const columns = Math.max(Math.round(WIDE / Math.min(Math.max(side, SMALLEST), LARGEST)), 1);
  return { columns: Math.min(columns, count), side: Math.min(WIDE / columns, LARGEST) };
}

/** Has an element show a unit while it is pointed at or has the focus. */
export function looks(app, element, unit) {
  const look = () => {
    app.unit = unit;
    app.changed();
  };
  const away = () => {
    if (app.unit === unit) app.unit = null;
    app.changed();
  };
  element.addEventListener("pointerenter", look);
  element.addEventListener("focus", look);
  element.addEventListener("pointerleave", () => {
    if (document.activeElement !== element) away();
  });
  element.addEventListener("blur", away);
}

/** One stop of the Tab key for many buttons: arrow keys, Home and End go from one to the next. */
export function roving(buttons, columns) {
  const go = (to) => {
    buttons.forEach((button, i) => (button.tabIndex = i === to ? 0 : -1));
    buttons[to].focus();
  };
  buttons.forEach((button, i) => {
    button.tabIndex = i === 0 ? 0 : -1;
    button.addEventListener("keydown", (event) => {
      const wide = columns();
      const to = {
        ArrowLeft: i - 1,
        ArrowRight: i + 1,
        ArrowUp: i - wide,
        ArrowDown: i + wide,
        Home: 0,
        End: buttons.length - 1,
      }[event.key];
      if (to === undefined) return;
      event.preventDefault();
      if (to >= 0 && to < buttons.length) go(to);
    });
  });
}
