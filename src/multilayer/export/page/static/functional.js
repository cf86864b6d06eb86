/* The mathematics, as in Python's `multilayer.functional`: a pure function for each formula, forward beside backward.
 *
 * It has Python's names, so that both can be laid side by side. An array is a typed array of numbers, the rows of a
 * matrix one after another. x is one sample or several, (n, d) with n = x.length / d. Sums are taken in double precision.
 */

/** A new array: f of the numbers at each place of x and, where they are given, of a and b, which may be shorter. */
export function each(f, x, a = [0], b = [0]) {
  const y = new Float64Array(x.length);
  for (let i = 0; i < x.length; i++) y[i] = f(x[i], a[i % a.length], b[i % b.length]);
  return y;
}

/** A new array from the rows of others, each of which has k numbers: f takes rows and gives a row. */
export function eachRow(f, k, ...arrays) {
  const rows = [];
  for (let start = 0; start < arrays[0].length; start += k) {
    rows.push(f(...arrays.map((array) => array.subarray(start, start + k))));
  }
  const y = new Float64Array(rows.reduce((sum, row) => sum + row.length, 0));
  let at = 0;
  for (const row of rows) {
    y.set(row, at);
    at += row.length;
  }
  return y;
}

export const sum = (x) => x.reduce((total, value) => total + value, 0);
export const mean = (x) => sum(x) / x.length;
export const largest = (x) => x.reduce((most, value) => Math.max(most, value), -Infinity);
export const argmax = (x) => x.reduce((best, value, i) => (value > x[best] ? i : best), 0);

// --- Inputs of 8 bits ---

/** The nearest whole number; of two that are as near, the even one, as NumPy has it. */
function rint(x) {
  const up = Math.round(x);
  return up - x === 0.5 && up % 2 !== 0 ? up - 1 : up;
}

/** What 8 bits say of x: scale (clip(round(x / scale) + zero, -128, 127) - zero). */
export function fake_quantize_input(x, { scale, zero }) {
  return each((value) => scale * (Math.min(Math.max(rint(value / scale) + zero, -128), 127) - zero), x);
}

/** Its way back: dx = dy where x lies within the range, else 0. */
export function fake_quantize_input_backward(dy, x, { scale, zero }) {
  const [least, most] = [scale * (-128.5 - zero), scale * (127.5 - zero)];
  return each((d, value) => (value >= least && value <= most ? d : 0), dy, x);
}

// --- The affine layer ---

/** The affine map y = x W + b: x (n, d), W (d, h), b (h,) or null. */
export function affine(x, W, b, d) {
  const h = W.length / d,
    n = x.length / d;
  const y = new Float64Array(n * h);
  for (let i = 0; i < n; i++) {
    for (let k = 0; k < d; k++) {
      const value = x[i * d + k];
      if (value === 0) continue; // most pixels are paper
      for (let j = 0; j < h; j++) y[i * h + j] += value * W[k * h + j];
    }
    if (b) for (let j = 0; j < h; j++) y[i * h + j] += b[j];
  }
  return y;
}

/** Backward pass of `affine`: dx = dy W^T, and, where they are wanted, dW = x^T dy, db = sum over the samples of dy. */
export function affine_backward(dy, x, W, d, wanted = true) {
  const h = W.length / d,
    n = x.length / d;
  const dx = new Float64Array(n * d),
    dW = wanted ? new Float64Array(d * h) : null,
    db = wanted ? new Float64Array(h) : null;
  for (let i = 0; i < n; i++) {
    for (let j = 0; wanted && j < h; j++) db[j] += dy[i * h + j];
    for (let k = 0; k < d; k++) {
      for (let j = 0; j < h; j++) dx[i * d + k] += dy[i * h + j] * W[k * h + j];
      for (let j = 0; wanted && j < h; j++) dW[k * h + j] += x[i * d + k] * dy[i * h + j];
    }
  }
  return { dx, dW, db };
}

// --- Activations of rows; those of single numbers are in activations.js ---

/** Scores to probabilities: y_k = exp(x_k) / sum_j exp(x_j), the largest score subtracted first. */
export function softmax(x) {
  const most = largest(x);
  const y = Float64Array.from(x, (value) => Math.exp(value - most));
  const total = sum(y);
  return y.map((value) => value / total);
}

/** Backward pass of y = softmax(x): dx_k = y_k (dy_k - sum_j dy_j y_j). */
export function softmax_backward(dy, y) {
  const along = sum(each((d, p) => d * p, dy, y));
  return each((d, p) => p * (d - along), dy, y);
}

/** log(softmax(x)) = x - log(sum(exp(x))). */
export function log_softmax(x) {
  const most = largest(x);
  const log = Math.log(sum(Float64Array.from(x, (value) => Math.exp(value - most))));
  return Float64Array.from(x, (value) => value - most - log);
}

/** Backward pass of y = log_softmax(x): dx = dy - exp(y) sum(dy). */
export function log_softmax_backward(dy, y) {
  const total = sum(dy);
  return each((d, log) => d - Math.exp(log) * total, dy, y);
}

