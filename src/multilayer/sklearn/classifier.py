"""The classifier."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.metrics import accuracy_score
from sklearn.preprocessing import LabelBinarizer
from sklearn.utils import column_or_1d, compute_sample_weight
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import type_of_target, unique_labels
from sklearn.utils.validation import check_is_fitted, validate_data

from multilayer._tracebacks import filter_traceback
from multilayer.functional import Array
from multilayer.losses.families import SparseLoss
from multilayer.sklearn.base import BaseMLP, Samples, is_stochastic


class MLPClassifier(ClassifierMixin, BaseMLP):  # type: ignore[misc] # scikit-learn has no types
    """A perceptron that tells classes apart: scikit-learn's `MLPClassifier`, and more.

    With the parameters that scikit-learn's has, and the same `random_state`, the same network comes out of the same
    data, epoch by epoch, but for the rounding of sums in another order. Two classes, several, or several labels a
    sample (y of zeros and ones, shape (n, k)). The loss of a batch is

        (sum_i w_i loss_i + alpha / 2 sum |W|^2) / sum_i w_i

    float32 inputs are computed with in float32, and much faster; all others in float64.

    Args:
        hidden_layer_sizes: Units of each hidden layer; a single number is one layer.
        activation: Of the hidden layers, by scikit-learn's name ('identity', 'logistic', 'tanh', 'relu'), by Keras'
            ('gelu', 'silu', ...), or a function; a list has one for each layer.
        solver: 'sgd', 'adam', 'lbfgs', the name of another optimizer ('adamw', 'rmsprop', ...), or an
            `optimizers.Optimizer`, which has a learning rate of its own.
        alpha: Factor of the penalty.
        batch_size: Samples a step; 'auto' is 200, or all where there are fewer.
        learning_rate: 'constant'; 'invscaling', learning_rate_init / t^power_t after t samples, looked at after every
            epoch; or 'adaptive', divided by 5 whenever the figure has not improved. Adam has none but the first.
        learning_rate_init: Size of a step.
        power_t: See `learning_rate`.
        max_iter: The largest number of epochs; for 'lbfgs', of iterations.
        shuffle: Whether samples are shuffled anew for every epoch.
        random_state: A number or a `RandomState`: of the first weights, the split and the orders.
        tol: What the loss has to fall by, or the score to rise by, to count as an improvement; for 'lbfgs', how small
            the gradient gets.
        verbose: True for scikit-learn's line an epoch; 'bar' for a progress bar, 'line' for a line with all figures.
        warm_start: Whether `fit` goes on from where the last one ended.
        momentum: Of 'sgd'.
        nesterovs_momentum: Of 'sgd': whether it looks ahead.
        early_stopping: Whether a share of the samples is set aside, and training ends when the score on it does not
            improve; the best weights are kept. Where `fit` is given `validation_data`, it is that.
        validation_fraction: The share.
        beta_1: Of 'adam': how much of the mean gradient is kept from step to step.
        beta_2: Of 'adam': how much of the mean of its square is kept.
        epsilon: Of 'adam': keeps its quotient finite.
        n_iter_no_change: Training ends after more epochs without an improvement than these.
        max_fun: Of 'lbfgs': the largest number of times that the loss is asked for.
        loss: 'log_loss', or a loss by Keras' name ('categorical_focal_crossentropy', ...), or a `losses.Loss`.
        class_weight: What a class's samples weigh: 'balanced' for n / (classes * samples of the class), or a dict; of
            several labels a sample, a list of dicts.
        dropout: Share of a hidden layer's outputs that is dropped in a step; a list has one for each layer.
        batch_normalization: Whether what goes into each hidden activation is normalized.
        dtype: What it computes in: 'float32', 'float64', or None for that of the inputs. 'float32' is several times
            as fast, and no worse a network.
        label_smoothing: How far targets are drawn towards indifference, in [0, 1].

    Attributes:
        model_: The network, a `Sequential`: `clf.model_.save("network.keras")`.
        classes_: The classes, in the order of the probabilities.
        coefs_: The weights of each layer.
        intercepts_: The biases of each layer.
        history_: What each epoch brought, by name: "loss", and with `validation_data` "val_loss", "val_accuracy".
        loss_: The last epoch's loss.
        loss_curve_: The loss of each epoch.
        best_loss_: The least of them; None with `early_stopping`.
        validation_scores_: The accuracy after each epoch, with `early_stopping`; None without.
        best_validation_score_: The best of them; None without.
        n_iter_: Epochs, or iterations.
        t_: Samples that steps have been taken with.
        n_layers_: Layers, with the input.
        n_outputs_: Outputs: 1 for two classes.
        out_activation_: 'logistic' or 'softmax'.
        n_features_in_: Numbers in a sample.
        feature_names_in_: Their names, where they have names.

    Raises:
        ValueError: In `fit`, a parameter or the data is not what it must be.

    Example:
        >>> from sklearn.datasets import load_iris
        >>> X, y = load_iris(return_X_y=True)
        >>> clf = MLPClassifier((20,), solver="lbfgs", class_weight="balanced", random_state=0).fit(X, y)
        >>> bool(clf.score(X, y) > 0.95)
        True
        >>> clf.predict_proba(X[:2]).shape
        (2, 3)
    """

    def __init__(
        self,
        hidden_layer_sizes: Any = (100,),
        activation: Any = "relu",
        *,
        solver: Any = "adam",
        alpha: float = 0.0001,
        batch_size: int | str = "auto",
        learning_rate: str = "constant",
        learning_rate_init: float = 0.001,
        power_t: float = 0.5,
        max_iter: int = 200,
        shuffle: bool = True,
        random_state: Any = None,
        tol: float = 1e-4,
        verbose: bool | int | str = False,
        warm_start: bool = False,
        momentum: float = 0.9,
        nesterovs_momentum: bool = True,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-8,
        n_iter_no_change: float = 10,
        max_fun: int = 15000,
        loss: Any = "log_loss",
        class_weight: Any = None,
        dropout: Any = 0.0,
        batch_normalization: bool = False,
        dtype: str | None = None,
        label_smoothing: float = 0.0,
    ) -> None:
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.solver = solver
        self.alpha = alpha
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.learning_rate_init = learning_rate_init
        self.power_t = power_t
        self.max_iter = max_iter
        self.shuffle = shuffle
        self.random_state = random_state
        self.tol = tol
        self.verbose = verbose
        self.warm_start = warm_start
        self.momentum = momentum
        self.nesterovs_momentum = nesterovs_momentum
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon
        self.n_iter_no_change = n_iter_no_change
        self.max_fun = max_fun
        self.loss = loss
        self.class_weight = class_weight
        self.dropout = dropout
        self.batch_normalization = batch_normalization
        self.dtype = dtype
        self.label_smoothing = label_smoothing

    # --- Training ---

    @filter_traceback
    def fit(
        self, X: Any, y: Any, sample_weight: Any = None, validation_data: Any = None, callbacks: Any = None
    ) -> MLPClassifier:
        """Trains the network.

        Args:
            X: Samples, (n, d): an array, a frame, or a sparse matrix.
            y: Classes, (n,), or labels, (n, k) of zeros and ones.
            sample_weight: What each sample weighs in the loss, (n,).
            validation_data: `(X, y)` or `(X, y, sample_weight)`, measured after every epoch: see `history_`.
            callbacks: `callbacks.Callback` objects, such as `EarlyStopping`, which hear of every epoch.

        Returns:
            Itself.

        Raises:
            ValueError: A parameter or the data is not what it must be.
        """
        return self._fit(X, y, sample_weight, validation_data, callbacks)  # type: ignore[no-any-return]

    @available_if(is_stochastic)  # type: ignore[untyped-decorator]
    @filter_traceback
    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None, classes: Any = None) -> MLPClassifier:
        """Trains the network for one epoch on these samples, from where it stands.

        Args:
            X: Samples, (n, d).
            y: Classes, (n,), or labels, (n, k).
            sample_weight: What each sample weighs in the loss, (n,).
            classes: All classes that will come, for the first call.

        Returns:
            Itself.

        Raises:
            ValueError: It is the first call and `classes` is missing, or a class is none of them.
        """
        self._take_note_of(classes, y)
        if isinstance(self.class_weight, str):
            raise ValueError(
                "class_weight='balanced' is not known to `partial_fit`, which sees a part of the samples. Get the "
                "weights from all of them by `sklearn.utils.compute_class_weight('balanced', classes=classes, y=y)`, "
                "and pass them as a dict, `class_weight=dict(zip(classes, weights))`."
            )
        return self._fit(X, y, sample_weight, None, None, incremental=True)  # type: ignore[no-any-return]

    def _take_note_of(self, classes: Any, y: Any) -> None:
        """Takes note of all classes, at the first call of `partial_fit`."""
        known = getattr(self, "classes_", None)
        if known is None:
            if classes is None:
                raise ValueError("classes must be passed on the first call to partial_fit.")
            self._note_classes(y if type_of_target(y).startswith("multilabel") else classes)
            if not type_of_target(y).startswith("multilabel"):
                self.classes_ = unique_labels(classes)
        elif classes is not None and not np.array_equal(known, unique_labels(classes)):
            raise ValueError(f"`classes={classes!r}` is not the same as on last call to partial_fit, was: {known!r}")

    def _note_classes(self, y: Any) -> None:
        self._label_binarizer = LabelBinarizer().fit(y)
        self.classes_ = self._label_binarizer.classes_

    def _validated(self, X: Any, y: Any, reset: bool, incremental: bool) -> tuple[Any, Array, Array]:
        X, y = validate_data(
            self, X, y, accept_sparse=["csr", "csc"], multi_output=True, dtype=self._floats(), reset=reset
        )
        y = _flat(y)
        if not hasattr(self, "classes_") or not (self.warm_start or incremental):
            self._note_classes(y)
            return X, y, self._encoded(y)
        classes = unique_labels(y)
        if self.warm_start and not incremental and set(classes) != set(self.classes_):
            raise ValueError(
                "warm_start can only be used where `y` has the same classes as in the previous call to fit. Previously "
                f"got {self.classes_}, `y` has {classes}"
            )
        self._check_known(y)
        return X, y, self._encoded(y)

    def _validated_others(self, X: Any, y: Any) -> tuple[Any, Array, Array]:
        X, y = validate_data(
            self, X, y, accept_sparse=["csr", "csc"], multi_output=True, dtype=self._floats(), reset=False
        )
        y = _flat(y)
        self._check_known(y)
        return X, y, self._encoded(y)

    def _check_known(self, y: Array) -> None:
        classes = unique_labels(y)
        if len(np.setdiff1d(classes, self.classes_, assume_unique=True)):
            raise ValueError(
                f"`y` has classes not in `self.classes_`. `self.classes_` has {self.classes_}. 'y' has {classes}."
            )

    def _encoded(self, y: Array) -> Array:
        """Several classes as labels (n,); two as a column of zeros and ones, labels of a sample as they are."""
        if self._label_binarizer.y_type_ == "multiclass":
            labels: Array = np.searchsorted(self.classes_, y)
            return labels
        encoded: Array = self._label_binarizer.transform(y).astype(bool)
        return encoded

    def _output(self, targets: Array) -> tuple[int, str]:
        if targets.ndim == 1:
            return len(self.classes_), "softmax"
        return targets.shape[1], "logistic"

    def _all_weights(self, samples: Samples) -> Array | None:
        if self.class_weight is None:
            return samples.weight
        given = self.class_weight
        if isinstance(given, Mapping):
            unknown = [label for label in given if label not in set(self.classes_.tolist())]
            if unknown:
                raise ValueError(
                    f"`class_weight` has a weight for {unknown}, and `y` has no such class. Its classes are "
                    f"{self.classes_.tolist()}."
                )
        weight: Array = compute_sample_weight(given, samples.y)
        return weight if samples.weight is None else weight * samples.weight

    def _columns(self, trainer: Any, samples: Samples) -> tuple[list[Any], list[Any], list[Any]]:
        targets = samples.targets
        if targets.ndim == 1 and not isinstance(trainer.heads[0].loss, SparseLoss):
            targets = np.equal.outer(targets, np.arange(len(self.classes_)))
        return super()._columns(trainer, samples._replace(targets=targets))

    def _metrics(self) -> list[Any]:
        return ["accuracy"]

    def _stratifies(self) -> bool:
        return bool(self.n_outputs_ == 1)

    def _score_of(self, samples: Samples) -> float:
        probabilities = self._predicted(samples.X, check_input=False)
        if not np.isfinite(probabilities).all():
            return float("nan")
        return float(accuracy_score(samples.y, self._decided(probabilities), sample_weight=samples.weight))

    # --- Predicting ---

    def _decided(self, probabilities: Array) -> Array:
        """The classes, or labels, of the network's outputs."""
        decided: Array = self._label_binarizer.inverse_transform(
            probabilities.ravel() if self.n_outputs_ == 1 else probabilities
        )
        return decided

    @filter_traceback
    def predict(self, X: Any) -> Array:
        """The most probable class of each sample, (n,), or its labels, (n, k)."""
        check_is_fitted(self)
        return self._decided(self._predicted(X))

    @filter_traceback
    def predict_proba(self, X: Any) -> Array:
        """The probability of each class, (n, k), in the order of `classes_`."""
        check_is_fitted(self)
        probabilities = self._predicted(X)
        return np.hstack([1 - probabilities, probabilities]) if self.n_outputs_ == 1 else probabilities

    @filter_traceback
    def predict_log_proba(self, X: Any) -> Array:
        """The logarithms of `predict_proba`."""
        probabilities = self.predict_proba(X)
        logarithms: Array = np.log(probabilities, out=probabilities)
        return logarithms

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags


def _flat(y: Array) -> Array:
    """A column of classes as (n,), with scikit-learn's warning."""
    return column_or_1d(y, warn=True) if y.ndim == 2 and y.shape[1] == 1 else y
