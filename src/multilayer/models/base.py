"""What every model is: a network of layers, with Keras' face on it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import ArrayLike

from multilayer import glass
from multilayer._checks.arguments import listed
from multilayer._checks.arrays import own_arrays, read_only
from multilayer._checks.scalars import whole_number
from multilayer._checks.texts import as_array_type, as_given
from multilayer._core.arena import Variable
from multilayer._core.masks import none_is_known
from multilayer._core.tape import Tensor, as_tensor, recording
from multilayer._core.tape.eager import EagerArray, eager
from multilayer._language import tr
from multilayer._names.qualified import named_after_class
from multilayer._training import data
from multilayer._training.graph import Call, Graph
from multilayer._training.masks import gives_masks, with_masks
from multilayer.functional import Array
from multilayer.glass import Trace
from multilayer.layers import KerasTensor, Layer
from multilayer.layers.base import undone_on_error
from multilayer.layers.masked import masks_in, with_their_masks
from multilayer.layers.recorded import as_arguments, calling, context
from multilayer.layers.symbolic import Node, Shape, flatten, is_symbolic, pack_like
from multilayer.layers.weights import assign_all
from multilayer.models.feeding import FeedingMixin
from multilayer.models.fitting import FittingMixin
from multilayer.models.saving import SavingMixin
from multilayer.models.steps import StepsMixin
from multilayer.models.structures import for_each, warn_of_structure
from multilayer.models.summary import Row, html_summary, print_summary

Kind = TypeVar("Kind", bound="Model")


class Known(NamedTuple):
    """What a model has found to fit, and need not look at again: a sample's shape, and the type it is wanted in."""

    shape: tuple[int, ...]
    dtype: np.dtype[Any]


