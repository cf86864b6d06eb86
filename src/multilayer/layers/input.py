"""The start of a model: the shape of one sample."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

from multilayer._checks.scalars import is_whole, whole_number
from multilayer._language import tr
from multilayer._names import registry
from multilayer._tracebacks import filter_traceback
from multilayer.functional import Array
from multilayer.layers.base import Layer
from multilayer.layers.symbolic import KerasTensor, Node, Shape

INTEGERS = ("uint8", "int8", "uint16", "int16", "uint32", "int32", "int64", "bool")


@registry.register("layer")
class InputLayer(Layer):
    """Says what shape a sample has, so that a model knows its own shapes before it sees data."""

    sparse = ragged = optional = False  # as in Keras; nothing else is taken

    def __init__(
        self,
        shape: Sequence[int | None] | None = None,
        batch_size: int | None = None,
        dtype: str | None = None,
        batch_shape: Sequence[int | None] | None = None,
        name: str | None = None,
        **older: Any,
    ) -> None:
        shape, batch_shape = _of_older_programs(older, shape, batch_shape)
        own = dtype in (*INTEGERS, "string")
        super().__init__(name=name, dtype=None if own else dtype, **older)
        self.dtype = str(dtype) if own else self.dtype
        for name_of, given in (("shape", shape), ("batch_size", batch_size)):
            if batch_shape is not None and given is not None:
                raise ValueError(
                    tr(
                        "You cannot pass both `{name_of}` and `batch_shape`, which says it, too. Received: "
                        "{name_of}={given}, batch_shape={batch_shape}",
                        name_of=name_of,
                        given=given,
                        batch_shape=batch_shape,
                    )
                )
        if batch_shape is not None:
            batch_size, *shape = batch_shape
        if shape is None:
            raise ValueError(
                tr("You must pass a `shape` argument: the shape of one sample without the batch, as (784,).")
            )
        if not isinstance(shape, Sequence) or not all(_is_side(side) for side in shape):
            raise ValueError(
                tr(
                    "`shape` must be a tuple of whole numbers, the shape of one sample without the batch, such "
                    "as (784,). Received: shape={shape!r}.",
                    shape=shape,
                )
            )
        self.shape = tuple(None if side is None else int(side) for side in shape)
        self.batch_size = None if batch_size is None else whole_number("batch_size", batch_size, 1)
        self.built = True
        self._draw()

    def _draw(self) -> None:
        node = Node(self, (), single=True)
        node.outputs = (KerasTensor(self.batch_shape, self.dtype, node, name=self.name),)
        self.nodes = [node]

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._draw()

    @property
    def batch_shape(self) -> Shape:
        """Shape of a batch; its first entry is None where any number of samples will do."""
        return (self.batch_size, *self.shape)

    def call(self, x: Any = None, training: bool = False) -> Any:  # noqa: ARG002
        return x

    def forward(self, x: Array, training: bool = False) -> Array:  # noqa: ARG002
        """The input itself."""
        return x

    def get_config(self) -> dict[str, Any]:
        return {"batch_shape": list(self.batch_shape), "dtype": self.dtype, "name": self.name}


def _is_side(side: object) -> bool:
    return side is None or is_whole(side, 1)


def _of_older_programs(given: dict[str, Any], shape: Any, batch_shape: Any) -> tuple[Any, Any]:
    """The shapes, which Keras 2 gave other names; what says that arrays are dense, as they are, is taken out."""
    for name in ("sparse", "ragged"):
        if given.pop(name, None):
            raise ValueError(
                tr(
                    "`{name}=True` is not supported: inputs are dense here. A sparse matrix of scipy's may be "
                    "given to a dense input all the same, and is made dense batch by batch.",
                    name=name,
                )
            )
    if given.pop("optional", None):
        raise ValueError(
            tr(
                "`optional=True` is not supported: every input of a model is there. Draw up a second model "
                "without it, or give it zeros."
            )
        )
    if given.get("tensor", ...) is None:  # which Keras 3 has
        given.pop("tensor")
    if "input_shape" in given:
        warnings.warn(tr("Argument `input_shape` is deprecated. Use `shape` instead."), stacklevel=4)
        shape = given.pop("input_shape")
    return shape, given.pop("batch_input_shape", batch_shape)


@filter_traceback
def Input(  # noqa: N802 - Keras' name
    shape: Sequence[int | None] | None = None,
    batch_size: int | None = None,
    dtype: str | None = None,
    name: str | None = None,
    batch_shape: Sequence[int | None] | None = None,
    **older: Any,
) -> KerasTensor:
    """The start of a model: a tensor to call layers with, or the first entry of a `Sequential`.

    Args:
        shape: Shape of one sample, without the batch: (784,) for a flat MNIST image.
        batch_size: Number of samples in every batch; None for any.
        dtype: 'float32' or 'float64', a type of whole numbers, or 'string' for texts; by default `config.floatx()`.
        name: Its name.
        batch_shape: Shape of a batch, instead of `shape` and `batch_size`.
        **older: `sparse=False`, `ragged=False` and `optional=False`, which change nothing.

    Raises:
        ValueError: No shape is given, or two, or no shape of a sample, or an argument is out of scope.

    Example:
        >>> Input(shape=(784,)).shape
        (None, 784)
    """
    tensor: KerasTensor = InputLayer(shape, batch_size, dtype, batch_shape, name, **older).output
    return tensor
