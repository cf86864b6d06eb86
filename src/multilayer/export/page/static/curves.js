/* Curves of a training over the logarithm of its steps: the first steps, which teach most, get as much room as the many
 * that follow. */

import { paletteOf } from "./colours.js";

const MARGIN = { left: 40, right: 12, top: 10, bottom: 24 };
const COLUMN = 2; // pixels; what falls into one is drawn as its mean
const FEWEST = 6; // steps that a mean is taken over, where there are as many before it

/** A figure's value after each step, to which later ones are added, and its value on other data after some of them. */
export class Series {
  constructor() {
    this.sums = [0]; // of the first 0, 1, 2, ... values, so that a mean costs the same however many it is of
    this.marks = [];
  }

  get length() {
    return this.sums.length - 1;
  }

  add(value) {
    this.sums.push(this.sums.at(-1) + value);
  }

  mark(step, value) {
    this.marks.push([step, value]);
  }

  /** The mean of the values after `from` steps up to that of step `to`. */
  mean(from, to) {
    return (this.sums[to] - this.sums[from]) / (to - from);
  }

  /** The mean of the last few values; of the more, the more there are. */
  latest() {
    const { length } = this;
    return length ? this.mean(Math.max(0, length - Math.max(FEWEST, Math.round(length / 20))), length) : null;
  }
}

/** Draws a series: its means as a line, its marks as rings. `scale` is { least, most, ticks, write }. */
export function paintSeries(canvas, series, steps, { least, most, ticks, write }) {
  const dense = devicePixelRatio, wide = canvas.clientWidth, high = canvas.clientHeight;
  if (!wide || !high) return;
  if (canvas.width !== Math.round(wide * dense) || canvas.height !== Math.round(high * dense)) {
    canvas.width = Math.round(wide * dense);
    canvas.height = Math.round(high * dense);
  }
  const context = canvas.getContext("2d"), palette = paletteOf(canvas), style = getComputedStyle(canvas);
  const { left, right, top, bottom } = MARGIN, inner = wide - left - right, decades = Math.log10(Math.max(steps, 10));
  const xOf = (step) => left + (inner * Math.log10(Math.max(step, 1))) / decades;
  const yOf = (value) => top + (high - top - bottom) * (1 - (Math.min(Math.max(value, least), most) - least) / (most - least));
  context.setTransform(dense, 0, 0, dense, 0, 0);
  context.clearRect(0, 0, wide, high);
  context.font = `11px ${style.fontFamily}`;
  context.lineWidth = 1;
  context.strokeStyle = style.getPropertyValue("--line");
  context.fillStyle = style.getPropertyValue("--muted");
  context.textAlign = "right";
  context.textBaseline = "middle";
  for (const tick of ticks) {
    line(context, [[left, yOf(tick)], [wide - right, yOf(tick)]]);
    context.fillText(write(tick), left - 6, yOf(tick));
  }
  const tickOf = new Intl.NumberFormat(document.documentElement.lang, { notation: wide < 280 ? "compact" : "standard" });
  context.textBaseline = "alphabetic";
  for (let decade = 0; decade <= decades; decade++) {
    context.textAlign = decade ? "center" : "left";
    context.fillText(tickOf.format(10 ** decade), xOf(10 ** decade), high - 6);
  }
  context.lineJoin = context.lineCap = "round";
  context.strokeStyle = palette.accent;
  context.lineWidth = 2;
  line(context, means(series, xOf, inner).map(([x, value]) => [x, yOf(value)]));
  context.strokeStyle = palette.positive;
  for (const [step, value] of series.marks) {
    context.beginPath();
    context.arc(xOf(step), yOf(value), 3, 0, 2 * Math.PI);
    context.stroke();
  }
}

/** Points of the line, [x, mean]: one for each column that a step falls into. */
function means(series, xOf) {
  const points = [];
  for (let step = 1, before = -Infinity; step <= series.length; step++) {
    const x = xOf(step);
    if (x - before < COLUMN && step < series.length) continue;
    before = x;
    points.push([x, series.mean(Math.max(0, step - Math.max(FEWEST, Math.round(step / 12))), step)]);
  }
  return points;
}

function line(context, points) {
  context.beginPath();
  points.forEach(([x, y], i) => (i ? context.lineTo(x, y) : context.moveTo(x, y)));
  context.stroke();
}
