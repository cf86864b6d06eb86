/* The connected shapes of a picture's ink, and which of them are one digit: Python's `_pictures/shapes.py`. */

import { mapped } from "./grids.js";

const MAP = 500; // cells a side of the map that shapes are told apart on
const SPECK = 0.05; // of the largest shape's cells; what has fewer is none that counts
const GAP = 0.05,
  SECOND = 0.25;

// Of the tallest shape's height: how tall one is that can be a digit of its own, and how far apart parts of one are.
const WHOLE = 0.45,
  BROKEN = 0.05,
  BELOW = 0.1,
  ABOVE = 0.3;

export class Shapes {
  /** The shapes of ink (from 0 to 1), the largest first; `large` are those of them that are no specks. */
  constructor(ink) {
    this.size = ink;
    this.factor = Math.ceil(Math.max(ink.rows, ink.columns) / MAP);
    this.map = reduced(
      mapped(ink, (value) => (value > 0.5 ? 1 : 0)),
      this.factor,
    );
    this.all = connected(this.map).sort((a, b) => b.cells.length - a.cells.length);
    this.large = this.all.filter(({ cells }) => cells.length >= SPECK * this.all[0].cells.length);
  }

  /** The share of the ink that lies in specks. */
  get scattered() {
    const count = (shapes) => shapes.reduce((sum, { cells }) => sum + cells.length, 0);
    return 1 - count(this.large) / count(this.all);
  }

  /** Whether two shapes of similar size leave white between them from top to bottom. */
  get sideBySide() {
    const big = this.large.filter(({ cells }) => cells.length >= SECOND * this.all[0].cells.length);
    const height = Math.max(...big.map(high));
    let end = Infinity;
    return big
      .sort((a, b) => a.left - b.left || a.right - b.right)
      .some(({ left, right }) => {
        const apart = left - end > GAP * height;
        end = Math.max(end === Infinity ? 0 : end, right);
        return apart;
      });
  }

  /** Where these shapes and their soft edges are, in the image: 1 there, 0 elsewhere. */
  maskOf(shapes) {
    return around(shapes, this.map, this.factor, this.size);
  }

  /**
   * The shapes that are one digit each, or its parts: line by line, in each from left to right.
   *
   * Parts of one stand above each other, as a 5's bar does, or nearly touch, where a pen has skipped. What is too small
   * to be a digit, and lies apart from all, is none: a comma, a dash.
   */
  digits() {
    const { large } = this,
      { columns } = this.map;
    const tallest = Math.max(...large.map(high));
    const whole = large.map((one) => high(one) >= WHOLE * tallest);
    let group = large.map((_, i) => i);
    large.forEach((one, i) => {
      for (let j = 0; j < i; j++) {
        const other = large[j];
        const room = whole[i] && whole[j] ? BELOW : ABOVE;
        const above =
          beside(one, other) < -0.5 * Math.min(wide(one), wide(other)) && apart(one, other) <= room * tallest;
        const near =
          Math.max(beside(one, other), apart(one, other)) <= BROKEN * tallest &&
          wide(joint([one, other])) <= high(joint([one, other])); // no wider than high, as a digit is
        if (!above && !(near && touching(one, other, BROKEN * tallest, columns))) continue;
        const old = group[j];
        group = group.map((number) => (number === old ? group[i] : number));
      }
    });
    const kept = new Set(group.filter((_, i) => whole[i]));
    return inOrder([...kept].map((number) => large.filter((_, i) => group[i] === number)));
  }
}

const high = ({ top, bottom }) => bottom - top;
const wide = ({ left, right }) => right - left;
/** How many columns, and how many rows, lie between two; below 0, how many they share. */
const beside = (a, b) => Math.max(a.left, b.left) - Math.min(a.right, b.right);
const apart = (a, b) => Math.max(a.top, b.top) - Math.min(a.bottom, b.bottom);

/** The rectangle around several shapes. */
const joint = (shapes) => ({
  top: Math.min(...shapes.map(({ top }) => top)),
  left: Math.min(...shapes.map(({ left }) => left)),
  bottom: Math.max(...shapes.map(({ bottom }) => bottom)),
  right: Math.max(...shapes.map(({ right }) => right)),
});

