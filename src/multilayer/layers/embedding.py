"""Rows of a table for whole numbers."""

from __future__ import annotations

from typing import Any

import numpy as np

from multilayer import constraints, initializers, regularizers
from multilayer._checks.scalars import whole_number
from multilayer._core.tape import plain
from multilayer._names import registry
from multilayer.functional import Array
from multilayer.layers.base import Layer, Shape


@registry.register("layer")
class Embedding(Layer):
    """Each whole number as a row of a learned table: y[i] = E[x[i]].

        dE[j] = sum of dy[i] over all i with x[i] = j

    Args:
        input_dim: Number of rows: whole numbers from 0 to input_dim - 1.
        output_dim: Length of a row.
        embeddings_initializer: Where the table starts.
        embeddings_regularizer: The penalty on the table.
        embeddings_constraint: What the table must fulfil after every step.
        mask_zero: Whether 0 stands for padding, which `GlobalAveragePooling1D` leaves out.
        weights: The table, as an array or a list of one.
        **kwargs: `name`, `trainable`, `dtype`, `input_shape` of a `Layer`.

    Input (n, ...) of whole numbers, output (n, ..., output_dim).

    Raises:
        ValueError: A size is no whole number of at least 1, or a number of the input is out of range.

    Example:
        >>> Embedding(10, 4)([[1, 2, 3]]).shape
        (1, 3, 4)
    """

    def __init__(
        self,
        input_dim: int,
        output_dim: int,
        embeddings_initializer: Any = "uniform",
        embeddings_regularizer: Any = None,
        embeddings_constraint: Any = None,
        mask_zero: bool = False,
        weights: Any = None,
        **kwargs: Any,
    ) -> None:
        for name in ("lora_rank", "lora_alpha", "quantization_config"):
            if kwargs.pop(name, None) is not None:
                raise ValueError(f"`{name}` is out of scope here: weights are trained whole, in float32 or float64.")
        kwargs.pop("input_length", None)  # of older programs
        super().__init__(**kwargs)
        self.input_dim = whole_number("input_dim", input_dim, 1)
        self.output_dim = whole_number("output_dim", output_dim, 1)
        self.embeddings_initializer = initializers.get(embeddings_initializer)
        self.embeddings_regularizer = regularizers.get(embeddings_regularizer)
        self.embeddings_constraint = constraints.get(embeddings_constraint)
        self.mask_zero = self.gives_mask = bool(mask_zero)
        if weights is not None:
            self.build((None,))
            self.set_weights(weights if isinstance(weights, (list, tuple)) else [weights])

    def build(self, input_shape: Shape | None = None) -> None:  # noqa: ARG002 - any shape will do
        if self.built:
            return
        self.embeddings = self.add_weight(
            (self.input_dim, self.output_dim),
            self.embeddings_initializer,
            name="embeddings",
            regularizer=self.embeddings_regularizer,
            constraint=self.embeddings_constraint,
        )

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return (*input_shape, self.output_dim)

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:  # noqa: ARG002 - as Keras has it
        return np.not_equal(plain(inputs), 0) if self.mask_zero else None

    def call(self, x: Any, training: bool = False) -> Any:  # noqa: ARG002
        return np.take(self.embeddings, self._checked(np.asarray(plain(x))), axis=0)

    def _checked(self, x: Array) -> Array:
        """The numbers of rows (n, ...); raises ValueError where there is no such row."""
        rows = x.astype(np.intp)
        if rows.size and (rows.min() < 0 or rows.max() >= self.input_dim):
            wrong = rows.min() if rows.min() < 0 else rows.max()
            raise ValueError(
                f"Layer '{self.name}' has rows for whole numbers from 0 to {self.input_dim - 1}; received {wrong}."
            )
        return rows

    def forward(self, x: Array, training: bool = False) -> Array:
        rows = self._checked(x)
        if not training:
            return self.embeddings.value[rows]
        self._rows = rows
        out = self.scratch("y", (*rows.shape, self.output_dim))
        return np.take(self.embeddings.value, rows, axis=0, out=out, mode="clip")

    def backward(self, dy: Array) -> Array:
        if self.embeddings.gradient is not None:
            # Equal numbers side by side, so that each row of the table is one sum.
            order = np.argsort(self._rows, axis=None, kind="stable")
            rows = self._rows.reshape(-1)[order]
            starts = np.flatnonzero(np.r_[True, rows[1:] != rows[:-1]])
            self.embeddings.gradient.fill(0.0)
            sums = np.add.reduceat(dy.reshape(-1, self.output_dim)[order], starts, axis=0)  # (rows in use, output_dim)
            self.embeddings.gradient[rows[starts]] = sums
        dx = self.scratch("dx", self._rows.shape)
        dx.fill(0.0)  # a whole number has no slope
        return dx

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "input_dim": self.input_dim,
            "output_dim": self.output_dim,
            "embeddings_initializer": initializers.serialize(self.embeddings_initializer),
            "embeddings_regularizer": regularizers.serialize(self.embeddings_regularizer),
            "embeddings_constraint": constraints.serialize(self.embeddings_constraint),
            "mask_zero": self.mask_zero,
        }
