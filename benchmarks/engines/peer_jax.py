"""JAX at its best: a whole epoch is one jitted lax.scan, its state donated, the batches gathered inside.

Loss and hits are added up on the way, as `fit` with accuracy does.
"""

import time
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

from multilayer.benchmark.engines import Calls, Epoch
from multilayer.benchmark.workloads import Workload

DISTRIBUTIONS = ("jax", "jaxlib")
BETA_1, BETA_2, EPSILON = 0.9, 0.999, 1e-7


def _layers(workload: Workload):
    weights = [jnp.asarray(w) for w in workload.weights()]
    return list(zip(weights[0::2], weights[1::2], strict=True))


def _scores(workload: Workload, layers, x):
    activation = {"sigmoid": jax.nn.sigmoid, "relu": jax.nn.relu}[workload.activation]
    for W, b in layers[:-1]:
        x = activation(x @ W + b)
    W, b = layers[-1]
    return x @ W + b


def _step(workload: Workload, state, x, y):
    layers, m, v, t = state

    def loss_of(layers):
        a = _scores(workload, layers, x)
        log_y = jax.nn.log_softmax(a)
        return -jnp.mean(jnp.take_along_axis(log_y, y[:, None], axis=1)), jnp.sum(jnp.argmax(a, axis=1) == y)

    (loss, hits), g = jax.value_and_grad(loss_of, has_aux=True)(layers)
    t = t + 1
    rate = workload.learning_rate
    if workload.optimizer == "sgd":
        return (jax.tree.map(lambda w, g: w - rate * g, layers, g), m, v, t), (loss, hits)
    m = jax.tree.map(lambda m, g: m + (1 - BETA_1) * (g - m), m, g)
    v = jax.tree.map(lambda v, g: v + (1 - BETA_2) * (g * g - v), v, g)
    alpha = rate * jnp.sqrt(1 - BETA_2**t) / (1 - BETA_1**t)
    layers = jax.tree.map(lambda w, m, v: w - alpha * m / (jnp.sqrt(v) + EPSILON), layers, m, v)
    return (layers, m, v, t), (loss, hits)


def prepare_training(workload: Workload) -> Epoch:
    """One call an epoch."""

    @partial(jax.jit, donate_argnums=0)
    def run(state, order, x, y):
        def step(state, rows):
            return _step(workload, state, x[rows], y[rows])

        state, (losses, hits) = jax.lax.scan(step, state, order)
        return state, jnp.mean(losses), jnp.sum(hits)

    x, y = map(jnp.asarray, workload.data())
    layers = _layers(workload)
    zeros = [jax.tree.map(jnp.zeros_like, layers) for _ in range(2 if workload.optimizer == "adam" else 0)]
    state = (layers, *(zeros or (None, None)), jnp.zeros((), jnp.float32))
    rng = np.random.default_rng(2)

    def epoch() -> tuple[float, float]:
        nonlocal state
        start = time.perf_counter()
        order = jnp.asarray(rng.permutation(workload.rows).reshape(workload.steps, workload.batch))
        state, loss, _ = run(state, order, x, y)
        loss = float(loss)
        return time.perf_counter() - start, loss

    epoch()
    return epoch


def prepare_predicting(workload: Workload, rows: int) -> Calls:
    """The jitted model, from NumPy to NumPy."""
    layers = _layers(workload)
    predict = jax.jit(lambda x: jax.nn.softmax(_scores(workload, layers, x)))
    x = workload.data()[0][:rows]
    return {"jitted": lambda: np.asarray(predict(x))}
