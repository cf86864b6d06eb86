"""Layers that a network for tables begins with: from numbers and codes of categories to columns it can learn from."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from multilayer import initializers, layers
from multilayer._checks.arguments import listed
from multilayer._checks.scalars import real_number, whole_number
from multilayer._core.arena import Variable
from multilayer._core.tape import plain
from multilayer._names.custom_objects import register_keras_serializable
from multilayer.functional import Array
from multilayer.layers.base import Layer, Shape

_FAR = 1e18  # times the clip: nothing that is farther can be told from the clip, and the square of this is a float32


class OfColumns(Layer):
    """A layer of samples that are rows, (n, d)."""

    def check_input_shape(self, input_shape: Shape) -> None:
        if len(input_shape) != 2 or input_shape[-1] != self._columns():
            raise ValueError(
                f'Input 0 of layer "{self.name}" is incompatible with the layer: expected shape '
                f"(None, {self._columns()}), found shape={tuple(input_shape)}"
            )

    def _columns(self) -> int | None:
        raise NotImplementedError

    def _known(self, input_shape: Shape) -> int:
        if len(input_shape) != 2 or input_shape[-1] is None:
            raise ValueError(
                f"Layer '{self.name}' needs inputs of shape (n, d) with d known. Received: input_shape={input_shape}."
            )
        return input_shape[-1]


@register_keras_serializable("multilayer")
class RobustScaling(OfColumns):
    """Brings the middle of each column's values to 0, and what lies far from it near.

        z = (x - center) factor,   y = z / sqrt(1 + (z / clip)^2)

    So y is z near 0, and never beyond +-clip. `adapt` measures the center, the median, and the factor, 1 / (q75 - q25)
    of the quartiles; where these are equal 2 / (max - min), and where all values are equal 0.

    Args:
        clip: How far from 0 a value can be; None to leave z as it is.
        **kwargs: `name`, `trainable`, `dtype`, `input_shape` of a `Layer`.

    Input (n, d), output (n, d).

    Source: Holzmüller, Grinsztajn and Steinwart, "Better by Default", 2024.

    Raises:
        ValueError: `clip` is not above 0, or inputs are no rows.

    Example:
        >>> layer = RobustScaling()
        >>> layer.adapt(np.array([[0.0], [1.0], [2.0], [3.0], [4.0]]))
        >>> layer([[2.0], [4.0], [1e6]]).round(3)
        array([[0.   ],
               [0.949],
               [3.   ]], dtype=float32)
    """

    center: Variable
    factor: Variable

    def __init__(self, clip: float | None = 3.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.clip = None if clip is None else real_number("clip", clip, above=0)

    def build(self, input_shape: Shape) -> None:
        columns = (self._known(input_shape),)
        self.center = self.add_weight(columns, "zeros", trainable=False, name="center")
        self.factor = self.add_weight(columns, "ones", trainable=False, name="factor")

    def _columns(self) -> int | None:
        return self.center.shape[0]

    def adapt(self, x: Any) -> None:
        """Measures center and factor of training rows (n, d)."""
        x = np.asarray(x)
        self.ensure_built((None, *x.shape[1:]))
        q25, median, q75 = np.quantile(x, (0.25, 0.5, 0.75), axis=0)
        spread = q75 - q25
        spread = np.where(spread == 0, (x.max(axis=0) - x.min(axis=0)) / 2, spread)
        self.center.assign(median)
        self.factor.assign(np.divide(1.0, spread, out=np.zeros_like(spread), where=spread != 0))

    def call(self, x: Any, training: bool = False) -> Any:  # noqa: ARG002
        z = (x - self.center) * self.factor
        return z if self.clip is None else z / np.sqrt(1.0 + np.square(z / self.clip))

    def forward(self, x: Array, training: bool = False) -> Array:
        z: Array = np.subtract(x, self.center.value, out=self.scratch("z", x.shape) if training else None)
        z *= self.factor.value
        if training:
            self._z = z
        if self.clip is None:
            return z
        # The square of what is far from 0 may be no number any more, and what is far comes to the clip in any case.
        far = min(_FAR * self.clip, float(np.finfo(x.dtype).max))
        np.clip(z, -far, far, out=z)
        length = np.square(z / self.clip, out=self.scratch("y", x.shape) if training else None)
        length += 1.0
        return np.divide(z, np.sqrt(length, out=length), out=length)

    def backward(self, dy: Array) -> Array:
        dx = np.multiply(dy, self.factor.value, out=self.scratch("dx", dy.shape))
        if self.clip is not None:  # dy / dz = (1 + (z / clip)^2)^(-3/2)
            dx /= np.hypot(1.0, self._z / self.clip) ** 3
        return dx

    def write_onnx(self, op: Any, xs: Sequence[str], shapes: Sequence[Shape]) -> str:  # noqa: ARG002
        """The layer in ONNX's operators."""
        z: str = op("Mul", op("Sub", xs[0], self.center), self.factor)
        if self.clip is None:
            return z
        part = op("Div", z, self.clip)
        return str(op("Div", z, op("Sqrt", op("Add", op("Mul", part, part), 1.0))))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "clip": self.clip}


