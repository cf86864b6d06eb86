"""Layers of several inputs: side by side, or number by number."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from multilayer._checks.scalars import is_whole
from multilayer._language import tr
from multilayer._names import registry
from multilayer.functional import Array
from multilayer.layers.base import Layer
from multilayer.layers.symbolic import Shape


class _Merge(Layer):
    """What layers of several inputs share: one or more, of shapes that NumPy can broadcast, but for the batch.

    Inputs of fewer axes get axes of length 1 after the batch.
    """

    takes_several = True
    neutral: ClassVar[float | None] = None  # what a masked step counts as; None where it counts as it is
    _num_inputs: ClassVar[int | None] = None

    def build(self, input_shape: Shape) -> None:
        self.check_input_shape(input_shape)

    def check_input_shape(self, input_shape: Shape) -> None:
        shapes = _as_list(input_shape, self)
        if not shapes or self._num_inputs not in (None, len(shapes)):
            raise ValueError(
                tr(
                    "A `{kind}` layer should be called on {num_inputs} inputs. Received: "
                    "input_shape={input_shape} (not {num_inputs} shapes)",
                    kind=type(self).__name__,
                    num_inputs=_expected(self._num_inputs),
                    input_shape=input_shape,
                )
            )
        self.compute_output_shape(input_shape)

    def compute_output_shape(self, input_shape: Any) -> Shape:
        shapes = _as_list(input_shape, self)
        sides = [_aligned(shape, max(map(len, shapes)))[1:] for shape in shapes]
        batch = next((shape[0] for shape in shapes if shape[0] is not None), None)
        return (batch, *(_common(each, input_shape) for each in zip(*sides, strict=True)))

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        """The steps that count in one of the inputs; None where all steps of one of them do.

        Raises:
            ValueError: There is not one mask, or None, for each of several inputs.
        """
        if previous_mask is None:
            return None
        for name, given in (("previous_mask", previous_mask), ("inputs", inputs)):
            if not isinstance(given, (list, tuple)):
                raise ValueError(tr("`{name}` should be a list. Received: {given}", name=name, given=str(given)[:200]))
        if len(inputs) != len(previous_mask):
            raise ValueError(
                tr(
                    "`inputs` and `previous_mask` should have the same length. Received: {count} and {masks}.",
                    count=len(inputs),
                    masks=len(previous_mask),
                )
            )
        return None if any(one is None for one in previous_mask) else functools.reduce(np.logical_or, previous_mask)

    def call(self, x: Any, training: bool = False) -> Any:  # noqa: ARG002
        return self._merged(_of_one_rank(x), None)

    def forward(self, x: Sequence[Array], training: bool = False) -> Array:
        xs = _of_one_rank(x)
        if not training:
            return self._merged(xs, None)
        self._shapes = [one.shape for one in x]
        self._xs = xs
        shape = np.broadcast_shapes(*(one.shape for one in xs))
        self._y = self._merged(xs, self.scratch("y", shape))
        return self._y

    def backward(self, dy: Array) -> list[Array]:
        return [
            _unbroadcast(self._input_gradient(i, dy), self._xs[i].shape, self.scratch(f"dx{i}", shape)).reshape(shape)
            for i, shape in enumerate(self._shapes)
        ]

    def _merged(self, xs: Sequence[Array], out: Array | None) -> Array:
        """The output for inputs of one number of axes, written to `out` where that is given."""
        raise NotImplementedError

    def _input_gradient(self, i: int, dy: Array) -> Array:
        """The gradient of input i, of the output's shape."""
        raise NotImplementedError


def _as_list(input_shape: Any, layer: Layer) -> list[Shape]:
    if isinstance(input_shape, tuple) and input_shape and all(isinstance(one, (list, tuple)) for one in input_shape):
        input_shape = list(input_shape)
    if not isinstance(input_shape, list):
        raise ValueError(
            tr(
                "A `{kind}` layer should be called on a list of inputs. Received: input_shape={input_shape} "
                "(not a list of shapes)",
                kind=type(layer).__name__,
                input_shape=input_shape,
            )
        )
    return [tuple(shape) for shape in input_shape]


def _expected(exactly: int | None) -> str:
    return tr("exactly {exactly}", exactly=exactly) if exactly else tr("a list of at least 1")


def _of_one_rank(xs: Sequence[Any]) -> list[Any]:
    ndim = max(one.ndim for one in xs)
    return [one.reshape(_aligned(one.shape, ndim)) for one in xs]


def _aligned(shape: Any, ndim: int) -> tuple[Any, ...]:
    return (shape[0], *(1,) * (ndim - len(shape)), *shape[1:])


