/* Pictures as people have them, prepared as MNIST's makers prepared theirs: cropped to the ink, scaled, centred by mass.
 *
 * The rules, their numbers and their order are those of Python's `_pictures`, so that the page, the service and
 * `multilayer predict` read a picture alike. Only a picture of more than 1,000 pixels a side is made smaller by the
 * browser, which goes about that in its own way.
 */

import { bicubic, border, cut, extent, mapped, median, percentile, resized, rint } from "./grids.js";
import { evened } from "./photographs.js";
import { Shapes } from "./shapes.js";

export const MOST_PIXELS = 50_000_000; // what a telephone takes
export const LONGEST_SIDE = 65_535;
export const ENOUGH = 1000; // pixels a side that are looked at: fifty for each that a network gets
const FAINTEST_INK = 32; // grey values between ink and its background; paper that was scanned varies by less
const FIELD = 28, // MNIST's own sides
  BOX = 20;
// What a digit of a data set may differ from MNIST's by, in size and place.
const SIZE_SLACK = 3,
  CENTRE_SLACK = 3.5;
const FAINT = 0.15; // ink, as a share of a full stroke, that still belongs to it: the soft edge

/** The grey values of colours with transparency, [red, green, blue, alpha, ...], on the paper that their ink shows on. */
export function greyOf(colours, rows, columns) {
  const ink = new Float32Array(rows * columns),
    alpha = new Float32Array(rows * columns);
  for (let i = 0; i < ink.length; i++) {
    const at = 4 * i;
    ink[i] = (colours[at] * 19595 + colours[at + 1] * 38470 + colours[at + 2] * 7471 + 32768) >> 16; // as Pillow does
    alpha[i] = colours[at + 3] / 255;
  }
  const paper = paperOf(ink, alpha);
  return { values: ink.map((value, i) => rint(value * alpha[i] + paper * (1 - alpha[i]))), rows, columns, paper };
}

/** The paper that a transparent picture lies on: one that is opaque nearly everywhere brings its own along. */
function paperOf(ink, alpha) {
  const opaque = ink.filter((_, i) => alpha[i] > 0.5);
  if (opaque.length > 0.8 * ink.length) return median(opaque);
  let light = 0,
    whole = 0;
  ink.forEach((value, i) => {
    light += value * alpha[i];
    whole += alpha[i];
  });
  return light > 127 * whole ? 0 : 255;
}

/**
 * The digits in a picture: line by line, in each from left to right; one where none can be told apart.
 *
 * Each is { pixels, done, doubt, box }: its light ink on dark, from 0 to 1; what was done to its picture and why it
 * cannot be a digit, as keys of texts.js; and where it lies. Of a blank picture there are no pixels.
 */
export function digitsIn(pixels, side, box) {
  for (const flat of evened(pixels)) {
    if (isBlank(flat)) continue;
    const found = ofInk(flat, side, box, ["doneEvened"]);
    if (!found.some(({ doubt }) => doubt)) return found;
  }
  if (isBlank(pixels)) return [{ pixels: null, done: [], doubt: ["doubtBlank"], box: null }];
  const lightPaper = background(pixels) > 127;
  return lightPaper
    ? ofInk(
        mapped(pixels, (value) => 255 - value),
        side,
        box,
        ["doneInverted"],
      )
    : ofInk(pixels, side, box, []);
}

