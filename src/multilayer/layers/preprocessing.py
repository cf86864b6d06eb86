"""Layers that prepare data inside the model, so that it takes raw input wherever it is used."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from multilayer._checks.scalars import is_whole
from multilayer._checks.sparse import SparseRows, sparse_of
from multilayer._checks.tables import as_array, is_table
from multilayer._core import kernels
from multilayer._core.arena import Variable
from multilayer._core.tape import plain
from multilayer._names import registry
from multilayer.config import epsilon
from multilayer.functional import Array
from multilayer.layers.base import Layer, Shape
from multilayer.layers.symbolic import is_symbolic


@registry.register("layer")
class Rescaling(Layer):
    """Scales and shifts its input: y = x scale + offset.

    `Rescaling(1 / 255)` takes pixels from [0, 255] to [0, 1].

    Args:
        scale: Factor, or a list with one for each feature.
        offset: Added after scaling, or a list.
        **kwargs: `name`, `trainable`, `dtype`, `input_shape` of a `Layer`.

    Example:
        >>> Rescaling(1 / 127.5, offset=-1)(np.array([[0, 255]], dtype="uint8"))
        array([[-1.,  1.]], dtype=float32)
    """

    def __init__(self, scale: Any, offset: Any = 0.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.scale = _number_or_list("scale", scale)
        self.offset = _number_or_list("offset", offset)

    def call(self, x: Any, training: bool = False) -> Any:  # noqa: ARG002
        return x * np.asarray(self.scale, x.dtype) + np.asarray(self.offset, x.dtype)

    def forward(self, x: Array, training: bool = False) -> Array:
        out = self.scratch("y", x.shape) if training else None
        if isinstance(self.scale, float) and isinstance(self.offset, float):
            return kernels.rescale(x, self.scale, self.offset, out)
        y: Array = np.multiply(x, np.asarray(self.scale, x.dtype), out=out)
        y += np.asarray(self.offset, x.dtype)
        return y

    def backward(self, dy: Array) -> Array:
        dx: Array = np.multiply(dy, np.asarray(self.scale, dy.dtype), out=self.scratch("dx", dy.shape))
        return dx

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "scale": self.scale, "offset": self.offset}


def _number_or_list(name: str, value: Any) -> Any:
    array = np.asarray(value)
    if array.dtype.kind not in "fiub" or np.isnan(array).any():  # None would be NaN, and so would every output
        raise ValueError(f"`{name}` must be a number or a list of numbers. Received: {name}={str(value)[:200]}")
    return array.astype(float).tolist()


@registry.register("layer")
class Normalization(Layer):
    """Brings features to mean 0 and variance 1: y = (x - mean) / sqrt(variance), of numbers given or measured.

    Args:
        axis: The axis, or axes, whose entries have a mean of their own; None for one mean of all.
        mean: The mean; None to measure it with `adapt`.
        variance: The variance; None to measure it with `adapt`.
        invert: Whether to go the other way: y = x sqrt(variance) + mean.
        **kwargs: `name`, `trainable`, `dtype`, `input_shape` of a `Layer`.

    Raises:
        ValueError: Only one of mean and variance is given, or inputs do not fit.

    Example:
        >>> layer = Normalization()
        >>> layer.adapt(np.array([[0.0], [2.0]]))
        >>> layer([[0.0], [4.0]])
        array([[-1.],
               [ 3.]], dtype=float32)
        >>> layer.mean.numpy()
        array([[1.]], dtype=float32)
    """

    def __init__(
        self,
        axis: int | Sequence[int] | None = -1,
        mean: Any = None,
        variance: Any = None,
        invert: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if (mean is None) != (variance is None):
            raise ValueError(
                f"When setting values directly, both `mean` and `variance` must be set. Received: mean={mean} and "
                f"variance={variance}"
            )
        axes: list[Any] = [] if axis is None else list(axis) if isinstance(axis, (list, tuple)) else [axis]
        if not all(map(is_whole, axes)):
            raise ValueError(f"`axis` must be None, a whole number or a list of them. Received: axis={axis!r}")
        self.axis = tuple(int(one) for one in axes)
        if np.shape(mean) != np.shape(variance):
            raise ValueError(
                "When setting values directly, `mean` and `variance` must have the same shape. Received: mean shape "
                f"{np.shape(mean)} and variance shape {np.shape(variance)}"
            )
        if mean is not None and np.ndim(mean) > len(self.axis):
            raise ValueError(
                f"The rank of `mean` must be less than or equal to the number of axes ({len(self.axis)}). Received: "
                f"mean shape {np.shape(mean)} for axis {self.axis}"
            )
        self._given = None if mean is None else (_number_or_list("mean", mean), _number_or_list("variance", variance))
        self.invert = bool(invert)

    def build(self, input_shape: Shape) -> None:
        ndim = len(input_shape)
        if any(not -ndim <= axis < ndim for axis in self.axis):
            raise ValueError(
                "All `axis` values must be in the range [-ndim, ndim). Received inputs with "
                f"ndim={ndim}, while axis={self.axis}"
            )
        kept = sorted(axis % ndim for axis in self.axis)
        shape = tuple(input_shape[axis] for axis in kept)
        if None in shape:
            raise ValueError(
                f"All `axis` values to be kept must have a known shape. Received axis={self.axis}, "
                f"inputs.shape={input_shape}"
            )
        self._reduced = tuple(axis for axis in range(ndim) if axis not in kept)
        self._broadcast = tuple(1 if axis in self._reduced else input_shape[axis] for axis in range(ndim))
        if self._given is None:
            self.adapt_mean = self.add_weight(shape, "zeros", trainable=False, name="mean")
            self.adapt_variance = self.add_weight(shape, "ones", trainable=False, name="variance")
            self.count = self.add_weight((), "zeros", trainable=False, name="count")

    def adapt(self, data: Any) -> None:
        """Measures mean and variance.

        Args:
            data: An array, a frame, a sparse matrix, or an iterable of batches, which are gone through one by one.

        Raises:
            ValueError: There is no data, mean and variance were given, or shapes differ.
        """
        if self._given is not None:
            raise ValueError(
                "Cannot `adapt` a Normalization layer that is initialized with static `mean` and `variance`, you "
                f"passed mean={self._given[0]} and variance={self._given[1]}."
            )
        mean: Any = 0.0
        variance: Any = 0.0
        seen = 0
        for given in _batches_of(data):
            batch = np.asarray(as_array(given[0] if isinstance(given, tuple) else given, "data"), np.float64)
            batch = batch[:, None] if batch.ndim == 1 else batch
            if not np.isfinite(batch).all():
                raise ValueError(
                    f"`adapt` received values that are NaN or infinite{_columns(batch)}: mean and variance of them "
                    "would be NaN, and every prediction with them. Fill or drop them first, as `numpy.nan_to_num` does."
                )
            self.ensure_built((None, *batch.shape[1:]))
            self._require_fit(batch.shape, more_axes=False)
            size = batch.size // max(self.adapt_mean.value.size, 1)
            if not size:
                continue
            share = size / (seen + size)
            batch_mean, batch_variance = batch.mean(axis=self._reduced), batch.var(axis=self._reduced)
            moved = mean + share * (batch_mean - mean)
            variance = (variance + (mean - moved) ** 2) * (1.0 - share) + (
                batch_variance + (batch_mean - moved) ** 2
            ) * share
            mean, seen = moved, seen + size
        if not seen:
            raise ValueError("`adapt` received no data: an empty iterable, or an array without samples.")
        self.adapt_mean.assign(mean)
        self.adapt_variance.assign(variance)

    @property
    def mean(self) -> Variable | None:
        """What is subtracted, in a shape that fits the inputs, such as (1, k); None before the layer is built."""
        return self._to_see(0)

    @property
    def variance(self) -> Variable | None:
        """What its root divides, in the same shape; None before the layer is built."""
        return self._to_see(1)

    def _to_see(self, which: int) -> Variable | None:
        if not self.built:
            return None
        values = self._mean_and_variance(np.dtype(self.dtype))[which]
        shape: Any = self._broadcast
        return Variable(np.broadcast_to(values, shape), name=("mean", "variance")[which], trainable=False)

    def check_input_shape(self, input_shape: Shape) -> None:
        # What is counted from the end is found as well where there are more axes before.
        self._require_fit(input_shape, more_axes=all(axis < 0 for axis in self.axis))

    def _require_fit(self, input_shape: Shape, *, more_axes: bool) -> None:
        wanted = tuple(side if axis not in self._reduced else None for axis, side in enumerate(self._broadcast))
        if more_axes:
            wanted = (*[None] * (len(input_shape) - len(wanted)), *wanted)
        if len(input_shape) != len(wanted) or any(w not in (None, s) for w, s in zip(wanted, input_shape, strict=True)):
            raise ValueError(
                f"Layer '{self.name}' was built for inputs of shape {wanted}; received an incompatible shape, "
                f"{input_shape}."
            )

    def _mean_and_variance(self, dtype: np.dtype[Any]) -> tuple[Array, Array]:
        if self._given is None:
            mean, variance = self.adapt_mean.value, self.adapt_variance.value
        else:
            mean, variance = np.asarray(self._given[0], dtype), np.asarray(self._given[1], dtype)
        shape = self._broadcast
        if mean.ndim:  # the axes with numbers of their own, from the last one on
            kept = [axis for axis in range(len(shape)) if axis not in self._reduced][-mean.ndim :]
            shape = tuple(mean.shape[kept.index(axis)] if axis in kept else 1 for axis in range(len(shape)))
        else:
            shape = ()
        first = next((i for i, side in enumerate(shape) if side != 1), len(shape))
        shape = shape[first:]  # so that inputs of fewer axes keep theirs
        return mean.reshape(shape), variance.reshape(shape)

    def mean_and_deviation(self, dtype: np.dtype[Any]) -> tuple[Array, Array]:
        mean, variance = self._mean_and_variance(dtype)
        return mean, np.maximum(np.sqrt(variance), epsilon()).astype(dtype)

    def call(self, x: Any, training: bool = False) -> Any:  # noqa: ARG002
        mean, deviation = self.mean_and_deviation(x.dtype)
        return x * deviation + mean if self.invert else (x - mean) / deviation

    def forward(self, x: Array, training: bool = False) -> Array:
        mean, deviation = self.mean_and_deviation(x.dtype)
        out = self.scratch("y", x.shape) if training else None
        if self.invert:
            y = np.multiply(x, deviation, out=out)
            y += mean
            return y
        y = np.subtract(x, mean, out=out)
        y /= deviation
        return y

    def backward(self, dy: Array) -> Array:
        deviation = self.mean_and_deviation(dy.dtype)[1]
        apply = np.multiply if self.invert else np.divide
        return apply(dy, deviation, out=self.scratch("dx", dy.shape))

    def get_config(self) -> dict[str, Any]:
        mean, variance = self._given or (None, None)
        own = {"axis": self.axis, "invert": self.invert, "mean": mean, "variance": variance}
        return {**super().get_config(), **own}


def _batches_of(data: Any) -> Iterable[Any]:
    """An array or a table as one batch, a sparse matrix in pieces that may be made dense; batches as they are."""
    matrix = sparse_of(data)
    if matrix is not None:
        rows = SparseRows(matrix)
        size = max(_PIECE // max(matrix.shape[1], 1), 1)
        return (rows[start : start + size] for start in range(0, len(rows), size))
    whole = isinstance(data, np.ndarray) or is_table(data) or (hasattr(data, "shape") and hasattr(data, "__array__"))
    return [data] if whole else data


def _columns(batch: Array) -> str:
    """Where in a matrix there are such values, in words."""
    if batch.ndim != 2:
        return ""
    columns = np.flatnonzero(~np.isfinite(batch).all(axis=0))
    return f", in column {columns[0]}" if len(columns) == 1 else f", in columns {', '.join(map(str, columns[:8]))}"


_PIECE = 2**20  # numbers of a sparse matrix that are looked at together
_MODES = ("one_hot", "multi_hot", "count")


@registry.register("layer")
class CategoryEncoding(Layer):
    """Whole numbers from 0 to num_tokens - 1 as rows of zeros and ones.

    Args:
        num_tokens: How many there are.
        output_mode: 'one_hot' for a row for each number, 'multi_hot' for a row a sample with a 1 for each number that
            is there, 'count' for how often it is.
        sparse: Accepted as Keras does; only False.
        **kwargs: `name`, `trainable`, `dtype`, `input_shape` of a `Layer`.

    Raises:
        ValueError: An argument is out of range, or a number is.

    Example:
        >>> CategoryEncoding(3)([[0, 2]])
        array([[1., 0., 1.]], dtype=float32)
    """

    _nothing_to_build = True

    def __init__(
        self, num_tokens: int | None = None, output_mode: str = "multi_hot", sparse: bool = False, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        if output_mode not in _MODES:
            raise ValueError(f"Unknown arg for output_mode: {output_mode}. Expected one of {_MODES}.")
        if num_tokens is None:
            raise ValueError("num_tokens must be set to use this layer.")
        if not is_whole(num_tokens, 1):
            raise ValueError(f"`num_tokens` must be >= 1. Received: num_tokens={num_tokens}.")
        if sparse:
            raise ValueError("`sparse=True` is out of scope: arrays are dense here.")
        self.num_tokens = int(num_tokens)
        self.output_mode = output_mode
        self.sparse = sparse

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        if not input_shape:  # one number
            return (self.num_tokens,)
        if self.output_mode == "one_hot":
            return (*(input_shape[:-1] if input_shape[-1] == 1 else input_shape), self.num_tokens)
        return (*input_shape[:-1], self.num_tokens)

    def __call__(self, x: Any, training: bool | None = None, count_weights: Any = None) -> Any:  # type: ignore[override]
        """The encoded batch; with `count_weights`, of the shape of x, each number counts that much."""
        if count_weights is None:
            return super().__call__(x, training)
        if self.output_mode != "count":
            raise ValueError(
                "`count_weights` is not used when `output_mode` is not `'count'`. Received "
                f"`count_weights={count_weights}`."
            )
        if is_symbolic(x) or is_symbolic(count_weights):
            raise ValueError(
                f"Layer '{self.name}' takes `count_weights` with arrays, not within a model. Encode the data before "
                "the model sees it."
            )
        tokens, weights = np.asarray(as_array(x)), np.asarray(as_array(count_weights, "count_weights"), self.dtype)
        if weights.shape != tokens.shape:
            raise ValueError(
                f"`count_weights` must have the shape of the input, {tokens.shape}. Received shape {weights.shape}."
            )
        return self._counted(self._checked(tokens), weights)

    def _checked(self, x: Array) -> Array:
        """Categories as whole numbers; raises ValueError where one does not exist."""
        tokens = x.astype(np.intp)
        if tokens.size and (tokens.min() < 0 or tokens.max() >= self.num_tokens):
            wrong = tokens.min() if tokens.min() < 0 else tokens.max()
            raise ValueError(
                f"Input values must be in the range 0 <= values < num_tokens with num_tokens={self.num_tokens}. "
                f"Layer '{self.name}' received {wrong}."
            )
        return tokens

    def _counted(self, tokens: Array, weights: Array | None = None) -> Array:
        """How often, or by how much in all, each category is in each row."""
        rows = tokens.reshape(-1, tokens.shape[-1])
        places = rows + np.arange(len(rows))[:, None] * self.num_tokens
        flat = None if weights is None else weights.reshape(-1)
        counts = np.bincount(places.reshape(-1), flat, minlength=len(rows) * self.num_tokens)
        return counts.astype(self.dtype).reshape(*tokens.shape[:-1], self.num_tokens)

    def call(self, x: Any, training: bool = False) -> Any:  # noqa: ARG002
        return CategoryEncoding.forward(self, np.asarray(plain(x)))

    def forward(self, x: Array, training: bool = False) -> Array:
        tokens = self._checked(np.atleast_1d(x))
        if tokens.ndim > x.ndim:  # one number
            return self._counted(tokens)
        if self.output_mode == "one_hot" and tokens.shape[-1] == 1:
            tokens = tokens[..., 0]
        if training:
            self._shape = x.shape
        if self.output_mode == "one_hot":
            y = np.zeros((*tokens.shape, self.num_tokens), self.dtype)
            np.put_along_axis(y, tokens[..., None], 1.0, axis=-1)
            return y
        y = self._counted(tokens)
        return np.minimum(y, 1) if self.output_mode == "multi_hot" else y

    def backward(self, dy: Array) -> Array:  # noqa: ARG002 - a category has no slope
        return np.zeros(self._shape, self.dtype)

    def get_config(self) -> dict[str, Any]:
        own = {"num_tokens": self.num_tokens, "output_mode": self.output_mode, "sparse": self.sparse}
        return {**super().get_config(), **own}
