"""What layers hand each other while a model is drawn up: tensors that have a shape and a history but no numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple, NoReturn, TypeAlias, TypeVar

import numpy as np

from multilayer._core.tape import Operand, users_line
from multilayer._core.tape.tensor import astype, getitem
from multilayer._names import naming, registry
from multilayer._tracebacks import shorten
from multilayer.config import floatx

Shape: TypeAlias = tuple[int | None, ...]
T = TypeVar("T")

_MOST_SIDES, _LONGEST_SIDE = 32, 2**63 - 1  # of NumPy's arrays


class KerasTensor(Operand):
    """A place in a network that is being drawn up: what a layer will give, once there is data.

    `Input(shape)` makes the first ones; calling a layer with them makes the next, and so do NumPy's functions, `ops`,
    operators and indexing.

    Attributes:
        shape: The shape of a batch, its first entry None.
        dtype: The type of its numbers.
        name: Its name.
        node: The call of a layer that it comes from.
        index: Which of that call's outputs it is.

    Example:
        >>> from multilayer import Input, layers
        >>> x = Input((4,))
        >>> layers.Dense(3)(x).shape
        (None, 3)
    """

    def __init__(self, shape: Shape, dtype: str, node: Node, index: int = 0, name: str | None = None) -> None:
        if len(shape) > _MOST_SIDES or any(side is not None and side > _LONGEST_SIDE for side in shape):
            raise ValueError(
                f"Layer '{node.operation.name}' would give arrays of {len(shape)} sides, {str(shape[:5])[:100]} the "
                f"first of them: an array has {_MOST_SIDES} at the most, of up to 2**63 - 1."
            )
        self.shape = shape
        self.dtype = dtype
        self.node = node
        self.index = index
        self.name = name or naming.auto_name("KerasTensor")

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return len(self.shape)

    @property
    def _keras_history(self) -> History:
        return History(self.node.operation, self.node.number, self.index)

    @property
    def value(self) -> NoReturn:
        raise ValueError(
            f"{self} has a shape but no numbers, which a loss or a metric needs. What a model is to minimize beside "
            "its loss, a layer adds: `self.add_loss(...)` in its `call`, which gets the numbers when the model is run."
            f"{users_line()}"
        )

    def __array__(self, *_: Any, **__: Any) -> NoReturn:
        raise ValueError(
            f"{self} has a shape but no numbers: it only says how layers are connected. Layers, NumPy's functions and "
            "`ops` can be called with it; what needs the numbers themselves belongs into the `call` of a layer."
            f"{users_line()}"
        )

    def __bool__(self) -> NoReturn:
        raise TypeError(
            f"{self} has a shape but no numbers, so that it is neither true nor false: `if`, `and`, `or` and `not` "
            "cannot be decided while a model is drawn up. Let the numbers decide, sample by sample: "
            "`np.where(condition, x, y)`; or write a layer with `call`, whose branches are taken when it is run."
            f"{users_line()}"
        )

    def _no_number(self) -> NoReturn:
        raise TypeError(
            f"{self} has a shape but no numbers, so that it is no number of Python's: `float(x)`, `int(x)` and indices "
            f"need one, and there is none while a model is drawn up.{users_line()}"
        )

    __float__ = __int__ = __index__ = __complex__ = _no_number

    _precedence = 2

    def _called(self, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        try:
            return called_later(function, args, kwargs)
        except Exception as error:
            shorten(error)
            raise error

    def __getitem__(self, index: Any) -> Any:
        return called_later(getitem, (self, index), {})

    def astype(self, dtype: Any, copy: bool = True) -> Any:  # noqa: ARG002 - NumPy's
        """The same numbers in another type."""
        return called_later(astype, (self, np.dtype(dtype).name), {})

    # Of truth values; `==` asks, as in Keras, whether it is the same tensor: `np.equal` compares numbers.

    def __and__(self, other: Any) -> Any:
        return self._apply(np.logical_and, other)

    def __rand__(self, other: Any) -> Any:
        return self._apply(np.logical_and, other)

    def __or__(self, other: Any) -> Any:
        return self._apply(np.logical_or, other)

    def __ror__(self, other: Any) -> Any:
        return self._apply(np.logical_or, other)

    def __xor__(self, other: Any) -> Any:
        return self._apply(np.logical_xor, other)

    def __rxor__(self, other: Any) -> Any:
        return self._apply(np.logical_xor, other)

    def __invert__(self) -> Any:
        return self._apply(np.logical_not)

    def __ne__(self, other: object) -> Any:
        return self._apply(np.not_equal, other)

    __hash__ = object.__hash__

    def __len__(self) -> NoReturn:
        raise TypeError(f"{self} has as many entries as there will be samples in a batch: nobody knows yet.")

    def __iter__(self) -> NoReturn:
        raise TypeError(f"{self} cannot be iterated over: how many samples a batch has is not known yet.{users_line()}")

    def __repr__(self) -> str:
        return f"<KerasTensor shape={self.shape}, dtype={self.dtype}, name={self.name}>"


class History(NamedTuple):
    """Where a tensor comes from."""

    operation: Operation
    node_index: int
    tensor_index: int


class Operation:
    """What can be called with tensors, as far as the tensors know of it: the base of `Layer`.

    Attributes:
        name: Its name.
        dtype: The type of what it gives.
        nodes: Its calls in models that were drawn up.
    """

    name: str
    dtype: str
    nodes: list[Node]

    def record(self, node: Node, shape: Any, dtypes: Sequence[str] | None = None) -> Any:
        """Takes down a call, and gives its output: a tensor, or a list for a list of shapes."""
        several = isinstance(shape, list)
        shapes = shape if several else [shape]
        types = dtypes or [self.dtype] * len(shapes)
        node.outputs = tuple(KerasTensor(s, types[i], node, i) for i, s in enumerate(shapes))
        self.nodes = [*self.nodes, node]  # a new list: see `layers.base.undone_on_error`
        return list(node.outputs) if several else node.outputs[0]

    @property
    def input(self) -> Any:
        """What the layer was called with first in a model: a tensor, or a list of them."""
        node = self._first_node("input")
        return node.inputs[0] if node.single else list(node.inputs)

    @property
    def output(self) -> Any:
        """What that call gave: `Model(model.input, layer.output)` is the network up to this layer."""
        outputs = self._first_node("output").outputs
        return outputs[0] if len(outputs) == 1 else list(outputs)

    def _first_node(self, attribute: str) -> Node:
        if not self.nodes:
            raise AttributeError(f"The layer {self.name} has never been called and thus has no defined {attribute}.")
        return self.nodes[0]


class Node:
    """One call of a layer: what it was called with, and the tensors it gave.

    Args:
        operation: The layer.
        inputs: The tensors it was called with.
        single: Whether it takes one array rather than a list of them.
        training: What `training` was, where the call said so.
        form: The arguments of the call, with numbers of tensors in their places, where they are not one tensor or a
            list of them.
    """

    def __init__(
        self,
        operation: Operation,
        inputs: Sequence[KerasTensor],
        single: bool,
        training: bool | None = None,
        form: Any = None,
    ) -> None:
        self.operation = operation
        self.inputs = tuple(inputs)
        self.single = single
        self.training = training
        self.form = form
        self.outputs: tuple[KerasTensor, ...] = ()
        self.number = len(operation.nodes)


def float_type_of(tensors: Sequence[KerasTensor]) -> str:
    """The type in which a network with these outputs computes: that of the first which holds no whole numbers."""
    return next((one.dtype for one in tensors if one.dtype.startswith("float")), floatx())


def is_keras_tensor(x: Any) -> bool:
    """Whether x stands for what a layer will give, and has no numbers yet.

    Example:
        >>> from multilayer import Input
        >>> is_keras_tensor(Input((4,))), is_keras_tensor([1.0])
        (True, False)
    """
    return isinstance(x, KerasTensor)


def is_symbolic(x: Any) -> bool:
    """Whether x is a tensor without numbers, or a structure of lists and dicts with such a tensor."""
    if isinstance(x, dict):
        x = list(x.values())
    if isinstance(x, (list, tuple)):
        return any(is_symbolic(one) for one in x if isinstance(one, (KerasTensor, dict, list, tuple)))
    return isinstance(x, KerasTensor)


def flatten(structure: Any) -> list[Any]:
    """What lists and dicts hold in the end, a dict's values in the order of its keys' names; else the thing itself."""
    if isinstance(structure, dict):
        return [inner for key in sorted(structure) for inner in flatten(structure[key])]
    if isinstance(structure, (list, tuple)):
        return [inner for one in structure for inner in flatten(one)]
    return [structure]


def pack_like(structure: Any, values: Sequence[T]) -> Any:
    """The values of `flatten(structure)` in the form of `structure`."""
    return _packed(structure, iter(values))


def _packed(structure: Any, values: Iterator[T]) -> Any:
    if isinstance(structure, dict):
        by_key = {key: _packed(structure[key], values) for key in sorted(structure)}
        return {key: by_key[key] for key in structure}
    if isinstance(structure, (list, tuple)):
        inner = [_packed(one, values) for one in structure]
        return type(structure)(*inner) if hasattr(structure, "_fields") else type(structure)(inner)
    return next(values)


def flatten_as(form: Any, given: Any) -> list[Any] | None:
    """What stands in `given` where `form` has its leaves, which may be lists themselves; None for another structure."""
    if isinstance(form, dict):
        pairs = [(form[key], given[key]) for key in sorted(form)] if _is_like(form, given) else None
    elif isinstance(form, (list, tuple)):
        alike = isinstance(given, (list, tuple)) and len(given) == len(form)
        pairs = list(zip(form, given, strict=True)) if alike else None
    else:
        return [given]
    if pairs is None:
        return None
    parts = [flatten_as(*pair) for pair in pairs]
    return None if None in parts else [inner for part in parts for inner in part or ()]


def _is_like(form: dict[str, Any], given: Any) -> bool:
    return isinstance(given, dict) and set(form) <= set(given)


def is_nested(form: Any) -> bool:
    """Whether a structure has structures in it, as `{"a": 0, "rest": [1, 2]}` has."""
    inner = form.values() if isinstance(form, dict) else form if isinstance(form, (list, tuple)) else ()
    return any(isinstance(one, (dict, list, tuple)) for one in inner)


def is_in_no_order(form: Any) -> bool:
    """Whether it is a dict whose keys were not written in the order of their names, by which Keras goes."""
    return isinstance(form, dict) and not is_nested(form) and list(form) != sorted(form)


def require_order(given: Any, form: Any, argument: str, kind: str = "outputs") -> None:
    """Raises ValueError where it is a list for a dict whose keys were not written in the order of their names.

    Keras pairs such a list with the sorted keys, and so crosswise with what its user had before his eyes.
    """
    if isinstance(given, (list, tuple)) and len(given) > 1 and is_in_no_order(form):
        raise ValueError(
            f"The structure of `{kind}` doesn't match the expected structure: `{argument}` is a "
            f"{type(given).__name__}, and the model has a dict with the keys {list(form)}, which have no order that "
            "all agree on. Pass a dict."
        )


def called_later(function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """The tensors of a step that calls a function with the numbers, once there are any."""
    return registry.known("operation", "FunctionOperation").drawn(function, args, kwargs)
