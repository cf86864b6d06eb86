"""Keras' face on the training loop: compile, fit, evaluate, predict."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any, TypeAlias

import numpy as np

from multilayer import optimizers, random
from multilayer._checks.arguments import mapping
from multilayer._checks.arrays import own_arrays, read_only
from multilayer._checks.scalars import real_number, whole_number
from multilayer._core.kernels import products
from multilayer._core.kernels.blas import one_thread_does, threads_for
from multilayer._core.tape import plain
from multilayer._language import tr
from multilayer._names import registry
from multilayer._system.floating import as_floats_do
from multilayer._tracebacks import filter_traceback
from multilayer._training import Run, Trainer, data, loop
from multilayer._training.graph import Graph
from multilayer._training.own_steps import OwnStepsTrainer
from multilayer._training.streams import Stream, is_stream
from multilayer.callbacks import Callback, CallbackList, History
from multilayer.functional import Array
from multilayer.layers.symbolic import flatten, pack_like
from multilayer.models import compiling
from multilayer.models.arguments import (
    Verbose,
    metric_list,
    shuffles,
    validation_frequency,
    verbosity,
)
from multilayer.models.feeding import FeedingMixin, in_steps
from multilayer.models.steps import STEPS, StepsMixin

Callbacks: TypeAlias = Callback | Iterable[Callback] | None


class NotBuiltError(AttributeError, ValueError):
    """An attribute that a model has only once it knows the shape of its input."""


class FittingMixin(FeedingMixin, StepsMixin):
    """What every model does with data: compile, train, evaluate, predict.

    Attributes:
        optimizer: The optimizer, once compiled.
        history: What the last `fit` recorded.
        stop_training: Set it to True (in a callback) to end training after the current step.
        stop_evaluating: The same for evaluating, also where that is `fit`'s validation.
        stop_predicting: The same for predicting: what was predicted so far is returned.
        steps_per_execution: What `compile` was given, 1 by default.
    """

    by_call: bool
    optimizer: optimizers.Optimizer | None
    history: History | None
    stop_training: bool
    stop_evaluating: bool
    stop_predicting: bool
    steps_per_execution: int = 1
    _compile_arguments: dict[str, Any]

    # --- What a model says about itself ---

    @property
    def layers(self) -> list[Any]:
        """Its layers."""
        raise NotImplementedError

    def flat_graph(self) -> Graph:
        """The network, without models in it."""
        raise NotImplementedError

    def run(self, xs: Sequence[Array], training: bool = False) -> list[Array]:
        """The outputs for a batch of each input, of the model's own types and shapes."""
        raise NotImplementedError

    def _packed(self, outputs: Sequence[Array]) -> Any:
        """The outputs in the form that the model was drawn up with: one array, a list, or a dict."""
        raise NotImplementedError

    def _at_once(self, x: Array, batch_size: int) -> Array | None:
        """What `predict` gives for samples that a single forward pass is enough for; None for any others."""
        raise NotImplementedError

    def _flop(self, batch_size: int) -> float:
        """Floating point operations of the largest product with a batch."""
        raise NotImplementedError

    # --- Compiling ---

    @filter_traceback
    def compile(
        self,
        optimizer: str | dict[str, Any] | optimizers.Optimizer = "rmsprop",
        loss: Any = None,
        loss_weights: Any = None,
        metrics: Any = None,
        weighted_metrics: Any = None,
        run_eagerly: bool = False,  # noqa: ARG002
        steps_per_execution: int = 1,
        jit_compile: str | bool = "auto",  # noqa: ARG002
        auto_scale_loss: bool = True,  # noqa: ARG002
    ) -> None:
        """Says how the model is trained.

        The last four are there so that programs for Keras run: NumPy has no graph to compile, and float32 needs no
        scaling of the loss, so that they change nothing. Callbacks hear of every batch, whatever
        `steps_per_execution` says; in Keras, of every so many.

        Args:
            optimizer: A name such as 'adam', or an optimizer.
            loss: A name such as 'sparse_categorical_crossentropy', or a `losses.Loss`; 'crossentropy' and 'ce' are the
                binary, the sparse or the categorical one, by the targets' shape. For several outputs one for all,
                or a list or a dict by name with one for each, None for an output that is not trained on.
            loss_weights: What each output's loss weighs in the sum of all, a list or a dict by name.
            metrics: A list of names such as 'accuracy', `metrics.Metric` objects, or functions of (y_true, y_pred).
                For several outputs a list or a dict by name with such a list for each.
            weighted_metrics: The same, for metrics that heed sample weights.
            run_eagerly: Ignored: every step is run as it is written.
            steps_per_execution: A whole number of at least 1.
            jit_compile: Ignored.
            auto_scale_loss: Ignored.

        Raises:
            ValueError: A name is unknown; the message has the nearest known one. Or an argument does not fit the
                model's outputs, or `steps_per_execution` is no whole number of at least 1.

        Example:
            >>> from multilayer import Sequential, layers
            >>> model = Sequential([layers.Input((4,)), layers.Dense(1)])
            >>> model.compile(optimizer="adam", loss="mse", metrics=["mae"])
        """
        steps = whole_number("steps_per_execution", steps_per_execution, 1)
        self.optimizer = optimizers.get(optimizer)
        arguments = {
            "optimizer": self.optimizer,
            "loss": loss,
            "loss_weights": loss_weights,
            "metrics": metric_list(metrics, "metrics"),
            "weighted_metrics": metric_list(weighted_metrics, "weighted_metrics"),
        }
        self._compile_arguments = arguments
        self.steps_per_execution = steps
        if self._writes_over(*STEPS):
            self._trainer = OwnStepsTrainer(self, self.optimizer, [])
        else:
            self._trainer = Trainer(self.optimizer, [])
        if not self._outputs_unknown or not isinstance(loss, (dict, list, tuple)):
            self._output_known()

    @property
    def _names_outputs(self) -> bool:
        """Whether several outputs have names, which those of their losses and metrics begin with."""
        return True

    def _may_add_losses(self) -> bool:
        """Whether a layer may add to the loss, by `add_loss` or a penalty, so that there need be no other."""
        inner = [call.layer for call in self.flat_graph().calls] if self.built else self.layers
        layers: list[Any] = [self, *inner]
        return any(
            one.by_call or one.activity_regularizer is not None or any(v.regularizer for v in one.weights)
            for one in layers
        )

    def _warn_without_weights(self) -> None:
        """Warns where a class of one's own has nothing to train, though its `call` may make layers."""
        if self.by_call and not (self.trainable_weights or self._writes_over(*STEPS)):
            warnings.warn(
                tr(
                    "The model '{name}' does not have any trainable weights. Layers are made in `__init__` and "
                    "kept as attributes: those that `call` makes are new ones in every step.",
                    name=self.name,
                ),
                stacklevel=3,
            )

    @property
    def _outputs_unknown(self) -> bool:
        """Whether nobody can say yet how many outputs there are, and what they are called."""
        return False

    def _output_known(self) -> None:
        """Says what is wanted of each output, once it is known how many there are."""
        if self._trainer is not None:
            names, form = self.output_names, self._output_form
            self._trainer.heads = compiling.heads(self._compile_arguments, names, form, self._names_outputs)

    def get_compile_config(self) -> dict[str, Any]:
        """What `compile` was given, as plain data; a metric that is a function of your own is left out with a warning.

        Raises:
            ValueError: The model is not compiled.
        """
        self._require_compiled("get_compile_config")
        return compiling.describe(self._compile_arguments)

    def compile_from_config(self, config: dict[str, Any]) -> None:
        """Compiles the model as `get_compile_config` described it."""
        self.compile(**compiling.arguments_from(mapping("config", config)))

    def require_describable(self, wanted_by: str) -> None:
        """Raises ValueError where a file could not say what the model is: before it trains, not when it is saved."""
        try:
            registry.serialize(self)
            if self.compiled:
                compiling.without_warnings(self._compile_arguments)
        except (TypeError, ValueError) as error:
            raise ValueError(
                tr(
                    "{wanted_by} could not save this model when it is trained: {error}",
                    wanted_by=wanted_by,
                    error=error,
                )
            ) from error

    @property
    def loss(self) -> Any:
        """The loss or losses that `compile` was given; None before."""
        return self._compile_arguments.get("loss")

    @property
    def compiled(self) -> bool:
        """Whether `compile` has been called."""
        return bool(self._compile_arguments)

    def _require_compiled(self, method: str) -> None:
        if not self.compiled:
            raise ValueError(tr("You must call `compile()` before calling `{method}()`.", method=method))

    def compiled_trainer(self, method: str) -> Trainer:
        """What trains the model, for a method or a function of this name.

        Raises:
            ValueError: The model is not compiled, or has no loss.
        """
        self._require_compiled(method)
        assert self._trainer is not None  # it is compiled
        if self.loss is None and not (self._writes_over(*STEPS) or self._may_add_losses()):
            raise ValueError(
                tr(
                    "No loss to compute. Provide a `loss` argument in `compile()` before calling `{method}()`.",
                    method=method,
                )
            )
        trains = method in ("fit", "train_on_batch", "trace")
        if trains and self.optimizer is None and not self._writes_over("train_step"):
            raise ValueError(
                tr(
                    "The model was compiled with `optimizer=None`, so that it can be evaluated but not "
                    "trained. Call `compile(optimizer, ...)` before calling `{method}()`.",
                    method=method,
                )
            )
        return self._trainer

    def require_built(self, method: str) -> None:
        """Checks that the model has its weights, for a method or a function of this name.

        Raises:
            ValueError: It has none yet.
        """
        if not self.built:
            raise ValueError(
                tr(
                    "You tried to use `{method}` of model '{name}', which has no weights yet: it does not know "
                    "the shape of its input. Start it with `Input(shape)`, or call `build(input_shape)`.",
                    method=method,
                    name=self.name,
                )
            )

    def _require_known(self, attribute: str) -> None:
        """The same for an attribute: `hasattr` is False until the model is built."""
        try:
            self.require_built(attribute)
        except ValueError as error:
            raise NotBuiltError(str(error)) from None
        if self._outputs_unknown:
            raise NotBuiltError(
                tr(
                    "`{attribute}` of model '{name}' is not known before `fit`, `predict` or `build(input_shape)`.",
                    attribute=attribute,
                    name=self.name,
                )
            )

    @property
    def metrics_names(self) -> list[str]:
        """The names of `metrics`, in the order in which `evaluate` returns them."""
        return [metric.name for metric in self.metrics]

    @filter_traceback
    def reset_metrics(self) -> None:
        """Begins all running means anew, as every epoch does."""
        self.compiled_trainer("reset_metrics").reset_metrics()

    # --- Training, evaluating, predicting ---

    @filter_traceback
    @as_floats_do
    def fit(
        self,
        x: Any,
        y: Any = None,
        batch_size: int | None = None,
        epochs: int = 1,
        verbose: Verbose = "auto",
        callbacks: Callbacks = None,
        validation_split: float = 0.0,
        validation_data: Sequence[Any] | None = None,
        shuffle: bool = True,
        class_weight: Mapping[int, float] | None = None,
        sample_weight: Any = None,
        initial_epoch: int = 0,
        steps_per_epoch: int | None = None,
        validation_steps: int | None = None,
        validation_batch_size: int | None = None,
        validation_freq: int | Sequence[int] = 1,
    ) -> History:
        """Trains the model. Everything is checked before the first step.

        Args:
            x: Inputs, shape (n, ...); for several inputs a list of arrays, or a dict by name. Whole numbers stay small
                in memory and become floats batch by batch. Memory maps and whatever NumPy makes arrays of will do; an
                h5py dataset is read into memory. So will frames of pandas, polars and pyarrow, whose columns hold
                numbers (for several inputs, the columns of their names), and scipy's sparse matrices, which are made
                dense batch by batch. Or batches `(x, y)` or `(x, y, sample_weight)` of any of these, as of a table
                larger than memory: a `utils.PyDataset`, a generator, or any other iterable of them. Training ends,
                with a warning, where a generator does.
            y: Targets, shape (n, ...); for several outputs a list of arrays, or a dict by name.
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
            steps_per_epoch: Batches an epoch; by default all there are. The next epoch goes on where one ended.
            validation_steps: Batches to validate on; by default all there are.
            validation_batch_size: Samples a validation step; by default `batch_size`.
            validation_freq: Validate every so many epochs, or at the epochs listed (counted from 1).

        Returns:
            A `History`: `history.history["loss"]` is the list of the epochs' losses.

        Raises:
            ValueError: The model is not compiled, or anything about the data does not fit.
        """
        trainer = self.compiled_trainer("fit")
        if batch_size is not None:
            batch_size = whole_number("batch_size", batch_size, 1)
        epochs, initial_epoch = whole_number("epochs", epochs, 0), whole_number("initial_epoch", initial_epoch, 0)
        verbose = verbosity(verbose)
        validation_freq = validation_frequency(validation_freq)
        validation_split = real_number("validation_split", validation_split)
        generator = random.new_generator() if shuffles(shuffle) else None
        with self._unbuilt_on_error():
            split_off = None
            if is_stream(x):
                _refuse_batches(x, validation_split, trainer)
                batches: data.Batches | Stream = self._stream(x, y, sample_weight, class_weight, generator)
            else:
                prepared = self._prepare(x, y, sample_weight, class_weight)
                if validation_data is None and validation_split:
                    prepared, split_off = data.split_validation(prepared, validation_split)
                    if class_weight is not None:  # they are for training; `sample_weight` goes with its samples
                        split_off = split_off._replace(sample_weights=[None] * len(split_off.ys))
                rows = len(prepared.xs[0])
                size = rows if trainer.full_batch else _batch_size(batch_size, steps_per_epoch, rows, "steps_per_epoch")
                batches = self._batches(prepared, size, generator)
            validation_batches = self._validation_batches(
                validation_data, split_off, validation_batch_size or batches.batch_size, validation_steps
            )
        flop = self._flop(batches.batch_size)
        products.choose_for(flop)
        source = in_steps(batches, steps_per_epoch, "steps_per_epoch")
        listening = self._callback_list(callbacks, verbose, epochs, source.length, add_history=True)
        if isinstance(batches, data.Batches):
            # Whoever changes the samples in place between two batches finds them changed in the very next one, as he
            # would not where that is being gathered. An epoch of so many steps may end within a pass.
            changing = listening.may_change_data(between_batches_alone=steps_per_epoch is None)
            batches.ahead = one_thread_does(flop) and not changing
        trainer.resolve_metrics(batches.ys, self._output_shapes())
        trainer.connect_to_train(self.flat_graph())
        self._warn_without_weights()
        with threads_for(flop):
            run = Run(listening.model, trainer, source, validation_batches, listening, initial_epoch)
            loop.fit(run, epochs=epochs, validation_freq=validation_freq)
        assert listening.history is not None  # asked for above
        self.history = listening.history
        return listening.history

    @filter_traceback
    @as_floats_do
    def evaluate(
        self,
        x: Any,
        y: Any = None,
        batch_size: int | None = None,
        verbose: Verbose = "auto",
        sample_weight: Any = None,
        steps: int | None = None,
        callbacks: Callbacks = None,
        return_dict: bool = False,
    ) -> Any:
        """Loss and metrics on data, with no weight changed.

        The metrics are the model's own running means: unlike `predict`, call it from one thread at a time.

        Args:
            x: Inputs, shape (n, ...), in whatever form `fit` takes them.
            y: Targets, shape (n, ...).
            batch_size: Samples a step, 32 by default.
            verbose: 1 (or 'auto') for a progress bar, 2 for a plain line, 0 for silence.
            sample_weight: Weight of each sample in the loss, shape (n,).
            steps: Batches to evaluate; by default all there are.
            callbacks: Callbacks to call on the way.
            return_dict: Whether to return metrics by name.

        Returns:
            The loss, or, with metrics, a list that starts with it, or a dict.
        """
        trainer = self.compiled_trainer("evaluate")
        verbose = verbosity(verbose)
        if is_stream(x):
            batches: data.Batches | Stream = self._stream(x, y, sample_weight)
        else:
            prepared = self._prepare(x, y, sample_weight)
            batches = self._batches(prepared, _batch_size(batch_size, steps, len(prepared.xs[0])))
        source = in_steps(batches, steps, "steps")
        listening = self._callback_list(callbacks, verbose, 1, source.length)
        trainer.resolve_metrics(batches.ys, self._output_shapes())
        trainer.connect(self.flat_graph())
        with self._threads_for(batches.num_samples, batches.batch_size):
            loop.evaluate(listening.model, trainer, source, listening)
        return _results(trainer, return_dict)

    @filter_traceback
    @as_floats_do
    def predict(
        self,
        x: Any,
        batch_size: int | None = None,
        verbose: Verbose = "auto",
        steps: int | None = None,
        callbacks: Callbacks = None,
    ) -> Any:
        """The outputs for many inputs, batch by batch.

        Args:
            x: Inputs, shape (n, ...), in whatever form `fit` takes them.
            batch_size: Samples a step, 32 by default.
            verbose: 1 (or 'auto') for a progress bar, 2 for a plain line, 0 for silence.
            steps: Batches to predict; by default all there are.
            callbacks: Callbacks to call on the way.

        Returns:
            A NumPy array with a row a sample, whatever form the inputs had; a list or a dict of such where the model
            was drawn up with one.
        """
        verbose = verbosity(verbose)
        if type(x) is np.ndarray and x.ndim and not (verbose or callbacks) and steps is None:
            y = self._at_once(x, _batch_size(batch_size, None, len(x)))
            if y is not None:
                return y
        if is_stream(x):
            batches: data.Batches | Stream = Stream(
                x, lambda batch: self._converted(self.checked_inputs(batch[0]), [], [])
            )
        else:
            inputs = self.checked_inputs(x, by_batches=True)
            size = _batch_size(batch_size, steps, len(inputs[0]))
            batches = data.Batches(inputs, dtypes=self.input_dtypes, batch_size=size)
        source = in_steps(batches, steps, "steps")
        listening = self._callback_list(callbacks, verbose, 1, source.length)
        with self._threads_for(batches.num_samples, batches.batch_size):
            run, packed = self._predicting()
            outputs = loop.predict(listening.model, run, source, listening)
        return packed(outputs)

    def _predicting(self) -> tuple[Callable[[Sequence[Array]], list[Array]], Callable[[Sequence[Array]], Any]]:
        """What gives the outputs for a batch, and what gives them their form: the model, or a step of its own."""
        if not self._writes_over("predict_step"):
            return self.run, self._packed
        form: Any = None

        def stepped(xs: Sequence[Array]) -> list[Array]:
            nonlocal form
            form = self.predict_step(self.as_given(xs, [], []))
            return [np.asarray(plain(one)) for one in flatten(form)]

        number = len(flatten(self._input_form))
        self._given_forms = {**self._given_forms, (number, 0, 0): (self._input_form, None, None)}
        return stepped, lambda outputs: pack_like(form, outputs)

    @filter_traceback
    @as_floats_do
    def train_on_batch(
        self,
        x: Any,
        y: Any = None,
        sample_weight: Any = None,
        class_weight: Mapping[int, float] | None = None,
        return_dict: bool = False,
    ) -> Any:
        """One step on one batch.

        Returns:
            Loss and metrics of the batch before the step: one number, a list, or a dict.
        """
        trainer = self.compiled_trainer("train_on_batch")
        prepared = self._prepare(x, y, sample_weight, class_weight)
        trainer.connect_to_train(self.flat_graph())
        return self._on_batch(trainer, trainer.train_step, prepared, return_dict)

    @filter_traceback
    @as_floats_do
    def test_on_batch(
        self,
        x: Any,
        y: Any = None,
        sample_weight: Any = None,
        return_dict: bool = False,
    ) -> Any:
        """Loss and metrics of one batch: one number, a list, or a dict. From one thread at a time, as `evaluate`."""
        trainer = self.compiled_trainer("test_on_batch")
        prepared = self._prepare(x, y, sample_weight)
        trainer.connect(self.flat_graph())
        return self._on_batch(trainer, trainer.test_step, prepared, return_dict)

    @filter_traceback
    @as_floats_do
    def predict_on_batch(self, x: Any) -> Any:
        """The output for one batch, as arrays of its own."""
        inputs = self.checked_inputs(x)
        return self._packed(own_arrays(self.run([read_only(one) for one in inputs]), inputs))

    def _on_batch(self, trainer: Trainer, step: Callable[..., None], prepared: data.Prepared, return_dict: bool) -> Any:
        trainer.resolve_metrics(prepared.ys, self._output_shapes())
        trainer.reset_metrics()
        for batch in self._batches(prepared, len(prepared.xs[0])):
            step(*batch)
        return _results(trainer, return_dict)

    def _callback_list(
        self, callbacks: Callbacks, verbose: int, epochs: int, steps: int | None, add_history: bool = False
    ) -> CallbackList:
        model: Any = self  # a `Model`, of which this is a part
        return CallbackList(callbacks, add_history, verbose > 0, model, verbose=verbose, epochs=epochs, steps=steps)

    def _threads_for(self, rows: int | None, batch_size: int) -> AbstractContextManager[None]:
        """As many BLAS threads as a batch is worth; for a few rows, setting them takes longer than it saves."""
        if rows is not None and rows < 256:
            return nullcontext()
        flop = self._flop(batch_size)
        products.choose_for(flop)
        return threads_for(flop)


def _results(trainer: Trainer, return_dict: bool) -> Any:
    if return_dict:
        return dict(sorted(trainer.results().items()))
    values = trainer.ordered_results()
    return values if len(values) > 1 else values[0]


def _batch_size(batch_size: int | None, steps: int | None, num_samples: int, argument: str = "steps") -> int:
    """Samples a step: what was given, or so many that there are so many steps, or 32."""
    if batch_size is not None:
        return whole_number("batch_size", batch_size, 1)
    return 32 if steps is None else -(-num_samples // whole_number(argument, steps, 1))


def _refuse_batches(x: Any, validation_split: float, trainer: Trainer) -> None:
    """Raises ValueError where what was asked for needs all samples at once."""
    if validation_split or trainer.full_batch:
        what = (
            "`validation_split`"
            if validation_split
            else tr("The optimizer {kind}", kind=type(trainer.optimizer).__name__)
        )
        raise ValueError(
            tr("{what} needs all samples at once, in arrays; got {kind}.", what=what, kind=type(x).__name__)
        )
