"""Programs for TensorFlow's `GradientTape`, and what it gives for them.

Recorded where TensorFlow is installed, from the root of the repository: `PYTHONPATH=tests python tests/golden/tapes.py`
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np

from golden import recordings

X = [[0.5, -1.0], [2.0, 0.25], [-0.75, 1.5]]
W = [[0.3, -0.2, 0.8], [0.1, 0.9, -0.4]]


def weights(tf: Any) -> Any:
    return tf.Variable(np.array(W, "float32")), tf.Variable(np.array([0.1, -0.1, 0.2], "float32"))


def dense(tf: Any, w: Any, b: Any) -> Any:
    return tf.np.tanh(tf.np.matmul(tf.constant(X), w) + b)


def gradient(tf: Any) -> Any:
    w, b = weights(tf)
    with tf.GradientTape() as tape:
        loss = tf.np.mean(tf.np.square(dense(tf, w, b)))
    return tape.gradient(loss, [w, b])


def structures(tf: Any) -> Any:
    w, b = weights(tf)
    with tf.GradientTape() as tape:
        loss = tf.np.sum(dense(tf, w, b))
    found = tape.gradient(loss, {"w": w, "others": [b, (b,)]})
    return [found["w"], found["others"][0], found["others"][1][0]]


def several_targets(tf: Any) -> Any:
    w, b = weights(tf)
    with tf.GradientTape() as tape:
        y = dense(tf, w, b)
        z = tf.np.exp(y)
    return tape.gradient([y, {"z": z}], b)


def output_gradients(tf: Any) -> Any:
    w, b = weights(tf)
    with tf.GradientTape() as tape:
        y = dense(tf, w, b)
    return tape.gradient(y, w, output_gradients=tf.constant([[1.0, 2.0, 3.0]] * 3))


def unconnected_none(tf: Any) -> Any:
    w, b = weights(tf)
    with tf.GradientTape() as tape:
        y = tf.np.sum(w)
    return tape.gradient(y, [w, b])


def unconnected_zero(tf: Any) -> Any:
    w, b = weights(tf)
    with tf.GradientTape() as tape:
        y = tf.np.sum(w)
    return tape.gradient(y, [w, b], unconnected_gradients="zero")


def constant_target(tf: Any) -> Any:
    w, _ = weights(tf)
    with tf.GradientTape() as tape:
        tf.np.sum(w)
    return tape.gradient(tf.constant([1.0, 2.0]), [w])


def jacobian(tf: Any) -> Any:
    w, b = weights(tf)
    with tf.GradientTape() as tape:
        y = dense(tf, w, b)
    return tape.jacobian(y, [w, b])


def batch_jacobian(tf: Any) -> Any:
    w, b = weights(tf)
    x = tf.constant(X)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = tf.np.tanh(tf.np.matmul(x, w) + b) ** 2
    return tape.batch_jacobian(y, x)


def watched_constant(tf: Any) -> Any:
    x = tf.constant(X)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = tf.np.sum(x**3)
    return tape.gradient(y, x)


def not_watched(tf: Any) -> Any:
    x = tf.constant(X)
    w, _ = weights(tf)
    with tf.GradientTape() as tape:
        y = tf.np.sum(tf.np.matmul(x, w)) + tf.np.sum(x)
    return tape.gradient(y, [x, w])


def only_what_is_watched(tf: Any) -> Any:
    w, b = weights(tf)
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(b)
        y = tf.np.sum(dense(tf, w, b))
    return tape.gradient(y, [w, b])


def not_trainable(tf: Any) -> Any:
    w, b = weights(tf)
    frozen = tf.Variable(np.array([1.0, 2.0, 3.0], "float32"), trainable=False)
    with tf.GradientTape() as tape:
        y = tf.np.sum(dense(tf, w, b) * frozen)
    return [*tape.gradient(y, [frozen, b]), float(len(tape.watched_variables()))]


def intermediate(tf: Any) -> Any:
    w, b = weights(tf)
    with tf.GradientTape() as tape:
        y = dense(tf, w, b)
        z = tf.np.sum(y * y)
    return tape.gradient(z, [y, w])


def persistent(tf: Any) -> Any:
    w, b = weights(tf)
    with tf.GradientTape(persistent=True) as tape:
        y = dense(tf, w, b)
        z = tf.np.sum(tf.np.exp(y))
    return [tape.gradient(y, b), tape.gradient(z, b), tape.gradient(z, y)]


def changed_between(tf: Any) -> Any:
    w, b = weights(tf)
    with tf.GradientTape(persistent=True) as tape:
        y = tf.np.sum(dense(tf, w, b) * tf.np.sum(w * w))
    first = tape.gradient(y, w)
    w.assign(w - first)
    return [first, tape.gradient(y, w), tape.gradient(y, b)]


def changed_within(tf: Any) -> Any:
    w, _ = weights(tf)
    with tf.GradientTape(persistent=True) as tape:
        y = tf.np.sum(w * w)
        w.assign_add(w * 0 + 1.0)
        y = y + tf.np.sum(w * w * w)
    return tape.gradient(y, w)


def two_tapes(tf: Any) -> Any:
    w, b = weights(tf)
    with tf.GradientTape() as one, tf.GradientTape() as other:
        y = dense(tf, w, b)
        loss, against = tf.np.sum(y * y * w[0]), tf.np.sum(y)
    first = one.gradient(loss, [w])
    w.assign_sub(first[0])
    return [*first, other.gradient(against, w)]


def second_derivative(tf: Any) -> Any:
    w, b = weights(tf)
    with tf.GradientTape() as outer:
        with tf.GradientTape() as inner:
            y = tf.np.sum(dense(tf, w, b))
        slope = inner.gradient(y, b)
        norm = tf.np.sum(slope * slope)
    return outer.gradient(norm, [w, b])


def third_derivative(tf: Any) -> Any:
    x = tf.Variable(np.float32(1.5))
    with tf.GradientTape() as outer:
        with tf.GradientTape() as middle:
            with tf.GradientTape() as inner:
                y = x**4 + tf.np.sin(x)
            first = inner.gradient(y, x)
        second = middle.gradient(first, x)
    return [first, second, outer.gradient(second, x)]


def hessian(tf: Any) -> Any:
    w, b = weights(tf)
    with tf.GradientTape() as outer:
        with tf.GradientTape() as inner:
            y = tf.np.sum(dense(tf, w, b))
        slope = inner.gradient(y, b)
    return outer.jacobian(slope, b)


def gradient_penalty(tf: Any) -> Any:
    w, b = weights(tf)
    x = tf.constant(X)
    with tf.GradientTape() as tape:
        with tf.GradientTape() as inner:
            inner.watch(x)
            y = tf.np.sum(tf.np.tanh(tf.np.matmul(x, w) + b))
        slopes = inner.gradient(y, x)
        penalty = tf.np.mean((tf.np.sqrt(tf.np.sum(slopes * slopes, axis=1)) - 1.0) ** 2)
    return [penalty, *tape.gradient(penalty, [w, b])]


def stopped(tf: Any) -> Any:
    w, _ = weights(tf)
    with tf.GradientTape() as tape:
        y = tf.np.sum(w)
        with tape.stop_recording():
            c = tf.np.sum(w * w)
        z = y * c
    return tape.gradient(z, w)


def reset(tf: Any) -> Any:
    w, b = weights(tf)
    with tf.GradientTape() as tape:
        tf.np.sum(w * w)
        tape.reset()
        z = tf.np.sum(b * b)
    return [*tape.gradient(z, [w, b]), float(len(tape.watched_variables()))]


PROGRAMS = {
    one.__name__: one
    for one in (
        *(gradient, structures, several_targets, output_gradients, unconnected_none, unconnected_zero, constant_target),
        *(jacobian, batch_jacobian, watched_constant, not_watched, only_what_is_watched, not_trainable, intermediate),
        *(persistent, changed_between, changed_within, two_tapes, second_derivative, third_derivative, hessian),
        *(gradient_penalty, stopped, reset),
    )
}


def numbers(result: Any) -> Any:
    """Lists of numbers, and None."""
    if isinstance(result, (list, tuple)):
        return [numbers(one) for one in result]
    return None if result is None else np.asarray(result).tolist()


if __name__ == "__main__":
    import tensorflow

    tensorflow.experimental.numpy.experimental_enable_numpy_behavior()
    names = ("Variable", "GradientTape", "constant")
    of = SimpleNamespace(np=tensorflow.experimental.numpy, **{name: getattr(tensorflow, name) for name in names})
    recordings.write("tapes", {name: numbers(program(of)) for name, program in PROGRAMS.items()})
