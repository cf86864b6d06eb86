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
    # Both means begin at 0 and are too small at first; the correction of both is one number, instead of two passes.
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


def _towards(mean: Array, target: Array, share: float, work: Array) -> None:
    """Mean <- mean + share (target - mean)."""
    np.subtract(target, mean, out=work)
    work *= share
    mean += work


def amsgrad_step(
    w: Array,
    g: Array,
    m: Array,
    v: Array,
    v_hat: Array,
    work: Array,
    *,
    learning_rate: float,
    beta_1: float,
    beta_2: float,
    epsilon: float,
    step: int,
) -> None:
    """Adam with the largest running mean of the square so far, v_hat <- max(v_hat, v), in the place of v.

    Source: Reddi et al., "On the Convergence of Adam and Beyond", 2018.
    """
    alpha = learning_rate * math.sqrt(1.0 - beta_2**step) / (1.0 - beta_1**step)
    _towards(m, g, 1.0 - beta_1, work)
    v *= beta_2
    np.multiply(g, g, out=work)
    work *= 1.0 - beta_2
    v += work
    np.maximum(v_hat, v, out=v_hat)
    np.sqrt(v_hat, out=work)
    work += epsilon
    np.divide(m, work, out=work)
    work *= alpha
    w -= work


def adamax_step(
    w: Array,
    g: Array,
    m: Array,
    u: Array,
    work: Array,
    *,
    learning_rate: float,
    beta_1: float,
    beta_2: float,
    epsilon: float,
    step: int,
) -> None:
    """Adamax: Adam with the largest size of the gradient, which fades, in the place of the root of the mean square.

        m <- m + (1 - beta_1) (g - m),   u <- max(beta_2 u, |g|)
        w <- w - learning_rate / (1 - beta_1^step) m / (u + epsilon)

    Source: Kingma and Ba, "Adam: A Method for Stochastic Optimization", 2015, section 7.1.
    """
    _towards(m, g, 1.0 - beta_1, work)
    u *= beta_2
    np.abs(g, out=work)
    np.maximum(u, work, out=u)
    np.add(u, epsilon, out=work)
    np.divide(m, work, out=work)
    work *= learning_rate / (1.0 - beta_1**step)
    w -= work


def nadam_step(
    w: Array,
    g: Array,
    m: Array,
    v: Array,
    work: Array,
    *,
    m_factor: float,
    g_factor: float,
    beta_1: float,
    beta_2: float,
    epsilon: float,
    step: int,
) -> None:
    """Nadam: Adam that looks ahead; w <- w - (m_factor m + g_factor g) / (sqrt(v / (1 - beta_2^step)) + epsilon).

    The factors hold the learning rate and the schedule of momenta (see `optimizers.Nadam`).

    Source: Dozat, "Incorporating Nesterov Momentum into Adam", 2016.
    """
    _towards(m, g, 1.0 - beta_1, work)
    v *= beta_2
    np.multiply(g, g, out=work)
    work *= 1.0 - beta_2
    v += work
    np.multiply(v, 1.0 / (1.0 - beta_2**step), out=work)
    np.sqrt(work, out=work)
    work += epsilon
    w -= (m_factor * m + g_factor * g) / work


def adagrad_step(w: Array, g: Array, v: Array, work: Array, *, learning_rate: float, epsilon: float) -> None:
    """Adagrad: v <- v + g^2, w <- w - learning_rate g / sqrt(v + epsilon).

    Source: Duchi et al., "Adaptive Subgradient Methods for Online Learning and Stochastic Optimization", 2011.
    """
    np.multiply(g, g, out=work)
    v += work
    np.add(v, epsilon, out=work)
    np.sqrt(work, out=work)
    np.divide(g, work, out=work)
    work *= learning_rate
    w -= work


