"""A two-layer perceptron for handwritten digits in plain functions, on `functional` alone.

The network is y_hat = softmax(sigmoid(X W1 + b1) W2 + b2), trained by gradient descent on the cross-entropy. Its four
parameters are four arrays, and every step of training is a line that can be read.

A reader who compares this with the many versions of this program in circulation will find these points settled:

- the update of W1 subtracts `learning_rate * dW1`, the gradient, and not a share of W1 itself; likewise for W2;
- the gradient of a bias sums the gradient that arrives behind its own affine layer: `db1` sums `da1`, not `dz1`;
- `train_step` learns from the labels it is given, and never from a global;
- an accuracy compares predictions with the labels of the same samples;
- `sigmoid`, `cross_entropy_error` and the one-hot encoding are defined (in `functional`), and safe for large inputs;
- `learning_rate` is passed on, and metrics are taken once an epoch whatever the batch size, counted in whole steps.
"""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from multilayer.functional import (
    Array,
    affine_layer_backward,
    affine_layer_forward,
    cross_entropy_error,
    one_hot,
    sigmoid,
    sigmoid_grad,
    softmax,
)

Parameters: TypeAlias = tuple[Array, Array, Array, Array]


def init_params(
    input_size: int,
    hidden_size: int,
    output_size: int,
    weight_init_std: float = 0.01,
    rng: np.random.Generator | None = None,
) -> Parameters:
    """The start of training: weights drawn from N(0, weight_init_std^2), biases zero.

    Args:
        input_size: Numbers a sample, d; 784 for an MNIST image.
        hidden_size: Hidden units h.
        output_size: Classes k.
        weight_init_std: Standard deviation of the weights.
        rng: Where the numbers come from; by default a new generator with fresh entropy.

    Returns:
        W1 (d, h), b1 (h,), W2 (h, k), b2 (k,).

    Example:
        >>> [p.shape for p in init_params(784, 50, 10)]
        [(784, 50), (50,), (50, 10), (10,)]
    """
    rng = rng or np.random.default_rng()
    W1 = weight_init_std * rng.standard_normal((input_size, hidden_size))
    b1 = np.zeros(hidden_size)
    W2 = weight_init_std * rng.standard_normal((hidden_size, output_size))
    b2 = np.zeros(output_size)
    return W1, b1, W2, b2


def update_params(
    W1: Array,
    b1: Array,
    W2: Array,
    b2: Array,
    dW1: Array,
    db1: Array,
    dW2: Array,
    db2: Array,
    learning_rate: float,
) -> Parameters:
    """Gradient descent: each parameter less learning_rate times its gradient."""
    W1 = W1 - learning_rate * dW1
    b1 = b1 - learning_rate * db1
    W2 = W2 - learning_rate * dW2
    b2 = b2 - learning_rate * db2
    return W1, b1, W2, b2


def train_step(
    X: ArrayLike,
    Y: ArrayLike,
    W1: Array,
    b1: Array,
    W2: Array,
    b2: Array,
    learning_rate: float = 0.1,
    verbose: bool = False,
) -> tuple[Array, Array, Array, Array, float]:
    """One step of gradient descent on one batch.

    Args:
        X: Inputs, shape (n, d).
        Y: Labels, whole numbers, shape (n,).
        W1: First layer's weights, shape (d, h).
        b1: First layer's biases, shape (h,).
        W2: Second layer's weights, shape (h, k).
        b2: Second layer's biases, shape (k,).
        learning_rate: Size of the step.
        verbose: Whether to print prediction, target and loss.

    Returns:
        The new W1, b1, W2, b2, and the loss before the step.
    """
    # Forward propagation
    a1, cache1 = affine_layer_forward(X, W1, b1)  # (n, h)
    z1 = sigmoid(a1)  # (n, h)
    a2, cache2 = affine_layer_forward(z1, W2, b2)  # (n, k)

    # Prediction and loss
    y_hat = softmax(a2)  # (n, k)
    t = one_hot(Y, y_hat.shape[1])  # (n, k)
    loss = cross_entropy_error(y_hat, t)
    if verbose:
        print("---------")
        print(y_hat)
        print(t)
        print("Loss: ", loss)

    # Backpropagation
    dy = (y_hat - t) / len(y_hat)  # (n, k)
    dz1, dW2, db2 = affine_layer_backward(dy, cache2)
    da1 = sigmoid_grad(a1) * dz1  # (n, h)
    _, dW1, db1 = affine_layer_backward(da1, cache1)

    # Gradient descent
    return *update_params(W1, b1, W2, b2, dW1, db1, dW2, db2, learning_rate), loss


