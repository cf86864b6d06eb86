"""Optimizer steps: each updates the vector w of all parameters and its slots in place; `work` is scratch."""

from __future__ import annotations

import math

import numpy as np

from multilayer.functional.arrays import Array


def flush_subnormals(x: Array, work: Array) -> None:
    """Sets to zero, in place, what is so small that it is about to leave the normal range of its type.

    A running mean of something that has become zero decays towards zero forever, and arithmetic on subnormal numbers
    takes longer: two or three times on some processors, a hundred times on others. The threshold, 2^20 times the
    smallest normal number, is 1e-32 in float32.
    """
    np.abs(x, out=work)
    x[work < np.finfo(x.dtype).tiny * 2.0**20] = 0.0


def sgd_step(w: Array, g: Array, work: Array, *, learning_rate: float) -> None:
    """Gradient descent: w <- w - learning_rate g. What is computed on the way goes into `work`.

    Example:
        >>> w = np.array([1.0, 2.0])
        >>> sgd_step(w, np.array([10.0, -10.0]), np.empty(2), learning_rate=0.1)
        >>> w
        array([0., 3.])
    """
    np.multiply(g, learning_rate, out=work)
    w -= work


def momentum_step(
    w: Array, g: Array, m: Array, work: Array, *, learning_rate: float, momentum: float, nesterov: bool
) -> None:
    """Gradient descent with momentum: m <- momentum m - learning_rate g, then w <- w + m.

    Nesterov's form looks ahead: w <- w + momentum m - learning_rate g, with the new m.

    Source: Sutskever et al., "On the importance of initialization and momentum in deep learning", 2013.
    """
    m *= momentum
    np.multiply(g, learning_rate, out=work)
    m -= work
    if nesterov:
        w -= work
        np.multiply(m, momentum, out=work)
        w += work
    else:
        w += m


def adam_step(
    w: Array,
    g: Array,
    m: Array,
    v: Array,
    work: Array,
    *,
    learning_rate: float,
    beta_1: float,
    beta_2: float,
    epsilon: float,
    step: int,
) -> None:
    """Adam: a step scaled by running means of the gradient and of its square.

        m <- m + (1 - beta_1) (g - m)
        v <- v + (1 - beta_2) (g^2 - v)
        w <- w - alpha m / (sqrt(v) + epsilon),   alpha = learning_rate sqrt(1 - beta_2^step) / (1 - beta_1^step)

    Source: Kingma and Ba, "Adam: A Method for Stochastic Optimization", 2015, in the order of the end of section 2.
    """
    alpha = learning_rate * math.sqrt(1.0 - beta_2**step) / (1.0 - beta_1**step)
    np.subtract(g, m, out=work)
    work *= 1.0 - beta_1
    m += work
    np.multiply(g, g, out=work)
    work -= v
    work *= 1.0 - beta_2
    v += work
    np.sqrt(v, out=work)
    work += epsilon
    np.divide(m, work, out=work)
    work *= alpha
    w -= work


def rmsprop_step(
    w: Array,
    g: Array,
    v: Array,
    work: Array,
    *,
    mean: Array | None = None,
    m: Array | None = None,
    learning_rate: float,
    rho: float,
    momentum: float,
    epsilon: float,
) -> None:
    """RMSprop: a step divided by the root of the running mean of the gradient's square.

        v <- rho v + (1 - rho) g^2
        u = learning_rate g / sqrt(v + epsilon)           (centered: v - mean^2 in place of v, with
                                                           mean <- rho mean + (1 - rho) g)
        w <- w - u                                        (with momentum: m <- momentum m + u, w <- w - m)

    Source: Tieleman and Hinton, "Lecture 6.5: rmsprop", 2012.
    """
    np.multiply(g, g, out=work)
    work *= 1.0 - rho
    v *= rho
    v += work
    if mean is None:
        np.add(v, epsilon, out=work)
    else:
        np.multiply(g, 1.0 - rho, out=work)
        mean *= rho
        mean += work
        np.multiply(mean, mean, out=work)
        np.subtract(v, work, out=work)
        np.maximum(work, 0.0, out=work)  # a variance, but for rounding
        work += epsilon
    np.sqrt(work, out=work)
    np.divide(g, work, out=work)
    work *= learning_rate
    if m is None:
        w -= work
    else:
        m *= momentum
        m += work
        w -= m