def adadelta_step(
    w: Array, g: Array, v: Array, d: Array, work: Array, *, learning_rate: float, rho: float, epsilon: float
) -> None:
    """Adadelta: steps in the units of the steps before.

        v <- rho v + (1 - rho) g^2,   u = g sqrt(d + epsilon) / sqrt(v + epsilon)
        d <- rho d + (1 - rho) u^2,   w <- w - learning_rate u

    Source: Zeiler, "ADADELTA: An Adaptive Learning Rate Method", 2012.
    """
    v *= rho
    np.multiply(g, g, out=work)
    work *= 1.0 - rho
    v += work
    np.add(v, epsilon, out=work)
    np.divide(d + epsilon, work, out=work)
    np.sqrt(work, out=work)
    work *= g
    d *= rho
    d += (1.0 - rho) * work * work
    work *= learning_rate
    w -= work


def lion_step(w: Array, g: Array, m: Array, work: Array, *, learning_rate: float, beta_1: float, beta_2: float) -> None:
    """Lion: w <- w - learning_rate sign(beta_1 m + (1 - beta_1) g), then m <- beta_2 m + (1 - beta_2) g.

    Source: Chen et al., "Symbolic Discovery of Optimization Algorithms", 2023.
    """
    np.multiply(g, (1.0 - beta_1) / beta_1 if beta_1 else 1.0, out=work)
    if beta_1:
        work += m
    np.sign(work, out=work)
    work *= learning_rate
    w -= work
    m *= beta_2
    np.multiply(g, 1.0 - beta_2, out=work)
    m += work


def orthogonalized(x: Array, steps: int, a: float, b: float, c: float) -> Array:
    """A matrix with all its singular values brought near to 1, by iterations of Newton and Schulz.

        x <- a x + (b x x^T + c (x x^T)^2) x

    Source: Jordan et al., "Muon: An optimizer for hidden layers in neural networks", 2024.
    """
    # The products of the shorter side are the smaller ones; a transposed matrix has the same singular values.
    wide: Array = x.T if x.shape[0] > x.shape[1] else x
    wide = wide / (np.linalg.norm(wide).astype(x.dtype) + x.dtype.type(1e-7))
    for _ in range(steps):
        products = wide @ wide.T
        wide = a * wide + (b * products + c * products @ products) @ wide
    return wide.T if x.shape[0] > x.shape[1] else wide


def ftrl_step(
    w: Array,
    g: Array,
    n: Array,
    z: Array,
    work: Array,
    *,
    learning_rate: float,
    power: float,
    l1: float,
    l2: float,
    shrinkage: float,
) -> None:
    """Follow the regularized leader: w is what the gradients so far, and penalties on w, are least at.

        n' = n + g^2,   z <- z + g + 2 shrinkage w - (n'^-power - n^-power) / learning_rate w,   n <- n'
        w <- (clip(z, -l1, l1) - z) / (n^-power / learning_rate + 2 l2)

    The clipping leaves a weight at exactly 0 as long as |z| is less than l1.

    Source: McMahan et al., "Ad Click Prediction: a View from the Trenches", 2013.

    Example:
        >>> w, n, z = np.array([1.0]), np.array([0.0]), np.array([0.0])
        >>> ftrl_step(
        ...     w, np.array([2.0]), n, z, np.empty(1), learning_rate=0.5, power=-0.5, l1=0.0, l2=0.0, shrinkage=0.0
        ... )
        >>> w
        array([0.5])
    """
    before = np.power(n, -power)
    z += g
    if shrinkage:
        z += 2.0 * shrinkage * w
    np.multiply(g, g, out=work)
    n += work
    after = np.power(n, -power)
    np.subtract(after, before, out=work)
    work *= w
    work /= learning_rate
    z -= work
    after /= learning_rate
    after += 2.0 * l2
    np.clip(z, -l1, l1, out=w)
    w -= z
    # Where there was no gradient yet, and nothing is to be divided by, the leader is 0.
    np.divide(w, after, out=w, where=after != 0.0)