def _checked(cardinalities: Any) -> list[int]:
    return [whole_number("cardinalities", one, 0) for one in listed("cardinalities", cardinalities)]


@register_keras_serializable("multilayer")
class OneHotCodes(OfColumns):
    """Columns of codes as numbers: of a column with C categories C numbers, of which that of its code is 1.

    Code 0, and whatever is above C, is what nobody saw in training: all its numbers are 0. Of a column with two
    categories there is one number, +1 for the first, -1 for the second; and of one with a single one as well, +1 where
    it is there, -1 where it is not.

    Args:
        cardinalities: The number of categories C of each column, whose codes are 1 to C; 0 for one that is left out.
        **kwargs: `name`, `trainable`, `dtype`, `input_shape` of a `Layer`.

    Input (n, q) of whole numbers, output (n, m).

    Raises:
        ValueError: A cardinality is no whole number, or inputs have other columns.

    Example:
        >>> OneHotCodes([3, 2])([[3, 1], [0, 2], [1, 0]])
        array([[ 0.,  0.,  1.,  1.],
               [ 0.,  0.,  0., -1.],
               [ 1.,  0.,  0.,  0.]], dtype=float32)
    """

    _nothing_to_build = True

    def __init__(self, cardinalities: Sequence[int], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.cardinalities = _checked(cardinalities)

    def _columns(self) -> int | None:
        return len(self.cardinalities)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        self.check_input_shape(input_shape)
        return (input_shape[0], sum(map(_width, self.cardinalities)))

    def call(self, x: Any, training: bool = False) -> Any:  # noqa: ARG002 - a whole number has no slope
        return self.forward(np.asarray(plain(x)))

    def forward(self, x: Array, training: bool = False) -> Array:
        codes = _seen(x, self.cardinalities)
        shape = (len(codes), sum(map(_width, self.cardinalities)))
        y = self.scratch("y", shape) if training else np.empty(shape, self.dtype)
        y.fill(0.0)
        first = 0
        for column, cardinality in zip(codes.T, self.cardinalities, strict=True):
            if cardinality in _SIGNS:
                y[:, first] = _SIGNS[cardinality].astype(y.dtype)[column]
            else:
                rows = np.flatnonzero(column)
                y[rows, first + column[rows] - 1] = 1.0
            first += _width(cardinality)
        return y

    def backward(self, dy: Array) -> Array:
        return np.zeros((len(dy), len(self.cardinalities)), dy.dtype)

    def write_onnx(self, op: Any, xs: Sequence[str], shapes: Sequence[Shape]) -> str:  # noqa: ARG002
        """The layer in ONNX's operators."""
        parts = []
        for cardinality, codes in _written_codes(op, xs[0], self.cardinalities):
            if cardinality in _SIGNS:
                parts.append(op("Gather", _SIGNS[cardinality].astype(op.dtype), codes, axis=0))
                continue
            depth, off_on = np.asarray(cardinality + 1, np.int64), np.asarray([0, 1], op.dtype)
            rows = op("OneHot", op("Squeeze", codes, [-1]), depth, off_on, axis=-1)
            parts.append(op("Slice", rows, [1], [cardinality + 1], [1]))
        return str(op("Concat", *parts, axis=1))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "cardinalities": self.cardinalities}


_SIGNS = {1: np.array([-1.0, 1.0]), 2: np.array([0.0, 1.0, -1.0])}


def _width(cardinality: int) -> int:
    """How many numbers a column becomes."""
    return 1 if cardinality in _SIGNS else cardinality


def _seen(x: Array, cardinalities: Sequence[int]) -> Array:
    """The codes as whole numbers (n, q), 0 for those that stand for no category."""
    codes = x.astype(np.intp)
    codes[(codes < 0) | (codes > np.array(cardinalities, np.intp))] = 0
    return codes


def _written_codes(op: Any, x: str, cardinalities: Sequence[int]) -> list[tuple[int, str]]:
    """The same in ONNX's operators, column by column (n, 1), each with its cardinality; none that is left out."""
    whole, zero = op.cast(x, "int64"), np.asarray(0, np.int64)
    seen = op("And", op("GreaterOrEqual", whole, zero), op("LessOrEqual", whole, np.asarray(cardinalities, np.int64)))
    codes = op("Where", seen, whole, zero)
    return [(one, op("Slice", codes, [i], [i + 1], [1])) for i, one in enumerate(cardinalities) if one]