/** Whether a picture holds no ink: all of it has nearly the same grey value. */
function isBlank({ values }) {
  let low = 255,
    high = 0;
  for (const value of values) {
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  return high - low < FAINTEST_INK;
}

/** The grey value of a picture's background: the median along its border. */
const background = (pixels) => Math.trunc(median(border(pixels)));

/** The digits of light ink on dark paper. */
function ofInk(pixels, side, box, done) {
  const ink = inkOf(pixels),
    shapes = new Shapes(ink);
  if (pixels.rows === side && pixels.columns === side && isPlaced(ink, side)) {
    const same = Float64Array.from(pixels.values, (value) => value / 255);
    return [{ pixels: same, done, doubt: doubtOf(ink, shapes), box: null }];
  }
  const digits = isNoWriting(ink, shapes) ? [] : shapes.digits();
  return (digits.length < 2 ? [shapes.large] : digits).map((parts) => {
    const mask = shapes.maskOf(parts);
    const own = mapped(ink, (value, i) => (mask[i] ? value : 0)); // without what lies apart from it
    const around = extent(own, FAINT),
      cropped = cut(own, around);
    const doubt = parts === shapes.large ? doubtOf(ink, shapes) : doubtOf(cropped, new Shapes(cropped));
    return { pixels: placed(scaled(cropped, box), side), done, doubt, box: around };
  });
}

/** How much ink there is at each pixel, from 0 to 1: its paper's grain is none, its full strokes are 1. */
function inkOf(pixels) {
  const paper = background(pixels);
  const rise = mapped(pixels, (value) => Math.max(value - paper, 0));
  const threshold = thresholdOf(rise.values);
  const rough = border(rise).filter((value) => value > 0);
  const grain = rough.length ? Math.min(3 * median(rough), threshold / 2) : 0;
  const full = percentile(
    rise.values.filter((value) => value > threshold),
    90,
  );
  return mapped(rise, (value) => Math.min(Math.max((value - grain) / (full - grain), 0), 1));
}

/** The grey value that parts ink from paper best: Otsu's, which makes the variance between the two largest. */
function thresholdOf(values) {
  const counts = new Float64Array(256);
  let mass = 0;
  for (const value of values) {
    counts[value]++;
    mass += value;
  }
  let best = 0,
    most = 0,
    below = 0,
    under = 0; // how many are not above the value, and their sum
  counts.forEach((count, value) => {
    below += count;
    under += count * value;
    const above = values.length - below;
    const between = below && above ? below * above * (under / below - (mass - under) / above) ** 2 : 0;
    if (between > most) [best, most] = [value, between];
  });
  return best;
}

/** Whether a digit has the size and the place that one of a data set has. */
function isPlaced(ink, side) {
  const { top, left, bottom, right } = extent(ink, FAINT);
  const scale = side / FIELD;
  const off = Math.max(...centreOf(ink).map((middle) => Math.abs(middle - side / 2)));
  return (
    Math.abs(Math.max(bottom - top, right - left) - BOX * scale) <= SIZE_SLACK * scale && off <= CENTRE_SLACK * scale
  );
}

/** The centre of mass, [row, column]. */
function centreOf({ values, columns }) {
  let whole = 0,
    down = 0,
    across = 0;
  values.forEach((value, i) => {
    whole += value;
    down += value * Math.floor(i / columns);
    across += value * (i % columns);
  });
  return [down / whole, across / whole];
}

/** The ink scaled so that its longer side is `box`. */
function scaled(ink, box) {
  const scale = box / Math.max(ink.rows, ink.columns);
  const of = (side) => Math.max(1, rint(side * scale));
  const small = mapped(resized(ink, of(ink.rows), of(ink.columns), bicubic), (value) =>
    Math.min(Math.max(value, 0), 1),
  );
  const strokes = small.values.filter((value) => value > FAINT / 2);
  const full = strokes.length ? percentile(strokes, 95) : 1;
  return mapped(small, (value) => Math.min(value / full, 1)); // thin strokes become faint when many pixels become one
}

/** The ink on a dark square, its centre of mass in the middle, as far as the square reaches. */
function placed(ink, side) {
  const field = new Float64Array(side * side);
  const corner = (middle, length) => Math.min(Math.max(rint(side / 2 - middle), 0), side - length);
  const [down, across] = centreOf(ink);
  const top = corner(down, ink.rows),
    left = corner(across, ink.columns);
  ink.values.forEach((value, i) => {
    const row = top + Math.floor(i / ink.columns),
      column = left + (i % ink.columns);
    field[row * side + column] = rint(value * 255) / 255;
  });
  return field;
}

// --- Can it be a digit? ---

const WIDEST = 2.5,
  FULLEST = 0.8;
const MOST_STROKES = 6; // a row or column through a digit meets three or four
const MOST_SCATTERED = 0.3; // of the ink
const MOST_DIGITS = 30, // of a picture
  MOST_SHAPES = 200;

/** Whether the ink is no lines of digits, but a pattern, noise, or crumbs. */
function isNoWriting(ink, shapes) {
  if (shapes.scattered > MOST_SCATTERED || shapes.large.length > MOST_SHAPES) return true;
  return strokesAcross(ink) > MOST_STROKES * MOST_DIGITS;
}

/** Why this ink cannot be one digit, as a key of texts.js; null where it can. */
function doubtOf(ink, shapes) {
  const mask = shapes.maskOf(shapes.large);
  const inside = extent(
    mapped(ink, (value, i) => (mask[i] && value > 0.5 ? 1 : 0)),
    0.5,
  );
  const own = cut(ink, inside);
  const height = own.rows,
    width = own.columns;
  if (Math.max(height, width) < 5) return ["doubtDot"];
  if (strokesAcross(own) > MOST_STROKES) return ["doubtPattern"];
  if (shapes.scattered > MOST_SCATTERED || shapes.large.length > 5) return ["doubtScattered"];
  if (shapes.sideBySide) return ["doubtSeveral"];
  if (width > WIDEST * height) return ["doubtWide"];
  const full = own.values.filter((value) => value > 0.5).length / own.values.length;
  return width > 0.4 * height && full > FULLEST ? ["doubtArea"] : null;
}

/** How many strokes the middle row or column meets, whichever meets more. */
function strokesAcross({ values, rows, columns }) {
  const count = (lines, length, place) =>
    median(
      new Float32Array(lines).map((_, line) => {
        let strokes = 0;
        for (let i = 0; i < length; i++)
          if (values[place(line, i)] > 0.5 && !(i && values[place(line, i - 1)] > 0.5)) strokes++;
        return strokes;
      }),
    );
  return Math.max(
    count(rows, columns, (row, column) => row * columns + column),
    count(columns, rows, (column, row) => row * columns + column),
  );
}
