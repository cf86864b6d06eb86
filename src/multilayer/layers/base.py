"""What a layer is: weights declared in `build`, and a forward pass with the backward pass that belongs to it."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, cast

import numpy as np
from numpy.typing import ArrayLike

from multilayer import constraints, initializers, regularizers
from multilayer._checks.arrays import own_arrays, read_only
from multilayer._checks.scalars import is_whole
from multilayer._checks.tables import dense
from multilayer._core.arena import Scratch, Variable, claim, claim_call, values_follow
from multilayer._names import naming, registry, remembered
from multilayer._names.custom_objects import custom_object_scope
from multilayer.config import checked_float_type, floatx
from multilayer.functional import Array
from multilayer.layers.symbolic import KerasTensor, Node, Operation, is_symbolic
from multilayer.layers.symbolic import Shape as Shape


class Layer(remembered.Remembering, Operation):
    """Base class of all layers.

    A layer of your own overrides these; there is no automatic differentiation, so `backward` is yours to write:

    - `build(input_shape)`: declare weights with `self.add_weight(...)`; the shape's first entry is None, the batch.
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

    A layer of several inputs has `takes_several = True`; where the list says x, input_shape and dx, it gets and returns
    lists. Worked examples: docs/extending.md.

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
    acts_in_training = False  # whether `forward` computes something else with training=True, as dropout does
    gives_mask = False  # whether `compute_mask` says which steps of its output count, and are no padding
    takes_mask = False  # whether `forward` can take a list of x and a mask, and `backward` then gives [dx, None]
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
        if unknown:
            raise ValueError(f"Unrecognized keyword arguments passed to {type(self).__name__}: {unknown}")
        claim_call()
        if name is not None and not (isinstance(name, str) and "/" not in name and name.isprintable()):
            raise ValueError(
                "Argument `name` must be a string of letters that can be printed, and cannot contain character `/`. "
                f"Received: name={str(name)[:100]!r}"
            )
        if not isinstance(trainable, (bool, np.bool_)) and trainable not in (0, 1):
            raise ValueError(f"Argument `trainable` must be True or False. Received: trainable={trainable!r}")
        if input_dim is not None:
            input_shape = (input_dim,)
        if is_whole(input_shape):
            input_shape = (int(cast(int, input_shape)),)
        self.name = name or naming.auto_name(type(self).__name__)
        self.dtype = checked_float_type(dtype or floatx())
        self.built = self._nothing_to_build and type(self).build is Layer.build
        self.needs_dx = True
        self.input_shape_argument = None if input_shape is None else tuple(cast(Sequence[int], input_shape))
        self.activity_regularizer = regularizers.get(activity_regularizer)
        self._trainable = bool(trainable)
        self._variables: list[Variable] = []
        self._always_frozen: set[Variable] = set()
        self._scratch = Scratch()
        self._built_for: Any = None
        self._activity_penalty: float | None = None
        self.nodes = []

    # --- What a layer defines ---

    def build(self, input_shape: Shape) -> None:  # noqa: ARG002 - nothing to declare
        """Declares the weights; a layer without weights has nothing to do."""
        self.built = True

    # Any, as a layer of several inputs has a list in the place of an array.

    def forward(self, x: Any, training: bool = False) -> Array:
        """The output for a batch x."""
        raise NotImplementedError(f"Layer {type(self).__name__} does not define `forward(self, x, training=False)`.")

    def backward(self, dy: Array) -> Any:
        """Writes the weights' gradients and returns dx."""
        raise NotImplementedError(
            f"Layer {type(self).__name__} does not define `backward(self, dy)`. There is no automatic "
            "differentiation: a layer that is trained through has to give its own derivative."
        )

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Shape of the output, the batch None, for this shape of the input."""
        return input_shape

    def check_input_shape(self, input_shape: Shape) -> None:
        """Raises ValueError where a batch of this shape does not fit; the base class takes anything."""

    def compute_mask(self, x: Array) -> Array:
        """Which steps of a batch count, (n, steps), of a layer that `gives_mask`."""
        raise NotImplementedError(f"Layer {type(self).__name__} does not define `compute_mask(self, x)`.")

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
        shape: Sequence[int | None] | None = None,
        initializer: Any = None,
        *,
        trainable: bool = True,
        name: str = "variable",
        dtype: str | None = None,
        regularizer: Any = None,
        constraint: Any = None,
    ) -> Variable:
        """Declares a weight.

        Args:
            shape: Its shape; None for one number, ().
            initializer: Where its values start: a name, a config or an `Initializer`. None is 'glorot_uniform', or,
                for weights that are no fractions, 'zeros'.
            trainable: False for statistics that no optimizer touches.
            name: Its name within the layer.
            dtype: Its type; by default the layer's.
            regularizer: The penalty on its values: a name, a config or a `Regularizer`.
            constraint: What its values must fulfil after every step: a name, a config or a `Constraint`.
        """
        shape = () if shape is None else shape
        if isinstance(shape, str):
            raise ValueError(
                f"The first argument of `add_weight` is the weight's shape. Received: shape={shape!r}. Pass its "
                f"name as `name={shape!r}`."
            )
        dtype = dtype or self.dtype
        if initializer is None:
            initializer = "glorot_uniform" if np.dtype(dtype).kind == "f" else "zeros"
        path = f"{self.name}/{name}"
        claim(shape, path)
        initialize = initializers.get("zeros" if values_follow() else initializer)
        values = initialize(cast(Sequence[int], tuple(shape)), dtype)
        variable = Variable(values, name=name, trainable=trainable and self._trainable)
        variable.path = path
        variable.regularizer = regularizers.get(regularizer)
        variable.constraint = constraints.get(constraint)
        self._variables = [*self._variables, variable]  # new lists: see `undone_on_error`
        if not trainable:
            self._always_frozen = {*self._always_frozen, variable}
        return variable

    def scratch(self, name: str, shape: tuple[int, ...]) -> Array:
        """Memory for a result, of the layer's type: the same at every step (see `arena.Scratch`)."""
        return self._scratch(name, shape, np.dtype(self.dtype))

    # --- What everybody else uses ---

    def __call__(self, x: Any, training: bool | None = None) -> Any:
        """The layer's output for a batch x, as an array of its own; builds the layer at the first call.

        Called with what `Input` or another layer gave, it says instead where in a model the layer stands.
        """
        if is_symbolic(x):
            return self._connect(x, training)
        several = isinstance(x, (list, tuple)) and self.takes_several
        batch: Any = [self._batch(one) for one in x] if several else self._batch(x)
        shape: Any = [one.shape for one in batch] if several else batch.shape
        of_any_batch: Any = [(None, *one[1:]) for one in shape] if several else (None, *shape[1:])
        self.ensure_built(of_any_batch)
        self.check_input_shape(shape)
        y = self.forward(batch, bool(training))
        if self.activity_regularizer is not None:
            self._activity_penalty = float(self.activity_regularizer(y)) / len(y)
        # What training keeps is written over by the next step, and an identity returns the caller's own array.
        own = own_arrays(y if isinstance(y, list) else [y], batch if several else [batch], borrowed=bool(training))
        return own if isinstance(y, list) else own[0]

    def _batch(self, x: ArrayLike) -> Array:
        return read_only(np.asarray(dense(x), self.dtype))

    def _connect(self, x: Any, training: bool | None) -> Any:
        """The tensors that the layer will give for these."""
        claim_call()
        single = isinstance(x, KerasTensor)
        inputs = [x] if single else list(x)
        for tensor in inputs:
            if not isinstance(tensor, KerasTensor):
                raise ValueError(
                    f"Layer '{self.name}' was called with tensors of a model and {tensor!r} together. Give every input "
                    "by an `Input` of its own."
                )
        shape: Any = x.shape if single else [tensor.shape for tensor in inputs]
        self.ensure_built(shape)
        self.check_input_shape(shape)
        return self.record(Node(self, inputs, single, training), self.compute_output_shape(shape))

    def ensure_built(self, input_shape: Shape) -> None:
        """Builds the layer for inputs of this shape, once."""
        if not self.built:
            self.build(input_shape)
            self.built = True

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
        for variable in self._variables:
            variable.trainable = self._trainable and variable not in self._always_frozen

    @property
    def weights(self) -> list[Variable]:
        """All weights, in the same order whatever is frozen just now: those declared `trainable=False` come last."""
        changing = [v for v in self._variables if v not in self._always_frozen]
        return [*changing, *(v for v in self._variables if v in self._always_frozen)]

    @property
    def variables(self) -> list[Variable]:
        """The same as `weights`."""
        return self.weights

    @property
    def trainable_weights(self) -> list[Variable]:
        """The weights that training changes."""
        return [v for v in self.weights if v.trainable]

    @property
    def trainable_variables(self) -> list[Variable]:
        """The same as `trainable_weights`."""
        return self.trainable_weights

    @property
    def losses(self) -> list[float]:
        """The penalty on the output of the last call with arrays, and those on the weights as they are now."""
        of_weights = [float(v.regularizer(v.value)) for v in self.trainable_weights if v.regularizer is not None]
        return of_weights if self._activity_penalty is None else [self._activity_penalty, *of_weights]

    @property
    def non_trainable_weights(self) -> list[Variable]:
        """The weights that training leaves alone."""
        return [v for v in self.weights if not v.trainable]

    @property
    def non_trainable_variables(self) -> list[Variable]:
        """The same as `non_trainable_weights`."""
        return self.non_trainable_weights

    def get_weights(self) -> list[Array]:
        """Copies of all weights' values, in the order of `weights`."""
        return [v.numpy() for v in self.weights]

    def set_weights(self, weights: Sequence[ArrayLike]) -> None:
        """Sets all weights' values, in the order of `weights`.

        Raises:
            ValueError: Their number or a shape differs; then none is set.
        """
        assign_all(self.weights, weights, f"layer '{self.name}'")

    def count_params(self) -> int:
        """Number of weights.

        Raises:
            ValueError: The layer is not built yet.
        """
        if not self.built:
            raise ValueError(
                f"You tried to call `count_params` on layer '{self.name}', but the layer isn't built. You can build it "
                "manually via: `layer.build(input_shape)`."
            )
        return sum(v.value.size for v in self._variables)

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Lets every class's `build` note that it was called, also where that is done by hand."""
        super().__init_subclass__(**kwargs)
        if "build" in vars(cls):
            cls.build = _recording_shape(cls.build)  # type: ignore[method-assign]

    def __setattr__(self, name: str, value: Any) -> None:
        current = self.__dict__.get(name)
        if isinstance(current, Variable) and value is not current:
            raise AttributeError(
                f"`{name}` of layer '{self.name}' is a view of the model's parameter vector and cannot be replaced. "
                f"To change its values, use `layer.{name}.assign(value)`."
            )
        super().__setattr__(name, value)

    def __getstate__(self) -> dict[str, Any]:
        """A copy stands on its own: the calls in models stay with the original."""
        return {**self.__dict__, "nodes": []}

    def __repr__(self) -> str:
        return f"<{type(self).__name__} name={self.name}, built={self.built}>"