@named_after_class(FeedingMixin, StepsMixin, FittingMixin, SavingMixin)
class Model(FittingMixin, SavingMixin, Layer):
    """A network of layers: `Model(inputs, outputs)` is the one between the tensors that its layers were called with.

    A model is a layer, too: called with a tensor it becomes part of a larger one, with the same weights.

    Args:
        inputs: What comes in: a tensor that `Input` gave, or a list or dict of such. A tensor in the middle of another
            model will do, too.
        outputs: What comes out: a tensor that a layer gave, or a list or dict of such.
        name: Its name.
        trainable: Whether training changes its weights.

    Attributes:
        inputs: The tensors that come in.
        outputs: The tensors that come out.
        optimizer: The optimizer, once compiled.
        history: What the last `fit` recorded.
        stop_training: Set it to True (in a callback) to end training after the current step.
        stop_evaluating: The same for evaluating, also where that is `fit`'s validation.
        stop_predicting: The same for predicting: what was predicted so far is returned.

    Raises:
        TypeError: It is made without inputs and outputs.
        ValueError: An output does not come from the inputs, or two layers have one name.

    Example:
        >>> from multilayer import Input, layers
        >>> x = Input((4,))
        >>> hidden = layers.Dense(4, activation="relu")(x)
        >>> model = Model(x, layers.Dense(1)(layers.Add()([x, hidden])))
        >>> model.predict(np.zeros((2, 4)), verbose=0).shape
        (2, 1)
    """

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Makes a subclass with `call` one of `Subclassed`, and one without one of `Functional`.

        That is what `Model(inputs, outputs)` is: such a class may draw its network in `__init__`, and end in
        `super().__init__(inputs=inputs, outputs=outputs)`. One that gives neither only holds other models, and trains
        them in its `train_step`: it becomes one of `Subclassed` when that is known.
        """
        super().__init_subclass__(**kwargs)
        if Model in cls.__bases__ and not cls.__module__.startswith("multilayer.models."):
            from multilayer.models.functional import Functional  # they derive from this class
            from multilayer.models.subclassed import Subclassed

            kind = Subclassed if "call" in vars(cls) else Functional
            cls.__bases__ = tuple(kind if base is Model else base for base in cls.__bases__)

    def __new__(cls: type[Kind], *args: Any, **kwargs: Any) -> Kind:
        if cls is Model and not args and not {"inputs", "outputs"} <= set(kwargs):
            raise TypeError(
                tr(
                    "A model is made of tensors: `Model(inputs, outputs)`, with the inputs from "
                    "`Input(shape)`. Layers in a row make a `Sequential([Input(shape), ...])`; a class that "
                    "derives from `Model` may have a `call`."
                )
            )
        if cls is Model:
            from multilayer.models.functional import Functional  # it derives from this class

            return super().__new__(Functional)  # type: ignore[return-value]
        return super().__new__(cls)

    def __init__(self, name: str | None = None, trainable: bool = True) -> None:
        super().__init__(name=name, trainable=trainable)
        self.optimizer = None
        self.history = None
        self.stop_training = False
        self.stop_evaluating = False
        self.stop_predicting = False
        self._trainer = None
        self._compile_arguments = {}
        self._input_form: Any = None  # a number, a list or a dict of them: which input stands where
        self._output_form: Any = None
        self._built_by_data = False  # nobody has said what the shape of its inputs is
        self._fitting_shapes: list[tuple[int, ...]] | None = None
        self._known: Known | None = None

    # --- What a kind of model defines ---

    @property
    def layers(self) -> list[Layer]:
        """The layers."""
        raise NotImplementedError(tr("{kind} does not define `layers`.", kind=type(self).__name__))

    @property
    def graph(self) -> Graph:
        """Which layer is called with what."""
        raise NotImplementedError(tr("{kind} does not define `graph`.", kind=type(self).__name__))

    @property
    def inputs(self) -> list[KerasTensor]:
        """The tensors that come in."""
        raise NotImplementedError(tr("{kind} does not define `inputs`.", kind=type(self).__name__))

    @property
    def outputs(self) -> list[KerasTensor]:
        """The tensors that come out."""
        raise NotImplementedError(tr("{kind} does not define `outputs`.", kind=type(self).__name__))

    def check_input_shapes(self, shapes: Sequence[tuple[int, ...]]) -> None:
        """Raises ValueError, naming the layer, where batches of these shapes do not fit."""
        raise NotImplementedError(tr("{kind} does not define `check_input_shapes`.", kind=type(self).__name__))

    def cloned(
        self, copied: Callable[[Layer], Layer], input_tensors: Any = None, called: Callable[..., Any] | None = None
    ) -> Model:
        """The same architecture with a copy of every layer. See `models.clone_model`."""
        raise NotImplementedError(tr("{kind} does not define `cloned`.", kind=type(self).__name__))

    def rows(self) -> list[Row]:
        """Each layer as it is drawn, with the shape of its output and what it is connected to."""
        raise NotImplementedError(tr("{kind} does not define `rows`.", kind=type(self).__name__))

    # --- As a network ---

    @property
    def input(self) -> Any:
        """What comes in, as the model was drawn up: a tensor, a list or a dict of them."""
        return pack_like(self._input_form, self.inputs)

    @property
    def output(self) -> Any:
        """What comes out, as the model was drawn up: a tensor, a list or a dict of them."""
        return pack_like(self._output_form, self.outputs)

    @property
    def input_names(self) -> list[str]:
        """The names of the inputs."""
        return [tensor.node.operation.name for tensor in self.inputs]

    @property
    def output_names(self) -> list[str]:
        """The names of the outputs: those of the layers that give them."""
        return [tensor.node.operation.name for tensor in self.outputs]

    @property
    def input_dtypes(self) -> list[str]:
        """The type that each input is wanted in."""
        return [as_array_type(tensor.dtype) for tensor in self.inputs]

    @property
    def input_shape(self) -> Any:
        """Shape of a batch of inputs, its first entry None: (None, 784); for several inputs a list or dict of shapes.

        Raises:
            ValueError: The model is not built yet.
        """
        self._require_known("input_shape")
        return pack_like(self._input_form, [tensor.shape for tensor in self.inputs])

    @property
    def output_shape(self) -> Any:
        """Shape of a batch of outputs, its first entry None: (None, 10); for several outputs a list or dict of shapes.

        Raises:
            ValueError: The model is not built yet.
        """
        self._require_known("output_shape")
        return pack_like(self._output_form, self._output_shapes())

    def _output_shapes(self) -> list[Shape]:
        return [tensor.shape for tensor in self.outputs]

    def _output_shapes_for(self, xs: Sequence[Array]) -> list[Shape]:
        shapes = self._output_shapes()
        if not any(None in shape[1:] for shape in shapes):
            return shapes
        given = [x.shape for x in xs]
        found = self.graph.run(given, lambda call, shape: call.layer.compute_output_shape(shape))
        return [(None, *shape[1:]) for shape in found]

    def flat_graph(self) -> Graph:
        return with_masks(self.graph).flat()

    def compute_output_shape(self, input_shape: Any) -> Any:
        shapes = input_shape if isinstance(input_shape, list) else [input_shape]
        outputs = self.graph.run(shapes, lambda call, shape: call.layer.compute_output_shape(shape))
        return outputs if len(outputs) > 1 else outputs[0]

    def check_input_shape(self, input_shape: Any) -> None:
        self.check_input_shapes(input_shape if isinstance(input_shape, list) else [input_shape])

    def forward(self, x: Any, training: bool = False) -> Any:
        """The output for a batch, a list where there are several."""
        outputs = self.run(x if isinstance(x, list) else [x], training)
        return outputs if len(outputs) > 1 else outputs[0]

    def run(self, xs: Sequence[Array], training: bool = False) -> list[Array]:
        return with_masks(self.graph).forward(xs, training)

    def __call__(self, x: Any = None, training: bool | None = None, *, inputs: Any = None) -> Any:  # type: ignore[override]
        """The output for one batch, as an array of its own, or in the form that the model was drawn up with.

        Args:
            x: Inputs, shape (n, ...); for several inputs a list of arrays, or a dict by name. Tensors that `Input` or
                a layer gave make the model a part of another.
            training: Whether layers behave as in training (dropout drops).
            inputs: The name that Keras has for `x`.
        """
        x = inputs if x is None else x
        if recording() or context.penalties is not None:  # layer by layer, so that what each adds to a loss is gathered
            return self._call_on_tape(x, training)
        known = self._known
        if (
            known is None
            or type(x) not in (np.ndarray, EagerArray)
            or x.shape[1:] != known.shape
            or not none_is_known()
        ):
            return self._call_with_anything(x, training)
        batch = read_only(as_given(x, known.dtype))
        with self._threads_for(len(batch), len(batch)):
            y = self.forward(batch, bool(training))
        return eager(y.copy() if training or np.may_share_memory(y, batch) else y)

    def _at_once(self, x: Array, batch_size: int) -> Array | None:
        # Whoever asks row by row would wait for the batches, the callbacks that there are none of, and the checks of
        # what was checked with the first row several times as long as for a small network.
        known = self._known
        if known is None or x.shape[1:] != known.shape or len(x) > batch_size:
            return None
        if type(self).predict_step is not Model.predict_step:
            return None
        batch = data.check_inputs(x, known.dtype)
        if batch.dtype.kind != "f":
            batch = batch.astype(known.dtype, order="C")  # as `Batches` makes floats of whole numbers
        if self.stop_predicting:
            self.stop_predicting = False
        with self._threads_for(len(batch), batch_size):
            (y,) = self.run([read_only(batch)])
        return np.array(y, order="C")  # the caller's own, whatever a layer has kept of it

    def _call_on_tape(self, x: Any, training: bool | None) -> Any:
        """The output as tensors: layer by layer, each of which is one step of the tape."""
        if is_symbolic(x):
            return self._connect(x, training)
        given = for_each(x, self.input_names, self._input_form, "x")
        arrays = [as_tensor(one) for one in given]
        given = with_their_masks(
            given,
            [
                one if isinstance(one, Tensor) else as_given(one, dtype)
                for one, dtype in zip(arrays, self.input_dtypes, strict=True)
            ],
        )
        if not self.built:
            self.build((None, *given[0].shape[1:]))
            self._built_by_data = True
        self.check_input_shapes([one.shape for one in given])
        training = bool(context.training if training is None else training)

        def made(call: Call, x: Any) -> Any:
            args, kwargs = as_arguments(x)
            y = call.layer(*args, training=training if call.training is None else call.training, **kwargs)
            return flatten(y) if len(call.outputs) > 1 else y

        if context.training is None:
            self._clear_losses()
        with calling(training):  # so that what its layers add to the loss stays until the next call of the model
            return self._packed(self.graph.run(given, made))

    def _goes_layer_by_layer(self) -> bool:
        """Whether a call needs more of its layers than their outputs: masks, or what they add to a loss."""
        called = [call.layer for call in self.flat_graph().calls]
        adds = any(one.activity_regularizer is not None or (one.by_call and not one.is_operation) for one in called)
        return adds or gives_masks(called)

    def _layers_inside(self) -> list[Layer]:
        return self.layers

    def _call_with_anything(self, x: Any, training: bool | None) -> Any:
        if is_symbolic(x):
            return self._connect(x, training)
        given = for_each(x, self.input_names, self._input_form, "x")
        warn_of_structure(x, self._input_form)
        arrays = [read_only(as_given(x, dtype)) for x, dtype in zip(given, self.input_dtypes, strict=True)]
        arrays = self._fitting(arrays)
        if masks_in(given) is not None or self._goes_layer_by_layer():
            return self._call_on_tape(x, training)
        with self._threads_for(len(arrays[0]), len(arrays[0])):
            outputs = self.run(arrays, bool(training))
        return eager(self._packed(own_arrays(outputs, arrays, borrowed=bool(training))))

    def _connect(self, x: Any, training: bool | None) -> Any:
        tensors = for_each(x, self.input_names, self._input_form, "x") if self.built else flatten(x)
        shapes = [tensor.shape for tensor in tensors]
        self.ensure_built(shapes[0])
        self.check_input_shape(shapes)
        node = Node(self, tensors, len(tensors) == 1, training)
        dtypes = [tensor.dtype for tensor in self.outputs]
        outputs = flatten(self.record(node, self.compute_output_shape(shapes), dtypes))
        return pack_like(self._output_form, outputs)

    def _packed(self, outputs: Sequence[Array]) -> Any:
        return pack_like(self._output_form, outputs)

    def _fitting(self, given: Sequence[Array]) -> list[Array]:
        wanted = [tensor.shape for tensor in self.inputs] if self.built else [None] * len(given)
        xs = [_of_rank(x, shape) for x, shape in zip(given, wanted, strict=True)]
        if not self.built:
            self.build((None, *xs[0].shape[1:]))
            self._built_by_data = True
        shapes = [x.shape[1:] for x in xs]
        if shapes != self._fitting_shapes:
            try:
                self.check_input_shapes([x.shape for x in xs])
            except ValueError as error:
                if _is_one_sample(given, wanted):
                    raise ValueError(
                        tr(
                            "{error}. An array of shape {shape} is one sample without its batch axis: pass "
                            "`x[None]`, a batch of one.",
                            error=error,
                            shape=given[0].shape,
                        )
                    ) from error
                raise
            self._fitting_shapes = shapes
            alone = len(xs) == 1 and not isinstance(self._output_form, (dict, list, tuple))
            quick = alone and shapes[0] and not self._goes_layer_by_layer()
            self._known = Known(shapes[0], np.dtype(self.input_dtypes[0])) if quick else None
        return list(xs)

    def _unbuilt_on_error(self) -> AbstractContextManager[None]:
        return undone_on_error(*([] if self.built else [self, *self.layers]))

    def _flop(self, batch_size: int) -> float:
        """Floating point operations of the largest product with a batch."""
        sizes = [v.value.size for v in self.weights if len(v.shape) == 2]
        return 2.0 * batch_size * max(sizes, default=0)

    # --- Weights ---

    @property
    def weights(self) -> list[Variable]:
        """All weights: the model's own, where its class has any, those of its layers, and of what else it holds."""
        within = (v for layer in (*self.layers, *self.sublayers()) for v in layer.weights)
        return list(dict.fromkeys([*self.own_variables(), *within]))

    @property
    def trainable(self) -> bool:
        """Whether any layer is trained; setting it sets every layer. Compile again after a change."""
        return any(layer.trainable for layer in self.layers)

    @trainable.setter
    def trainable(self, value: bool) -> None:
        for variable in self.own_variables():
            variable.trainable = bool(value) and variable not in self._always_frozen
        for layer in dict.fromkeys([*self.layers, *self.sublayers()]):
            layer.trainable = value

    def get_weights(self) -> list[Array]:
        """Copies of all weights' values: each layer's kernel, then its bias."""
        return [v.numpy() for v in self.weights]

    def set_weights(self, weights: Sequence[ArrayLike]) -> None:
        """Sets all weights' values, in the order of `get_weights`.

        Raises:
            ValueError: Their number or a shape differs; then none is set.
        """
        assign_all(self.weights, listed("weights", weights), f"model '{self.name}'")

    def get_layer(self, name: str | None = None, index: int | None = None) -> Layer:
        """The layer of this name, or at this place.

        Raises:
            ValueError: There is none, or not exactly one of the two is given.
        """
        if (name is None) == (index is None):
            raise ValueError(
                tr(
                    "Pass either a layer's name or its index. Received: name={name!r}, index={index!r}",
                    name=name,
                    index=index,
                )
            )
        if index is not None:
            index = whole_number("index", index)
            if not -len(self.layers) <= index < len(self.layers):
                raise ValueError(
                    tr(
                        "Was asked to retrieve layer at index {index} but model only has {count} layers.",
                        index=index,
                        count=len(self.layers),
                    )
                )
            return self.layers[index]
        for layer in self.layers:
            if layer.name == name:
                return layer
        raise ValueError(
            tr(
                "No such layer: {name}. Existing layers are: {layers}.",
                name=name,
                layers=[layer.name for layer in self.layers],
            )
        )

    def count_params(self) -> int:
        """Number of weights.

        Raises:
            ValueError: The model is not built yet.
        """
        self.require_built("count_params")
        return sum(v.value.size for v in self.weights)

    def summary(
        self,
        line_length: int | None = None,
        positions: Sequence[float] | None = None,
        print_fn: Callable[[str], object] | None = None,
        expand_nested: bool = False,
        show_trainable: bool = False,
        layer_range: Sequence[str] | None = None,
    ) -> None:
        """Prints the layers with their output shapes and numbers of parameters.

        Args:
            line_length: Width of the table in characters; by default up to 88, or what the terminal has.
            positions: Where the columns end, in parts of that width.
            print_fn: Gets the whole text instead of the standard output.
            expand_nested: Whether the layers of a model in this one follow it.
            show_trainable: Adds a column that says whether a layer is trainable.
            layer_range: The names of the first and the last layer that are shown, or patterns that they match.

        Raises:
            ValueError: An argument does not fit the model.
        """
        print_summary(self, line_length, positions, print_fn, expand_nested, show_trainable, layer_range)

    def _repr_html_(self) -> str:
        """What a notebook shows: the same as `summary`."""
        return html_summary(self)

    def trace(self, x: Any, y: Any, sample_weight: Any = None) -> Trace:
        """One training step laid open: every array that it computes, by name.

        The names are the tutorial's: W1 and b1 are the first `Dense` layer's weights, a1 is its affine output, z1 its
        activation, y_hat the prediction; dy is the gradient that the loss sends back, dW2, db2, dz1, da1, dW1, db1 are
        those on the way, and W1_new is what the optimizer's step makes of W1. What other layers give is called h1, h2
        and so on, what a dropout layer multiplies with mask1.

        The step is taken on a copy: weights, optimizer, random numbers and metrics of the model stay as they are, and
        `train_on_batch` with the same data would compute the same arrays. Where softmax or sigmoid meets its
        cross-entropy in one formula, dy is the gradient with respect to the affine output, (y_hat - t) / n, as it is
        in training.

        Args:
            x: Inputs, shape (n, ...), as `train_on_batch` takes them.
            y: Targets, shape (n, ...).
            sample_weight: Weight of each sample in the loss, shape (n,).

        Returns:
            A mapping from names to arrays. Printed, it is a table with shapes and formulas; notebooks show matrices as
            pictures.

        Raises:
            ValueError: The model is not compiled or not built, the data does not fit, or the optimizer takes no steps
                on batches (`LBFGS`).

        Example:
            >>> from multilayer import Sequential, layers
            >>> model = Sequential([layers.Input((3,)), layers.Dense(2, "tanh"), layers.Dense(1)])
            >>> model.compile("sgd", "mse")
            >>> step = model.trace(np.eye(3), [0.0, 1.0, 0.0])
            >>> list(step)
            ['X', 'W1', 'b1', 'a1', 'z1', 'W2', 'b2', 'a2', 'y_hat', 't', 'loss', 'dy', 'dW2', 'db2', 'dz1', 'da1',
             'dW1', 'db1', 'W1_new', 'b1_new', 'W2_new', 'b2_new']
            >>> step["dW2"].shape
            (2, 1)
            >>> np.allclose(step["dW2"], step["z1"].T @ step["dy"])
            True
        """
        return glass.trace(self, x, y, sample_weight)

    def gradients(self, x: Any, y: Any = None, *, output: Any = None) -> Any:
        """How each sample's loss, or an output, changes with each of its inputs.

        Where targets are given, the derivative of each sample's own loss (the losses of `compile`, not divided by the
        number of samples; penalties are left out). Else that of the sum of the outputs, or of one of them: which pixels
        speak for a class (a saliency map), to which column a prediction is sensitive. x + 0.1 sign(gradients(x, y)) is
        an adversarial example (Goodfellow et al., "Explaining and Harnessing Adversarial Examples", 2015).

        Args:
            x: Inputs, shape (n, ...), as `predict` takes them.
            y: Targets, as `evaluate` takes them.
            output: Which output to differentiate, along the last axis: a number, or one for each sample, shape (n,).

        Returns:
            An array of x's shape; for several inputs a list or dict of them.

        Raises:
            ValueError: The data does not fit, or `y` and `output` are both given.

        Example:
            >>> from multilayer import Sequential, layers
            >>> model = Sequential([layers.Input((2,)), layers.Dense(1, kernel_initializer="ones")])
            >>> model.gradients(np.zeros((3, 2)))
            array([[1., 1.],
                   [1., 1.],
                   [1., 1.]], dtype=float32)
        """
        return glass.input_gradients(self, x, y, output)

    def packed_inputs(self, arrays: list[Any]) -> Any:
        return pack_like(self._input_form, arrays)

    # --- As plain data ---

    def get_config(self) -> dict[str, Any]:
        """The model's architecture as plain data."""
        raise NotImplementedError(tr("{kind} does not define `get_config`.", kind=type(self).__name__))

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Mapping[str, Any] | None = None) -> Model:
        """The model that `get_config` described, with fresh weights, and with classes of your own by name."""
        from multilayer.models.functional import Functional  # it derives from this class

        return Functional.from_config(config, custom_objects)

    def description(self) -> dict[str, Any]:
        """The architecture with the name of its class."""
        return {"class_name": type(self).__name__, "config": self.get_config()}

    def _require_each_layer_once(self) -> None:
        """A description has every layer in one place: one that two models in this one share would come back as two."""
        places: dict[Variable, str] = {}
        for layer in self.layers:
            for v in layer.weights:
                if v in places:
                    raise ValueError(
                        tr(
                            "Model '{name}' cannot be described: '{one}' and '{other}' in it share the "
                            "weight '{path}', which would come back as two. `copy.deepcopy` and `save_weights` "
                            "keep it one.",
                            name=self.name,
                            one=places[v],
                            other=layer.name,
                            path=v.path,
                        )
                    )
            places.update(dict.fromkeys(layer.weights, layer.name))

    def to_json(self, **kwargs: Any) -> str:
        """The architecture as JSON, which `models.model_from_json` reads; weights are not part of it.

        Args:
            **kwargs: Passed to `json.dumps`.
        """
        import json  # only here: `import multilayer` is quick

        return json.dumps(self.description(), **kwargs)


def _of_rank(x: Array, wanted: Shape | None) -> Array:
    """The batch with a last axis of 1 more, or less, where that is all that it lacks: one number a sample, say."""
    if wanted is None:
        return x[:, None] if x.ndim == 1 else x
    if x.ndim == len(wanted) - 1 and (wanted[-1] == 1 or x.ndim == 1):
        return np.asarray(x)[..., None]
    if x.ndim == len(wanted) + 1 and x.shape[-1] == 1:
        return np.asarray(x)[..., 0]
    return x


def _is_one_sample(given: Sequence[Array], wanted: Sequence[Shape | None]) -> bool:
    """Whether arrays have the shapes of single samples: a batch of one has an axis more."""
    return all(
        shape is not None
        and len(x.shape) == len(shape) - 1
        and all(side in (None, length) for side, length in zip(shape[1:], x.shape, strict=True))
        for x, shape in zip(given, wanted, strict=True)
    )
