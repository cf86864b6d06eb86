"""What a layer is: weights declared in `build`, and a forward pass with the backward pass that belongs to it."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import MappingProxyType
from typing import Any, cast

import numpy as np
from numpy.typing import ArrayLike

from multilayer import constraints, initializers, regularizers
from multilayer._checks.arguments import numbers, require_flag, sides
from multilayer._checks.arrays import own_arrays, read_only
from multilayer._checks.scalars import is_whole
from multilayer._checks.states import is_own
from multilayer._checks.tables import as_array
from multilayer._core.arena import Scratch, Variable, claim, claim_call, values_follow
from multilayer._core.masks import none_is_known
from multilayer._core.tape import Operand, Tensor, plain, recording
from multilayer._core.tape.eager import eager
from multilayer._language import tr
from multilayer._names import naming, registry, remembered
from multilayer._names.custom_objects import custom_object_scope
from multilayer._names.keras_forms import plain_dtypes
from multilayer._names.qualified import named_after_class
from multilayer._tracebacks import filter_traceback
from multilayer.config import checked_float_type, floatx
from multilayer.functional import Array
from multilayer.layers import masked
from multilayer.layers.holding import OWN_STATE, held, layers_within
from multilayer.layers.recorded import (
    Arguments,
    Filled,
    Recorded,
    as_arguments,
    backward_by_call,
    calling,
    connect_by_call,
    context,
    forward_by_call,
    on_tape,
    output_shape_by_call,
    plain_result,
    require_result,
    shapes_of,
)
from multilayer.layers.symbolic import KerasTensor, Node, Operation, flatten, is_symbolic, pack_like
from multilayer.layers.symbolic import Shape as Shape
from multilayer.layers.weights import WeightsMixin


class ByCall:
    """What `forward` and `backward` are where a class has `call`."""

    def forward(self: Any, x: Any, training: bool = False) -> Any:
        """The output for a batch x: what `call` gives."""
        return self.forward_by_call(x, training)

    def backward(self: Any, dy: Any) -> Any:
        """Writes the weights' gradients and returns dx: the way back through what `call` did."""
        return self.backward_by_call(dy)


