"""Normalization of matrices: each column to mean 0 and variance 1 over the batch, or each row by itself.

The forward functions write the standardized x to `x_hat` and 1 / sqrt(variance + epsilon) to `scale`, which is what
the backward functions need. gamma and beta, one a column, may be None for 1 and 0.
"""

from __future__ import annotations

import numpy as np

from multilayer.functional.arrays import Array


def batch_norm(
    x: Array,
    gamma: Array | None,
    beta: Array | None,
    epsilon: float,
    y: Array,
    x_hat: Array,
    mean: Array,
    variance: Array,
    scale: Array,
) -> Array:
    """Each column of x (n, k) with mean 0 and variance 1: y = gamma (x - mean) / sqrt(variance + epsilon) + beta.

    Writes mean and variance (k,), too.

    Source: Ioffe and Szegedy, "Batch Normalization: Accelerating Deep Network Training by Reducing Internal Covariate
    Shift", 2015.
    """
    np.mean(x, axis=0, out=mean)  # (k,)
    np.subtract(x, mean, out=x_hat)  # (n, k)
    np.multiply(x_hat, x_hat, out=y)  # y is free until the end
    np.mean(y, axis=0, out=variance)  # (k,)
    np.add(variance, epsilon, out=scale)
    np.sqrt(scale, out=scale)
    np.reciprocal(scale, out=scale)
    x_hat *= scale
    return _affine(x_hat, gamma, beta, y)


def batch_norm_backward(
    dy: Array,
    x_hat: Array,
    gamma: Array | None,
    scale: Array,
    dx: Array,
    dgamma: Array,
    dbeta: Array,
) -> Array:
    """Backward pass of `batch_norm`, where mean and variance depend on x, too.

    dgamma = sum(dy x_hat), dbeta = sum(dy), dx = gamma scale (dy - dbeta / n - x_hat dgamma / n).
    """
    n = len(dy)
    np.multiply(dy, x_hat, out=dx)
    np.sum(dx, axis=0, out=dgamma)
    np.sum(dy, axis=0, out=dbeta)
    np.multiply(x_hat, dgamma * (-1.0 / n), out=dx)  # (n, k)
    dx += dy
    dx -= dbeta * (1.0 / n)
    dx *= scale if gamma is None else gamma * scale
    return dx


def layer_norm(
    x: Array,
    gamma: Array | None,
    beta: Array | None,
    epsilon: float,
    y: Array,
    x_hat: Array,
    scale: Array,
    centered: bool,
) -> Array:
    """Each row of x (n, k) with mean 0 and variance 1, or, not `centered`, with mean square 1: y = gamma x_hat + beta.

    `scale` is (n, 1).

    Source: Ba et al., "Layer Normalization", 2016; Zhang and Sennrich, "Root Mean Square Layer Normalization", 2019.
    """
    if centered:
        np.mean(x, axis=1, keepdims=True, out=scale)  # (n, 1)
        np.subtract(x, scale, out=x_hat)  # (n, k)
    else:
        np.copyto(x_hat, x)
    np.multiply(x_hat, x_hat, out=y)
    np.mean(y, axis=1, keepdims=True, out=scale)
    scale += epsilon
    np.sqrt(scale, out=scale)
    np.reciprocal(scale, out=scale)
    x_hat *= scale
    return _affine(x_hat, gamma, beta, y)


def layer_norm_backward(
    dy: Array,
    x_hat: Array,
    gamma: Array | None,
    scale: Array,
    dx: Array,
    dgamma: Array,
    dbeta: Array,
    centered: bool,
) -> Array:
    """Backward pass of `layer_norm`.

    With u = gamma dy: dx = scale (u - mean(u) - x_hat mean(u x_hat)) over each row; not `centered`, without mean(u).
    """
    np.multiply(dy, x_hat, out=dx)
    np.sum(dx, axis=0, out=dgamma)
    np.sum(dy, axis=0, out=dbeta)
    if gamma is not None:
        dx *= gamma
    along = dx.mean(axis=1, keepdims=True)  # (n, 1): how far u points along x_hat, where x_hat cannot go
    np.multiply(dy, 1.0 if gamma is None else gamma, out=dx)
    if centered:
        dx -= dx.mean(axis=1, keepdims=True)
    dx -= x_hat * along
    dx *= scale
    return dx


def _affine(x_hat: Array, gamma: Array | None, beta: Array | None, y: Array) -> Array:
    if gamma is None:
        np.copyto(y, x_hat)
    else:
        np.multiply(x_hat, gamma, out=y)
    if beta is not None:
        y += beta
    return y