def lamb_step(
    w: Array,
    g: Array,
    m: Array,
    v: Array,
    *,
    learning_rate: float,
    beta_1: float,
    beta_2: float,
    epsilon: float,
    step: int,
) -> None:
    """LAMB, for one weight: the direction of Adam, in steps that are as long as the weight itself.

        m <- m + (1 - beta_1) (g - m),   v <- v + (1 - beta_2) (g^2 - v)
        u = m / (1 - beta_1^step) / (sqrt(v / (1 - beta_2^step)) + epsilon)
        w <- w - learning_rate |w| / |u| u              (without the quotient where w or u is 0)

    Source: You et al., "Large Batch Optimization for Deep Learning: Training BERT in 76 minutes", 2020.
    """
    m += (g - m) * (1.0 - beta_1)
    v += (g * g - v) * (1.0 - beta_2)
    u = m / (1.0 - beta_1**step)
    u /= np.sqrt(v / (1.0 - beta_2**step)) + epsilon
    length, other = float(np.linalg.norm(w)), float(np.linalg.norm(u))
    ratio = length / other if length > 0.0 and other > 0.0 else 1.0
    u *= learning_rate * ratio
    w -= u


def adafactor_step(
    w: Array,
    g: Array,
    v: Array,
    r: Array | None,
    c: Array | None,
    *,
    learning_rate: float,
    beta_2: float,
    epsilon_1: float,
    epsilon_2: float,
    clip_threshold: float,
) -> None:
    """Adafactor, for one weight in its own shape: of a matrix, the mean squares of rows and columns stand for all.

        s = g^2 + epsilon_1
        r <- beta_2 r + (1 - beta_2) mean of s over the columns,   c <- the same over the rows,   v = r c / mean(r)
        (a vector has no r and c: v <- beta_2 v + (1 - beta_2) s)
        u = g / sqrt(v),   w <- w - learning_rate max(epsilon_2, rms(w)) u / max(1, rms(u) / clip_threshold)

    where rms is the root of the mean square. Of more than two axes, the last two are rows and columns.

    Source: Shazeer and Stern, "Adafactor: Adaptive Learning Rates with Sublinear Memory Cost", 2018.
    """
    s = g * g
    s += epsilon_1
    if r is None or c is None:
        v *= beta_2
        v += (1.0 - beta_2) * s
    else:
        for mean, axis in ((r, -1), (c, -2)):
            mean *= beta_2
            mean += (1.0 - beta_2) * s.mean(axis=axis)
        np.multiply((r / r.mean(axis=-1, keepdims=True))[..., None], c[..., None, :], out=v)
    u = g / np.sqrt(v)
    size = learning_rate * max(epsilon_2, _rms(w))
    u *= size / max(1.0, _rms(u) / clip_threshold)
    w -= u


def _rms(x: Array) -> float:
    """The root of the mean square."""
    return math.sqrt(float(np.mean(np.square(x))))


def schedule_free_adamw_step(
    w: Array,
    g: Array,
    z: Array,
    v: Array,
    work: Array,
    *,
    learning_rate: float,
    beta_1: float,
    beta_2: float,
    epsilon: float,
    step: int,
) -> None:
    """Schedule-free Adam: z takes the steps, x is the mean of its path, and w, where gradients are taken, lies between.

        x = (w - (1 - beta_1) z) / beta_1
        v <- v + (1 - beta_2) (g^2 - v),   z <- z - learning_rate g / (sqrt(v / (1 - beta_2^step)) + epsilon)
        x <- x + (z - x) / step,   w <- (1 - beta_1) z + beta_1 x

    Source: Defazio et al., "The Road Less Scheduled", 2024.
    """
    w -= (1.0 - beta_1) * z
    w /= beta_1  # now x
    np.multiply(g, g, out=work)
    work -= v
    work *= 1.0 - beta_2
    v += work
    np.multiply(v, 1.0 / (1.0 - beta_2**step), out=work)
    np.sqrt(work, out=work)
    work += epsilon
    np.divide(g, work, out=work)
    work *= learning_rate
    z -= work
    _towards(w, z, 1.0 / step, work)
    w *= beta_1
    w += (1.0 - beta_1) * z