@named_after_class(WeightsMixin)
class Layer(remembered.Remembering, WeightsMixin, Operation):
    """Base class of all layers.

    A layer of your own overrides `build` and `call`, as in Keras:

    - `build(input_shape)`: declare weights with `self.add_weight(...)`; the shape's first entry is None, the batch. A
      layer that holds other layers, as attributes, in lists or in dicts, has their weights, too: it needs no `build`.
    - `call(x)` or `call(x, training=None)`: compute the output with NumPy's functions, `ops`, operators and other
      layers. It is differentiated by a tape.

    Or it gives its derivative itself, which is faster:

    - `forward(x, training=False)`: return the output. With `training=True`, keep on `self` what `backward` needs, and
      use `self.scratch(name, shape)` for results. With `training=False`, change nothing, so that several threads can
      predict at once. x may be the user's own data: never write into it.
    - `backward(dy)`: write the gradient of every weight into its `weight.gradient` (None for a frozen weight), and
      return dx, the gradient with respect to the input. `dy` may be overwritten. Where `self.needs_dx` is False, dx
      is not used and need not be computed.
    - `compute_output_shape(input_shape)`, where it differs from the input's.
    - `get_config()`, where the constructor gets more than plain values (numbers, texts, None, lists and dicts of such),
      which are remembered by themselves. To be read back from a file, the class is entered with the decorator
      `@saving.register_keras_serializable()`.

    A layer with `forward` of several inputs has `takes_several = True`; where the list says x, input_shape and dx, it
    gets and returns lists. Worked examples: docs/extending.md.

    Args:
        name: Name, unique in a model; by default the class name and a number.
        trainable: Whether training changes the layer's weights.
        dtype: 'float32' or 'float64'; by default `config.floatx()`.
        input_shape: Shape of one sample, as a shortcut for an `Input` in front of the layer.
        input_dim: The same for samples that are rows: `input_dim=784` is `input_shape=(784,)`.
        activity_regularizer: The penalty on the layer's output, divided by the number of samples, that a model adds to
            its loss: a name, a config or a `Regularizer`.

    Raises:
        ValueError: An argument is unknown or does not fit.

    Example:
        >>> class Squared(Layer):
        ...     "y = (s x)^2, with one learned s for each feature."
        ...     def build(self, input_shape):
        ...         self.s = self.add_weight(shape=input_shape[-1:], initializer="ones", name="s")
        ...     def call(self, x):
        ...         return np.square(self.s * x)
        >>> Squared()(np.full((1, 2), 3.0))
        array([[9., 9.]], dtype=float32)

        >>> class Scale(Layer):
        ...     "y = s x, with one learned s for each feature."
        ...     def build(self, input_shape):
        ...         self.s = self.add_weight(shape=input_shape[-1:], initializer="ones", name="s")
        ...     def forward(self, x, training=False):
        ...         self.x = x
        ...         return x * self.s.value
        ...     def backward(self, dy):
        ...         np.sum(dy * self.x, axis=0, out=self.s.gradient)
        ...         return dy * self.s.value
        >>> Scale()(np.ones((1, 2)))
        array([[1., 1.]], dtype=float32)
    """

    takes_several = False
    _nothing_to_build = False  # whether it is built from the start, unless a derived class has a `build`
    is_operation = False  # whether it is a function that was called with a model's tensors, and none of its `layers`
    acts_in_training = False  # whether `forward` computes something else with training=True, as dropout does
    _call_takes_training = False  # whether `call` asks for it
    _training_by_default: bool | None = None  # of `call(self, x, training=True)`
    by_call = False  # whether it is `call` that says what it computes
    _layers_met: Sequence[Layer] = ()  # those that it holds, in the order in which they came
    _holds_layers = False  # whether an attribute may be a layer
    recorded: Recorded | None = None  # what `forward` keeps for `backward`, where `call` is differentiated
    _fits: Any = None  # the shape of what it was called with last on a tape, which was found to fit
    gradients_checked = False  # whether it has been looked which weights `call` depends on
    _built_and_called = False  # whether all its weights are there
    needs_dx = True
    trained: Sequence[Variable] = ()  # the weights whose gradients `backward` writes, where `call` is differentiated
    input_dtype: str | None = None  # the type of what it takes, and of what it gives, where that is not its own
    output_dtype: str | None = None
    called_with: tuple[str, ...] = ()  # the types of what `call` was given, where it is drawn up
    specs: Mapping[Any, Any] = MappingProxyType({})  # what `call` gives, for shapes that it was asked for
    call: Callable[..., Any]
    forward_in_two: Callable[..., Any] | None = None  # what its activation is applied to, and its output
    gives_mask = False  # whether `compute_mask` says which steps of its output count, and are no padding
    takes_mask = False  # whether `forward` can take a list of x and a mask, and `backward` then gives [dx, None]
    call_takes_mask = False  # whether `call` asks for the mask of its input
    keeps_mask = True  # whether the mask of its input is that of its output, too
    rewrites_weights = False  # whether `forward` changes weights with training=True, not their gradients alone

    def __init__(
        self,
        *,
        name: str | None = None,
        trainable: bool = True,
        dtype: str | None = None,
        input_shape: Sequence[int] | int | None = None,
        input_dim: int | None = None,
        activity_regularizer: Any = None,
        **unknown: Any,
    ) -> None:
        if isinstance(dtype, dict):  # as Keras describes a type in a file
            dtype = plain_dtypes({"dtype": dtype})["dtype"]
        if unknown:
            raise ValueError(
                tr(
                    "Unrecognized keyword arguments passed to {kind}: {unknown}",
                    kind=type(self).__name__,
                    unknown=unknown,
                )
            )
        claim_call()
        if name is not None and not (isinstance(name, str) and "/" not in name and name.isprintable()):
            raise ValueError(
                tr(
                    "Argument `name` must be a string of letters that can be printed, and cannot contain "
                    "character `/`. Received: name={name!r}",
                    name=str(name)[:100],
                )
            )
        require_flag("trainable", trainable)
        if input_dim is not None:
            input_shape = (input_dim,)
        if is_whole(input_shape):
            input_shape = (int(cast(int, input_shape)),)
        self.name = name or naming.auto_name(type(self).__name__)
        self.dtype = checked_float_type(floatx() if dtype is None else dtype)
        self.built = self._nothing_to_build and type(self).build is Layer.build
        self.input_shape_argument = None if input_shape is None else tuple(cast(Sequence[int], input_shape))
        self.activity_regularizer = regularizers.get(activity_regularizer)
        self._trainable = bool(trainable)
        self._variables: list[Variable] = []
        self._always_frozen: set[Variable] = set()
        self._scratch = Scratch()
        self._built_for: Any = None
        self._call_losses: list[Any] = []
        self.nodes = []

    # --- What a layer defines ---

    def build(self, input_shape: Shape) -> None:  # noqa: ARG002 - nothing to declare
        """Declares the weights; a layer without weights has nothing to do."""
        self.built = True

    # Any, as a layer of several inputs has a list in the place of an array.

    def formula(self, x: Any) -> Any:
        """What the last `forward` in training computed, step by step, so that it can be differentiated again."""
        return self.call_structured(x, True)

    def forward(self, x: Any, training: bool = False) -> Array:
        """The output for a batch x."""
        raise NotImplementedError(
            tr("Layer {kind} does not have a `call()` method implemented.", kind=type(self).__name__)
        )

    def forward_by_call(self, x: Any, training: bool = False) -> Any:
        """What `forward` is where a class has `call`: that, on a tape in training."""
        return forward_by_call(self, x, training)

    def backward_by_call(self, dy: Any) -> Any:
        """What `backward` is there: the way back on that tape."""
        return backward_by_call(self, dy)

    def backward(self, dy: Array) -> Any:
        """Writes the weights' gradients and returns dx."""
        raise NotImplementedError(
            tr(
                "Layer {kind} has `forward`, but not the `backward(self, dy)` that belongs to it. A layer that "
                "is to be differentiated by itself defines `call(self, x)` in its place.",
                kind=type(self).__name__,
            )
        )

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Shape of the output, the batch None, for this shape of the input."""
        return output_shape_by_call(self, input_shape) if self.by_call else input_shape

    def compute_output_spec(self, *args: Any, **kwargs: Any) -> Any:
        """What the layer will give for tensors of a model, as tensors of a model, without a call being taken down."""
        before = self.nodes
        try:
            return self(*args, **kwargs)
        finally:
            self.nodes = before

    def check_input_shape(self, input_shape: Shape) -> None:
        """Raises ValueError where a batch of this shape does not fit; the base class takes anything."""

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:  # noqa: ARG002 - for those who define it
        """Which steps of its output count, (n, steps), and are no padding: here those of its input.

        A layer of your own that defines it says so for itself, of its inputs and of their mask, or None where all do.
        """
        return previous_mask

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments, as plain data."""
        config = {"name": self.name, "trainable": self.trainable, "dtype": self.dtype}
        if self.activity_regularizer is not None:
            config["activity_regularizer"] = regularizers.serialize(self.activity_regularizer)
        return remembered.described(self, config)

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Layer:
        """The layer with these constructor arguments."""
        return remembered.made(cls, config)

    def anew(self) -> Layer:
        """A layer of the same arguments, with weights of its own."""
        return type(self).from_config(self.get_config())

    def get_build_config(self) -> dict[str, Any] | None:
        """What `build` was called with, as plain data; None where it was not."""
        return None if self._built_for is None else {"input_shape": self._built_for}

    def build_from_config(self, config: dict[str, Any]) -> None:
        """Builds the layer as `get_build_config` described it, where it is not built."""
        if config and not self.built:
            self.build(_as_shape(config["input_shape"]))

    # --- What a layer can use ---

    def add_weight(
        self,
        *args: Any,
        shape: Sequence[int | None] | None = None,
        initializer: Any = None,
        dtype: str | None = None,
        trainable: bool = True,
        regularizer: Any = None,
        constraint: Any = None,
        name: str = "variable",
        autocast: bool = True,  # noqa: ARG002 - Keras'
        aggregation: str | None = None,
        synchronization: str | None = None,  # noqa: ARG002
    ) -> Variable:
        """Declares a weight.

        Args:
            *args: `shape`, `initializer` and `dtype`, which may also be given in this order.
            shape: Its shape; None for one number, ().
            initializer: Where its values start: a name, a config or an `Initializer`. None is 'glorot_uniform', or,
                for weights that are no fractions, 'zeros'.
            trainable: False for statistics that no optimizer touches.
            name: Its name within the layer.
            dtype: Its type; by default the layer's.
            regularizer: The penalty on its values: a name, a config or a `Regularizer`.
            constraint: What its values must fulfil after every step: a name, a config or a `Constraint`.
            autocast: Accepted as Keras does: there is one type.
            aggregation: Accepted as Keras does: there is one device.
            synchronization: The same.

        Raises:
            ValueError: It is called from `call`, where every batch would get a weight of its own.
        """
        if self._built_and_called and context.training is not None:
            raise ValueError(
                tr(
                    "`call` of layer '{name}' ({kind}) declares a weight, '{other}': the next batch would get "
                    "another one. Declare it in `build` or in `__init__`, and use it in `call`.",
                    name=self.name,
                    kind=type(self).__name__,
                    other=name,
                )
            )
        if aggregation not in _AGGREGATIONS:
            raise registry.unknown("aggregation", aggregation, _AGGREGATIONS[1:])
        shape, initializer, dtype = _by_place(args, {"shape": shape, "initializer": initializer, "dtype": dtype})
        shape = () if shape is None else sides("shape", shape)
        dtype = dtype or self.dtype
        if initializer is None:
            initializer = "glorot_uniform" if np.dtype(dtype).kind == "f" else "zeros"
        path = f"{self.name}/{name}"
        claim(shape, path)
        initialize = initializers.get("zeros" if values_follow() else initializer)
        values = initialize(shape, dtype)
        variable = Variable(values, name=name, trainable=trainable and self._trainable)
        variable.path = path
        variable.regularizer = regularizers.get(regularizer)
        variable.constraint = constraints.get(constraint)
        self._adopt(variable, trainable)
        return variable

    def scratch(self, name: str, shape: tuple[int, ...]) -> Array:
        """Memory for a result, of the layer's type: the same at every step (see `arena.Scratch`)."""
        return self._scratch(name, shape, self.dtype)

    # --- What everybody else uses ---

    def __call__(self, *args: Any, training: bool | None = None, **kwargs: Any) -> Any:
        """The layer's output for a batch x, as an array of its own; builds the layer at the first call.

        Called with what `Input` or another layer gave, it says instead where in a model the layer stands. Called while
        a tape records, it gives tensors.
        """
        if "_variables" not in self.__dict__:
            self._require_initialized()
        if len(args) == 1 and not kwargs:
            x = args[0]
        elif self.by_call and (args or kwargs):
            x = Arguments(args, kwargs)
        else:
            x, training = _only_argument(self, args, kwargs, training)
        if type(x) is not Tensor and is_symbolic(x):
            return self._connect(x, training)
        if self.gives_mask or not none_is_known():
            return masked.called(self, x, training)
        return self._called(x, training)

    def _called(self, x: Any, training: bool | None, mask: Any = None) -> Any:
        """What it gives for arrays or tensors, of whose steps a mask may say which count."""
        within = context.training
        if training is None:
            training = self._training_by_default if within is None else within
        training = bool(training)
        if self.by_call:
            return self._call_by_call(x, training)
        several = isinstance(x, (list, tuple)) and self.takes_several
        if mask is not None:
            self._ready_for(_shapes_of(x, False))
            x, several = [x, mask], True
        y = None
        if within is None:
            self._clear_losses()
        if recording():
            if mask is None:
                shape = x.value.shape if type(x) is Tensor else _shapes_of(x, several)
                if shape != self._fits:
                    self._ready_for(shape)
                    vars(self)["_fits"] = shape  # without being looked at: a layer's attributes are
            y = on_tape(self, x, training)
        if y is None:
            batch: Any = [self._batch(plain(one)) for one in x] if several else self._batch(plain(x))
            if mask is None:
                self._ready_for([one.shape for one in batch] if several else batch.shape)
            y = self.forward(batch, training)
            # What training keeps is written over by the next step, and an identity returns the caller's own array.
            own = own_arrays(y if isinstance(y, list) else [y], batch if several else [batch], borrowed=training)
            y = eager(own if isinstance(y, list) else own[0])
        if self.activity_regularizer is not None:
            self._penalize(y)
        return y

    def _ready_for(self, shape: Any) -> None:
        several = isinstance(shape, list)
        self.ensure_built([(None, *one[1:]) for one in shape] if several else (None, *shape[1:]))  # type: ignore[arg-type]
        self.check_input_shape(shape)

    def _penalize(self, y: Any) -> None:
        """Notes the penalty on an output."""
        regularizer: Any = self.activity_regularizer
        self.add_loss([regularizer(one) / max(len(one), 1) for one in flatten(y)])

    def _call_by_call(self, x: Any, training: bool) -> Any:
        """What `call` gives: for tensors of a tape, tensors; for arrays, arrays of its own."""
        given = pack_like(x, [self._as_operand(one) for one in flatten(x)]) if not _is_numbers(x) else self._batch(x)
        given = masked.with_their_masks(x, given)
        if context.training is None:
            self._clear_losses()
        self.ensure_built(shapes_of(given))
        with calling(training):
            y = self.call_structured(given, training)
        require_result(self, flatten(y))
        if not recording():
            arrays = [one for one in flatten(given) if isinstance(one, np.ndarray)]
            own = pack_like(y, [eager(np.asarray(plain(plain_result(plain(one), arrays)))) for one in flatten(y)])
            y = masked.with_their_masks(y, own)
        if self.activity_regularizer is not None:
            self._penalize(y)
        return y

    def _as_operand(self, x: Any) -> Any:
        """An argument as `call` gets it: real numbers in the layer's type, whatever else as it is."""
        if isinstance(x, Operand):
            return x
        if not isinstance(x, np.ndarray):
            x = as_array(x)
            x = np.asarray(x) if hasattr(x, "__array__") else x
        if isinstance(x, np.ndarray):
            return read_only(x.astype(self.dtype, copy=False) if x.dtype.kind == "f" else x)
        return x

    def call_structured(self, x: Any, training: bool) -> Any:
        """Calls `call` with what it takes: one argument or several, and `training` where it asks for that."""
        named: dict[str, Any] = {"training": training} if self._call_takes_training else {}
        if self.call_takes_mask:
            named["mask"] = masked.masks_in(masked.first(x))
        if isinstance(x, Arguments):
            return self.call(*x.args, **{**named, **x.kwargs})
        return self.call(x, **named)

    def add_loss(self, loss: Any) -> None:
        """Adds a number, or a list of such, to what is minimized; called within `call`.

        Raises:
            ValueError: It is a tensor of a model that is drawn up, or no number.
        """
        added = loss if isinstance(loss, (list, tuple)) else [loss]
        for one in added:
            if isinstance(one, KerasTensor):
                raise ValueError(
                    tr(
                        "`add_loss()` can only be called from inside `build()` or `call()`, on numbers. "
                        "Received invalid value: {one}. Write a layer that gets this tensor in its `call` and "
                        "adds the loss there.",
                        one=one,
                    )
                )
            if not isinstance(one, Operand):
                numbers("loss", one)
        if context.penalties is None:
            self._call_losses = [*self._call_losses, *added]
        else:  # they go to the model that is being run; nothing of the layer's changes, so that threads can predict
            context.penalties.extend(added)

    def _clear_losses(self) -> None:
        if self._call_losses:
            self._call_losses = []
        for layer in self._layers_inside():
            layer._clear_losses()

    def _layers_inside(self) -> Sequence[Layer]:
        """The layers that a call of it calls."""
        return self.sublayers()

    def sublayers(self) -> list[Layer]:
        """The layers that it holds, as attributes and in lists and dicts, in the order in which they came."""
        if not self._holds_layers:
            return []
        found = [layer for layer in held(self, Layer) if layer is not self]
        if len(found) != len(self._layers_met) or set(found) != set(self._layers_met):
            self._layers_met = tuple(dict.fromkeys([*(one for one in self._layers_met if one in found), *found]))
        return list(self._layers_met)

    def _batch(self, x: ArrayLike) -> Array:
        return read_only(np.asarray(x if type(x) is np.ndarray else as_array(x), self.dtype))

    def _connect(self, x: Any, training: bool | None) -> Any:
        """The tensors that the layer will give for these."""
        claim_call()
        if self.by_call:
            y = connect_by_call(self, x, training)
            self._clear_losses()  # those of the trial that tells its shapes
            return y
        single = isinstance(x, KerasTensor)
        inputs = [x] if single else list(x)
        for tensor in inputs:
            if not isinstance(tensor, KerasTensor):
                raise ValueError(
                    tr(
                        "Layer '{name}' was called with tensors of a model and {tensor!r} together. Give every "
                        "input by an `Input` of its own.",
                        name=self.name,
                        tensor=tensor,
                    )
                )
        shape: Any = x.shape if single else [tensor.shape for tensor in inputs]
        self.ensure_built(shape)
        self.check_input_shape(shape)
        dtypes = None if self.output_dtype is None else [self.output_dtype]
        return self.record(Node(self, inputs, single, training), self.compute_output_shape(shape), dtypes)

    def ensure_built(self, input_shape: Shape) -> None:
        """Builds the layer for inputs of this shape, once."""
        if not self.built:
            self.build(input_shape)
            self.built = True
        if self.by_call and not self._built_and_called:
            self._built_and_called = True

    @property
    def supports_masking(self) -> bool:
        """Whether steps of its output are padding where those of its input are; a layer with `call` sets it to True.

        One that defines `compute_mask` says itself what counts.
        """
        return self.gives_mask or self.keeps_mask

    @supports_masking.setter
    def supports_masking(self, value: bool) -> None:
        self.keeps_mask = bool(value)

    @property
    def kind(self) -> str:
        """What it is called beside its name, in a summary: its class, or the function that it stands for."""
        return type(self).__name__

    @property
    def compute_dtype(self) -> str:
        """The type that the layer computes in: `dtype`."""
        return self.dtype

    @property
    def variable_dtype(self) -> str:
        """The type of its weights: `dtype`."""
        return self.dtype

    @property
    def trainable(self) -> bool:
        """Whether training changes the layer's weights; after a change, compile the model again."""
        return self._trainable

    @trainable.setter
    def trainable(self, value: bool) -> None:
        self._trainable = bool(value)
        for variable in self.own_variables():
            variable.trainable = self._trainable and variable not in self._always_frozen
        for layer in self.sublayers():
            layer.trainable = value

    @property
    def losses(self) -> list[Any]:
        """The penalties on outputs of the last call, what it added by `add_loss`, and those on the weights as they are.

        While a tape records, they are tensors.
        """
        penalized: list[Any] = [v for v in self.trainable_weights if v.regularizer]
        of_weights = [v.regularizer(v if recording() else v.value) for v in penalized]
        return [*self._losses_of_calls(), *(one if type(one) is Tensor else float(one) for one in of_weights)]

    def _losses_of_calls(self) -> list[Any]:
        return [one for layer in layers_within([self]) for one in layer._call_losses]

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Lets every class's `build` note that it was called, also where that is done by hand."""
        super().__init_subclass__(**kwargs)
        if "build" in vars(cls):
            cls.build = _recording_shape(cls.build)  # type: ignore[method-assign]
        if "compute_output_shape" in vars(cls) and not cls.__module__.startswith("multilayer."):
            cls.compute_output_shape = _taking_shapes(cls.compute_output_shape)  # type: ignore[method-assign]
        cls._holds_layers = cls._holds_layers or not cls.__module__.startswith("multilayer.")
        if "call" in vars(cls):
            training = inspect.signature(cls.call).parameters.get("training")
            cls._call_takes_training = training is not None
            cls._training_by_default = training is not None and training.default is True
            if "forward" not in vars(cls):  # a built-in layer has both, which say the same
                cls.by_call, cls.keeps_mask = True, False
                cls.call_takes_mask = "mask" in inspect.signature(cls.call).parameters
                cls.forward, cls.backward = ByCall.forward, ByCall.backward  # type: ignore[method-assign]
        elif "forward" in vars(cls):
            cls.by_call = cls.call_takes_mask = False
        if {"forward", "backward"} & set(vars(cls)) and "forward_in_two" not in vars(cls):
            cls.forward_in_two = None  # it does something else than the class it is derived from
        if "compute_mask" in vars(cls) and not cls.__module__.startswith("multilayer."):
            cls.gives_mask = True

    def __setattr__(self, name: str, value: Any) -> None:
        current = self.__dict__.get(name)
        if isinstance(current, Variable) and value is not current:
            raise AttributeError(
                tr(
                    "`{name}` of layer '{other}' is a view of the model's parameter vector and cannot be "
                    "replaced. To change its values, use `layer.{name}.assign(value)`.",
                    name=name,
                    other=self.name,
                )
            )
        if isinstance(value, Layer):
            self._require_initialized()
        if self._holds_layers and isinstance(value, Variable):
            self._require_initialized()
            self._adopt(value, value.trainable)
        if self._holds_layers and isinstance(value, (Layer, list, tuple, dict)) and name not in OWN_STATE:
            self.sublayers()  # what was appended to a list before comes before this one
            if isinstance(value, Layer) and self._built_and_called and context.training is not None:
                raise ValueError(
                    tr(
                        "`call` of '{name}' makes a layer, '{other}': the next batch would get another one. "
                        "Make it in `__init__` or `build`, and use it in `call`.",
                        name=self.name,
                        other=value.name,
                    )
                )
        super().__setattr__(name, value)

    def _require_initialized(self) -> None:
        if "_variables" not in self.__dict__:
            raise RuntimeError(
                tr(
                    "In layer '{kind}', you forgot to call `super().__init__()` as the first statement in the "
                    "`__init__()` method. Go add it!",
                    kind=type(self).__name__,
                )
            )

    def __getstate__(self) -> dict[str, Any]:
        """A copy stands on its own: the calls in models stay with the original."""
        return {**self.__dict__, "nodes": [], "recorded": None, "specs": {}}

    def __repr__(self) -> str:
        return f"<{type(self).__name__} name={self.name}, built={self.built}>"


