"""What the classifier and the regressor share: from what `fit` is given to a trained network."""

from __future__ import annotations

import math
import warnings
from abc import abstractmethod
from collections.abc import Sequence
from numbers import Real
from typing import Any, NamedTuple

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_array, validate_data

from multilayer import optimizers
from multilayer._checks.sparse import SparseRows, is_sparse
from multilayer._core.kernels import products
from multilayer._core.kernels.blas import threads_for
from multilayer._system.floating import as_floats_do
from multilayer._training import Run, loop
from multilayer._training.data import Batches
from multilayer.callbacks import BackupAndRestore, CallbackList
from multilayer.functional import Array
from multilayer.models import Sequential
from multilayer.sklearn import networks, parameters
from multilayer.sklearn.batches import ShuffledBatches
from multilayer.sklearn.rules import IterationsOfLBFGS, ScikitLearnRules
from multilayer.sklearn.trainer import PenalizedTrainer

FLOATS = (np.float64, np.float32)
AUTO_BATCH = 200  # rows, where `batch_size` is 'auto'
_USER = 6  # how many frames above `_train` the program stands that has called `fit`
PREDICTED_AT_ONCE = 1024  # rows: enough to keep the cores busy, and little memory


class Samples(NamedTuple):
    """What is trained or validated on.

    Attributes:
        X: Inputs, (n, d).
        y: Targets, as the user calls them.
        targets: Targets, as the network is told them: labels (n,), or (n, k).
        weight: Weights (n,), or None.
    """

    X: Any
    y: Array
    targets: Array
    weight: Array | None

    def rows(self, index: Array) -> Samples:
        """Some of the samples."""
        weight = None if self.weight is None else self.weight[index]
        return Samples(self.X[index], self.y[index], self.targets[index], weight)


