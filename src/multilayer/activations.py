"""Activations: each a forward function of `functional` with its backward function, under Keras' names."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from multilayer._core import kernels
from multilayer._core.arena import Variable
from multilayer._core.tape import Node, Operand, Recording, Rule, Tensor, backpropagate, plain, record
from multilayer._core.tape.activations import PIECEWISE_LINEAR, VJPS
from multilayer._core.tape.eager import eager
from multilayer._language import tr
from multilayer._names import registry
from multilayer._names.custom_objects import custom_object_scope, get_registered_name
from multilayer._names.functions import OfFunction, name_of
from multilayer._tracebacks import filter_traceback
from multilayer.functional import Array, floating, of_input


class _Signature:
    """Shows what an activation takes to `help` and `inspect.signature`; of the class, they see the constructor."""

    def __get__(self, activation: Activation | None, owner: type) -> inspect.Signature:
        if activation is None:
            raise AttributeError("__signature__")
        found = inspect.signature(activation.takes_options_of)
        return found.replace(parameters=[one for name, one in found.parameters.items() if name != "out"])


class Activation:
    """A differentiable function of a layer's affine output; call it like the function it is.

    Args:
        name: The name it has in a config.
        forward: `forward(x, out=None)` gives y = f(x).
        backward: `backward(dy, y, out=None)` gives dx, written with the output y.
        of_input: Whether `backward` is written with the input x in the place of y.

    Example:
        >>> relu([-1.0, 2.0])
        array([0., 2.])
        >>> leaky_relu([-1.0, 2.0], negative_slope=0.5)
        array([-0.5,  2. ])
    """

    __signature__ = _Signature()

    def __init__(
        self, name: str, forward: Callable[..., Array], backward: Callable[..., Array], of_input: bool = False
    ) -> None:
        self.__name__ = self.name = name
        self.forward = forward
        self.backward = backward
        self.of_input = of_input
        self.of_layer: Any = None  # the layer, such as `LeakyReLU(0.2)`, whose config says what its options are
        self.built_in: str | None = None  # the name of this module's own that it is, with these of its options
        self.options: dict[str, Any] = {}
        self.in_dense: str | None = None  # the name that `kernels.dense` knows it by

    def __call__(self, x: Any, *options: Any, **named: Any) -> Any:
        if isinstance(x, Operand):
            return self._of_operand(x, options, named)
        y = self.forward(np.asarray(x), None, *options, **named) if options or named else self.forward(np.asarray(x))
        return eager(y)

    def _of_operand(self, x: Any, options: tuple[Any, ...], named: dict[str, Any]) -> Any:
        """The function of a tensor or a variable, as a step of a tape or of a model."""
        if options:
            names = [name for name in inspect.signature(self.takes_options_of).parameters if name != "out"][1:]
            named = {**dict(zip(names, options, strict=False)), **named}
        if x._precedence > Tensor._precedence:  # one without numbers: it is called when there are some
            return x._called(self, (x,), named)
        return record(self.as_rule(**named), (x,), {})

    def as_rule(self, **options: Any) -> Rule:
        """The function, with these of its options, as one step of a tape."""
        return _ActivationRule(self.bound(**options) if options else self)

    @property
    def takes_options_of(self) -> Callable[..., Array]:
        """The function whose options can be given in a call."""
        return self.forward

    def bound(self, **options: Any) -> Activation:
        """The same function with these of its options."""
        forward, backward = functools.partial(self.forward, **options), functools.partial(self.backward, **options)
        bound = Activation(self.name, forward, backward, self.of_input)
        bound.built_in, bound.options = self.built_in, options
        return bound

    def forward_with_bias(self, x: Array, bias: Array | None, out: Array) -> Array:
        """Gives y = f(x + bias), the bias (k,) added to every row of x (n, k)."""
        if bias is not None:
            x = np.add(x, bias, out=out)
        return self.forward(x, out=out)

    def backward_with_bias(self, dy: Array, y: Array, out: Array, db: Array | None) -> Array:
        """Gives dx, and the bias's gradient, the sum of dx over the rows, written to `db`."""
        dx = self.backward(dy, y, out=out)
        if db is not None:
            kernels.sum_rows(dx, out=db)
        return dx

    def __repr__(self) -> str:
        return f"<Activation name={self.name}>"


