/* A network: the steps that Python's `describe` has written down, gone through forward and backward.
 *
 * Tensors are numbered, and a step says which it takes and which it gives. What everything is called, and the formula
 * of each number, comes from Python's glass box; here are the numbers.
 */

import { activate, activate_backward } from "./activations.js";
import {
  affine,
  affine_backward,
  argmax,
  each,
  fake_quantize_input,
  fake_quantize_input_backward,
  layer_norm,
  layer_norm_backward,
  mean_squared_error,
  one_hot,
  sgd_step,
  sigmoid_binary_cross_entropy,
  softmax,
  softmax_cross_entropy,
  sum,
  unit_norm,
  unit_norm_backward,
} from "./functional.js";

const times = (a, b) => each((x, y) => x * y, a, b);
const columns = (step) => step.shape.at(-1);

/** Each kind of step: forward gives y (and what is worth keeping of the way), backward its inputs' gradients. */
const KINDS = {
  identity: {
    forward: (_, [x]) => ({ y: x }),
    backward: (_, dy) => ({ dxs: [dy] }),
  },
  dense: {
    // the input of a layer that was trained for few bits is rounded first
    forward(step, [x]) {
      const x_hat = step.rounding ? fake_quantize_input(x, step.rounding) : x;
      const a = affine(x_hat, step.arrays.W.values, step.arrays.b?.values ?? null, step.width);
      return { x_hat, a, y: activate(step.activation, a, step.arrays.W.shape[1]) };
    },
    backward(step, dy, [x], { x_hat, a, y }, fused, wanted) {
      const da = fused ? dy : activate_backward(step.activation, dy, a, y, step.arrays.W.shape[1]);
      const { dx: dx_hat, dW, db } = affine_backward(da, x_hat, step.arrays.W.values, step.width, wanted);
      const dx = step.rounding ? fake_quantize_input_backward(dx_hat, x, step.rounding) : dx_hat;
      return { da, dxs: [dx], weights: step.arrays.b ? { W: dW, b: db } : { W: dW } };
    },
  },
  activation: {
    forward: (step, [x]) => ({ a: x, y: activate(step.activation, x, step.width) }),
    backward: (step, dy, [x], { y }, fused) => ({
      dxs: [fused ? dy : activate_backward(step.activation, dy, x, y, step.width)],
    }),
  },
  prelu: {
    forward: (step, [x]) => ({ y: each((v, slope) => (v > 0 ? v : slope * v), x, step.arrays.alpha.values) }),
    backward: (step, dy, [x]) => ({
      dxs: [each((d, v, slope) => (v > 0 ? d : slope * d), dy, x, step.arrays.alpha.values)],
    }),
  },
  rescale: {
    // (x - mean) scale + offset
    forward: ({ arrays: { mean, scale, offset } }, [x]) => ({
      y: each(
        (v, o) => v + o,
        each((v, m, s) => (v - m) * s, x, mean.values, scale.values),
        offset.values,
      ),
    }),
    backward: (step, dy) => ({ dxs: [times(dy, step.arrays.scale.values)] }),
  },
  layer_norm: {
    forward: (step, [x]) => ({
      y: layer_norm(x, step.width, step.arrays.gamma?.values, step.arrays.beta?.values, step.epsilon, step.centered),
    }),
    backward: (step, dy, [x]) => ({
      dxs: [layer_norm_backward(dy, x, step.width, step.arrays.gamma?.values, step.epsilon, step.centered)],
    }),
  },
  unit_norm: {
    forward: (step, [x]) => ({ y: unit_norm(x, step.width) }),
    backward: (step, dy, [x]) => ({ dxs: [unit_norm_backward(dy, x, step.width)] }),
  },
  permute: {
    forward: (step, [x]) => ({ y: Float64Array.from(step.order, (from) => x[from]) }),
    backward(step, dy) {
      const dx = new Float64Array(dy.length);
      step.order.forEach((from, to) => (dx[from] = dy[to]));
      return { dxs: [dx] };
    },
  },
  add: {
    forward: (_, xs) => ({ y: xs.reduce((y, x) => each((a, b) => a + b, y, x)) }),
    backward: (_, dy, xs) => ({ dxs: xs.map(() => dy) }),
  },
  subtract: {
    forward: (_, [x1, x2]) => ({ y: each((a, b) => a - b, x1, x2) }),
    backward: (_, dy) => ({ dxs: [dy, dy.map((value) => -value)] }),
  },
  multiply: {
    forward: (_, xs) => ({ y: xs.reduce((y, x) => times(y, x)) }),
    backward: (_, dy, xs) => ({ dxs: xs.map((_x, i) => xs.reduce((y, x, j) => (i === j ? y : times(y, x)), dy)) }),
  },
  average: {
    forward: (_, xs) => ({ y: xs.reduce((y, x) => each((a, b) => a + b, y, x)).map((value) => value / xs.length) }),
    backward: (_, dy, xs) => ({ dxs: xs.map(() => dy.map((value) => value / xs.length)) }),
  },
  maximum: extreme((a, b) => Math.max(a, b)),
  minimum: extreme((a, b) => Math.min(a, b)),
  concatenate: {
    forward(_, xs) {
      const y = new Float64Array(sum(xs.map((x) => x.length)));
      let at = 0;
      for (const x of xs) {
        y.set(x, at);
        at += x.length;
      }
      return { y };
    },
    backward(_, dy, xs) {
      let at = 0;
      return { dxs: xs.map((x) => dy.slice(at, (at += x.length))) };
    },
  },
};

