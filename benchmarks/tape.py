"""What the tape costs: a loss, a model and a `train_step` of one's own.

    python benchmarks/tape.py loss
    python benchmarks/tape.py model
    python benchmarks/tape.py step [--python "Keras on TensorFlow=/path/to/python" ...]

- loss: value and gradient of a cross-entropy for 32 predictions of 10 classes in float32, beside autograd's and NumPy
  written out.
- model: a step of `fit` with the loss, or the model's `call`, written by the user, beside the built-in ones.
- step: a step of `fit` with a `train_step` by `GradientTape`, beside Keras' on its backends.

All take turns, many short ones. Ratios are those of the best times, which other work on the machine leaves alone, and
the medians of ratios turn by turn. The BLAS is left free: OPENBLAS_CORETYPE, OPENBLAS_L2_SIZE and settings of thread
numbers do not reach the processes.
"""

import argparse
import functools
import os
import sys
import time
from pathlib import Path

import numpy as np

import multilayer
from multilayer import losses
from multilayer.benchmark import engine_processes, timing, workloads
from multilayer.benchmark.engines import Engine, keras_api

TENSORFLOW = {"OWN_STEP": "keras", "KERAS_BACKEND": "tensorflow", "TF_CPP_MIN_LOG_LEVEL": "3"}
STEPPING = [
    Engine("multilayer", "own_step", {"OWN_STEP": "multilayer"}),
    Engine("Keras on TensorFlow", "own_step", TENSORFLOW),
    Engine("Keras on TensorFlow, eager", "own_step", {**TENSORFLOW, "RUN_EAGERLY": "1"}),
    Engine("Keras on PyTorch", "own_step", {"OWN_STEP": "keras", "KERAS_BACKEND": "torch"}),
    Engine("PyTorch", "peer_torch"),
]


def cross_entropy(y, p):
    return -np.sum(y * np.log(np.clip(p, 1e-7, 1)), axis=-1)


# --- A loss ---


def loss(options):
    import autograd
    import autograd.numpy as anp

    def of_autograd(y, p):
        return anp.mean(-anp.sum(y * anp.log(anp.clip(p, 1e-7, 1)), axis=-1))

    def written_out(y, p):
        held = np.clip(p, 1e-7, 1)
        value = -np.mean(np.sum(y * np.log(held), axis=-1))
        return value, -y / held * (held == p) / len(p)

    rng = np.random.default_rng(0)
    p = rng.uniform(0.1, 0.9, (32, 10)).astype("float32")
    y = np.eye(10, dtype="float32")[rng.integers(0, 10, 32)]
    functions = {
        "multilayer": losses.get(cross_entropy).value_and_gradient,
        "autograd": autograd.value_and_grad(of_autograd, 1),
        "NumPy, written out": written_out,
    }
    measures = {name: lambda function=function: _seconds(function, y, p) for name, function in functions.items()}
    show("32 x 10 predictions", timing.in_turn(measures, 30 * options.rounds))


def _seconds(function, *args, calls=10):
    start = time.perf_counter()
    for _ in range(calls):
        function(*args)
    return (time.perf_counter() - start) / calls


# --- A model ---


class Subclassed(multilayer.Model):
    """The network by a `call` of its own."""

    def __init__(self, workload):
        super().__init__()
        self.steps = keras_api.layers(multilayer, workload)

    def call(self, x, training=False):
        for layer in self.steps:
            x = layer(x)
        return x


def model(options):
    for workload in (workloads.TUTORIAL, workloads.SMALL):
        part = workload.scaled(options.divisor)
        x, labels = part.data()
        y = np.eye(part.sizes[-1], dtype="float32")[labels]

        def built_in(workload=part):
            return multilayer.Sequential(
                [multilayer.Input(workload.sizes[:1]), *keras_api.layers(multilayer, workload)]
            )

        subclassed = Subclassed(part)
        subclassed.build((None, *part.sizes[:1]))
        models = {
            "built in": (built_in(), "categorical_crossentropy"),
            "own loss": (built_in(), cross_entropy),
            "own call": (subclassed, "categorical_crossentropy"),
        }
        epochs = {}
        for name, (network, own_loss) in models.items():
            keras_api.made_ready(multilayer, network, part, own_loss)
            epochs[name] = keras_api.fitting(multilayer, network, x, y, part.batch)

        def measure(name, part=part, models=models, epochs=epochs):
            models[name][0].set_weights(
                part.weights()
            )  # what has been learned by heart has gradients of nearly nothing
            return epochs[name]()[0] / part.steps

        measures = {name: functools.partial(measure, name) for name in epochs}
        show(workload, timing.in_turn(measures, options.rounds))


# --- A step ---


def step(options):
    launcher = engine_processes.Launcher(options.python, (Path(__file__).parent / "engines",))
    for workload in (workloads.TUTORIAL, workloads.SMALL):
        part = workload.scaled(options.divisor)
        found = engine_processes.measure_training(launcher, STEPPING, part, options.rounds)
        for name, reason in found["skipped"].items():
            print(f"{name}: {reason}", file=sys.stderr)
        show(workload, {name: [one / part.steps for one in times] for name, times in found["seconds"].items()})


def show(title, seconds):
    reference = next(iter(seconds))
    compared = timing.compare(seconds, reference)
    print(f"{title!s:35} | best us | ratio of the best | median of ratios")
    for name, times in seconds.items():
        best = min(times)
        ratio = best / min(seconds[reference])
        print(f"{name:35} | {1e6 * best:7.1f} | {ratio:17.2f} | {compared[name].paired_ratio:16.2f}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("loss", "model", "step"))
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--divisor", type=int, default=20, help="take a fraction of an epoch each time")
    parser.add_argument("--python", action="append", default=[], type=lambda text: text.split("=", 1))
    options = parser.parse_args()
    options.python = dict(options.python)
    environment = engine_processes.environment()
    if environment != dict(os.environ):  # the BLAS reads it when NumPy is imported
        os.execve(sys.executable, [sys.executable, *sys.argv], environment)
    {"loss": loss, "model": model, "step": step}[options.what](options)


if __name__ == "__main__":
    main()