def _common(sides: Sequence[int | None], shapes: Any) -> int | None:
    """The length of an axis after broadcasting."""
    known = {side for side in sides if side != 1}
    if len(known) > 1:
        raise ValueError(
            tr(
                "Inputs have incompatible shapes: {shapes}. Apart from the batch, sides must be equal, or 1.",
                shapes=shapes,
            )
        )
    return known.pop() if known else 1


def _folded(operation: np.ufunc, xs: Sequence[Array], out: Array | None) -> Array:
    """x1 and x2, that and x3, and so on; of one input a copy, as whoever gets it may write into it."""
    if len(xs) == 1:
        return np.positive(xs[0], out=out)
    y: Array = operation(xs[0], xs[1], out=out)
    for x in xs[2:]:
        y = operation(y, x, out=out)
    return y


def _unbroadcast(gradient: Array, shape: tuple[int, ...], out: Array) -> Array:
    """A gradient in the shape that its input had before it was broadcast: the sum over what was repeated."""
    axes = tuple(i for i, (wide, side) in enumerate(zip(gradient.shape, shape, strict=True)) if wide != side)
    out = out.reshape(shape)
    if axes:
        return np.sum(gradient, axis=axes, keepdims=True, out=out)
    np.copyto(out, gradient)  # memory of its own for every input: whoever gets it may write into it
    return out


@registry.register("layer")
class Add(_Merge):
    """The sum of its inputs, y = x1 + x2 + ...: what a residual connection ends in.

    Example:
        >>> Add()([[[1.0, 2.0]], [[10.0, 20.0]]])
        array([[11., 22.]], dtype=float32)
    """

    def _merged(self, xs: Sequence[Array], out: Array | None) -> Array:
        return _folded(np.add, xs, out)

    def _input_gradient(self, i: int, dy: Array) -> Array:  # noqa: ARG002
        return dy


@registry.register("layer")
class Subtract(_Merge):
    """The difference of its two inputs, y = x1 - x2.

    Example:
        >>> Subtract()([[[10.0, 20.0]], [[1.0, 2.0]]])
        array([[ 9., 18.]], dtype=float32)
    """

    _num_inputs = 2

    def _merged(self, xs: Sequence[Array], out: Array | None) -> Array:
        return np.subtract(xs[0], xs[1], out=out)

    def _input_gradient(self, i: int, dy: Array) -> Array:
        return np.negative(dy, out=self.scratch("negative", dy.shape)) if i else dy


@registry.register("layer")
class Multiply(_Merge):
    """The product of its inputs, number by number: y = x1 x2 ...

    A step that a mask leaves out of one input counts as ones there.

    Example:
        >>> Multiply()([[[1.0, 2.0]], [[10.0, 20.0]]])
        array([[10., 40.]], dtype=float32)
    """

    neutral = 1.0

    def _merged(self, xs: Sequence[Array], out: Array | None) -> Array:
        return _folded(np.multiply, xs, out)

    def _input_gradient(self, i: int, dy: Array) -> Array:
        share = self.scratch("share", dy.shape)
        np.copyto(share, dy)
        for j, x in enumerate(self._xs):
            if j != i:
                share *= x
        return share


@registry.register("layer")
class Average(Add):
    """The mean of its inputs, y = (x1 + ... + xk) / k.

    Example:
        >>> Average()([[[1.0, 2.0]], [[3.0, 6.0]]])
        array([[2., 4.]], dtype=float32)
    """

    def _merged(self, xs: Sequence[Array], out: Array | None) -> Array:
        y = super()._merged(xs, out)
        y *= 1.0 / len(xs)
        return y

    def _input_gradient(self, i: int, dy: Array) -> Array:  # noqa: ARG002
        return np.multiply(dy, 1.0 / len(self._xs), out=self.scratch("share", dy.shape))


class _Extremum(_Merge):
    """The largest or the smallest of the inputs; the gradient goes to the first that it was found in."""

    _best: ClassVar[np.ufunc]

    def _merged(self, xs: Sequence[Array], out: Array | None) -> Array:
        return _folded(self._best, xs, out)

    def backward(self, dy: Array) -> list[Array]:
        self._unclaimed = np.ones(dy.shape, bool)  # where no input before has taken the gradient
        return super().backward(dy)

    def _input_gradient(self, i: int, dy: Array) -> Array:
        mine = self._unclaimed & (self._xs[i] == self._y)
        self._unclaimed &= ~mine
        share: Array = np.multiply(dy, mine, out=self.scratch("share", dy.shape))
        return share


@registry.register("layer")
class Maximum(_Extremum):
    """The largest of its inputs, number by number; a step that a mask leaves out of one input is never the largest.

    Example:
        >>> Maximum()([[[1.0, 20.0]], [[10.0, 2.0]]])
        array([[10., 20.]], dtype=float32)
    """

    _best = np.maximum
    neutral = -np.inf