/** The larger, or the smaller, of several inputs; the gradient goes to the first that it comes from. */
function extreme(choose) {
  return {
    forward: (_, xs) => ({ y: xs.reduce((y, x) => each(choose, y, x)) }),
    backward(_, dy, xs, { y }) {
      const first = Array.from(y, (value, place) => xs.findIndex((x) => x[place] === value));
      return { dxs: xs.map((_x, i) => dy.map((value, place) => (first[place] === i ? value : 0))) };
    },
  };
}

/** The numbers of an array as Python has written them: little-endian float32 in base64. */
export function decoded({ shape, data }) {
  const bytes = Uint8Array.from(atob(data), (character) => character.charCodeAt(0));
  return { shape, values: new Float32Array(bytes.buffer) };
}

export class Network {
  /** A network from what `describe` says of it. */
  constructor(description) {
    Object.assign(this, description);
    this.inputSize = this.input.shape.reduce((product, side) => product * side, 1);
    this.steps = description.steps.map((step) => ({
      ...step,
      arrays: Object.fromEntries(Object.entries(step.arrays ?? {}).map(([name, array]) => [name, decoded(array)])),
    }));
    this.layers = unitLayers(this);
    const { labels, task, input, picture, layers } = this;
    this.form = JSON.stringify([labels, task, input, picture, layers.map(({ name, size }) => [name, size])]);
  }

  /** The weights that are trained, by name; as the arrays themselves, which are replaced, never changed. */
  weights() {
    const found = {};
    for (const step of this.steps) {
      for (const [name, title] of Object.entries(step.trained ?? {})) found[title] = step.arrays[name].values;
    }
    return found;
  }

  /** Puts other weights in, by name. */
  useWeights(weights) {
    for (const step of this.steps) {
      for (const [name, title] of Object.entries(step.trained ?? {})) {
        if (title in weights) step.arrays[name].values = weights[title];
      }
    }
  }

  /** Everything that is computed of an input: `values` of each tensor, and of each step what it keeps. */
  forward(x) {
    const values = [],
      kept = [];
    values[this.input.tensor] = Float64Array.from(x);
    for (const step of this.steps) {
      const made = KINDS[step.kind].forward(
        step,
        step.inputs.map((tensor) => values[tensor]),
      );
      values[step.output] = made.y;
      kept.push(made);
    }
    const output = values[this.output];
    return { x: values[this.input.tensor], values, kept, output, answers: this.answersFrom(output) };
  }

  /** What the page calls the answer: probabilities where there are any, else the numbers themselves. */
  answersFrom(output) {
    if (this.task === "yes_no") return Float64Array.of(1 - output[0], output[0]);
    return this.logits ? softmax(output) : output;
  }

  /** The number of the answer that is the likeliest. */
  best(pass) {
    return argmax(pass.answers);
  }

  /** The target that says that an answer is right. */
  target(answer) {
    return this.task === "yes_no" ? Float64Array.of(answer) : one_hot(answer, this.labels.length);
  }

  /** The loss of a pass whose targets were t, and its gradient with respect to every tensor and, if wanted, weight. */
  backward(pass, t, wanted = true) {
    const gradients = [],
      of = [];
    const last = this.steps.at(-1);
    const { loss, dy } = this.lossOf(pass, t);
    gradients[this.output] = dy;
    for (let i = this.steps.length - 1; i >= 0; i--) {
      const step = this.steps[i],
        d = gradients[step.output];
      if (!d) continue; // nothing of the output depends on it
      const made = KINDS[step.kind].backward(
        step,
        d,
        step.inputs.map((tensor) => pass.values[tensor]),
        pass.kept[i],
        this.fused && step === last,
        wanted,
      );
      of[i] = made;
      step.inputs.forEach((tensor, j) => {
        gradients[tensor] = gradients[tensor] ? each((a, b) => a + b, gradients[tensor], made.dxs[j]) : made.dxs[j];
      });
    }
    return { loss, gradients, of, dx: gradients[this.input.tensor] };
  }

