"""A step as scikit-learn takes it, by the library's own trainer."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from multilayer._core import kernels
from multilayer._core.arena import Scratch, Variable
from multilayer._training.heads import Head
from multilayer._training.trainer import Arrays, Trainer, Weights
from multilayer.optimizers import Optimizer


class PenalizedTrainer(Trainer):
    """A trainer whose batches are means by the samples' weights, with a penalty that is shared out among them.

    The loss of a batch is (sum of w_i loss_i + alpha / 2 |W|^2) / sum of w_i: a batch of fewer samples, such as an
    epoch's last one, has the same penalty for fewer samples. No regularizer of a layer knows the batch, so it is added
    here; and the model's file says nothing of it, as it is none of the network.

    Args:
        optimizer: The optimizer.
        head: The loss.
        penalized: The weights that are penalized: no biases.
        alpha: The penalty's factor.
    """

    def __init__(self, optimizer: Optimizer, head: Head, penalized: Sequence[Variable], alpha: float) -> None:
        super().__init__(optimizer, [head])
        self.alpha = alpha
        self._weights_penalized = list(penalized)
        self._scratch = Scratch()

    def gradients(self, xs: Arrays, ys: Weights, sample_weights: Weights) -> float:
        rows: float = len(xs[0])
        (weight,) = sample_weights
        total = rows
        if weight is not None:
            total = float(weight.sum())
            # The losses divide by the number of samples. Where nobody weighs anything there is nothing to learn.
            sample_weights = [weight * (rows / total) if total else weight]
        loss = super().gradients(xs, ys, sample_weights)
        if not self.alpha or not total:
            return loss
        penalty = self._penalize(self.alpha / total)
        self.loss_tracker.total += penalty * rows
        return loss + penalty

    def _penalize(self, factor: float) -> float:
        """Adds the penalty's gradient to those in the arena, and gives the penalty."""
        squares = 0.0
        for kernel in self._weights_penalized:
            W, dW = kernel.value.reshape(-1), kernel.gradient.reshape(-1)  # type: ignore[union-attr] # they are trained
            # Not `vdot`: the BLAS library wakes threads for it, which then wait in a loop, in the way of products.
            squares += float(np.einsum("i,i->", W, W))
            # dW <- dW + factor W is a step of gradient descent, the signs turned: in one pass, where NumPy takes two.
            kernels.sgd_step(dW, W, self._scratch("work", W.shape, W.dtype), learning_rate=-factor)
        return 0.5 * factor * squares
