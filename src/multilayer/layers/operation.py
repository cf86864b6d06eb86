"""A function of NumPy's, or of `ops`, as a step of a network that is drawn up."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from multilayer._core.arena import Variable
from multilayer._core.tape import (
    Node,
    Operand,
    Recording,
    Rule,
    Tensor,
    backpropagate,
    plain,
    table,
    users_line,
    what_numpy_says,
)
from multilayer._core.tape.tensor import fitted
from multilayer._names import naming, registry
from multilayer.activations import Activation
from multilayer.config import floatx
from multilayer.layers.base import Layer
from multilayer.layers.effort import claim_effort
from multilayer.layers.operations import (
    OF_KERAS,
    OPERATIONS,
    Operation,
    called,
    function_of,
    named_arguments,
    operation_of,
)
from multilayer.layers.recorded import Arguments, Place, connect_by_call, context, filled
from multilayer.layers.symbolic import KerasTensor, flatten, pack_like


@registry.register("operation")
class FunctionOperation(Layer):
    """What a function that is called with a model's tensors becomes: a step that calls it with the numbers.

    Results are no wider than what they are computed of: where NumPy would give a float64 of int32 and float32, or of a
    mean of whole numbers, it is a float32, as in Keras.

    Args:
        function: The function, written with NumPy's functions or `ops`.
        name: Its name; by default that of Keras' operation.

    Example:
        >>> import numpy as np
        >>> from multilayer import Input
        >>> np.tanh(Input((3,))).shape
        (None, 3)
    """

    is_operation = True
    _nothing_to_build = True

    def __init__(self, function: Callable[..., Any], name: str | None = None) -> None:
        if not callable(function):
            raise ValueError(f"An operation is made of a function. Received: {str(function)[:100]!r}")
        known = operation_of(function)
        self.function = function
        self._kind = function.__name__ if known is None else known.name
        super().__init__(name=name or naming.auto_name(self._kind))

    @property
    def kind(self) -> str:
        return self._kind

    @property
    def operation(self) -> Operation | None:
        """What it is among Keras' operations; None for a function that is none of them."""
        return OPERATIONS.get(self._kind)

    def get_config(self) -> dict[str, Any]:
        return {"name": self.name, "function": self.function}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> FunctionOperation:
        return cls(**config)

    @classmethod
    def drawn(cls, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """What a step that calls this function gives, which is Keras' own operation where that takes more."""
        operation = operation_of(function)
        given = None
        if operation is not None and operation.name in OF_KERAS:
            given = named_arguments(operation, function, args, kwargs)
        if given is not None:
            assert operation is not None
            function = function_of(operation.name)
            args, kwargs = called(operation, _with_batch_left_open(given))
        if function in _OF_UNKNOWN_SHAPE:
            raise TypeError(
                f"How many numbers `{function.__name__}` gives is only known when it is run: it cannot be a step of a "
                f"model that is drawn up. Mask what is not wanted, by `np.where`.{users_line()}"
            )
        return cls(function)(*args, **kwargs)

    def call(self, *args: Any, **kwargs: Any) -> Any:
        claim_effort(self._kind, args, kwargs)
        return self._result(self.function(*args, **kwargs))

    def _result(self, y: Any) -> Any:
        if isinstance(y, (list, tuple)):
            return pack_like(y, [self._result(one) for one in flatten(y)])
        if type(y) is np.ndarray and y.dtype == self.dtype:
            return y
        return y if self._kind in _OF_ANY_TYPE else _narrowed(y, self.called_with, self.dtype)

    def _connect(self, x: Any, training: bool | None) -> Any:  # noqa: ARG002 - it acts alike in training
        tensors = [one for one in flatten(x) if isinstance(one, KerasTensor)]
        floats = [one.dtype for one in tensors if one.dtype.startswith("float")]
        self.dtype = max(floats, key=lambda one: np.dtype(one).itemsize, default=floatx())
        given = x if isinstance(x, Arguments) else Arguments((x,), {})
        _check_variables(flatten(given), tensors)
        given = pack_like(given, [_constant(one, self.dtype) for one in flatten(given)])
        try:
            return connect_by_call(self, given, None)
        except (TypeError, ValueError, IndexError) as error:
            shapes = ", ".join(str(one.shape) for one in flatten(x) if hasattr(one, "shape"))
            reason = what_numpy_says(str(error).partition(" (In ")[0])
            kind = next(one for one in (ValueError, IndexError, TypeError) if isinstance(error, one))
            raise kind(f"`{self.kind}` of tensors of shapes {shapes}: {reason}.{users_line()}") from error

    # It has no weights, adds nothing to a loss and draws no numbers: what other layers with `call` need for these is
    # left out here, as a step of arithmetic is soon done. Where it is one operation of the tape, it needs none.

    def forward_by_call(self, x: Any, training: bool = False) -> Any:
        context.penalty = 0.0
        args, kwargs = filled(x.form, x.values)
        if not training:
            return _arrays(self.call(*args, **kwargs))
        rule = self._rule_for(x.form)
        if rule is not None:
            y = np.asarray(self._result(rule.function(*args)))
            self._kept = Node(None, y, rule, args), [i for i, one in enumerate(x.form.args) if type(one) is Place]
            return y
        with Recording(strict=True) as recording:
            tensors = [recording.watch(Tensor(one)) if one.dtype.kind == "f" else one for one in x.values]
            args, kwargs = filled(x.form, tensors)
            y = self.call(*args, **kwargs)
        self._kept = tensors, flatten(y)
        return _arrays(y)

    def backward_by_call(self, dy: Any) -> Any:
        kept, self._kept = self._kept, None
        if type(kept[0]) is Node:
            node, places = kept
            positions = [i for i in places if node.values[i].dtype.kind == "f"]
            found: dict[Any, Any] = dict(zip(positions, node.rule.backward(node, dy, positions, False), strict=True))
            dxs = [fitted(found[i], node.values[i]) if i in found else self._zeros(node.values[i]) for i in places]
        else:
            tensors, outputs = kept
            pairs = zip(outputs, dy if isinstance(dy, list) else [dy], strict=True)
            ends = [(y, d) for y, d in pairs if type(y) is Tensor and d is not None]
            nodes = [one.node for one in tensors if type(one) is Tensor and one.node is not None]
            found = dict(zip(nodes, backpropagate([y for y, _ in ends], [d for _, d in ends], nodes), strict=True))
            gradients = [found[one.node] if type(one) is Tensor else None for one in tensors]
            dxs = [self._zeros(x) if g is None else np.asarray(g) for x, g in zip(tensors, gradients, strict=True)]
        return dxs if len(dxs) > 1 else dxs[0]

    def _rule_for(self, form: Arguments) -> Rule | None:
        """The operation of the tape that the function is for arguments of this form, if it is one and no more."""
        if form is not self._known_form:
            self._known_form, self._known_rule = form, self._found_rule(form)
        return self._known_rule

    def _found_rule(self, form: Arguments) -> Rule | None:
        if not all(isinstance(one, (Place, int, float, np.ndarray)) for one in form.args):
            return None
        if isinstance(self.function, Activation):
            return self.function.as_rule(**form.kwargs)
        rule = table.get(self.function)
        floats = all(dtype.startswith("float") for dtype in self.called_with)
        if type(rule) is not Rule or not floats or form.kwargs:
            return None
        places = [i for i, one in enumerate(form.args) if isinstance(one, Place)]
        return rule if all(i in rule.differentiable for i in places) else None

    def _zeros(self, x: Any) -> Any:
        return np.zeros(x.shape, self.dtype)

    def __getstate__(self) -> dict[str, Any]:
        return {**super().__getstate__(), "_kept": None, "_known_form": None, "_known_rule": None}

    _kept: Any = None  # for `backward`
    _known_form: Any = None
    _known_rule: Rule | None = None


def _arrays(y: Any) -> Any:
    """What `forward` gives: an array, or a list of several."""
    if not isinstance(y, (list, tuple)):
        return np.asarray(plain(y))
    values = [np.asarray(plain(one)) for one in flatten(y)]
    return values if len(values) > 1 else values[0]


_OF_UNKNOWN_SHAPE = (np.unique, np.nonzero, np.flatnonzero, np.argwhere, np.extract, np.compress)


def _with_batch_left_open(given: dict[str, Any]) -> dict[str, Any]:
    """The arguments with -1 for the size of the batch in a new shape, as in `np.reshape(x, (x.shape[0], 2, 2))`."""
    shape = given.get("newshape")
    if isinstance(shape, (tuple, list)) and -1 not in shape and list(shape).count(None) == 1:
        return {**given, "newshape": tuple(-1 if side is None else side for side in shape)}
    return given


# What gives other types than it is given, because it was asked for them.
_OF_ANY_TYPE = frozenset(("Cast", "OneHot", "OnesLike", "ZerosLike"))


def _constant(x: Any, dtype: str) -> Any:
    """An argument that is no tensor of the model: an array of real numbers in the type of the tensors."""
    if isinstance(x, (KerasTensor, Variable)):  # the variable as it will be when the model is run
        return x
    if isinstance(x, Operand):
        x = plain(x)
    if isinstance(x, np.ndarray) and x.base is not None:  # a view of what may be changed, or moved elsewhere
        x = x.copy()
    return x.astype(dtype) if isinstance(x, np.ndarray) and x.dtype.kind == "f" and x.dtype != dtype else x


def _check_variables(given: Sequence[Any], tensors: Sequence[KerasTensor]) -> None:
    """Says where a variable that is to be trained would not be: a model that is drawn up trains its layers' weights.

    Raises:
        ValueError: It is a weight of a layer on the way, whose gradient would lack what comes by this one.
    """
    variables = [one for one in given if isinstance(one, Variable)]
    arrays = [one for one in given if isinstance(one, np.ndarray) and one.ndim > 0]
    if not (variables or arrays):
        return
    layers = (layer for layer in _before(tensors) if not layer.is_operation)  # which have no weights
    trained = [weight for layer in layers for weight in layer.weights if weight.trainable]
    for weight in trained:
        if weight in variables or any(_is_of(weight, array) for array in arrays):
            raise ValueError(f"{_used_beside_its_layer(weight)}{users_line()}")
    for variable in variables:
        if variable.trainable:
            warnings.warn(
                f"'{variable.path}' is no weight of the model that is being drawn up, which will not train it (as in "
                "Keras). A layer with `call` that holds it as an attribute does; `trainable=False` says that it is to "
                f"stay as it is.{users_line()}",
                stacklevel=2,
            )


def _is_of(weight: Variable, array: Any) -> bool:
    """Whether an array is a weight's memory, or its matrix as it stands now, or that transposed: weights that are tied.

    Keras takes such an array for a constant, and goes on with what the weight was when the network was drawn up. A
    matrix of one number, or of whole ones, such as `np.eye(3)`, may well be a constant that a weight began as, too.
    """
    value = weight.value
    if np.shares_memory(value, array):
        return True
    alike = value.ndim == array.ndim == 2 and value.size == array.size
    if not alike or not any(np.array_equal(array, one) for one in (value, value.T)):
        return False
    return bool(value.min() < value.max()) and not np.array_equal(value, np.rint(value))


def _used_beside_its_layer(weight: Variable) -> str:
    return (
        f"'{weight.path}' is a layer's weight: used beside its layer, it would be trained by a gradient that lacks "
        "this part. Write a layer with `call` that holds the layer and uses its weight."
    )


def check_operands(calls: Iterable[tuple[Layer, Any]]) -> None:
    """Looks whether operations of a model compute with weights of its layers, whichever was drawn up first.

    Args:
        calls: The model's layers, each with the form of the arguments of its call.

    Raises:
        ValueError: One does: that weight would be trained by a gradient that lacks a part.
    """
    calls = list(calls)
    used = {one for layer, form in calls if layer.is_operation for one in flatten(form) if isinstance(one, Variable)}
    for weight in used:
        if weight.trainable and any(weight in layer.weights for layer, _ in calls):
            raise ValueError(_used_beside_its_layer(weight))


def _before(tensors: Sequence[KerasTensor]) -> list[Any]:
    """The layers that tensors come from."""
    found: dict[Any, None] = {}
    waiting = list(tensors)
    while waiting:
        node = waiting.pop().node
        if node is not None and node.operation not in found:
            found[node.operation] = None
            waiting += [one for each in node.operation.nodes for one in each.inputs]
    return list(found)


def _narrowed(y: Any, given: tuple[str, ...], dtype: str) -> Any:
    """A result in a type no wider than those that it was computed of."""
    found = np.dtype(y.dtype) if isinstance(y, (Tensor, np.ndarray, np.generic)) else np.asarray(y).dtype
    if found.kind == "f" and found != dtype:
        return y.astype(dtype)
    if found == np.int64 and "int64" not in given:
        return np.asarray(plain(y)).astype(np.int32)
    return y