def predict(W1: Array, b1: Array, W2: Array, b2: Array, X: ArrayLike) -> Array:
    """The probability of each class, shape (n, k), for inputs X (n, d)."""
    a1, _ = affine_layer_forward(X, W1, b1)
    a2, _ = affine_layer_forward(sigmoid(a1), W2, b2)
    return softmax(a2)


def accuracy(W1: Array, b1: Array, W2: Array, b2: Array, x: ArrayLike, y: ArrayLike) -> float:
    """The share of the samples x (n, d) whose most probable class is their label y (n,)."""
    y_hat = np.argmax(predict(W1, b1, W2, b2, x), axis=1)
    return float(np.mean(y_hat == np.asarray(y)))


class TrainingRecord(NamedTuple):
    """What `train` returns: the parameters it ends with, and how it got there."""

    params: Parameters
    train_loss_list: list[float]
    train_acc_list: list[float]
    test_acc_list: list[float]


def train(
    x_train: ArrayLike,
    y_train: ArrayLike,
    x_test: ArrayLike,
    y_test: ArrayLike,
    hidden_size: int = 50,
    iters_num: int = 50_000,
    batch_size: int = 100,
    learning_rate: float = 0.1,
    weight_init_std: float = 0.01,
    seed: int | None = None,
    verbose: bool = True,
) -> TrainingRecord:
    """The whole training loop: random batches, a loss each step, both accuracies once an epoch.

    Args:
        x_train: Training inputs, shape (n, d), best between 0 and 1.
        y_train: Their labels, whole numbers from 0, shape (n,).
        x_test: Test inputs, shape (m, d).
        y_test: Their labels, shape (m,).
        hidden_size: Hidden units.
        iters_num: Steps.
        batch_size: Samples a step, drawn with replacement.
        learning_rate: Size of a step.
        weight_init_std: Standard deviation of the first weights.
        seed: Makes the run repeatable.
        verbose: Whether to print the metrics of every epoch.

    Returns:
        The parameters; the loss of every step; the accuracies on training and test data at the first step of every
        epoch.

    Raises:
        ValueError: A length or a size does not fit.

    Example:
        >>> x, y = np.eye(4), np.arange(4)
        >>> record = train(x, y, x, y, iters_num=40, batch_size=4, seed=0, verbose=False)
        >>> len(record.train_loss_list), len(record.test_acc_list)
        (40, 40)
    """
    x_train, y_train = np.asarray(x_train), np.asarray(y_train)
    if len(x_train) != len(y_train) or len(x_train) == 0:
        raise ValueError(f"x_train and y_train need one label a sample; got {len(x_train)} and {len(y_train)}.")
    if batch_size < 1 or iters_num < 0:
        raise ValueError(f"batch_size must be at least 1 and iters_num at least 0; got {batch_size} and {iters_num}.")
    rng = np.random.default_rng(seed)
    train_size = len(x_train)
    iter_per_epoch = max(train_size // batch_size, 1)
    params = init_params(x_train.shape[1], hidden_size, int(y_train.max()) + 1, weight_init_std, rng)
    record = TrainingRecord(params, [], [], [])
    for i in range(iters_num):
        batch_mask = rng.choice(train_size, batch_size)
        *stepped, loss = train_step(x_train[batch_mask], y_train[batch_mask], *params, learning_rate=learning_rate)
        params = (stepped[0], stepped[1], stepped[2], stepped[3])
        record.train_loss_list.append(loss)
        if i % iter_per_epoch == 0:
            record.train_acc_list.append(accuracy(*params, x_train, y_train))
            record.test_acc_list.append(accuracy(*params, x_test, y_test))
            if verbose:
                print(f"Loss: {loss:.4f}")
                print(f"train acc, test acc | {record.train_acc_list[-1]:.4f}, {record.test_acc_list[-1]:.4f}")
    return record._replace(params=params)
