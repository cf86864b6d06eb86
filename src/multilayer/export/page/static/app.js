/* The page's state, and its views.
 *
 * A view is registered with
 *   name    what its section is called,
 *   place   "stage", where one draws and watches, or "above" or "below" it,
 *   when    whether it has something to show of the app as it is (left out: always, once there is a network),
 *   make    (app) => { element, update(app) }; update is called whenever something has changed.
 * Views know each other through the app's state alone.
 */

import { h, say, translate } from "./elements.js";
import { currentLanguage, phrase, speak, texts } from "./texts.js";
import { Network } from "./network.js";
import { prepared } from "./preparing.js";

export const views = [];

/** Adds a view to the page; views of a place stand in the order in which they were registered. */
export function register(view) {
  views.push(view);
}

export const app = {
  network: null, // what thinks, a Network
  x: null, // its input: numbers, or null where nothing has been drawn
  pass: null, // everything that it computes of x
  strokes: [], // what has been drawn: polylines of points in [0, 1] x [0, 1]
  found: null, // of a picture in their place: { canvas, digits, chosen, ... }, as opening.js has it
  told: null, // what is said of a picture that was not opened, or not yet: a text of texts.js, and what is filled in
  unit: null, // the unit that is looked at: { layer, index }
  heading: null, // of a page that shows something else than a network: what its title and lead are called in texts.js
  mounted: [], // the views that are on the page
  mountedFor: null, // the network's form when they were put there
  changedBy: null, // the frame that is to come

  /** Takes another network, described by Python's `describe`; what does not fit it any more is forgotten. */
  useNetwork(description) {
    this.network = new Network(description);
    this.unit = null;
    if (this.found && this.found.side === this.network.picture?.side) this.chooseDigit(this.found.chosen);
    else if (this.network.picture) this.useStrokes(this.strokes);
    else if (this.x?.length !== this.network.inputSize) this.x = null;
    mount();
    this.changed();
  },

  /** Takes another input, or null for none. */
  useInput(x) {
    this.x = x;
    this.changed();
  },

  /** Takes what was drawn as the network's input. */
  useStrokes(strokes) {
    const { picture } = this.network;
    this.strokes = strokes;
    this.found = null;
    this.useInput(this.scaled(prepared(strokes, picture)));
  },

  /** Takes the digits of a picture as the network's input, the first of them to begin with. */
  usePicture(found) {
    this.strokes = [];
    this.found = found;
    this.told = null;
    this.chooseDigit(0);
  },

  /** Takes another digit of the picture. */
  chooseDigit(chosen) {
    this.found.chosen = chosen;
    this.useInput(this.inputOf(this.found.digits[chosen]));
  },

  /** A digit of a picture as the network takes it; null of one without ink. */
  inputOf({ pixels }) {
    return this.scaled(pixels);
  },

  /** Ink from 0 to 1 as the network takes it; bytes are whole numbers, as what Python prepares. */
  scaled(pixels) {
    const { scale } = this.network.picture;
    return pixels?.map(scale === 1 ? (ink) => ink : (ink) => Math.round(ink * scale)) ?? null;
  },

  /** Says something of a picture that was not opened; what is on the sheet stays there. */
  tellOfPicture(told) {
    this.told = told;
    this.changed();
  },

  /** Says that something has changed: everything is computed and shown anew with the next frame, once. */
  changed() {
    if (this.changedBy !== null) return;
    this.changedBy = requestAnimationFrame(() => {
      this.changedBy = null;
      this.pass = this.network && this.x ? this.network.forward(this.x) : null;
      for (const view of this.mounted) view.update?.(this);
      document.documentElement.dataset.shown = String(Number(document.documentElement.dataset.shown ?? 0) + 1);
    });
  },
};

/** Puts the views on the page that have something to show, and takes the others off. */
export function mount() {
  const wanted = views.filter((view) => (view.when ? view.when(app) : app.network !== null));
  const same = wanted.length === app.mounted.length && wanted.every((view, i) => app.mounted[i].view === view);
  const form = app.network?.form ?? null; // views of a network of the same form stay, with what they have in focus
  if (!same || form !== app.mountedFor) {
    app.mountedFor = form;
    for (const place of ["above", "stage", "below"]) document.getElementById(place).replaceChildren();
    app.mounted = wanted.map((view) => {
      const made = view.make(app);
      document.getElementById(view.place).append(made.element);
      return { ...made, view };
    });
  }
  document.getElementById("nothing").hidden = wanted.length > 0;
}

// --- Language and colours ---

const THEMES = ["auto", "light", "dark"];

/** What was chosen on an earlier visit; a page from a file may be refused any memory. */
function remembered(key) {
  try {
    return localStorage.getItem(`multilayer.${key}`);
  } catch {
    return null;
  }
}

function remember(key, value) {
  try {
    localStorage.setItem(`multilayer.${key}`, value);
  } catch {
    // then the next visit begins anew
  }
}

function useLanguage(name) {
  speak(name);
  translate(document);
  document.getElementById("spoken").textContent = ""; // it was said in the other language
  sayHeading();
  app.changed();
}

/** Says what the page is: of a network that reads digits, or of one of numbers, or what `app.heading` names. */
export function sayHeading() {
  const heading = document.querySelector("h1");
  const kind = app.heading ?? (app.network && !app.network.picture ? "Numbers" : "");
  say(heading, `title${kind}`);
  say(document.querySelector(".lead"), `lead${kind}`);
  say(document.querySelector(".skip"), kind ? "skipInputs" : "skip"); // without a sheet there are inputs to set
  if (app.network?.title) {
    delete heading.dataset.text; // its own, in whatever language that is
    heading.textContent = app.network.title;
  }
  document.title = heading.textContent;
}

function useTheme(name) {
  document.documentElement.dataset.theme = THEMES.includes(name) ? name : "auto";
  app.changed(); // canvases are painted in the colours of now
}

/** A row of choices of which one holds: radio buttons, which arrow keys go through. */
export function choices(name, label, options, chosen, choose) {
  const buttons = options.map(([value, properties]) => {
    const input = h("input", { type: "radio", name, value, checked: value === chosen });
    input.addEventListener("change", () => choose(value));
    return h("label", {}, input, h("span", properties));
  });
  return h("fieldset", { class: "choices" }, h("legend", { class: "unseen", text: label }), ...buttons);
}

function switches() {
  return [
    choices(
      "language",
      "language",
      [
        ["en", { plain: "English", lang: "en" }],
        ["ko", { plain: "한국어", lang: "ko" }],
      ],
      currentLanguage(),
      (name) => {
        remember("language", name);
        useLanguage(name);
      },
    ),
    choices(
      "theme",
      "theme",
      [
        ["auto", { text: "themeAuto" }],
        ["light", { text: "themeLight" }],
        ["dark", { text: "themeDark" }],
      ],
      document.documentElement.dataset.theme,
      (name) => {
        remember("theme", name);
        useTheme(name);
      },
    ),
  ];
}

/** Begins: called once, after all modules have registered their views. */
export function start() {
  useTheme(remembered("theme"));
  speak(remembered("language") ?? (navigator.language.toLowerCase().startsWith("ko") ? "ko" : "en"));
  document.getElementById("switches").append(...switches());
  const description = JSON.parse(document.getElementById("network").textContent);
  if (description) app.useNetwork(description);
  else mount();
  useLanguage(currentLanguage());
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => app.changed());
  window.addEventListener("resize", () => app.changed());
  globalThis.multilayer = Object.assign(app, { texts }); // for the console, and for tests
}
