"""What is trained and asked: the networks, their data and their first weights, the same for every engine."""

from __future__ import annotations

import dataclasses
import math
from itertools import pairwise
from typing import Any

import numpy as np

from multilayer.functional import Array

LEARNING_RATES = {"sgd": 0.1, "adam": 0.001}


@dataclasses.dataclass(frozen=True)
class Workload:
    """A classifier of fully connected layers that ends in softmax, and how it is trained.

    Attributes:
        sizes: Units of the input, of every hidden layer and of the output.
        activation: Of the hidden layers: "sigmoid" or "relu".
        optimizer: "sgd" or "adam", with the learning rate of `LEARNING_RATES`.
        batch: Samples in a step.
        rows: Samples in an epoch; a multiple of `batch`, so that every step of every engine is the same.

    Example:
        >>> workload = Workload((784, 50, 10), "sigmoid", "sgd", batch=100, rows=60_000)
        >>> workload.steps, workload.parameters
        (600, 39760)
        >>> print(workload)
        784-50-10, sigmoid, SGD, batch 100
    """

    sizes: tuple[int, ...]
    activation: str
    optimizer: str
    batch: int
    rows: int

    def __post_init__(self) -> None:
        if self.batch < 1 or self.rows < self.batch or self.rows % self.batch:
            raise ValueError(f"`rows` must be a multiple of `batch`; got rows={self.rows} and batch={self.batch}.")

    def __str__(self) -> str:
        optimizer = {"sgd": "SGD", "adam": "Adam"}[self.optimizer]
        return f"{'-'.join(map(str, self.sizes))}, {self.activation}, {optimizer}, batch {self.batch}"

    @property
    def steps(self) -> int:
        """Steps in an epoch."""
        return self.rows // self.batch

    @property
    def parameters(self) -> int:
        """Weights and biases."""
        return sum(d * h + h for d, h in pairwise(self.sizes))

    @property
    def learning_rate(self) -> float:
        """Size of a step."""
        return LEARNING_RATES[self.optimizer]

    def data(self) -> tuple[Array, Array]:
        """MNIST-like samples: x (rows, d) float32 from 0 to 1, and labels y (rows,) int64 that can be learned from it.

        As in MNIST a fifth of the pixels are inked, and some never are.
        """
        rng = np.random.default_rng(0)
        d, k = self.sizes[0], self.sizes[-1]
        x = rng.random((self.rows, d), dtype=np.float32)
        # A quarter of the numbers stays above 0, stretched back to [0, 1); 15 % of the pixels are never inked.
        x -= 0.75
        x *= 4.0 * (rng.random(d) < 0.85).astype(np.float32)
        np.maximum(x, 0.0, out=x)
        y = np.argmax((x - x.mean(axis=0)) @ rng.standard_normal((d, k), dtype=np.float32), axis=1)
        return x, y

    def weights(self) -> list[Array]:
        """W and b of every layer in turn, float32: W from Glorot's uniform distribution, b zero."""
        rng = np.random.default_rng(1)
        weights: list[Array] = []
        for d, h in pairwise(self.sizes):
            limit = math.sqrt(6.0 / (d + h))
            weights += [rng.uniform(-limit, limit, (d, h)).astype(np.float32), np.zeros(h, np.float32)]
        return weights

    def scaled(self, divisor: int) -> Workload:
        """The same network with about a `divisor`-th of the rows, for a quick look.

        Example:
            >>> Workload((784, 50, 10), "sigmoid", "sgd", batch=100, rows=60_000).scaled(50).rows
            1200
        """
        return dataclasses.replace(self, rows=max(self.steps // divisor, 2) * self.batch)

    def as_json(self) -> dict[str, Any]:
        """The attributes, as JSON takes them."""
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls, fields: dict[str, Any]) -> Workload:
        """The network that `as_json` described."""
        return cls(**{**fields, "sizes": tuple(fields["sizes"])})


TUTORIAL = Workload((784, 50, 10), "sigmoid", "sgd", batch=100, rows=60_000)
SMALL = Workload((784, 50, 10), "sigmoid", "adam", batch=32, rows=60_000)
MIDDLE = Workload((784, 512, 512, 10), "relu", "adam", batch=128, rows=19_968)
LARGE = Workload((784, 2500, 2000, 1500, 1000, 500, 10), "relu", "adam", batch=128, rows=5_120)