class _ActivationRule(Rule):
    """An activation as one step of a tape."""

    __slots__ = ("activation",)
    differentiable = (0,)

    def __init__(self, activation: Activation) -> None:
        super().__init__(lambda x: activation.forward(floating(x)), name=activation.name)
        self.activation = activation

    def before(self, node: Node, activation: str) -> Tensor | None:
        return Tensor(node.values[0], node.ways[0][1]) if self.activation is get(activation) else None

    def backward(self, node: Node, g: Any, positions: Sequence[int], recorded: bool) -> list[Any]:  # noqa: ARG002
        activation = self.activation
        kept = np.asarray(node.values[0] if activation.of_input else node.value)
        if not recorded:
            return [activation.backward(np.array(g), kept)]
        if activation.built_in in PIECEWISE_LINEAR:
            return [g * activation.backward(np.ones_like(kept), kept)]
        if activation.built_in is None:
            raise TypeError(
                tr(
                    "The activation '{name}' has a derivative, which cannot be differentiated again: for a "
                    "second derivative write it as a function, with NumPy's functions.",
                    name=activation.name,
                )
            )
        return [VJPS[activation.built_in](g, Tensor(node.value, node), node.operands[0], **activation.options)]


class _BuiltInActivation(Activation):
    """An activation of this module."""

    def __init__(
        self, name: str, forward: Callable[..., Array], backward: Callable[..., Array], of_input: bool = False
    ) -> None:
        super().__init__(name, forward, backward, of_input)
        self.built_in = name

    @property
    def takes_options_of(self) -> Callable[..., Array]:
        return getattr(of_input, self.name, self.forward)  # the definition, where a kernel has no signature

    def __reduce__(self) -> str:
        return self.name  # a copy is the activation itself, found in this module by its name


class _KernelActivation(_BuiltInActivation):
    """An activation whose kernels take care of the bias on the way.

    Args:
        name: Its name.
        forward: The kernel.
        backward: Its backward pass.
        general: The function with all of Keras' options, for calls that give any.
    """

    def __init__(
        self,
        name: str,
        forward: Callable[..., Array],
        backward: Callable[..., Array],
        general: tuple[Callable[..., Array], Callable[..., Array]] | None = None,
    ) -> None:
        super().__init__(name, forward, backward)
        self._general = general
        self.in_dense = name

    def __call__(self, x: Any, *options: Any, **named: Any) -> Any:
        if isinstance(x, Operand):
            return self._of_operand(x, options, named)
        if (options or named) and self._general is not None:
            return eager(self._general[0](np.asarray(x), None, *options, **named))
        return super().__call__(floating(x), *options, **named)

    @property
    def takes_options_of(self) -> Callable[..., Array]:
        return self._general[0] if self._general is not None else floating

    def bound(self, **options: Any) -> Activation:
        if self._general is None:
            return super().bound(**options)
        general = Activation(self.name, *self._general, of_input=True)
        general.built_in = self.built_in
        return general.bound(**options)

    def forward_with_bias(self, x: Array, bias: Array | None, out: Array) -> Array:
        return self.forward(x, out, bias)

    def backward_with_bias(self, dy: Array, y: Array, out: Array, db: Array | None) -> Array:
        return self.backward(dy, y, out, db)


def _activation(name: str, *functions: Any) -> Activation:
    return registry.register("activation")(_KernelActivation(name, *functions))


def _activation_of_input(name: str, *aliases: str) -> Activation:
    where = kernels if hasattr(kernels, name) else of_input
    forward, backward = getattr(where, name), getattr(where, f"{name}_backward")
    return registry.register("activation", *aliases)(_BuiltInActivation(name, forward, backward, of_input=True))


linear = _activation("linear", kernels.linear, kernels.linear_backward)
relu = _activation("relu", kernels.relu, kernels.relu_backward, (of_input.clipped_relu, of_input.clipped_relu_backward))
sigmoid = _activation("sigmoid", kernels.sigmoid, kernels.sigmoid_backward)
softmax = _activation(
    "softmax", kernels.softmax, kernels.softmax_backward, (of_input.softmax_along, of_input.softmax_along_backward)
)
tanh = _activation("tanh", kernels.tanh, kernels.tanh_backward)

celu = _activation_of_input("celu")
elu = _activation_of_input("elu")
exponential = _activation_of_input("exponential")
gelu = _activation_of_input("gelu")
glu = _activation_of_input("glu")
hard_shrink = _activation_of_input("hard_shrink")
hard_sigmoid = _activation_of_input("hard_sigmoid")
hard_silu = _activation_of_input("hard_silu", "hard_swish")
hard_tanh = _activation_of_input("hard_tanh")
keras2_hard_sigmoid = _activation_of_input("keras2_hard_sigmoid")  # of files of Keras 2, which call it 'hard_sigmoid'
leaky_relu = _activation_of_input("leaky_relu")
log_sigmoid = _activation_of_input("log_sigmoid")
log_softmax = _activation_of_input("log_softmax")
mish = _activation_of_input("mish")
relu6 = _activation_of_input("relu6")
selu = _activation_of_input("selu")
silu = _activation_of_input("silu", "swish")
soft_shrink = _activation_of_input("soft_shrink")
softplus = _activation_of_input("softplus")
softsign = _activation_of_input("softsign")
sparse_plus = _activation_of_input("sparse_plus")
sparse_sigmoid = _activation_of_input("sparse_sigmoid")
sparsemax = _activation_of_input("sparsemax")
squareplus = _activation_of_input("squareplus")
tanh_shrink = _activation_of_input("tanh_shrink")
threshold = _activation_of_input("threshold")

