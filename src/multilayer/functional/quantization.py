"""Numbers of few bits: what training sees of them, and the way back through rounding.

Rounding has the derivative 0 almost everywhere, which trains nothing. The way back therefore goes through it as if the
rounding error c were a constant: the straight-through estimator. Everything else is differentiated as it stands, so
each backward function here is the exact derivative of its forward function with c held fixed.

Sources: Bengio, Léonard and Courville, "Estimating or Propagating Gradients Through Stochastic Neurons for Conditional
Computation", 2013, arXiv:1308.3432; Jacob et al., "Quantization and Training of Neural Networks for Efficient
Integer-Arithmetic-Only Inference", 2018, arXiv:1712.05877; Esser et al., "Learned Step Size Quantization", 2020,
arXiv:1902.08153.
"""

from __future__ import annotations

import numpy as np

from multilayer.functional.arrays import Array

SMALLEST_STEP = 1e-8  # of weights that are all 0, whose step says nothing


def largest_level(bits: int) -> int:
    """Q = 2^(bits-1) - 1: weights are whole numbers from -Q to Q, as many below 0 as above.

    Example:
        >>> [largest_level(bits) for bits in (8, 4, 2)]
        [127, 7, 1]
    """
    return int(2 ** (bits - 1) - 1)


def first_steps(W: Array, bits: int) -> Array:
    """Where the steps of W's columns start: 2 mean|w| / sqrt(Q), shape (h,), as Esser et al. have it.

    Example:
        >>> first_steps(np.array([[1.0], [-3.0]]), 2)
        array([4.])
    """
    steps = 2.0 * np.abs(W).mean(axis=0) / np.sqrt(largest_level(bits))
    return np.asarray(np.maximum(steps, SMALLEST_STEP), W.dtype)


def weight_levels(W: Array, step: Array, bits: int) -> Array:
    """The whole numbers clip(round(W / step), -Q, Q), as fractions; halves go to the even neighbour.

    Args:
        W: Weights, shape (d, h).
        step: The difference of two neighbours, of each column, shape (h,).
        bits: How many bits a weight has.

    Returns:
        Shape (d, h).

    Example:
        >>> weight_levels(np.array([[0.26], [-0.9]]), np.array([0.1]), 4)
        array([[ 3.],
               [-7.]])
    """
    Q = largest_level(bits)
    return np.clip(np.rint(W / np.maximum(step, SMALLEST_STEP)), -Q, Q)


def fake_quantize(W: Array, step: Array, bits: int) -> Array:
    """Weights as so few bits can say them: step clip(round(W / step), -Q, Q), shape (d, h).

    Example:
        >>> fake_quantize(np.array([[0.26], [-0.9]]), np.array([0.1]), 4).round(2)
        array([[ 0.3],
               [-0.7]])
    """
    return np.asarray(weight_levels(W, step, bits) * np.maximum(step, SMALLEST_STEP), W.dtype)


def fake_quantize_backward(dy: Array, W: Array, step: Array, bits: int) -> tuple[Array, Array]:
    """The way back through `fake_quantize`, with v = W / step and the rounding error c held constant.

    y = step (clip(v, -Q, Q) + c), so that

        dW = dy                                    where |v| <= Q, else 0
        dstep = sum over the rows of dy (round(v) - v)   where |v| <= Q, else of dy Q sign(v)

    Returns:
        dW, shape (d, h), and dstep, shape (h,).

    Example:
        >>> fake_quantize_backward(np.ones((2, 1)), np.array([[0.25], [-0.9]]), np.array([0.1]), 4)
        (array([[1.],
               [0.]]), array([-7.5]))
    """
    v = W / np.maximum(step, SMALLEST_STEP)
    inside = np.abs(v) <= largest_level(bits)
    slope = weight_levels(W, step, bits) - v * inside
    return dy * inside, np.sum(dy * slope, axis=0)


def scale_and_zero(low: float, high: float) -> tuple[float, int]:
    """How numbers between two bounds become the whole numbers from -128 to 127: x = scale (q - zero).

    The range is widened to hold 0, which a whole number, `zero`, stands for exactly.

    Example:
        >>> scale_and_zero(0.0, 255.0)
        (1.0, -128)
        >>> scale_and_zero(-1.0, 1.0)[1]
        0
    """
    low, high = min(float(low), 0.0), max(float(high), 0.0)
    if low == high:
        return 1.0, 0
    scale = (high - low) / 255.0
    return scale, int(np.clip(np.rint(-128.0 - low / scale), -128, 127))


def input_levels(x: Array, scale: float, zero: int) -> Array:
    """The whole numbers clip(round(x / scale) + zero, -128, 127), as fractions.

    Example:
        >>> input_levels(np.array([0.4, 300.0]), *scale_and_zero(0.0, 255.0))
        array([-128.,  127.])
    """
    return np.asarray(np.clip(np.rint(x / np.asarray(scale, x.dtype)) + zero, -128, 127), x.dtype)


def fake_quantize_input(x: Array, scale: float, zero: int) -> Array:
    """What 8 bits say of x: scale (clip(round(x / scale) + zero, -128, 127) - zero).

    Example:
        >>> fake_quantize_input(np.array([0.4, 0.6, 300.0]), *scale_and_zero(0.0, 255.0))
        array([  0.,   1., 255.])
    """
    return np.asarray((input_levels(x, scale, zero) - zero) * np.asarray(scale, x.dtype))


def fake_quantize_input_backward(dy: Array, x: Array, scale: float, zero: int) -> Array:
    """The way back through `fake_quantize_input`: dx = dy where x lies within the range, else 0.

    Example:
        >>> fake_quantize_input_backward(np.ones(3), np.array([-1.0, 3.0, 300.0]), *scale_and_zero(0.0, 255.0))
        array([0., 1., 0.])
    """
    within = (x >= scale * (-128.5 - zero)) & (x <= scale * (127.5 - zero))
    return np.asarray(dy * within, dy.dtype)
