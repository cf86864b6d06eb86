/* Activations of single numbers: each a function and its derivative, both of the input, as in Python's
 * `functional/activations.py` and `functional/of_input.py`. On a kink it is the derivative of the same side. */

import {
  each,
  eachRow,
  glu,
  glu_backward,
  log_softmax,
  log_softmax_backward,
  softmax,
  softmax_backward,
  sparsemax,
  sparsemax_backward,
} from "./functional.js";

const sigmoid = (x) => 1 / (1 + Math.exp(-x));
const softplus = (x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
const between = (x, low, high) => Math.min(Math.max(x, low), high);
const SELU_ALPHA = 1.6732632423543772,
  SELU_SCALE = 1.0507009873554805;
const ROOT = Math.sqrt(2 / Math.PI);

// erfc(x) exp(x^2) / t with t = 2 / (2 + x), for x >= 0, as a series of Chebyshev polynomials of 2t - 1.
const ERFCX = [
  0.5770337386164697, 0.35543692127049825, 0.06509515882878661, 0.003671142395836499, -0.001112844743352578,
  -0.0001607582991536585, 3.278031574188786e-5, 5.442441645735221e-6, -1.5154665553696753e-6, -1.4297608167541764e-7,
  8.234608834629862e-8, -1.2962847465287898e-9, -4.154721474090223e-9, 6.34706795854311e-10, 1.4320836630273602e-10,
  -6.160393571588093e-11, 2.0612059194872257e-12, 3.5714819990317903e-12,
];

function erf(x) {
  const size = Math.abs(x),
    t = 2 / (2 + size),
    u = 2 * t - 1;
  let b1 = 0,
    b2 = 0;
  for (let i = ERFCX.length - 1; i > 0; i--) [b1, b2] = [2 * u * b1 - b2 + ERFCX[i], b1]; // Clenshaw's recurrence
  return Math.sign(x) * (1 - t * Math.exp(-size * size) * (u * b1 - b2 + ERFCX[0]));
}

const normal = (x) => 0.5 * (1 + erf(x * Math.SQRT1_2)); // P(X <= x) for a standard normal X
const density = (x) => Math.exp(-0.5 * x * x) / Math.sqrt(2 * Math.PI);
const of_tanh = (x) => Math.tanh(ROOT * (x + 0.044715 * x ** 3)); // what gelu has for erf where it is approximate

const elu = (x, { alpha = 1 }) => (x > 0 ? x : alpha * Math.expm1(Math.min(x, 0)));
const elu_slope = (x, { alpha = 1 }) => (x > 0 ? 1 : alpha * Math.exp(Math.min(x, 0)));

/** f and f' of a number x, with the options that a layer has given. */
export const FUNCTIONS = {
  linear: [(x) => x, () => 1],
  relu: [
    (x, { negative_slope = 0, max_value = Infinity, threshold = 0 }) =>
      Math.min(x > threshold ? x : negative_slope * (x - threshold), max_value ?? Infinity),
    (x, { negative_slope = 0, max_value = Infinity, threshold = 0 }) =>
      x < (max_value ?? Infinity) ? (x > threshold ? 1 : negative_slope) : 0,
  ],
  leaky_relu: [
    (x, { negative_slope = 0.2 }) => (x > 0 ? x : negative_slope * x),
    (x, { negative_slope = 0.2 }) => (x > 0 ? 1 : negative_slope),
  ],
  relu6: [(x) => between(x, 0, 6), (x) => (x > 0 && x < 6 ? 1 : 0)],
  sigmoid: [sigmoid, (x) => sigmoid(x) * (1 - sigmoid(x))],
  tanh: [Math.tanh, (x) => 1 - Math.tanh(x) ** 2],
  elu: [elu, elu_slope],
  celu: [
    (x, { alpha = 1 }) => Math.max(x, 0) + alpha * Math.expm1(Math.min(x, 0) / alpha),
    (x, { alpha = 1 }) => Math.exp(Math.min(x, 0) / alpha),
  ],
  selu: [(x) => SELU_SCALE * elu(x, { alpha: SELU_ALPHA }), (x) => SELU_SCALE * elu_slope(x, { alpha: SELU_ALPHA })],
  gelu: [
    (x, { approximate = false }) => (approximate ? 0.5 * x * (1 + of_tanh(x)) : x * normal(x)),
    (x, { approximate = false }) => {
      if (!approximate) return normal(x) + x * density(x);
      const th = of_tanh(x);
      return 0.5 * (1 + th) + 0.5 * x * (1 - th * th) * ROOT * (1 + 3 * 0.044715 * x * x);
    },
  ],
  silu: [(x) => x * sigmoid(x), (x) => sigmoid(x) * (1 + x * (1 - sigmoid(x)))],
  mish: [
    (x) => x * Math.tanh(softplus(x)),
    (x) => Math.tanh(softplus(x)) + x * (1 - Math.tanh(softplus(x)) ** 2) * sigmoid(x),
  ],
  softplus: [softplus, sigmoid],
  log_sigmoid: [(x) => -softplus(-x), (x) => sigmoid(-x)],
  softsign: [(x) => x / (1 + Math.abs(x)), (x) => 1 / (1 + Math.abs(x)) ** 2],
  exponential: [Math.exp, Math.exp],
  hard_sigmoid: [(x) => between(x / 6 + 0.5, 0, 1), (x) => (x > -3 && x < 3 ? 1 / 6 : 0)],
  keras2_hard_sigmoid: [(x) => between(0.2 * x + 0.5, 0, 1), (x) => (x > -2.5 && x < 2.5 ? 0.2 : 0)],
  hard_silu: [(x) => x * between(x / 6 + 0.5, 0, 1), (x) => between(x / 6 + 0.5, 0, 1) + (x > -3 && x < 3 ? x / 6 : 0)],
  hard_tanh: [(x) => between(x, -1, 1), (x) => (Math.abs(x) < 1 ? 1 : 0)],
  hard_shrink: [
    (x, { threshold = 0.5 }) => (Math.abs(x) > threshold ? x : 0),
    (x, { threshold = 0.5 }) => (Math.abs(x) > threshold ? 1 : 0),
  ],
  soft_shrink: [
    (x, { threshold = 0.5 }) => x - between(x, -threshold, threshold),
    (x, { threshold = 0.5 }) => (Math.abs(x) > threshold ? 1 : 0),
  ],
  tanh_shrink: [(x) => x - Math.tanh(x), (x) => Math.tanh(x) ** 2],
  threshold: [
    (x, { threshold = 0, default_value = 0 }) => (x > threshold ? x : default_value),
    (x, { threshold = 0 }) => (x > threshold ? 1 : 0),
  ],
  sparse_plus: [(x) => (x >= 1 ? x : 0.25 * (Math.max(x, -1) + 1) ** 2), (x) => between(0.5 * (x + 1), 0, 1)],
  sparse_sigmoid: [(x) => between(0.5 * (x + 1), 0, 1), (x) => (Math.abs(x) < 1 ? 0.5 : 0)],
  squareplus: [
    (x, { b = 4 }) => 0.5 * (x + Math.sqrt(x * x + b)),
    (x, { b = 4 }) => 0.5 + (0.5 * x) / Math.sqrt(x * x + b),
  ],
};

// Of a whole row: the function, its backward pass, and whether that is written with the input, not with the output.
const OF_ROWS = {
  softmax: [softmax, softmax_backward, false],
  log_softmax: [log_softmax, log_softmax_backward, false],
  sparsemax: [sparsemax, sparsemax_backward, false],
  glu: [glu, glu_backward, true],
};

/** y = f(x), of rows of k numbers. */
export function activate({ name, options }, x, k) {
  if (name in OF_ROWS) return eachRow(OF_ROWS[name][0], k, x);
  return each((value) => FUNCTIONS[name][0](value, options), x);
}

/** Backward pass of y = f(x): dx = f'(x) dy. */
export function activate_backward({ name, options }, dy, x, y, k) {
  if (!(name in OF_ROWS)) return each((d, value) => d * FUNCTIONS[name][1](value, options), dy, x);
  const [, backward, ofInput] = OF_ROWS[name];
  const halves = name === "glu" ? 2 : 1;
  if (halves === 1) return eachRow(backward, k, dy, ofInput ? x : y);
  const dx = new Float64Array(x.length);
  for (let i = 0; i < x.length; i += k) {
    dx.set(backward(dy.subarray(i / 2, (i + k) / 2), x.subarray(i, i + k)), i);
  }
  return dx;
}