def _by_place(args: Sequence[Any], named: dict[str, Any]) -> tuple[Any, ...]:
    """The arguments of `add_weight`, of which the first may have been given without their names."""
    if len(args) > len(named):
        raise TypeError(
            tr(
                "add_weight() takes at most {count} positional arguments, but {given} were given.",
                count=len(named),
                given=len(args),
            )
        )
    if args and isinstance(args[0], str):  # as in Keras 2
        raise ValueError(
            tr(
                "The first argument of `add_weight` is the weight's shape. Received: {args!r}. Pass its name "
                "as the keyword argument `name={args!r}`.",
                args=args[0],
            )
        )
    for name, value in zip(named, args, strict=False):
        if named[name] is not None:
            raise ValueError(tr("`{name}` was passed both positionally and as a keyword argument.", name=name))
        named[name] = value
    return tuple(named.values())


# How Keras puts together what several devices make of a weight.
_AGGREGATIONS = (None, "none", "mean", "sum", "only_first_replica")


def _taking_shapes(compute_output_shape: Any) -> Any:
    """The user's `compute_output_shape`, which gets the shapes as `call` gets its arguments, and may return a list."""

    @functools.wraps(compute_output_shape)
    def computed(self: Layer, *args: Any, **kwargs: Any) -> Any:
        if args and type(args[0]) is Filled:
            args, kwargs = as_arguments(args[0])
        shape = compute_output_shape(self, *args, **kwargs)
        return tuple(shape) if isinstance(shape, list) and all(is_side(one) for one in shape) else shape

    return computed


