/* Making elements. What a network brings along (names, labels) becomes text here, never markup. */

import { phrase } from "./texts.js";

/**
 * Makes an element.
 *
 * Properties are attributes, with a few of their own: `text` and `label` are keys of texts.js, for what stands in the
 * element and for its aria-label, which change with the language; `plain` is text as it is; `on` has listeners.
 */
export function h(tag, properties = {}, ...children) {
  return filled(document.createElement(tag), properties, children);
}

/** Makes an element of SVG, likewise. */
export function svg(tag, properties = {}, ...children) {
  return filled(document.createElementNS("http://www.w3.org/2000/svg", tag), properties, children);
}

function filled(element, properties, children) {
  const { text, label, plain, on = {}, ...attributes } = properties;
  for (const [name, value] of Object.entries(attributes)) {
    if (value === false || value === null || value === undefined) continue;
    element.setAttribute(name, value === true ? "" : value);
  }
  if (text) say(element, text);
  if (label) sayLabel(element, label);
  if (plain !== undefined) element.textContent = plain;
  for (const [event, listener] of Object.entries(on)) element.addEventListener(event, listener);
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

/** Has an element say a text of texts.js, also after the language was changed. */
export function say(element, key, ...values) {
  element.dataset.text = JSON.stringify([key, ...values]);
  element.textContent = phrase(key, ...values);
}

/** The same for what a screen reader says of an element. */
export function sayLabel(element, key, ...values) {
  element.dataset.label = JSON.stringify([key, ...values]);
  element.setAttribute("aria-label", phrase(key, ...values));
}

/** Says everything below an element in the language of now. */
export function translate(root) {
  for (const element of root.querySelectorAll("[data-text]")) {
    element.textContent = phrase(...JSON.parse(element.dataset.text));
  }
  for (const element of root.querySelectorAll("[data-label]")) {
    element.setAttribute("aria-label", phrase(...JSON.parse(element.dataset.label)));
  }
}

/** A section of the page, with its heading and the line below that says what one sees. */
export function section(name, { heading, note } = {}, ...children) {
  const id = `heading-${name}`;
  return h(
    "section",
    { class: `view view-${name}`, "aria-labelledby": heading ? id : null },
    heading ? h("h2", { id, text: heading }) : null,
    note ? h("p", { class: "note", text: note }) : null,
    ...children,
  );
}
