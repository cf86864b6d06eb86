"""Models of one's own class: what they compute is said by their `call`, or by nobody but their `train_step`."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from multilayer._checks.sparse import is_sparse
from multilayer._checks.tables import as_array, is_table, rows_of
from multilayer._checks.texts import TEXT, as_array_type, as_texts, holds_texts
from multilayer._core.tape import plain
from multilayer._names import remembered
from multilayer._names.custom_objects import get_registered_name
from multilayer._training.graph import Call, Graph
from multilayer.config import checked_float_type
from multilayer.functional import Array
from multilayer.layers import Input, KerasTensor, Layer
from multilayer.layers.recorded import calling, connect_by_call, forward_by_call, require_result, shapes_of
from multilayer.layers.symbolic import Shape, flatten, pack_like
from multilayer.models.base import Model
from multilayer.models.steps import STEPS
from multilayer.models.summary import Row


class Subclassed(Model):
    """What a class that derives from `Model` and has a `call` becomes. See `Model`.

    To whoever trains it, it is a network of one layer: itself. Its layers are its attributes.
    """

    _holds_layers = True

    def __init__(
        self, *args: Any, name: str | None = None, trainable: bool = True, dtype: str | None = None, **kwargs: Any
    ) -> None:
        if args or kwargs:
            raise TypeError(
                f"{type(self).__name__}: `super().__init__()` of a model with a `call` of its own takes `name`, "
                f"`trainable` and `dtype`. Received: {[*args, *kwargs]}"
            )
        super().__init__(name)
        self.dtype = checked_float_type(dtype or self.dtype)
        self._tensors: tuple[list[KerasTensor], list[KerasTensor]] = ([], [])
        self._graph = Graph((), (), (), 0)
        self._known_outputs: dict[Any, list[Shape]] = {}
        self._trainable = bool(trainable)

    # --- As a network of one layer ---

    @property
    def layers(self) -> list[Layer]:
        return self.sublayers()

    @property
    def weights(self) -> Any:
        return Layer.weights.fget(self)  # type: ignore[attr-defined]

    @property
    def trainable(self) -> bool:
        return self._trainable

    @trainable.setter
    def trainable(self, value: bool) -> None:
        Layer.trainable.fset(self, value)  # type: ignore[attr-defined]

    @property
    def graph(self) -> Graph:
        return self._graph

    def flat_graph(self) -> Graph:
        return self._graph

    @property
    def inputs(self) -> list[KerasTensor]:
        self._require_known("inputs")
        return self._tensors[0]

    @property
    def outputs(self) -> list[KerasTensor]:
        self._require_known("outputs")
        return self._tensors[1]

    @property
    def input_names(self) -> list[str]:
        form = self._input_form
        if isinstance(form, dict):
            return sorted(form)
        return [f"input_{i + 1}" for i in range(len(self._tensors[0]) or 1)]

    @property
    def output_names(self) -> list[str]:
        form = self._output_form
        if isinstance(form, dict):
            return sorted(form)
        return [f"output_{i + 1}" for i in range(len(self._tensors[1]) or 1)]

    @property
    def _names_outputs(self) -> bool:
        return isinstance(self._output_form, dict)

    @property
    def input_dtypes(self) -> list[str]:
        return [as_array_type(tensor.dtype) for tensor in self._tensors[0]] or [self.dtype]

    def check_input_shapes(self, shapes: Sequence[tuple[int, ...]]) -> None:
        """Any will do: what does not fit, `call` will say."""

    def _fitting(self, given: Sequence[Array]) -> list[Array]:
        return list(given)

    def _output_shapes_for(self, xs: Sequence[Array]) -> list[Shape]:
        sides = tuple(x.shape[1:] for x in xs)
        if sides not in self._known_outputs:
            _, outputs = self._tried([x[:1] for x in xs])
            self._known_outputs[sides] = outputs
        return self._known_outputs[sides]

    def _connect(self, x: Any, training: bool | None) -> Any:
        self.ensure_built(shapes_of(x))
        return connect_by_call(self, x, training)

    def compute_output_shape(self, input_shape: Any) -> Any:
        return Layer.compute_output_shape(self, input_shape)

    def check_input_shape(self, input_shape: Any) -> None:
        """Any will do."""

    def forward_by_call(self, x: Any, training: bool = False) -> Any:
        # As in Keras: where `call` takes no `training`, its layers hear of none, unless a larger model says so.
        within = training and (self._call_takes_training or bool(self.nodes))
        given = pack_like(self._input_form, x if isinstance(x, list) else [x])
        return forward_by_call(self, given, training, within)

    def _require_call(self) -> None:
        if not self.by_call:
            raise NotImplementedError(
                f"Model {type(self).__name__} does not have a `call()` method implemented: write `call(self, x, "
                "training=False)`, which returns the model's output, or a `train_step(self, data)`."
            )

    def run(self, xs: Sequence[Array], training: bool = False) -> list[Array]:
        self._require_call()
        y = self.forward(list(xs), training)
        return y if isinstance(y, list) else [y]

    _called_for: Any = None
    _runs_own_build = False

    def __call__(self, *args: Any, training: bool | None = None, **kwargs: Any) -> Any:
        """What `call` gives: arrays for arrays, tensors for tensors."""
        self._require_call()
        y = Layer.__call__(self, *args, training=training, **kwargs)
        self.built = True  # `call` has called its layers
        if self._built_for is None and self._called_for is None and len(args) == 1:
            leaves = flatten(args[0]) if not _is_one_array(args[0]) else [args[0]]
            if all(len(getattr(one, "shape", ())) for one in leaves):
                shapes = [(None, *one.shape[1:]) for one in leaves]
                self._called_for = shapes[0] if _is_one_array(args[0]) else pack_like(args[0], shapes)
        return y

    def get_build_config(self) -> dict[str, Any] | None:
        """What the model was built for, or, where nobody has built it, first called with: a file is built from it."""
        return super().get_build_config() or (self._called_for and {"input_shape": self._called_for})

    def ensure_built(self, input_shape: Any) -> None:
        if not self.built:
            self._build_own(input_shape)

    def _build_own(self, input_shape: Any) -> None:
        """Lets a `build` of the class's own declare weights; its layers build themselves where `call` calls them."""
        if type(self).build is not Subclassed.build:
            self._runs_own_build = True
            try:
                self.build(input_shape)
            finally:
                self._runs_own_build = False

    def _output_shapes(self) -> list[Shape]:
        return [tensor.shape for tensor in self._tensors[1]]

    def _packed(self, outputs: Sequence[Array]) -> Any:
        return pack_like(0 if self._output_form is None else self._output_form, outputs)

    @property
    def _outputs_unknown(self) -> bool:
        return not self._graph.calls

    # --- Building ---

    def build(self, input_shape: Any = None) -> None:
        """Makes all weights, by calling the model with zeros.

        Args:
            input_shape: Shape of a batch, its first entry None, or a list or dict of shapes.
        """
        if self._runs_own_build:  # it called `super().build(...)`: a call, which builds the layers, comes behind it
            return
        if input_shape is None:
            raise ValueError(f"You must provide an `input_shape` argument to build model '{self.name}'.")
        shapes: list[Any] = []
        form = _numbered(input_shape, shapes)
        zeros = [np.zeros([2 if i == 0 else side or 1 for i, side in enumerate(shape)], self.dtype) for shape in shapes]
        self._build_of(form, zeros, [(None, *shape[1:]) for shape in shapes])

    def build_by(self, x: Any) -> None:
        """Builds the model for the first sample of what it is to be trained on or asked for."""
        if not (self.by_call or self._writes_over(*STEPS)):
            self._require_call()
        if self._graph.calls or not self.by_call:
            return
        leaves = [_first_row(one) for one in flatten(x)] if not _is_one_array(x) else [_first_row(x)]
        form = pack_like(x, range(len(leaves))) if not _is_one_array(x) else 0
        samples = [one[:1].astype(self.dtype if one.dtype.kind == "f" else one.dtype) for one in leaves]
        shapes = [(None, *one.shape[1:]) for one in leaves]
        if not self.built:
            self._build_own(pack_like(form, shapes))
        self._build_of(form, samples, shapes)

    def _build_of(self, form: Any, samples: Sequence[Array], shapes: Sequence[Shape]) -> None:
        self._input_form = form
        structure, outputs = self._tried(samples)
        self._output_form = pack_like(structure, range(len(outputs)))
        inputs = [
            Input(batch_shape=shape, dtype=_dtype_of(one), name=None)
            for shape, one in zip(shapes, samples, strict=True)
        ]
        numbers = range(len(inputs), len(inputs) + len(outputs))
        call = Call(self, tuple(range(len(inputs))), tuple(numbers), len(inputs) == 1)
        self._graph = Graph((call,), call.inputs, call.outputs, len(inputs) + len(outputs))
        self._tensors = inputs, [Input(batch_shape=shape, dtype=self.dtype) for shape in outputs]
        self.built = self._built_and_called = True
        self._built_for = pack_like(form, list(shapes))
        self._output_known()
        self._warn_of_training()

    def _warn_of_training(self) -> None:
        """Warns where dropout and its like will not act."""
        acting = [layer for layer in _within(self) if layer.acts_in_training]
        if acting and not (self._call_takes_training or self.nodes or self._writes_over(*STEPS)):
            warnings.warn(
                f"`call` of model '{self.name}' takes no `training`, so that its layer '{acting[0].name}' never learns "
                "that it is trained, and behaves as in predicting (as in Keras). Write `def call(self, x, "
                "training=False)`, and hand it on where a layer is called.",
                stacklevel=2,
            )

    def _tried(self, samples: Sequence[Array]) -> tuple[Any, list[Shape]]:
        """What `call` gives for a few samples, and the shapes of that, the batch None."""
        with calling(False), np.errstate(all="ignore"):
            y = self.call_structured(pack_like(self._input_form, list(samples)), False)
        require_result(self, flatten(y))
        self._clear_losses()  # those of a trial
        return y, [(None, *np.shape(plain(one))[1:]) for one in flatten(y)]

    # --- As plain data ---

    def cloned(
        self,
        copied: Callable[[Layer], Layer],
        input_tensors: Any = None,
        called: Callable[..., Any] | None = None,
    ) -> Model:
        if input_tensors is not None or called is not None:
            raise ValueError(
                f"Model '{self.name}' has a `call` of its own: its clone is what its class makes of its config, and "
                "`input_tensors` and `call_function` are for models that are drawn up."
            )
        del copied  # the constructor makes the layers
        return type(self).from_config(self.get_config())

    def rows(self) -> list[Row]:
        before = [[], *([(layer.name, 0, 0)] for layer in self.layers)]
        return [Row(one, _shape_after(one), source) for one, source in zip(self.layers, before, strict=False)]

    get_config = Layer.get_config

    def description(self) -> dict[str, Any]:
        name = get_registered_name(type(self))
        return {**super().description(), "registered_name": name, "build_config": self.get_build_config()}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Mapping[str, Any] | None = None) -> Model:
        """The model of these constructor arguments."""
        from multilayer._names.custom_objects import custom_object_scope

        with custom_object_scope(custom_objects):
            return remembered.made(cls, config)


