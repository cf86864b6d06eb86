/* Painting numbers. Blue and vermilion, of Okabe and Ito's palette, are told apart by nearly all; zero is pale. */

/** The page's colours where an element stands, as CSS writes them. */
export function paletteOf(element) {
  const style = getComputedStyle(element);
  const colour = (name) => style.getPropertyValue(name).trim();
  return {
    ink: colour("--ink"),
    sheet: colour("--sheet"),
    accent: colour("--accent"),
    positive: colour("--positive"),
    negative: colour("--negative"),
    zero: colour("--zero"),
  };
}

const known = new Map();

/** A colour in hexadecimal digits as [red, green, blue]. */
function rgb(colour) {
  if (!known.has(colour)) {
    const [, r, g, b] = /^#(..)(..)(..)$/.exec(colour);
    known.set(
      colour,
      [r, g, b].map((digits) => parseInt(digits, 16)),
    );
  }
  return known.get(colour);
}

const mixed = (from, to, share) => from.map((value, i) => value + (to[i] - value) * share);

/** The largest size among numbers, or 1 where all are 0. */
export const greatest = (values) => values.reduce((most, value) => Math.max(most, Math.abs(value)), 0) || 1;

/** Paints numbers from 0 to 1, in rows, as ink on paper. */
export function paintInk(canvas, values, columns) {
  const { ink, sheet } = paletteOf(canvas);
  paint(canvas, values, columns, (value) => mixed(rgb(sheet), rgb(ink), Math.min(Math.max(value, 0), 1)));
}

/** Paints numbers with signs: blue below zero, vermilion above, the strongest where they are the largest. */
export function paintSigned(canvas, values, columns, most = greatest(values)) {
  const { negative, zero, positive } = paletteOf(canvas);
  paint(canvas, values, columns, (value) => {
    const share = Math.min(Math.abs(value) / most, 1) ** 0.8; // small ones would be lost beside the largest
    return mixed(rgb(zero), rgb(value < 0 ? negative : positive), share);
  });
}

function paint(canvas, values, columns, colour) {
  const rows = Math.ceil(values.length / columns);
  if (canvas.width !== columns) canvas.width = columns;
  if (canvas.height !== rows) canvas.height = rows;
  const context = canvas.getContext("2d"),
    image = context.createImageData(columns, rows);
  values.forEach((value, i) => image.data.set([...colour(value), 255], 4 * i));
  context.putImageData(image, 0, 0);
}