def _recording_shape(build: Callable[..., None]) -> Callable[..., None]:
    @functools.wraps(build)
    def built_and_noted(self: Layer, input_shape: Shape) -> None:
        with undone_on_error(self):
            build(self, input_shape)
        self.built = True
        self._built_for = input_shape

    return built_and_noted


def require_ndim(layer: Layer, ndim: int, input_shape: Shape) -> None:
    """Raises ValueError where inputs have another number of axes than the layer was built for."""
    if len(input_shape) != ndim:
        raise ValueError(
            f'Input 0 of layer "{layer.name}" is incompatible with the layer: expected ndim={ndim}, found '
            f"ndim={len(input_shape)}. Full shape received: {tuple(input_shape)}"
        )


def _as_shape(shape: Any) -> Any:
    """A shape that was a list in JSON, or a list of such."""
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


def assign_all(variables: Sequence[Variable], values: Sequence[ArrayLike], owner: str) -> None:
    """Sets every variable, or, where anything does not fit, none.

    Raises:
        ValueError: The number of values or the shape of one does not fit, or one does not hold real numbers.
    """
    if len(variables) != len(values):
        raise ValueError(
            f"You called `set_weights(weights)` on {owner} with a weight list of length {len(values)}, but it was "
            f"expecting {len(variables)} weights."
        )
    arrays = [variable.real(value) for variable, value in zip(variables, values, strict=True)]
    for variable, array in zip(variables, arrays, strict=True):
        if variable.shape != array.shape:
            raise ValueError(
                f"Weight {variable.path} of {owner} has shape {variable.shape}, but the value given for it has shape "
                f"{array.shape}."
            )
    for variable, array in zip(variables, arrays, strict=True):
        variable.assign(array)


def serialize(layer: Layer) -> dict[str, Any]:
    """The layer as a config that `deserialize` reads; weights are not part of it."""
    return registry.serialize(layer)


def deserialize(config: dict[str, Any], custom_objects: dict[str, Any] | None = None) -> Layer:
    """The layer that `serialize` described, with fresh weights, and with classes of your own by name."""
    with custom_object_scope(custom_objects):
        layer: Layer = registry.deserialize("layer", config)
        return layer