class BaseMLP(BaseEstimator):  # type: ignore[misc] # scikit-learn has no types
    """What the classifier and the regressor share.

    Attributes:
        model_: The network.
        coefs_: The weights of each layer, shape (d, h): the network's own memory.
        intercepts_: The biases of each layer, shape (h,).
    """

    # --- What an estimator defines ---

    @abstractmethod
    def _validated(self, X: Any, y: Any, reset: bool, incremental: bool) -> tuple[Any, Array, Array]:
        """Inputs, targets as the user has them, and as the network is told them; classes are taken note of."""

    @abstractmethod
    def _validated_others(self, X: Any, y: Any) -> tuple[Any, Array, Array]:
        """The same for samples that only measure."""

    @abstractmethod
    def _output(self, targets: Array) -> tuple[int, str]:
        """How many outputs the network has, and their activation by scikit-learn's name."""

    @abstractmethod
    def _score_of(self, samples: Samples) -> float:
        """How well the network does on samples."""

    @abstractmethod
    def _metrics(self) -> list[Any]:
        """What is measured where somebody watches."""

    def _floats(self) -> Any:
        """What inputs may be made of: scikit-learn turns all others into the first."""
        return FLOATS if self.dtype is None else np.dtype(self.dtype)

    def _all_weights(self, samples: Samples) -> Array | None:
        """What each sample weighs in the loss."""
        return samples.weight

    # --- The network's weights by scikit-learn's names ---

    @property
    def coefs_(self) -> list[Array]:
        """The weights of each layer, shape (d, h)."""
        return [layer.kernel.value for layer in self._dense_layers("coefs_")]

    @coefs_.setter
    def coefs_(self, values: Sequence[Any]) -> None:
        for layer, value in zip(self._dense_layers("coefs_"), values, strict=True):
            layer.kernel.assign(value)

    @property
    def intercepts_(self) -> list[Array]:
        """The biases of each layer, shape (h,)."""
        return [layer.bias.value for layer in self._dense_layers("intercepts_")]

    @intercepts_.setter
    def intercepts_(self, values: Sequence[Any]) -> None:
        for layer, value in zip(self._dense_layers("intercepts_"), values, strict=True):
            layer.bias.assign(value)

    def _dense_layers(self, wanted: str) -> list[Any]:
        model: Sequential | None = vars(self).get("model_")
        if model is None:
            raise AttributeError(f"`{wanted}` of {type(self).__name__} is not known before `fit`.")
        return networks.dense_layers(model)

    # --- Training ---

    @as_floats_do
    def _fit(
        self, X: Any, y: Any, sample_weight: Any, validation_data: Any, callbacks: Any, incremental: bool = False
    ) -> Any:
        parameters.check(self)
        first = not hasattr(self, "model_") or not (self.warm_start or incremental)
        X, y, targets = self._validated(X, y, first, incremental)
        samples = Samples(X, y, targets, _weights(sample_weight, X))
        self._random_state = check_random_state(self.random_state)
        if incremental and self.early_stopping:
            raise ValueError("partial_fit does not support early_stopping=True")
        if first:
            self._initialize(samples)
        elif parameters.hidden_units(self) != [len(b) for b in self.intercepts_[:-1]]:
            raise ValueError(
                f"The network goes on learning, and has hidden layers of {[len(b) for b in self.intercepts_[:-1]]} "
                f"units; got hidden_layer_sizes={self.hidden_layer_sizes!r}. Set that back, or fit with "
                "`warm_start=False`, which begins anew."
            )
        held_out = None if validation_data is None else self._held_out(validation_data)
        self._train(samples, held_out, callbacks, incremental)
        if not all(np.isfinite(weight).all() for weight in self.model_.get_weights()):
            raise ValueError(
                "Solver produced non-finite parameter weights. The input data may contain large values and need to be "
                "preprocessed."
            )
        return self

    def _initialize(self, samples: Samples) -> None:
        self.n_outputs_, self.out_activation_ = self._output(samples.targets)
        self.n_layers_ = len(parameters.hidden_units(self)) + 2
        dtype = "float32" if samples.X.dtype == np.float32 else "float64"
        self.model_ = networks.build(self, samples.X.shape[1], self.n_outputs_, dtype, self._random_state)
        self._trainer: PenalizedTrainer | None = None
        self.n_iter_ = self.t_ = self._no_improvement_count = 0
        self.loss_curve_: list[float] = []
        self._best_weights = self.model_.get_weights()
        stopping = self.early_stopping
        self.validation_scores_: list[float] | None = [] if stopping else None
        self.best_validation_score_: float | None = -math.inf if stopping else None
        self.best_loss_: float | None = None if stopping else math.inf

    def _train(self, samples: Samples, held_out: Samples | None, callbacks: Any, incremental: bool) -> None:
        stopping = self.early_stopping and not _sees_all_at_once(self.solver)
        if stopping and self.validation_scores_ is None:  # it was not asked for when the network was made
            self.validation_scores_, self.best_validation_score_ = [], -math.inf
        watched = None
        if stopping:
            samples, watched = (samples, held_out) if held_out is not None else self._split(samples)
        shown = held_out is not None or bool(callbacks) or self.verbose in parameters.VERBOSITY
        trainer = self._trainer if incremental else None
        if trainer is None:
            trainer = self._trainer = self._new_trainer(self._metrics() if shown else [])
        batches, validation = self._batches(trainer, samples, held_out)
        score = None if watched is None else lambda: self._score_of(watched)
        kind = IterationsOfLBFGS if trainer.full_batch else ScikitLearnRules
        rules = kind(self, trainer.optimizer, batches.num_samples, score, incremental)
        listening = self._listeners(rules, batches, callbacks, incremental)
        flop = 2.0 * batches.batch_size * max(W.size for W in self.coefs_)
        products.choose_for(flop)
        # Large products as well leave time for it: whichever thread is late takes fewer of their parts.
        batches.ahead = not listening.may_change_data()
        trainer.resolve_metrics(batches.ys, [(None, self.n_outputs_)])
        trainer.alpha = self.alpha
        if trainer.arena is None:
            trainer.connect_to_train(self.model_.flat_graph())
        self.n_iter_ = 0
        model: Any = self.model_
        try:
            with threads_for(flop):
                run = Run(model, trainer, batches, validation, listening, 0)
                loop.fit(run, epochs=1 if incremental else self.max_iter, validation_freq=1)
        except KeyboardInterrupt:
            warnings.warn("Training interrupted by user.", stacklevel=_USER)
        assert listening.history is not None  # asked for in `_listeners`
        self.history_ = listening.history.history
        if stopping:
            self.model_.set_weights(self._best_weights)
        if rules.not_converged:
            warnings.warn(rules.not_converged, ConvergenceWarning, stacklevel=_USER)

    def _new_trainer(self, metrics: list[Any]) -> PenalizedTrainer:
        optimizer = self._optimizer = networks.optimizer(self)
        head, in_files = networks.head(self, metrics)
        # The model by itself can be evaluated, and learn more: by the same optimizer, without the penalty.
        self.model_.compile(optimizer, in_files, metrics=self._metrics())
        return PenalizedTrainer(optimizer, head, networks.kernels(self.model_), self.alpha)

    def _batches(
        self, trainer: PenalizedTrainer, samples: Samples, held_out: Samples | None
    ) -> tuple[ShuffledBatches, Batches | None]:
        """What is trained on, and what `validation_data` is measured on."""
        n = samples.X.shape[0]
        size = n if trainer.full_batch else self._batch_size(n)
        random_state = self._random_state if self.shuffle and not trainer.full_batch else None
        weight = self._all_weights(samples)
        columns = self._columns(trainer, samples._replace(weight=weight))
        dtypes = self.model_.input_dtypes
        batches = ShuffledBatches(*columns, random_state, dtypes=dtypes, batch_size=size)
        if held_out is None:
            return batches, None
        return batches, Batches(*self._columns(trainer, held_out), dtypes=dtypes, batch_size=PREDICTED_AT_ONCE)

    def _columns(self, trainer: PenalizedTrainer, samples: Samples) -> tuple[list[Any], list[Any], list[Any]]:
        dtype = self.model_.dtype
        (head,) = trainer.heads
        X = SparseRows(samples.X) if is_sparse(samples.X) else samples.X
        y = head.prepare(samples.targets, (None, self.n_outputs_), dtype)
        weight = None if samples.weight is None else samples.weight.astype(dtype, copy=False)
        return [X], [y], [weight]

    def _batch_size(self, n: int) -> int:
        if isinstance(self.batch_size, str):
            return min(AUTO_BATCH, n)
        if self.batch_size > n:
            warnings.warn(
                "Got `batch_size` less than 1 or larger than sample size. It is going to be clipped",
                stacklevel=_USER + 2,
            )
        return min(int(self.batch_size), n)

    def _listeners(
        self,
        rules: ScikitLearnRules,
        batches: ShuffledBatches,
        callbacks: Any,
        incremental: bool,
    ) -> CallbackList:
        shown = parameters.VERBOSITY.get(self.verbose, 0) if isinstance(self.verbose, str) else 0
        own = CallbackList(callbacks).callbacks
        if any(isinstance(one, BackupAndRestore) for one in own):
            raise ValueError(
                f"A `BackupAndRestore` in `callbacks` cannot bring {type(self).__name__} back to where it stood: the "
                "backup knows the network, and not the estimator. Use a `ModelCheckpoint`, or `model_.fit`."
            )
        model: Any = self.model_
        epochs = 1 if incremental else self.max_iter
        return CallbackList([rules, *own], True, shown > 0, model, verbose=shown, epochs=epochs, steps=batches.length)

    def _split(self, samples: Samples) -> tuple[Samples, Samples]:
        """What is trained on, and the rest, which says when it is enough: by the draws that scikit-learn makes."""
        stratify = samples.targets if self._stratifies() else None
        training, rest = train_test_split(
            np.arange(samples.X.shape[0]),
            random_state=self._random_state,
            test_size=self.validation_fraction,
            stratify=stratify,
        )
        if len(rest) < 2:
            raise ValueError(
                "The validation set is too small. Increase 'validation_fraction' or the size of your dataset."
            )
        samples = samples._replace(X=samples.X.tocsr() if is_sparse(samples.X) else samples.X)
        return samples.rows(training), samples.rows(rest)

    def _stratifies(self) -> bool:
        """Whether both parts have the same share of each class."""
        return False

    def _held_out(self, validation_data: Any) -> Samples:
        """The samples of `validation_data`, checked as those that are trained on are."""
        if not isinstance(validation_data, (tuple, list)) or len(validation_data) not in (2, 3):
            raise ValueError(
                "`validation_data` must be `(X, y)` or `(X, y, sample_weight)`; got "
                f"{type(validation_data).__name__}{_length(validation_data)}."
            )
        X, y, *weight = validation_data
        try:
            X, y, targets = self._validated_others(X, y)
            return Samples(X, y, targets, _weights(weight[0] if weight else None, X))
        except ValueError as error:
            raise ValueError(f"In `validation_data`: {error}") from error

    # --- Predicting ---

    def _predicted(self, X: Any, check_input: bool = True) -> Array:
        """What the network gives, (n, k)."""
        if check_input:
            X = validate_data(self, X, accept_sparse=["csr", "csc"], reset=False, dtype=self._floats())
        predicted: Array = self.model_.predict(X, batch_size=PREDICTED_AT_ONCE, verbose=0)
        return predicted

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags


