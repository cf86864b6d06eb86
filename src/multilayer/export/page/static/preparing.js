/* From strokes to pixels, as MNIST's makers prepared what people had written: the digit is cut out, scaled into a box
 * of 20 x 20 with its proportions kept, and laid into 28 x 28 pixels with its centre of mass in the middle.
 *
 * Strokes are lines between points in [0, 1] x [0, 1]. The pen that redraws them is as wide as MNIST's are on average,
 * however large the digit was drawn: a small one in a corner comes out like a large one. Nothing is read back from a
 * canvas, which some browsers falsify against tracking.
 */

const PEN = 1.15; // half the pen's width, of a box of 20 pixels
const SOFT = 1.1; // how many pixels it takes from ink to paper
const SMALLEST = 0.03; // of the sheet's side: a dot is not blown up into a ball

/** The pixels of what was drawn, from 0 (paper) to 1 (ink), in rows; null where there is nothing. */
export function prepared(strokes, { side, box }) {
  if (!strokes.some((stroke) => stroke.length)) return null;
  const pen = (PEN * box) / 20,
    soft = (SOFT * box) / 20;
  const placed = centred(fitted(strokes, side, box - 2 * pen), side, pen, soft);
  return inked(placed, side, pen, soft);
}

/** Strokes in pixels, so that they fill the box in one direction, and lie in the middle. */
function fitted(strokes, side, box) {
  const xs = strokes.flatMap((stroke) => stroke.map(([x]) => x)),
    ys = strokes.flatMap((stroke) => stroke.map(([, y]) => y));
  const [left, right, top, bottom] = [low(xs), high(xs), low(ys), high(ys)];
  const scale = box / Math.max(right - left, bottom - top, SMALLEST);
  return strokes.map((stroke) =>
    stroke.map(([x, y]) => [side / 2 + (x - (left + right) / 2) * scale, side / 2 + (y - (top + bottom) / 2) * scale]),
  );
}

const low = (values) => values.reduce((least, value) => Math.min(least, value), Infinity);
const high = (values) => values.reduce((most, value) => Math.max(most, value), -Infinity);

/** Strokes moved by whole pixels, so that the ink's centre of mass is in the middle. */
function centred(strokes, side, pen, soft) {
  const pixels = inked(strokes, side, pen, soft);
  let mass = 0,
    x = 0,
    y = 0;
  pixels.forEach((ink, i) => {
    mass += ink;
    x += ink * ((i % side) + 0.5);
    y += ink * (Math.floor(i / side) + 0.5);
  });
  const right = Math.round(side / 2 - x / mass),
    down = Math.round(side / 2 - y / mass);
  return strokes.map((stroke) => stroke.map((point) => [point[0] + right, point[1] + down]));
}

/** How much ink each pixel has: by how far its middle is from the nearest line. */
function inked(strokes, side, pen, soft) {
  const nearest = new Float64Array(side * side).fill(Infinity); // squared distances
  for (const stroke of strokes) {
    for (let i = 0; i < stroke.length; i++) {
      const [from, to] = [stroke[Math.max(i - 1, 0)], stroke[i]];
      approach(nearest, side, from, to, pen + soft);
    }
  }
  return nearest.map((square) => Math.min(Math.max(0.5 + (pen - Math.sqrt(square)) / soft, 0), 1));
}

function approach(nearest, side, [x1, y1], [x2, y2], reach) {
  const dx = x2 - x1,
    dy = y2 - y1,
    square = dx * dx + dy * dy;
  const between = (value) => Math.min(Math.max(Math.floor(value), 0), side - 1);
  for (let row = between(Math.min(y1, y2) - reach); row <= between(Math.max(y1, y2) + reach); row++) {
    for (let column = between(Math.min(x1, x2) - reach); column <= between(Math.max(x1, x2) + reach); column++) {
      const px = column + 0.5 - x1,
        py = row + 0.5 - y1;
      const along = square ? Math.min(Math.max((px * dx + py * dy) / square, 0), 1) : 0;
      const distance = (px - along * dx) ** 2 + (py - along * dy) ** 2;
      const at = row * side + column;
      if (distance < nearest[at]) nearest[at] = distance;
    }
  }
}
