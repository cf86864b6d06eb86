"""Layers that change a sample's shape and nothing else."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from multilayer._checks.arguments import listed
from multilayer._checks.scalars import is_whole, whole_number
from multilayer._language import tr
from multilayer._names import registry
from multilayer.functional import Array
from multilayer.layers.base import Layer, Shape, require_ndim


@registry.register("layer")
class Flatten(Layer):
    """Makes each sample one row: (n, 28, 28) becomes (n, 784).

    Args:
        data_format: Accepted as Keras does; None or 'channels_last', which is the order in which the numbers lie.
        **kwargs: `name`, `trainable`, `dtype`, `input_shape` of a `Layer`.

    Raises:
        ValueError: `data_format` is another.

    Example:
        >>> import numpy as np
        >>> Flatten()(np.zeros((32, 28, 28))).shape
        (32, 784)
    """

    keeps_mask = False

    def __init__(self, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if data_format not in (None, "channels_last"):
            raise ValueError(
                tr(
                    "`data_format` must be None or 'channels_last': numbers stay in the order in which they "
                    "lie. Received: data_format={data_format!r}. Where channels come first, move them: "
                    "`numpy.moveaxis(x, 1, -1)`.",
                    data_format=data_format,
                )
            )

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        sides = input_shape[1:]
        if None in sides:
            return (input_shape[0], None)
        return (input_shape[0], math.prod(side for side in sides if side is not None))

    def call(self, x: Any, training: bool = False) -> Any:  # noqa: ARG002
        return x.reshape(len(x), math.prod(x.shape[1:]))

    def forward(self, x: Array, training: bool = False) -> Array:
        if training:
            self._shape = x.shape
        return x.reshape(len(x), math.prod(x.shape[1:]))

    def backward(self, dy: Array) -> Array:
        return dy.reshape(self._shape)


@registry.register("layer")
class Reshape(Layer):
    """Gives each sample another shape with as many numbers; one side may be -1, for what is left.

    Args:
        target_shape: The new shape of a sample.
        **kwargs: `name`, `trainable`, `dtype`, `input_shape` of a `Layer`.

    Raises:
        ValueError: The numbers do not fit.

    Example:
        >>> import numpy as np
        >>> Reshape((2, -1))(np.zeros((32, 6))).shape
        (32, 2, 3)
    """

    keeps_mask = False

    def __init__(self, target_shape: Sequence[int], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.target_shape = tuple(
            int(side) if is_whole(side) else side for side in listed("target_shape", target_shape)
        )
        if len(self.target_shape) > 31 or not all(is_whole(side, -1) and side < 2**63 for side in self.target_shape):
            raise ValueError(
                tr(
                    "`target_shape` has up to 31 sides, each a non-negative integer or -1. Received: "
                    "target_shape={target_shape}.",
                    target_shape=str(self.target_shape)[:200],
                )
            )
        self.target_shape = tuple(map(int, self.target_shape))
        if sum(side == -1 for side in self.target_shape) > 1:
            raise ValueError(
                tr(
                    "There must be at most one unknown dimension (-1) in target_shape. Received: "
                    "target_shape={target_shape}.",
                    target_shape=self.target_shape,
                )
            )

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        sides = input_shape[1:]
        if None in sides:
            return (input_shape[0], *(None if side == -1 else side for side in self.target_shape))
        size, known = math.prod(s for s in sides if s), math.prod(s for s in self.target_shape if s != -1)
        if (size != known and -1 not in self.target_shape) or (known and size % known):
            raise ValueError(
                tr(
                    "The total size of the tensor must be unchanged. Received: input_shape={sides}, "
                    "target_shape={target_shape}",
                    sides=sides,
                    target_shape=self.target_shape,
                )
            )
        return (input_shape[0], *(size // known if side == -1 else side for side in self.target_shape))

    def check_input_shape(self, input_shape: Shape) -> None:
        self.compute_output_shape(input_shape)

    def call(self, x: Any, training: bool = False) -> Any:  # noqa: ARG002
        return x.reshape(len(x), *self.target_shape)

    def forward(self, x: Array, training: bool = False) -> Array:
        if training:
            self._shape = x.shape
        return x.reshape(len(x), *self.target_shape)

    def backward(self, dy: Array) -> Array:
        return dy.reshape(self._shape)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "target_shape": self.target_shape}


@registry.register("layer")
class Permute(Layer):
    """Puts the axes of each sample into another order: with (2, 1), (n, 3, 5) becomes (n, 5, 3).

    Args:
        dims: The axes in their new order, counted from 1; the batch, 0, stays where it is.
        **kwargs: `name`, `trainable`, `dtype`, `input_shape` of a `Layer`.

    Raises:
        ValueError: `dims` is not every number from 1 on once, or inputs have another number of axes.

    Example:
        >>> Permute((2, 1))([[[1.0, 2.0], [3.0, 4.0]]])
        array([[[1., 3.],
                [2., 4.]]], dtype=float32)
    """

    keeps_mask = False

    def __init__(self, dims: Sequence[int], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.dims = tuple(listed("dims", dims))
        if not all(map(is_whole, self.dims)) or sorted(self.dims) != list(range(1, len(self.dims) + 1)):
            raise ValueError(
                tr(
                    "Invalid permutation argument `dims` for Permute Layer. The set of indices in `dims` must "
                    "be consecutive and start from 1. Received dims={dims}",
                    dims=str(dims)[:200],
                )
            )
        self.dims = tuple(map(int, self.dims))

    def check_input_shape(self, input_shape: Shape) -> None:
        require_ndim(self, len(self.dims) + 1, input_shape)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        self.check_input_shape(input_shape)
        return (input_shape[0], *(input_shape[axis] for axis in self.dims))

    def call(self, x: Any, training: bool = False) -> Any:  # noqa: ARG002
        return np.transpose(x, (0, *self.dims))

    def forward(self, x: Array, training: bool = False) -> Array:
        turned: Array = x.transpose(0, *self.dims)
        if not training:
            return turned
        y = self.scratch("y", turned.shape)
        np.copyto(y, turned)  # in one piece, as products want it
        return y

    def backward(self, dy: Array) -> Array:
        back = dy.transpose(0, *(1 + self.dims.index(axis) for axis in range(1, len(self.dims) + 1)))
        dx = self.scratch("dx", back.shape)
        np.copyto(dx, back)
        return dx

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "dims": self.dims}


@registry.register("layer")
class RepeatVector(Layer):
    """Gives each sample, a row, so many times: (n, k) becomes (n, times, k).

    The gradient of the row is the sum of those of its copies.

    Args:
        n: How many times.
        **kwargs: `name`, `trainable`, `dtype`, `input_shape` of a `Layer`.

    Raises:
        ValueError: `n` is no whole number of at least 1, or inputs are no rows.

    Example:
        >>> RepeatVector(2)([[1.0, 2.0]])
        array([[[1., 2.],
                [1., 2.]]], dtype=float32)
    """

    keeps_mask = False

    def __init__(self, n: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.n = whole_number("n", n, 1)

    def check_input_shape(self, input_shape: Shape) -> None:
        require_ndim(self, 2, input_shape)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        self.check_input_shape(input_shape)
        return (input_shape[0], self.n, input_shape[1])

    def call(self, x: Any, training: bool = False) -> Any:  # noqa: ARG002
        return np.repeat(x[:, None], self.n, axis=1)

    def forward(self, x: Array, training: bool = False) -> Array:
        if not training:
            return np.repeat(x[:, None], self.n, axis=1)
        y = self.scratch("y", (len(x), self.n, x.shape[1]))
        np.copyto(y, x[:, None])
        return y

    def backward(self, dy: Array) -> Array:
        dx = self.scratch("dx", (len(dy), dy.shape[2]))
        np.sum(dy, axis=1, out=dx)
        return dx

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "n": self.n}


@registry.register("layer")
class Identity(Layer):
    """Passes its input on as it is.

    Example:
        >>> Identity()([[1.0, 2.0]])
        array([[1., 2.]], dtype=float32)
    """

    _nothing_to_build = True

    def call(self, x: Any, training: bool = False) -> Any:  # noqa: ARG002
        return x

    def forward(self, x: Array, training: bool = False) -> Array:  # noqa: ARG002 - the same in training
        return x

    def backward(self, dy: Array) -> Array:
        return dy