def is_stochastic(estimator: Any) -> bool:
    """Whether its solver takes steps by batches, so that there is a `partial_fit`.

    Raises:
        AttributeError: It does not: so `available_if` wants to hear it.
    """
    if _sees_all_at_once(estimator.solver):
        raise AttributeError(
            f"partial_fit is only available for stochastic optimizers. {estimator.solver} is not stochastic."
        )
    return True


def _sees_all_at_once(solver: Any) -> bool:
    return isinstance(solver, optimizers.LBFGS) or (isinstance(solver, str) and solver.lower() == "lbfgs")


def _weights(sample_weight: Any, X: Any) -> Array | None:
    """The weights of samples, one a sample; None where none are given."""
    if sample_weight is None:
        return None
    n = X.shape[0]
    if isinstance(sample_weight, Real):
        return np.full(n, sample_weight, X.dtype)
    weight: Array = check_array(
        sample_weight, accept_sparse=False, ensure_2d=False, dtype=FLOATS, input_name="sample_weight"
    )
    if weight.ndim != 1:
        raise ValueError(f"Sample weights must be 1D array or scalar, got {weight.ndim}D array. Expected shape ({n},).")
    if weight.shape != (n,):
        raise ValueError(f"sample_weight.shape == {weight.shape}, expected {(n,)}!")
    if not weight.any():
        raise ValueError(
            "Every sample weight is zero, so that there is nothing to learn from. Sample weights must contain at least "
            "one non-zero number."
        )
    return weight


def _length(given: Any) -> str:
    return f" of length {len(given)}" if hasattr(given, "__len__") else ""