def is_side(one: Any) -> bool:
    """Whether it is one of the numbers of a shape."""
    return one is None or isinstance(one, (int, np.integer))


def _recording_shape(build: Callable[..., None]) -> Callable[..., None]:
    @functools.wraps(build)
    def built_and_noted(self: Layer, *args: Any, **kwargs: Any) -> None:
        given = next(iter((*args, *kwargs.values())), ())
        if is_own(build) and not isinstance(given, (tuple, list, dict)):
            raise ValueError(
                tr(
                    "`input_shape` of layer '{name}' must be a tuple, such as (None, 784). Received: "
                    "input_shape={given!r}",
                    name=self.name,
                    given=given,
                )
            )
        with undone_on_error(self), calling(None):  # building is no part of a call
            build(self, *args, **kwargs)
        self.built = True
        vars(self)["_fits"] = None
        self._built_for = next(iter((*args, *kwargs.values())), None)  # some layers need no shape

    return built_and_noted


def _shapes_of(x: Any, several: bool) -> Any:
    """The shape of what a layer is called with, or of each of several."""
    if several:
        return [_shapes_of(one, False) for one in x]
    return x.shape if type(x) is Tensor or type(x) is np.ndarray else tuple(np.shape(plain(x)))


def _is_numbers(x: Any) -> bool:
    """Whether it is one array, or numbers in lists, and not several things."""
    if isinstance(x, (list, tuple)):
        return not isinstance(x, Arguments) and all(map(_is_numbers, x)) and not any(hasattr(one, "shape") for one in x)
    return isinstance(x, (int, float))