/** Whether two shapes come as near to each other as this. */
function touching(a, b, most, columns) {
  const reach = Math.trunc(most) + 1,
    limit = (most + 1) ** 2; // from cell to cell; those that touch are 1 apart
  const near = (shape, other) =>
    shape.cells
      .map((cell) => [Math.floor(cell / columns), cell % columns])
      .filter(
        ([row, column]) =>
          row >= other.top - reach &&
          row < other.bottom + reach &&
          column >= other.left - reach &&
          column < other.right + reach,
      );
  const others = near(b, a);
  return near(a, b).some(([row, column]) =>
    others.some(([r, c]) => (row - r) * (row - r) + (column - c) * (column - c) <= limit),
  );
}

/** As one reads: a digit belongs to a line where its middle lies within the line's first. */
function inOrder(digits) {
  const lines = [];
  const boxed = digits.map((shapes) => ({ shapes, ...joint(shapes) })).sort((a, b) => a.top - b.top);
  for (const one of boxed) {
    const line = lines.find(([first]) => (one.top + one.bottom) / 2 < first.bottom);
    if (line) line.push(one);
    else lines.push([one]);
  }
  return lines.flatMap((line) => line.sort((a, b) => a.left - b.left)).map(({ shapes }) => shapes);
}

/** A map with a cell for each `factor` x `factor` pixels: 1 where one of them is not 0. */
export function reduced({ values, rows, columns }, factor) {
  const map = { rows: Math.ceil(rows / factor), columns: Math.ceil(columns / factor) };
  map.values = new Uint8Array(map.rows * map.columns);
  for (let row = 0, i = 0; row < rows; row++) {
    const start = Math.floor(row / factor) * map.columns;
    for (let column = 0; column < columns; column++, i++)
      if (values[i]) map.values[start + Math.floor(column / factor)] = 1;
  }
  return map;
}

/** The pixels of shapes on a map, and of the cells next to theirs: 1 there, 0 elsewhere. */
export function around(shapes, map, factor, { rows, columns }) {
  const found = new Uint8Array(map.rows * map.columns),
    mask = new Uint8Array(rows * columns);
  for (const { cells } of shapes) for (const cell of cells) for (const near of neighbours(cell, map)) found[near] = 1;
  for (let row = 0, i = 0; row < rows; row++) {
    const start = Math.floor(row / factor) * map.columns;
    for (let column = 0; column < columns; column++, i++) mask[i] = found[start + Math.floor(column / factor)];
  }
  return mask;
}

/**
 * The shapes on a map, from top to bottom: their cells' places in it and the rectangle around them. Cells that touch at
 * a corner belong together. (Python joins runs of cells, which is fast in NumPy; going from cell to cell finds the same.)
 */
export function connected(map) {
  const { values, columns } = map;
  const seen = new Uint8Array(values.length),
    shapes = [];
  values.forEach((value, start) => {
    if (!value || seen[start]) return;
    const cells = [start];
    seen[start] = 1;
    const box = { top: map.rows, left: columns, bottom: 0, right: 0 };
    for (const cell of cells) {
      const row = Math.floor(cell / columns),
        column = cell % columns;
      box.top = Math.min(box.top, row);
      box.left = Math.min(box.left, column);
      box.bottom = Math.max(box.bottom, row + 1);
      box.right = Math.max(box.right, column + 1);
      for (const near of neighbours(cell, map)) {
        if (!values[near] || seen[near]) continue;
        seen[near] = 1;
        cells.push(near); // and the loop goes on to it
      }
    }
    shapes.push({ cells, ...box });
  });
  return shapes;
}

function neighbours(cell, { rows, columns }) {
  const row = Math.floor(cell / columns),
    column = cell % columns,
    found = [];
  for (let r = Math.max(row - 1, 0); r <= Math.min(row + 1, rows - 1); r++)
    for (let c = Math.max(column - 1, 0); c <= Math.min(column + 1, columns - 1); c++) found.push(r * columns + c);
  return found;
}