@register_keras_serializable("multilayer")
class CategoryEmbeddings(layers.Embedding):
    """Columns of codes as rows of learned tables, one table a column, side by side.

    Code 0, and whatever is above a column's number of categories, has a row of its own.

    Args:
        cardinalities: The number of categories C of each column, whose codes are 1 to C; 0 for one that is left out.
        size: Length of a row.
        embeddings_initializer: Where the tables start; N(0, 1) by default.
        **kwargs: `name`, `trainable`, `dtype`, `input_shape` of a `Layer`.

    Input (n, q) of whole numbers, output (n, q size).

    Raises:
        ValueError: A cardinality or `size` is no whole number, or inputs have other columns.

    Example:
        >>> layer = CategoryEmbeddings([20, 9], size=8)
        >>> layer([[3, 1], [0, 9]]).shape, layer.embeddings.shape
        ((2, 16), (31, 8))
    """

    def __init__(
        self, cardinalities: Sequence[int], size: int = 8, embeddings_initializer: Any = None, **kwargs: Any
    ) -> None:
        self.cardinalities = _checked(cardinalities)
        if embeddings_initializer is None:
            embeddings_initializer = initializers.RandomNormal(0.0, 1.0)
        self._own = [i for i, one in enumerate(self.cardinalities) if one]
        rows = [self.cardinalities[i] + 1 for i in self._own]
        super().__init__(sum(rows), size, embeddings_initializer, **kwargs)
        self._first = np.cumsum([0, *rows[:-1]])  # where in the one table those of the columns begin

    def check_input_shape(self, input_shape: Shape) -> None:
        if len(input_shape) != 2 or input_shape[-1] != len(self.cardinalities):
            raise ValueError(
                f'Input 0 of layer "{self.name}" is incompatible with the layer: expected shape '
                f"(None, {len(self.cardinalities)}), found shape={tuple(input_shape)}"
            )

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        self.check_input_shape(input_shape)
        return (input_shape[0], len(self._own) * self.output_dim)

    def _checked(self, x: Array) -> Array:
        """The rows of the one table that holds those of all columns, (n, q)."""
        rows: Array = _seen(x, self.cardinalities)[:, self._own] + self._first
        return rows

    def call(self, x: Any, training: bool = False) -> Any:
        return np.reshape(super().call(x, training), (-1, len(self._own) * self.output_dim))

    def forward(self, x: Array, training: bool = False) -> Array:
        y: Array = super().forward(x, training).reshape(len(x), -1)
        return y

    def backward(self, dy: Array) -> Array:
        super().backward(dy)
        dx = self.scratch("no slope", (len(dy), len(self.cardinalities)))
        dx.fill(0.0)
        return dx

    def write_onnx(self, op: Any, xs: Sequence[str], shapes: Sequence[Shape]) -> str:  # noqa: ARG002
        """The layer in ONNX's operators."""
        codes = op("Concat", *(one for _, one in _written_codes(op, xs[0], self.cardinalities)), axis=1)
        rows = op("Add", codes, self._first.astype(np.int64))
        return str(op("Reshape", op("Gather", self.embeddings, rows, axis=0), [0, -1]))

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        for name in ("input_dim", "output_dim", "embeddings_regularizer", "embeddings_constraint", "mask_zero"):
            del config[name]
        return {**config, "cardinalities": self.cardinalities, "size": self.output_dim}


