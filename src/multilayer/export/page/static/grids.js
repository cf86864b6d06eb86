/* Numbers in rows and columns, { values, rows, columns }, and the little of NumPy and Pillow that pictures need. */

/** The nearest whole number; of two that are equally near the even one, as Python and NumPy take it. */
export function rint(value) {
  const below = Math.floor(value);
  if (value - below !== 0.5) return Math.round(value);
  return below % 2 === 0 ? below : below + 1;
}

/** What this share (0 to 100) of the numbers is not above, between two of them in proportion. */
export function percentile(values, share) {
  const all = values.slice(),
    at = ((all.length - 1) * share) / 100,
    low = Math.floor(at);
  part(all, low);
  let next = Infinity; // all behind that place are larger
  for (let i = low + 1; i < all.length; i++) next = Math.min(next, all[i]);
  return at === low ? all[low] : all[low] + (at - low) * (next - all[low]);
}

/** Moves numbers so that the one at a place is the one that sorting would put there: a million are sorted too slowly. */
function part(all, place) {
  for (let from = 0, to = all.length - 1; from < to; ) {
    const middle = all[(from + to) >> 1];
    let i = from,
      j = to;
    while (i <= j) {
      while (all[i] < middle) i++;
      while (all[j] > middle) j--;
      if (i > j) break;
      const one = all[i];
      all[i++] = all[j];
      all[j--] = one;
    }
    if (place <= j) to = j;
    else if (place >= i) from = i;
    else return;
  }
}

export const median = (values) => percentile(values, 50);

export const mapped = ({ values, rows, columns }, change) => ({ values: values.map(change), rows, columns });

/** The numbers along the border; those of the corners twice. */
export function border({ values, rows, columns }) {
  const found = [...values.subarray(0, columns), ...values.subarray((rows - 1) * columns)];
  for (let row = 0; row < rows; row++) found.push(values[row * columns], values[(row + 1) * columns - 1]);
  return Float32Array.from(found);
}

/** A part of a grid: from `top` and `left` to before `bottom` and `right`. */
export function cut({ values, columns }, { top, left, bottom, right }) {
  const found = new Float32Array((bottom - top) * (right - left));
  for (let row = top; row < bottom; row++)
    found.set(values.subarray(row * columns + left, row * columns + right), (row - top) * (right - left));
  return { values: found, rows: bottom - top, columns: right - left };
}

/** The rectangle around the numbers above a bound. */
export function extent({ values, rows, columns }, bound) {
  const box = { top: rows, left: columns, bottom: 0, right: 0 };
  for (let row = 0, i = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++, i++) {
      if (values[i] <= bound) continue;
      box.top = Math.min(box.top, row);
      box.left = Math.min(box.left, column);
      box.bottom = row + 1;
      box.right = Math.max(box.right, column + 1);
    }
  }
  return box;
}

// --- Resampling, as Pillow does it: each new pixel is a weighted mean of the old ones below it ---

export const bilinear = { reach: 1, weight: (x) => Math.max(1 - Math.abs(x), 0) };
export const bicubic = {
  reach: 2,
  weight(x) {
    const d = Math.abs(x);
    if (d < 1) return (1.5 * d - 2.5) * d * d + 1;
    return d < 2 ? -0.5 * (((d - 5) * d + 8) * d - 4) : 0;
  },
};

export const resized = (grid, rows, columns, kernel) => along(along(grid, columns, kernel), rows, kernel);

/** The rows resampled to another length, and then laid on their side, so that a second time does the columns. */
function along({ values, rows, columns }, length, { reach, weight }) {
  const found = new Float32Array(length * rows);
  const step = columns / length,
    wide = Math.max(step, 1); // a kernel covers all the pixels that become one
  for (let to = 0; to < length; to++) {
    const middle = (to + 0.5) * step;
    const first = Math.max(Math.trunc(middle - reach * wide + 0.5), 0);
    const last = Math.min(Math.trunc(middle + reach * wide + 0.5), columns);
    const weights = Array.from({ length: last - first }, (_, i) => weight((first + i - middle + 0.5) / wide));
    const whole = weights.reduce((sum, one) => sum + one, 0);
    for (let row = 0; row < rows; row++) {
      let sum = 0;
      for (let i = 0; i < weights.length; i++) sum += weights[i] * values[row * columns + first + i];
      found[to * rows + row] = sum / whole;
    }
  }
  return { values: found, rows: length, columns: rows };
}
