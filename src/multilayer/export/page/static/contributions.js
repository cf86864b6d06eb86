/* Which ways through the network spoke loudest for its answer. */

import { argmax } from "./functional.js";

const WIDTHS = [6, 2, 1]; // how many of a unit's sources are followed: of the answer's, of theirs, and so on down

/** What each source of a unit adds to its affine output: x_k W_kj. */
export function contributions(pass, layer, unit) {
  const x = pass.values[layer.step.inputs[0]],
    {
      values: W,
      shape: [, h],
    } = layer.step.arrays.W;
  return Float64Array.from(x, (value, k) => value * W[k * h + unit]);
}

/**
 * The strongest connections behind an answer, from the answer down: { from, to, amount }.
 *
 * An end is { layer, index }, or { at: [x, y] } in the input's picture: the middle of the pixels that spoke.
 */
export function strongest(network, pass) {
  const top = network.layers.length - 1;
  if (top < 1 || network.layers[top].tensor !== network.output) return [];
  const unit =
    network.task === "yes_no" ? 0 : argmax(network.task === "numbers" ? pass.output.map(Math.abs) : pass.answers);
  const found = [];
  let level = [{ layer: top, index: unit }];
  for (let depth = 0; level.length; depth++) {
    const next = [];
    for (const to of level) {
      for (const edge of sources(network, pass, to, WIDTHS[Math.min(depth, WIDTHS.length - 1)])) {
        found.push(edge);
        const { from } = edge;
        if (Number.isInteger(from.layer) && !next.some((one) => one.layer === from.layer && one.index === from.index))
          next.push(from);
      }
    }
    level = next;
  }
  return found;
}

function sources(network, pass, to, count) {
  const layer = network.layers[to.layer],
    amounts = contributions(pass, layer, to.index);
  if (layer.below === "input")
    return network.picture ? [fromPicture(network.picture.side, amounts, to)] : largestOf(amounts, count, to, "input");
  return layer.below === null ? [] : largestOf(amounts, count, to, layer.below);
}

function largestOf(amounts, count, to, below) {
  const order = Array.from(amounts.keys()).sort((a, b) => Math.abs(amounts[b]) - Math.abs(amounts[a]));
  return order
    .slice(0, count)
    .filter((index) => amounts[index] !== 0)
    .map((index) => ({ from: { layer: below, index }, to, amount: amounts[index] }));
}

function fromPicture(side, amounts, to) {
  let total = 0,
    mass = 0,
    x = 0,
    y = 0;
  for (const amount of amounts) total += amount;
  amounts.forEach((amount, i) => {
    if (Math.sign(amount) !== Math.sign(total)) return;
    const weight = amount * amount; // the strong ones say where it is
    mass += weight;
    x += weight * ((i % side) + 0.5);
    y += weight * (Math.floor(i / side) + 0.5);
  });
  return { from: { at: mass ? [x / mass / side, y / mass / side] : [0.5, 0.5] }, to, amount: total };
}