@register_keras_serializable("multilayer")
class PeriodicEmbedding(OfColumns):
    """Each number as several: waves of learned frequencies, mixed, and the number itself (PBLD).

        h = cos(2 pi x w + b),   e = h V + c,   y = [e of all columns, x]

    Every column has frequencies w (k,), phases b (k,), mixing V (k, m) and offsets c (m,) of its own.

    Args:
        frequencies: Number of waves k a column.
        size: Number of mixtures m a column.
        sigma: Standard deviation of the frequencies at the start.
        **kwargs: `name`, `trainable`, `dtype`, `input_shape` of a `Layer`.

    Input (n, d), output (n, d m + d).

    Its backward pass, with de the gradient of e and a = 2 pi x w + b:

        dV = h^T de,   dc = sum of de,   da = -sin(a) (de V^T),   dw = 2 pi sum of x da,   db = sum of da

    and dx = 2 pi (sum over the waves of w da) + what comes to x itself.

    Source: Gorishniy, Rubachev and Babenko, "On Embeddings for Numerical Features in Tabular Deep Learning", 2022.

    Raises:
        ValueError: `frequencies` or `size` is no whole number of at least 1, or inputs are no rows.

    Example:
        >>> PeriodicEmbedding()(np.zeros((5, 2))).shape
        (5, 8)
    """

    def __init__(self, frequencies: int = 16, size: int = 3, sigma: float = 0.1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.frequencies = whole_number("frequencies", frequencies, 1)
        self.size = whole_number("size", size, 1)
        self.sigma = real_number("sigma", sigma, least=0)

    def build(self, input_shape: Shape) -> None:
        columns, k = self._known(input_shape), self.frequencies
        limit = 1.0 / math.sqrt(k)
        uniform = initializers.RandomUniform(-limit, limit)
        self.w = self.add_weight((columns, k), initializers.RandomNormal(0.0, self.sigma), name="frequencies")
        self.b = self.add_weight((columns, k), initializers.RandomUniform(-math.pi, math.pi), name="phases")
        self.mixing = self.add_weight((columns, k, self.size), uniform, name="mixing")
        self.offsets = self.add_weight((columns, self.size), uniform.clone(), name="offsets")

    def _columns(self) -> int | None:
        return self.w.shape[0]

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return (input_shape[0], self._known(input_shape) * (self.size + 1))

    def call(self, x: Any, training: bool = False) -> Any:  # noqa: ARG002
        a = np.expand_dims(x, -1) * (2.0 * math.pi * self.w) + self.b
        e = np.einsum("ndk,dkm->ndm", np.cos(a), self.mixing) + self.offsets
        return np.concatenate([np.reshape(e, (-1, self.w.shape[0] * self.size)), x], axis=1)

    def forward(self, x: Array, training: bool = False) -> Array:
        n, d = x.shape
        memory = self.scratch if training else self._new
        # A column's rows together, as its product with its own mixing wants them: (d, n, k).
        a, h = memory("a", (d, n, self.frequencies)), memory("h", (d, n, self.frequencies))
        np.multiply(x.T[:, :, None], (2.0 * math.pi * self.w.value)[:, None], out=a)
        a += self.b.value[:, None]
        np.cos(a, out=h)
        y = memory("y", (n, d * (self.size + 1)))
        e = self._mixtures(y)
        np.matmul(h, self.mixing.value, out=e.transpose(1, 0, 2))
        e += self.offsets.value
        y[:, d * self.size :] = x
        if training:
            self._x, self._a, self._h = x, a, h
        return y

    def _new(self, name: str, shape: tuple[int, ...]) -> Array:  # noqa: ARG002
        return np.empty(shape, self.dtype)

    def _mixtures(self, y: Array) -> Array:
        """The mixtures of all columns as (n, d, m), a view of what the layer gives, or of its gradient."""
        count = self.w.shape[0] * self.size
        return np.lib.stride_tricks.as_strided(
            y, (len(y), self.w.shape[0], self.size), (y.strides[0], self.size * y.strides[1], y.strides[1])
        ) if count else y[:, :0].reshape(len(y), 0, self.size)  # fmt: skip

    def backward(self, dy: Array) -> Array | None:
        de = self._mixtures(dy).transpose(1, 0, 2)  # (d, n, m)
        if self.mixing.gradient is not None:
            np.matmul(self._h.transpose(0, 2, 1), de, out=self.mixing.gradient)
            np.sum(de, axis=1, out=self.offsets.gradient)
        da = np.matmul(de, self.mixing.value.transpose(0, 2, 1), out=self._h)
        da *= np.sin(self._a, out=self._a)  # -da
        if self.w.gradient is not None and self.b.gradient is not None:
            np.sum(da, axis=1, out=self.b.gradient)
            np.negative(self.b.gradient, out=self.b.gradient)
            np.matmul(self._x.T[:, None], da, out=self.w.gradient[:, None])
            self.w.gradient *= -2.0 * math.pi
        if not self.needs_dx:
            return None
        dx = self.scratch("dx", self._x.shape)
        np.matmul(da, self.w.value[:, :, None], out=dx.T[:, :, None])
        dx *= -2.0 * math.pi
        dx += dy[:, self.w.shape[0] * self.size :]
        return dx

    def write_onnx(self, op: Any, xs: Sequence[str], shapes: Sequence[Shape]) -> str:  # noqa: ARG002
        """The layer in ONNX's operators."""
        wide = op("Mul", op("Unsqueeze", xs[0], [2]), (2.0 * math.pi * self.w.value).astype(op.dtype))
        h = op("Cos", op("Add", wide, self.b))
        e = op("Add", op("Einsum", h, self.mixing, equation="ndk,dkm->ndm"), self.offsets)
        return str(op("Concat", op("Reshape", e, [0, self.w.shape[0] * self.size]), xs[0], axis=1))

    def get_config(self) -> dict[str, Any]:
        own = {"frequencies": self.frequencies, "size": self.size, "sigma": self.sigma}
        return {**super().get_config(), **own}