  /** Where activation and loss are one formula (`fused`), the gradient is that of what the activation is applied to. */
  lossOf(pass, t) {
    if (this.task === "numbers") return mean_squared_error(pass.output, t);
    const scores = this.fused ? pass.kept.at(-1).a : pass.output;
    return this.task === "classes" ? softmax_cross_entropy(scores, t) : sigmoid_binary_cross_entropy(scores, t);
  }

  /**
   * One training step on one sample: the weights after it, and everything that was computed, by the names and with the
   * formulas of Python's `Model.trace`: { name, formula, values, shape, part }.
   */
  step(x, t, learning_rate, label = null) {
    const pass = this.forward(x),
      back = this.backward(pass, t);
    const weights = this.weights(),
      after = {};
    for (const [i, step] of this.steps.entries()) {
      for (const [name, title] of Object.entries(step.trained ?? {})) {
        if (back.of[i]) after[title] = sgd_step(weights[title], back.of[i].weights[name], learning_rate);
      }
    }
    return {
      pass,
      loss: back.loss,
      weights: after,
      entries: [...this.entries(pass, back, after, t, learning_rate, label)],
    };
  }

  *entries(pass, back, after, t, learning_rate, label) {
    const entry = (part, name, formula, values, shape) => ({ part, name, formula, values, shape });
    const { names } = this;
    yield entry("forward", names.x, "input", pass.x, [1, ...this.input.shape]);
    for (const [i, step] of this.steps.entries()) {
      for (const { name, title, path } of step.weights ?? []) {
        yield entry("forward", title, path, step.arrays[name].values, step.arrays[name].shape);
      }
      const { affine: a, output: y } = step.names;
      if (a) yield entry("forward", a, step.formulas.affine, pass.kept[i].a, [1, ...step.affine]);
      if (y !== a) yield entry("forward", y, step.formulas.output, pass.values[step.output], [1, ...step.shape]);
    }
    if (label !== null && this.task === "classes") {
      yield entry("loss", "Y", "labels", [label], [1]);
      yield entry("loss", "t", "one_hot(Y)", t, [1, t.length]);
    } else yield entry("loss", "t", "targets", t, [1, t.length]);
    yield entry("loss", "loss", names.loss, [back.loss], []);
    const lowest = this.steps.findIndex((step) => step.trained);
    for (let i = this.steps.length - 1; i >= lowest && lowest >= 0; i--) {
      const step = this.steps[i],
        made = back.of[i];
      if (!made) continue;
      yield entry("backward", step.names.dy, step.formulas.dy, back.gradients[step.output], [1, ...step.shape]);
      if (step.formulas.da) yield entry("backward", step.names.da, step.formulas.da, made.da, [1, ...step.affine]);
      for (const [name, title] of Object.entries(step.trained ?? {})) {
        yield entry("backward", `d${title}`, step.formulas[`d${name}`], made.weights[name], step.arrays[name].shape);
      }
    }
    for (const step of this.steps) {
      for (const [name, title] of Object.entries(step.trained ?? {})) {
        if (title in after) {
          yield entry(
            "update",
            `${title}_new`,
            `${title} - ${learning_rate} d${title}`,
            after[title],
            step.arrays[name].shape,
          );
        }
      }
    }
  }
}

// Steps that hand every number on by itself: behind them a unit is still the same unit.
const UNIT_BY_UNIT = new Set(["identity", "activation", "prelu", "rescale", "layer_norm", "unit_norm"]);

/**
 * The layers of units, as one looks at them: an affine part with what is done to each of its numbers afterwards.
 * `tensor` holds what the units give. `below` is "input", the number of the layer that the weights come from, or null
 * where that is no single one.
 */
function unitLayers(network) {
  const layers = [],
    belongs = new Map([[network.input.tensor, "input"]]);
  for (const step of network.steps) {
    if (step.kind === "dense" && step.rows === 1) {
      const below = belongs.get(step.inputs[0]) ?? null;
      belongs.set(step.output, layers.length);
      layers.push({ step, below, tensor: step.output, size: columns(step), name: step.names.output });
    } else if (UNIT_BY_UNIT.has(step.kind) && step.inputs.length === 1 && belongs.has(step.inputs[0])) {
      const owner = belongs.get(step.inputs[0]);
      belongs.set(step.output, owner);
      if (owner !== "input") Object.assign(layers[owner], { tensor: step.output, name: step.names.output });
    }
  }
  return layers;
}

/** The weights from everything below to one unit. */
export function weightsOf(layer, unit) {
  const {
    values,
    shape: [d, h],
  } = layer.step.arrays.W;
  return Float64Array.from({ length: d }, (_, k) => values[k * h + unit]);
}