def _only_argument(layer: Layer, args: Any, kwargs: dict[str, Any], training: Any) -> tuple[Any, Any]:
    """The one thing that a layer is called with, however it was given; a mask for it goes into the table of masks."""
    given = [*args, *(kwargs.pop(name) for name in ("x", "inputs") if name in kwargs)]
    if len(given) == 2 and training is None and isinstance(given[1], (bool, type(None))):
        given, training = given[:1], given[1]
    mask = kwargs.pop("mask", None)
    if layer.takes_mask and mask is not None and len(given) == 1 and not is_symbolic(given[0]):
        given = [masked.with_mask(given[0], mask)]
    elif mask is not None:
        kwargs = {**kwargs, "mask": mask}
    if len(given) != 1 or kwargs:
        raise TypeError(
            tr(
                "Layer '{name}' is called with one array, or one list of arrays, and `training`. Received: "
                "{count} positional arguments and {kwargs}.",
                name=layer.name,
                count=len(given),
                kwargs=sorted(kwargs),
            )
        )
    return given[0], training


def require_ndim(layer: Layer, ndim: int, input_shape: Shape) -> None:
    """Raises ValueError where inputs have another number of axes than the layer was built for."""
    if len(input_shape) != ndim:
        raise ValueError(
            tr(
                'Input 0 of layer "{name}" is incompatible with the layer: expected ndim={ndim}, found '
                "ndim={count}. Full shape received: {input_shape}",
                name=layer.name,
                ndim=ndim,
                count=len(input_shape),
                input_shape=tuple(input_shape),
            )
        )


def _as_shape(shape: Any) -> Any:
    """A shape that was a list in JSON, or a list or dict of such."""
    if isinstance(shape, dict):
        return {key: _as_shape(one) for key, one in shape.items()}
    return tuple(_as_shape(one) if isinstance(one, list) else one for one in shape)


@contextmanager
def undone_on_error(*things: object) -> Iterator[None]:
    """Gives things back the attributes they had where an error goes through: nothing is left built by half.

    What an attribute is bound to comes back, not what was changed inside it.
    """
    before = [(vars(thing), dict(vars(thing))) for thing in things]
    try:
        yield
    except BaseException:
        for attributes, kept in before:
            attributes.clear()
            attributes.update(kept)
        raise


def serialize(layer: Layer) -> dict[str, Any]:
    """The layer as a config that `deserialize` reads; weights are not part of it."""
    return registry.serialize(layer)


@filter_traceback
def deserialize(config: dict[str, Any], custom_objects: dict[str, Any] | None = None) -> Layer:
    """The layer that `serialize` described, with fresh weights, and with classes of your own by name."""
    with custom_object_scope(custom_objects):
        layer: Layer = registry.deserialize("layer", config)
        return layer
