"""What every model does: Keras' face on the training loop."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any, TypeAlias, TypeVar

import numpy as np
from numpy.typing import ArrayLike

from multilayer import data, kernels, losses, naming, optimizers, random, saving, training
from multilayer.arena import Variable
from multilayer.callbacks import Callback, CallbackList, History
from multilayer.checks import as_numbers, read_only
from multilayer.config import floatx
from multilayer.functional import Array
from multilayer.kernels.blas import one_thread_does, threads_for
from multilayer.layers import Layer
from multilayer.layers.base import Shape, assign_all, undone_on_error
from multilayer.metrics import Metric
from multilayer.models import checkpoints
from multilayer.models.arguments import (
    Verbose,
    metric_list,
    validation_frequency,
    validation_triple,
    verbosity,
    whole_number,
)
from multilayer.models.compiling import describe
from multilayer.models.summary import print_summary

Callbacks: TypeAlias = Callback | Iterable[Callback] | None
Kind = TypeVar("Kind", bound="Model")


class Model:
    """What every model does: compile, train, evaluate, predict, and give and take weights.

    A subclass holds `layers` and says how they are built and connected; see `Sequential`.

    Attributes:
        optimizer: The optimizer, once compiled.
        history: What the last `fit` recorded.
        stop_training: Set it to True (in a callback) to end training after the current step.
    """

    def __new__(cls: type[Kind], *_args: Any, **_arguments: Any) -> Kind:
        if cls is Model:
            raise TypeError(
                "`Model` is the base class of models, and there is no functional API yet, no `Model(inputs, outputs)`. "
                "Build a network with `Sequential([Input(shape), ...])`."
            )
        return super().__new__(cls)

    def __init__(self, name: str | None = None) -> None:
        self.name = name or naming.auto_name(type(self).__name__)
        self.built = False
        self.optimizer: optimizers.Optimizer | None = None
        self.history: History | None = None
        self.stop_training = False
        self._trainer: training.Trainer | None = None
        self._compile_arguments: dict[str, Any] = {}
        self._initial_epoch = 0  # where `fit` begins; `BackupAndRestore` moves it
        self._shuffling: np.random.Generator | None = None  # what `fit` takes the order of the samples from

    # --- What a kind of model defines ---

    @property
    def layers(self) -> list[Layer]:
        """The layers, without the input."""
        raise NotImplementedError(f"{type(self).__name__} does not define `layers`.")

    def build(self, input_shape: Shape | None = None) -> None:
        """Declares all weights, for inputs of this shape (its first entry, the batch, is None)."""
        raise NotImplementedError(f"{type(self).__name__} does not define `build`.")

    def check_input_shape(self, shape: tuple[int, ...]) -> None:
        """Raises ValueError, naming the layer, where a batch of this shape does not fit."""
        raise NotImplementedError(f"{type(self).__name__} does not define `check_input_shape`.")

    def layer_output_shapes(self) -> list[tuple[Layer, Shape | None]]:
        """Each layer with the shape of its output, None where that is not known yet."""
        raise NotImplementedError(f"{type(self).__name__} does not define `layer_output_shapes`.")

    def _forward(self, x: Array, training: bool = False) -> Array:
        """The output for a batch of the model's own type and shape."""
        raise NotImplementedError(f"{type(self).__name__} does not define `_forward`.")

    @property
    def input_shape(self) -> Shape:
        """Shape of a batch of inputs, its first entry None: (None, 784).

        Raises:
            ValueError: The model is not built yet.
        """
        raise NotImplementedError(f"{type(self).__name__} does not define `input_shape`.")

    @property
    def output_shape(self) -> Shape:
        """Shape of a batch of outputs, its first entry None: (None, 10).

        Raises:
            ValueError: The model is not built yet.
        """
        self._require_built("output_shape")
        shape = self.layer_output_shapes()[-1][1]
        assert shape is not None  # known once the model is built
        return shape

    # --- Weights ---

    @property
    def weights(self) -> list[Variable]:
        """All weights, layer by layer."""
        return [v for layer in self.layers for v in layer.weights]

    variables = weights

    @property
    def trainable_weights(self) -> list[Variable]:
        """The weights that training changes."""
        return [v for layer in self.layers for v in layer.trainable_weights]

    trainable_variables = trainable_weights

    @property
    def non_trainable_weights(self) -> list[Variable]:
        """The weights that training leaves alone."""
        return [v for layer in self.layers for v in layer.non_trainable_weights]

    non_trainable_variables = non_trainable_weights

    @property
    def trainable(self) -> bool:
        """Whether any layer is trained; setting it sets every layer. Compile again after a change."""
        return any(layer.trainable for layer in self.layers)

    @trainable.setter
    def trainable(self, value: bool) -> None:
        for layer in self.layers:
            layer.trainable = value

    def get_weights(self) -> list[Array]:
        """Copies of all weights' values: each layer's kernel, then its bias."""
        return [v.numpy() for v in self.weights]

    def set_weights(self, weights: Sequence[ArrayLike]) -> None:
        """Sets all weights' values, in the order of `get_weights`.

        Raises:
            ValueError: Their number or a shape differs; then none is set.
        """
        assign_all(self.weights, weights, f"model '{self.name}'")

    def get_layer(self, name: str | None = None, index: int | None = None) -> Layer:
        """The layer of this name, or at this place.

        Raises:
            ValueError: There is none, or not exactly one of the two is given.
        """
        if (name is None) == (index is None):
            raise ValueError(f"Pass either a layer's name or its index. Received: name={name!r}, index={index!r}")
        if index is not None:
            if not -len(self.layers) <= index < len(self.layers):
                raise ValueError(
                    f"Was asked to retrieve layer at index {index} but model only has {len(self.layers)} layers."
                )
            return self.layers[index]
        for layer in self.layers:
            if layer.name == name:
                return layer
        raise ValueError(f"No such layer: {name}. Existing layers are: {[layer.name for layer in self.layers]}.")

    def count_params(self) -> int:
        """Number of weights.

        Raises:
            ValueError: The model is not built yet.
        """
        self._require_built("count_params")
        return sum(v.value.size for v in self.weights)

    def summary(
        self,
        line_length: int | None = None,
        print_fn: Callable[[str], object] | None = None,
        show_trainable: bool = False,
    ) -> None:
        """Prints the layers with their output shapes and numbers of parameters.

        Args:
            line_length: Width of the table in characters; by default up to 88, or what the terminal has.
            print_fn: Gets the whole text instead of the standard output.
            show_trainable: Adds a column that says whether a layer is trainable.
        """
        print_summary(self, line_length, print_fn, show_trainable)

    # --- Compiling ---

    def compile(
        self,
        optimizer: str | dict[str, Any] | optimizers.Optimizer = "rmsprop",
        loss: Any = None,
        metrics: Sequence[Any] | None = None,
        weighted_metrics: Sequence[Any] | None = None,
        run_eagerly: bool = False,  # noqa: ARG002
        steps_per_execution: int = 1,
        jit_compile: str | bool = "auto",  # noqa: ARG002
        auto_scale_loss: bool = True,  # noqa: ARG002
    ) -> None:
        """Says how the model is trained.

        The last four are there so that programs for Keras run: NumPy has no graph to compile, and float32 needs no
        scaling of the loss, so that they change nothing.

        Args:
            optimizer: A name such as 'adam', or an optimizer.
            loss: A name such as 'sparse_categorical_crossentropy', or a `losses.Loss`.
            metrics: Names such as 'accuracy', `metrics.Metric` objects, or functions of (y_true, y_pred).
            weighted_metrics: The same, for metrics that heed sample weights.
            run_eagerly: Ignored: every step is run as it is written.
            steps_per_execution: 1: callbacks hear of every step.
            jit_compile: Ignored.
            auto_scale_loss: Ignored.

        Raises:
            ValueError: A name is unknown; the message has the nearest known one. Or `steps_per_execution` is not 1.

        Example:
            >>> from multilayer import Sequential, layers
            >>> model = Sequential([layers.Input((4,)), layers.Dense(1)])
            >>> model.compile(optimizer="adam", loss="mse", metrics=["mae"])
        """
        if steps_per_execution != 1:
            raise ValueError(
                f"Steps are taken one by one here: leave `steps_per_execution` out. Received: {steps_per_execution!r}"
            )
        self.optimizer = optimizers.get(optimizer)
        wanted = {"metrics": metric_list(metrics, "metrics")}
        wanted["weighted_metrics"] = metric_list(weighted_metrics, "weighted_metrics")
        self._compile_arguments = {
            "optimizer": self.optimizer,
            "loss": None if loss is None else losses.get(loss),
            **wanted,
        }
        self._trainer = (
            training.Trainer(self.optimizer, self._compile_arguments["loss"], **wanted) if loss is not None else None
        )

    @property
    def compiled(self) -> bool:
        """Whether `compile` has been called."""
        return bool(self._compile_arguments)

    def _compiled_trainer(self, method: str) -> training.Trainer:
        if not self.compiled:
            raise ValueError(f"You must call `compile()` before calling `{method}()`.")
        if self._trainer is None:
            raise ValueError(
                f"No loss to compute. Provide a `loss` argument in `compile()` before calling `{method}()`."
            )
        return self._trainer

    def _require_built(self, method: str) -> None:
        if not self.built:
            raise ValueError(
                f"You tried to use `{method}` of model '{self.name}', which has no weights yet: it does not know the "
                "shape of its input. Start it with `Input(shape)`, or call `build(input_shape)`."
            )

    @property
    def metrics(self) -> list[Metric]:
        """The loss's running mean and all metrics, once data has been seen."""
        return [] if self._trainer is None else self._trainer.all_metrics

    # --- Training, evaluating, predicting ---

    def fit(
        self,
        x: ArrayLike,
        y: ArrayLike | None = None,
        batch_size: int | None = None,
        epochs: int = 1,
        verbose: Verbose = "auto",
        callbacks: Callbacks = None,
        validation_split: float = 0.0,
        validation_data: Sequence[Any] | None = None,
        shuffle: bool = True,
        class_weight: Mapping[int, float] | None = None,
        sample_weight: ArrayLike | None = None,
        initial_epoch: int = 0,
        validation_batch_size: int | None = None,
        validation_freq: int | Sequence[int] = 1,
    ) -> History:
        """Trains the model. Everything is checked before the first step.

        Args:
            x: Inputs, shape (n, ...). Whole numbers stay small in memory and become floats batch by batch.
            y: Targets, shape (n, ...).
            batch_size: Samples a step, 32 by default.
            epochs: The last epoch's number: passes over the data, where `initial_epoch` is 0.
            verbose: 1 (or 'auto') for a progress bar, 2 for a line an epoch, 0 for silence.
            callbacks: Callbacks to call on the way.
            validation_split: Share of the samples, taken from the end, to validate on.
            validation_data: `(x, y)` or `(x, y, sample_weight)` to validate on.
            shuffle: Whether the samples are shuffled anew for every epoch.
            class_weight: Weight of each class's samples in the loss; 1 for classes not listed.
            sample_weight: Weight of each sample in the loss, shape (n,); for outputs (n, t, k) also (n, t).
            initial_epoch: Number of the first epoch, from 0.
            validation_batch_size: Samples a validation step; by default `batch_size`.
            validation_freq: Validate every so many epochs, or at the epochs listed (counted from 1).

        Returns:
            A `History`: `history.history["loss"]` is the list of the epochs' losses.

        Raises:
            ValueError: The model is not compiled, or anything about the data does not fit.
        """
        trainer = self._compiled_trainer("fit")
        batch_size = whole_number("batch_size", 32 if batch_size is None else batch_size, 1)
        epochs, initial_epoch = whole_number("epochs", epochs, 0), whole_number("initial_epoch", initial_epoch, 0)
        verbose = verbosity(verbose)
        validation_freq = validation_frequency(validation_freq)
        with self._unbuilt_on_error():
            prepared = self._prepare(trainer, x, y, sample_weight, class_weight)
            validation = None
            if validation_data is not None:
                validation = self._prepare_validation(trainer, validation_data)
            elif validation_split:
                prepared, validation = data.split_validation(prepared, validation_split)
                if class_weight is not None:
                    validation = (*validation[:2], None)  # they are for training; `sample_weight` goes with its samples
        self._initial_epoch = initial_epoch
        self._shuffling = generator = random.new_generator() if shuffle else None
        flop = self._flop(batch_size)
        batches = data.Batches(
            *prepared, dtype=self._dtype, batch_size=batch_size, generator=generator, ahead=one_thread_does(flop)
        )
        validation_batches = None
        if validation is not None:
            size = whole_number("validation_batch_size", validation_batch_size or batch_size, 1)
            validation_batches = data.Batches(*validation, dtype=self._dtype, batch_size=size)
        parameters = {"verbose": verbose, "epochs": epochs, "steps": len(batches)}
        listening = CallbackList(callbacks, True, verbose > 0, self, **parameters)
        trainer.resolve_metrics(prepared[1], self.output_shape)
        trainer.connect_to_train(self.layers)
        with threads_for(flop):
            training.fit(
                self,
                trainer,
                batches,
                validation_batches,
                listening,
                epochs=epochs,
                validation_freq=validation_freq,
            )
        assert listening.history is not None  # asked for above
        self.history = listening.history
        return listening.history

    def evaluate(
        self,
        x: ArrayLike,
        y: ArrayLike | None = None,
        batch_size: int | None = None,
        verbose: Verbose = "auto",
        sample_weight: ArrayLike | None = None,
        callbacks: Callbacks = None,
        return_dict: bool = False,
    ) -> Any:
        """Loss and metrics on data, with no weight changed.

        The figures are the model's own running means: unlike `predict`, call it from one thread at a time.

        Args:
            x: Inputs, shape (n, ...).
            y: Targets, shape (n, ...).
            batch_size: Samples a step, 32 by default.
            verbose: 1 (or 'auto') for a progress bar, 2 for a plain line, 0 for silence.
            sample_weight: Weight of each sample in the loss, shape (n,).
            callbacks: Callbacks to call on the way.
            return_dict: Whether to return figures by name.

        Returns:
            The loss, or, with metrics, a list that starts with it, or a dict.
        """
        trainer = self._compiled_trainer("evaluate")
        size = whole_number("batch_size", 32 if batch_size is None else batch_size, 1)
        verbose = verbosity(verbose)
        prepared = self._prepare(trainer, x, y, sample_weight)
        batches = data.Batches(*prepared, dtype=self._dtype, batch_size=size)
        listening = CallbackList(callbacks, False, verbose > 0, self, verbose=verbose, epochs=1, steps=len(batches))
        trainer.resolve_metrics(prepared[1], self.output_shape)
        trainer.connect(self.layers)
        with self._threads_for(len(prepared[0]), size):
            return _figures(training.evaluate(trainer, batches, listening), return_dict)

    def predict(
        self, x: ArrayLike, batch_size: int | None = None, verbose: Verbose = "auto", callbacks: Callbacks = None
    ) -> Array:
        """The outputs for many inputs, batch by batch.

        Args:
            x: Inputs, shape (n, ...).
            batch_size: Samples a step, 32 by default.
            verbose: 1 (or 'auto') for a progress bar, 2 for a plain line, 0 for silence.
            callbacks: Callbacks to call on the way.

        Returns:
            An array with a row a sample.
        """
        size = whole_number("batch_size", 32 if batch_size is None else batch_size, 1)
        verbose = verbosity(verbose)
        inputs = self._fitting(data.check_inputs(x, self._dtype))
        batches = data.Batches(inputs, None, None, dtype=self._dtype, batch_size=size)
        listening = CallbackList(callbacks, False, verbose > 0, self, verbose=verbose, epochs=1, steps=len(batches))
        with self._threads_for(len(inputs), size):
            return training.predict(self._forward, batches, listening)

    def __call__(self, x: ArrayLike, training: bool = False) -> Array:
        """The output for one batch, as an array of its own.

        Args:
            x: Inputs, shape (n, ...).
            training: Whether layers behave as in training (dropout drops).
        """
        batch = self._fitting(read_only(np.asarray(x, self._dtype)))
        with self._threads_for(len(batch), len(batch)):
            y = self._forward(batch, training)
        return y.copy() if training or np.may_share_memory(y, batch) else y

    def train_on_batch(
        self,
        x: ArrayLike,
        y: ArrayLike | None = None,
        sample_weight: ArrayLike | None = None,
        class_weight: Mapping[int, float] | None = None,
        return_dict: bool = False,
    ) -> Any:
        """One step on one batch.

        Returns:
            Loss and metrics of the batch before the step: one number, a list, or a dict.
        """
        trainer = self._compiled_trainer("train_on_batch")
        prepared = self._prepare(trainer, x, y, sample_weight, class_weight)
        trainer.connect_to_train(self.layers)
        return self._on_batch(trainer, trainer.train_step, prepared, return_dict)

    def test_on_batch(
        self,
        x: ArrayLike,
        y: ArrayLike | None = None,
        sample_weight: ArrayLike | None = None,
        return_dict: bool = False,
    ) -> Any:
        """Loss and metrics of one batch: one number, a list, or a dict. From one thread at a time, as `evaluate`."""
        trainer = self._compiled_trainer("test_on_batch")
        prepared = self._prepare(trainer, x, y, sample_weight)
        trainer.connect(self.layers)
        return self._on_batch(trainer, trainer.test_step, prepared, return_dict)

    def predict_on_batch(self, x: ArrayLike) -> Array:
        """The output for one batch."""
        return self(data.check_inputs(x, self._dtype))

    def _on_batch(
        self, trainer: training.Trainer, step: Callable[..., None], prepared: tuple[Any, ...], return_dict: bool
    ) -> Any:
        trainer.resolve_metrics(prepared[1], self.output_shape)
        trainer.reset_metrics()
        for batch in data.Batches(*prepared, dtype=self._dtype, batch_size=len(prepared[0])):
            step(*batch)
        return _figures(trainer.results(), return_dict)

    def _flop(self, batch_size: int) -> float:
        """Floating point operations of the largest product with a batch that is the BLAS library's business."""
        sizes = [v.value.size for v in self.weights if len(v.shape) == 2 and not kernels.narrow(v.shape[1])]
        return 2.0 * batch_size * max(sizes, default=0)

    def _threads_for(self, rows: int, batch_size: int) -> AbstractContextManager[None]:
        """As many BLAS threads as a batch is worth; for a few rows, setting them takes longer than it saves."""
        return nullcontext() if rows < 256 else threads_for(self._flop(batch_size))

    # --- Data, checked ---

    @property
    def _dtype(self) -> str:
        return self.layers[0].dtype if self.layers else floatx()

    def _fitting(self, x: Array) -> Array:
        """The inputs, once the model is built for them and they fit it."""
        if x.ndim == 1:
            x = x[:, None]  # one number a sample
        if not self.built:
            self.build((None, *x.shape[1:]))
        self.check_input_shape(x.shape)
        return x

    def _unbuilt_on_error(self) -> AbstractContextManager[None]:
        """Within it, an error leaves no weights behind that were made for data which did not fit after all."""
        return undone_on_error(*([] if self.built else [self, *self.layers]))

    def _prepare(
        self,
        trainer: training.Trainer,
        x: ArrayLike,
        y: ArrayLike | None,
        sample_weight: ArrayLike | None,
        class_weight: Mapping[int, float] | None = None,
    ) -> tuple[Array, Array, Array | None]:
        """Inputs, targets and weights, checked against the model and the loss."""
        if y is None:
            raise ValueError("No targets: pass `y`, one target for each sample of `x`.")
        inputs = data.check_inputs(x, self._dtype)
        raw = as_numbers(y, "y")
        data.check_lengths(x=inputs, y=raw)
        with self._unbuilt_on_error():
            inputs = self._fitting(inputs)
            targets = trainer.loss.prepare(raw, self.output_shape, self._dtype)
            weight = data.check_weights(sample_weight, class_weight, targets, self._dtype, self.output_shape)
        return inputs, targets, weight

    def _prepare_validation(
        self, trainer: training.Trainer, validation_data: Sequence[Any]
    ) -> tuple[Array, Array, Array | None]:
        triple = validation_triple(validation_data)
        try:
            return self._prepare(trainer, *triple)
        except ValueError as error:
            raise ValueError(f"In `validation_data`: {error}") from error

    # --- Files ---

    def get_config(self) -> dict[str, Any]:
        """The model's architecture as plain data."""
        raise NotImplementedError(f"{type(self).__name__} does not define `get_config`.")

    def save(self, path: str | os.PathLike[str], overwrite: bool = True) -> None:
        """Writes architecture, weights, and what `compile` was given to a '.npz' file, for `load_model`.

        The optimizer's own state (its running means) is not saved, nor are metrics that are functions of your own: a
        warning names them.

        Args:
            path: The file, whose name ends in '.npz'.
            overwrite: Whether a file that exists is replaced.

        Raises:
            ValueError: The name does not end in '.npz', or the model is not built.
            FileExistsError: The file exists and `overwrite` is False.
            OSError: The folder is missing or not writable.
        """
        self._require_built("save")
        saving.check_model_name(path)
        saving.check_free(path, overwrite)
        config = {
            "class_name": type(self).__name__,
            "config": self.get_config(),
            "compile": describe(self._compile_arguments) if self.compiled else None,
        }
        saving.write(path, config, {f"weights/{i}": v.value for i, v in enumerate(self.weights)})

    def save_weights(self, filepath: str | os.PathLike[str], overwrite: bool = True) -> None:
        """Writes the weights to a '.weights.npz' file, and, where the model has been trained, its optimizer's state.

        Args:
            filepath: The file, whose name ends in '.weights.npz'.
            overwrite: Whether a file that exists is replaced.

        Raises:
            ValueError: The name does not end so, or the model is not built.
            FileExistsError: The file exists and `overwrite` is False.
            OSError: The folder is missing or not writable.
        """
        self._require_built("save_weights")
        saving.check_weights_name(filepath)
        saving.check_free(filepath, overwrite)
        checkpoints.write(filepath, self)

    def load_weights(self, filepath: str | os.PathLike[str]) -> None:
        """Sets the weights to those that `save_weights` wrote for a model of the same architecture.

        A compiled model's optimizer gets back the state that the file has of it, so that training goes on where it
        stopped; where the file's is another optimizer's, a warning says that it is left out.

        Args:
            filepath: The file.

        Raises:
            FileNotFoundError: There is no such file.
            ValueError: It is damaged, no file of weights, or its weights do not fit; then none is set.
        """
        self._require_built("load_weights")
        saving.check_weights_name(filepath)
        checkpoints.read(filepath, self)


def _figures(results: dict[str, float], return_dict: bool) -> Any:
    if return_dict:
        return dict(sorted(results.items()))
    values = list(results.values())
    return values if len(values) > 1 else values[0]