/** The nearest point to x among probabilities: max(0, x - tau), with the tau for which they sum to 1. */
export function sparsemax(x) {
  const falling = Array.from(x).sort((a, b) => b - a);
  let tau = 0,
    total = 0;
  falling.forEach((value, i) => {
    total += value;
    if (1 + (i + 1) * value > total) tau = (total - 1) / (i + 1);
  });
  return Float64Array.from(x, (value) => Math.max(value - tau, 0));
}

/** Backward pass of y = sparsemax(x): dx = dy - mean(dy) over the places that are not 0, and 0 elsewhere. */
export function sparsemax_backward(dy, y) {
  const average = mean(dy.filter((_, i) => y[i] > 0));
  return each((d, p) => (p > 0 ? d - average : 0), dy, y);
}

const logistic = (x) => 1 / (1 + Math.exp(-x));

/** The first half of a row times the sigmoid of its second half. */
export function glu(x) {
  const k = x.length / 2;
  return Float64Array.from({ length: k }, (_, i) => x[i] * logistic(x[k + i]));
}

/** Backward pass of `glu`: dy s for the first half, dy first s (1 - s) for the second, with s = sigmoid(second). */
export function glu_backward(dy, x) {
  const k = dy.length;
  return Float64Array.from(x, (_, i) => {
    const s = logistic(x[k + (i % k)]);
    return i < k ? dy[i] * s : dy[i - k] * x[i - k] * s * (1 - s);
  });
}

// --- Normalization ---

/** Each row of x (n, k) with mean 0 and variance 1, or, not centered, with mean square 1; then gamma times it + beta. */
export function layer_norm(x, k, gamma, beta, epsilon, centered) {
  return eachRow(
    (row) => {
      const { x_hat } = standardized(row, epsilon, centered);
      return x_hat.map((value, i) => value * (gamma ? gamma[i] : 1) + (beta ? beta[i] : 0));
    },
    k,
    x,
  );
}

/** Backward pass of `layer_norm`: with u = gamma dy, dx = scale (u - mean(u) - x_hat mean(u x_hat)) over each row. */
export function layer_norm_backward(dy, x, k, gamma, epsilon, centered) {
  return eachRow(
    (d, row) => {
      const { x_hat, scale } = standardized(row, epsilon, centered);
      const u = d.map((value, i) => value * (gamma ? gamma[i] : 1));
      const along = mean(each((a, b) => a * b, u, x_hat)),
        middle = centered ? mean(u) : 0;
      return each((value, hat) => scale * (value - middle - hat * along), u, x_hat);
    },
    k,
    dy,
    x,
  );
}

function standardized(row, epsilon, centered) {
  const middle = centered ? mean(row) : 0;
  const shifted = row.map((value) => value - middle);
  const scale = 1 / Math.sqrt(mean(shifted.map((value) => value * value)) + epsilon);
  return { x_hat: shifted.map((value) => value * scale), scale };
}

/** Each row of x (n, k) with length 1. */
export function unit_norm(x, k) {
  return eachRow((row) => row.map((value) => value * inverseLength(row)), k, x);
}

/** Backward pass of `unit_norm`: dx = (dy - y sum(dy y)) / length. */
export function unit_norm_backward(dy, x, k) {
  return eachRow(
    (d, row) => {
      const scale = inverseLength(row);
      const y = row.map((value) => value * scale);
      const along = sum(each((a, b) => a * b, d, y));
      return each((value, direction) => (value - direction * along) * scale, d, y);
    },
    k,
    dy,
    x,
  );
}

const inverseLength = (row) => Math.min(1 / Math.sqrt(sum(row.map((value) => value * value))), 1e12);

// --- Losses, of one sample ---

/** A label as a row with a single 1. */
export const one_hot = (label, k) => Float64Array.from({ length: k }, (_, i) => (i === label ? 1 : 0));

/** Softmax and cross-entropy in one: loss = sum_k t_k (log sum_j exp(a_j) - a_k), da = y_hat - t. */
export function softmax_cross_entropy(a, t) {
  const log = log_softmax(a);
  const y_hat = softmax(a);
  return {
    loss: -sum(each((target, value) => (target ? target * value : 0), t, log)),
    dy: each((p, target) => p - target, y_hat, t),
  };
}

/** Sigmoid and binary cross-entropy in one: loss = mean_k(max(a, 0) - a t + log(1 + exp(-|a|))), da = (y_hat - t)/k. */
export function sigmoid_binary_cross_entropy(a, t) {
  const k = a.length;
  const losses = each(
    (score, target) => Math.max(score, 0) - score * target + Math.log1p(Math.exp(-Math.abs(score))),
    a,
    t,
  );
  return { loss: mean(losses), dy: each((score, target) => (logistic(score) - target) / k, a, t) };
}

/** Mean squared error, loss = mean((y_hat - t)^2), and its gradient 2 (y_hat - t) / k. */
export function mean_squared_error(y_hat, t) {
  const error = each((prediction, target) => prediction - target, y_hat, t);
  return { loss: mean(error.map((value) => value * value)), dy: error.map((value) => (2 * value) / error.length) };
}

// --- The step ---

/** Gradient descent: w - learning_rate dw, in single precision as weights are kept. */
export const sgd_step = (w, dw, learning_rate) => Float32Array.from(w, (value, i) => value - learning_rate * dw[i]);
