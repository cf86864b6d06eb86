/* Photographs of paper: light that is not the same everywhere is taken out, so that ink is what is left. This is
 * Python's `_pictures/paper.py`.
 *
 * The paper's own brightness is what is left of a picture when everything is taken out that is thinner than a window (a
 * closing). Ink is what is darker than that, in proportion: a shadow halves paper and ink alike.
 */

import { bilinear, mapped, median, percentile, resized, rint } from "./grids.js";
import { around, connected, reduced } from "./shapes.js";

const SMALLEST = 64; // pixels a side of what is taken for a photograph
const SIDE = 128; // of the small picture on which the paper is looked for
const WINDOW = 27; // of it; strokes are thinner, and shadows wider
const LIGHT = 118; // a grey value that paper has where it is lit best, and a blackboard nowhere
const EVEN = 40; // grey values from the darkest paper to the lightest; a scan's differ by less
const GRAINS = 3; // standard deviations of grain that are no ink
const MAP = 250, // cells a side
  LONGEST = 0.6, // a shape's share of a side
  FEWEST = 10; // a digit's cells
const MOST_INK = 0.4; // of a picture
const FAINTEST = 0.12; // of the paper's brightness that ink takes at the least

/** What a photograph of unevenly lit paper can be, as light ink on dark, the likelier first; none of even light. */
export function* evened(pixels) {
  if (Math.min(pixels.rows, pixels.columns) < SMALLEST) return;
  // Of a photograph of paper some of it is light, whatever the shadows; else it is of a blackboard.
  const ofPaper = percentile(pixels.values, 90) >= LIGHT;
  const likelier = darkInk(ofPaper ? pixels : negative(pixels));
  if (!likelier) return;
  yield inBytes(likelier);
  const other = darkInk(ofPaper ? negative(pixels) : pixels);
  if (other) yield inBytes(other);
}

const negative = (pixels) => mapped(pixels, (value) => 255 - value);
const inBytes = (ink) => mapped(ink, (value) => rint(255 * value));

/** What is darker than the paper around it, from 0 to 1; null where that is even, or without ink. */
function darkInk(pixels) {
  const { rows, columns } = pixels;
  const share = Math.min(1, SIDE / Math.max(rows, columns));
  const of = (side) => Math.max(1, rint(side * share));
  const paper = averaged(closed(resized(pixels, of(rows), of(columns), bilinear), WINDOW), Math.floor(WINDOW / 3));
  if (percentile(paper.values, 99) - percentile(paper.values, 1) < EVEN) return null;
  const whole = resized(paper, rows, columns, bilinear).values;
  const grain = GRAINS * grainOf(pixels);
  const ink = mapped(pixels, (value, i) => {
    return Math.min(Math.max(1 - (value + grain) / Math.max(whole[i], 8), 0), 1); // darker paper is all noise
  });
  const strokes = ink.values.filter((value) => value > FAINTEST);
  if (!strokes.length || strokes.length >= MOST_INK * ink.values.length) return null;
  const full = Math.max(percentile(strokes, 90), 2 * FAINTEST);
  const frame = ofTheFrame(mapped(ink, (value) => (value > Math.max(full / 2, FAINTEST) ? 1 : 0)));
  return mapped(ink, (value, i) => (frame[i] ? 0 : Math.min(value / full, 1)));
}

/** The standard deviation of the grain, by the differences of neighbours; on dark paper it would look like ink. */
function grainOf({ values, rows, columns }) {
  const steps = new Float32Array(rows * (columns - 1));
  for (let row = 0, i = 0; row < rows; row++)
    for (let at = row * columns; at < (row + 1) * columns - 1; at++) steps[i++] = Math.abs(values[at + 1] - values[at]);
  return median(steps) / (0.6745 * Math.SQRT2);
}

/**
 * Where shapes lie that are none of a digit's, if there are others: they reach the border, as the table beside the paper
 * does, or go through most of the picture: its edge, a line.
 */
function ofTheFrame(strokes) {
  const factor = Math.ceil(Math.max(strokes.rows, strokes.columns) / MAP);
  const map = reduced(strokes, factor),
    { rows, columns } = map;
  const isFrame = ({ top, left, bottom, right }) =>
    top === 0 ||
    left === 0 ||
    bottom === rows ||
    right === columns ||
    bottom - top > LONGEST * rows ||
    right - left > LONGEST * columns;
  const shapes = connected(map);
  const most = Math.max(0, ...shapes.filter((shape) => !isFrame(shape)).map(({ cells }) => cells.length));
  return around(most < FEWEST ? [] : shapes.filter(isFrame), map, factor, strokes);
}

/** The largest value in a window around each place, then the smallest of these: dark things narrower are gone. */
const closed = (grid, window) => windowed(windowed(grid, window, Math.max), window, Math.min);

const averaged = (grid, window) => {
  const width = 2 * Math.floor(window / 2) + 1;
  return mapped(
    windowed(grid, width, (a, b) => a + b),
    (sum) => sum / (width * width),
  );
};

/** All the values in a square window around each place, taken together; beyond the border its own goes on. */
function windowed({ values, rows, columns }, window, together) {
  const half = Math.floor(window / 2);
  const within = (at, length) => Math.min(Math.max(at, 0), length - 1);
  const sweep = (from, place, steps) =>
    from.map((_, i) => {
      let found = from[place(i, -half)];
      for (let step = 1 - half; step < steps; step++) found = together(found, from[place(i, step)]);
      return found;
    });
  const vertical = (i, step) => within(Math.floor(i / columns) + step, rows) * columns + (i % columns);
  const horizontal = (i, step) => Math.floor(i / columns) * columns + within((i % columns) + step, columns);
  return { values: sweep(sweep(values, vertical, window - half), horizontal, window - half), rows, columns };
}