def _shape_after(layer: Layer) -> Any:
    """The shape of what a layer gives, where it was built and remembers for what; else None."""
    known = layer.built and layer._built_for is not None
    return layer.compute_output_shape(layer._built_for) if known else None


def _within(layer: Layer) -> list[Layer]:
    """The layers in a layer, and those in them."""
    return [inner for one in layer.sublayers() for inner in (one, *_within(one))]


def _is_one_array(x: Any) -> bool:
    return not isinstance(x, (dict, list, tuple)) or not any(hasattr(one, "shape") for one in flatten(x))


def _first_row(x: Any) -> Array:
    """The first sample of a table or a sparse matrix, which may be too large to be made an array; arrays whole."""
    row = rows_of(x, slice(1)) if is_table(x) or is_sparse(x) else x
    return as_texts(row, "x") if holds_texts(row) else np.asarray(as_array(row))


def _dtype_of(x: Array) -> str:
    return "string" if x.dtype == TEXT else str(x.dtype)


def _numbered(shape: Any, shapes: list[Any]) -> Any:
    """A structure of shapes with their numbers in their places."""
    if isinstance(shape, dict):
        return {key: _numbered(one, shapes) for key, one in shape.items()}
    if isinstance(shape, (list, tuple)) and any(isinstance(one, (list, tuple, dict)) for one in shape):
        return [_numbered(one, shapes) for one in shape]
    shapes.append(tuple(shape))
    return len(shapes) - 1