hard_swish, swish = hard_silu, silu
_LAYERS = ("Activation", "ELU", "LeakyReLU", "ReLU", "Softmax")  # that are an activation, and nothing else


@filter_traceback
def get(identifier: Any) -> Activation:
    """The activation for a name, a function, an `Activation`, or a layer that is one (`layers.ReLU()`).

    None is `linear`.

    Raises:
        ValueError: An unknown name, or something that is none of these.
    """
    identifier = registry.resolved("activation", identifier)
    if identifier is None:
        return linear
    if isinstance(identifier, Activation):
        return identifier
    if isinstance(identifier, dict) and identifier.get("class_name") in _LAYERS:  # a layer as a file describes it
        identifier = registry.deserialize("layer", identifier)
    inner = getattr(identifier, "activation", None)
    if isinstance(inner, Activation) and not identifier.weights:
        return inner
    if isinstance(identifier, str):
        found: Activation = registry.lookup("activation", identifier)
        return found
    if callable(identifier):
        return FunctionActivation(identifier)
    raise ValueError(
        tr(
            "Could not interpret activation function identifier: {identifier!r}. Expected a name, a function, "
            "or an `activations.Activation(name, forward, backward)`, which gives the function together with "
            "its derivative.",
            identifier=identifier,
        )
    )


class FunctionActivation(OfFunction, Activation):
    """An activation from a function written with NumPy's functions or `ops`: a tape differentiates it."""

    kind = "activation"

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function
        super().__init__(name_of(function), self._forward, self._backward, of_input=True)

    def _of_operand(self, x: Any, options: tuple[Any, ...], named: dict[str, Any]) -> Any:
        if isinstance(x, (Tensor, Variable)):  # what it computes is recorded step by step
            return self.function(x, *options, **named)
        return super()._of_operand(x, options, named)

    def _forward(self, x: Array, out: Array | None = None) -> Array:
        y = self.function(x)
        if y is None:
            raise ValueError(tr("The activation `{name}` returned None: is there a `return`?", name=self.name))
        y = np.asarray(plain(y))
        if out is None or out.shape != y.shape:
            return y
        np.copyto(out, y, casting="unsafe")
        return out

    def _backward(self, dy: Array, x: Array, out: Array | None = None) -> Array:
        with Recording(strict=True) as recording:
            given = recording.watch(Tensor(x))
            y = self.function(given)
        if type(y) is not Tensor:
            raise TypeError(
                tr(
                    "The activation `{name}` gives what does not depend on its input in a way that has a derivative.",
                    name=self.name,
                )
            )
        assert given.node is not None  # it is watched
        dx = backpropagate([y], [dy], [given.node])[0]
        if out is None:
            return np.asarray(dx)
        np.copyto(out, dx, casting="unsafe")
        return out

    def __reduce__(self) -> Any:
        return FunctionActivation, (self.function,)


def serialize(activation: Activation) -> Any:
    """The activation's name, which `get` reads; one of your own has that under which it was registered.

    One with options, which is that of a layer such as `LeakyReLU(0.2)`, is described as that layer, as in Keras.

    Raises:
        ValueError: The name is that of another activation: it would be read as that one.
    """
    if activation.of_layer is not None:
        return registry.serialize(activation.of_layer)
    if isinstance(activation, FunctionActivation):
        return registry.described_function("activation", activation.function)
    registered_name = get_registered_name(activation)
    if registered_name != activation.name:
        return registered_name
    known = registry.known("activation", activation.name)
    if known is not None and known is not activation:
        raise ValueError(
            tr(
                "An activation of your own has the name {name!r}, which is taken: it cannot be told from that "
                "one in a config. Give it another name.",
                name=activation.name,
            )
        )
    return activation.name


@filter_traceback
def deserialize(config: Any, custom_objects: dict[str, Any] | None = None) -> Activation:
    """The activation that `serialize` named, with activations of your own by name."""
    with custom_object_scope(custom_objects):
        return get(config)