@registry.register("layer")
class Minimum(_Extremum):
    """The smallest of its inputs, number by number; a step that a mask leaves out of one input is never the smallest.

    Example:
        >>> Minimum()([[[1.0, 20.0]], [[10.0, 2.0]]])
        array([[1., 2.]], dtype=float32)
    """

    _best = np.minimum
    neutral = np.inf


@registry.register("layer")
class Concatenate(_Merge):
    """Its inputs side by side along an axis.

    Args:
        axis: The axis, -1 (the last) by default; not 0, the batch.
        **kwargs: `name`, `trainable`, `dtype` of a `Layer`.

    Example:
        >>> Concatenate()([[[1.0, 2.0]], [[3.0]]])
        array([[1., 2., 3.]], dtype=float32)
    """

    def __init__(self, axis: int = -1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if not is_whole(axis) or axis == 0:
            raise ValueError(
                tr("`axis` must be a whole number other than 0, the batch. Received: axis={axis!r}", axis=axis)
            )
        self.axis = int(axis)

    def compute_output_shape(self, input_shape: Any) -> Shape:
        shapes = _as_list(input_shape, self)
        ndim = len(shapes[0])
        axis = self.axis % ndim if -ndim <= self.axis < ndim else 0
        rest = [shape[1:axis] + shape[axis + 1 :] for shape in shapes]
        if axis == 0 or any(len(shape) != ndim for shape in shapes) or not all(map(_fit, rest, rest[1:])):
            raise ValueError(
                tr(
                    "A `Concatenate` layer requires inputs with matching shapes except for the concatenation "
                    "axis. Received: input_shape={input_shape}, axis={axis}",
                    input_shape=input_shape,
                    axis=self.axis,
                )
            )
        sides = [shape[axis] for shape in shapes]
        total = None if None in sides else sum(side for side in sides if side is not None)
        return (*shapes[0][:axis], total, *shapes[0][axis + 1 :])

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        """The masks one after the other along the steps; beside each other, the steps that count in one of them.

        An input without a mask counts with all its steps.

        Raises:
            ValueError: There is not one mask, or None, for each of several inputs.
        """
        super().compute_mask(inputs, previous_mask)  # which checks them
        if previous_mask is None or all(one is None for one in previous_mask):
            return None
        masks = [
            np.ones(x.shape[:2], bool) if one is None else one for x, one in zip(inputs, previous_mask, strict=True)
        ]
        if self.axis % inputs[0].ndim == 1:
            return np.concatenate(masks, axis=1)
        return functools.reduce(np.logical_or, masks)

    def call(self, x: Any, training: bool = False) -> Any:  # noqa: ARG002
        return np.concatenate(x, axis=self.axis)

    def forward(self, x: Sequence[Array], training: bool = False) -> Array:
        if not training:
            return np.concatenate(x, axis=self.axis)
        self._shapes = [one.shape for one in x]
        shape: Any = self.compute_output_shape(self._shapes)  # every side is known: the inputs are there
        return np.concatenate(x, axis=self.axis, out=self.scratch("y", shape))

    def backward(self, dy: Array) -> list[Array]:
        borders = np.cumsum([shape[self.axis] for shape in self._shapes])[:-1]
        gradients = []
        for i, piece in enumerate(np.split(dy, borders, axis=self.axis)):
            dx = self.scratch(f"dx{i}", piece.shape)
            np.copyto(dx, piece)  # in one piece, as products want it
            gradients.append(dx)
        return gradients

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "axis": self.axis}


def _fit(one: Shape, other: Shape) -> bool:
    return all(None in pair or pair[0] == pair[1] for pair in zip(one, other, strict=True))


def add(inputs: Sequence[Any], **kwargs: Any) -> Any:
    """`Add(**kwargs)(inputs)`."""
    return Add(**kwargs)(inputs)


def subtract(inputs: Sequence[Any], **kwargs: Any) -> Any:
    """`Subtract(**kwargs)(inputs)`."""
    return Subtract(**kwargs)(inputs)


def multiply(inputs: Sequence[Any], **kwargs: Any) -> Any:
    """`Multiply(**kwargs)(inputs)`."""
    return Multiply(**kwargs)(inputs)


def average(inputs: Sequence[Any], **kwargs: Any) -> Any:
    """`Average(**kwargs)(inputs)`."""
    return Average(**kwargs)(inputs)


def maximum(inputs: Sequence[Any], **kwargs: Any) -> Any:
    """`Maximum(**kwargs)(inputs)`."""
    return Maximum(**kwargs)(inputs)


def minimum(inputs: Sequence[Any], **kwargs: Any) -> Any:
    """`Minimum(**kwargs)(inputs)`."""
    return Minimum(**kwargs)(inputs)


def concatenate(inputs: Sequence[Any], axis: int = -1, **kwargs: Any) -> Any:
    """`Concatenate(axis, **kwargs)(inputs)`."""
    return Concatenate(axis, **kwargs)(inputs)
