"""The regressor."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import RegressorMixin
from sklearn.metrics import r2_score
from sklearn.utils import column_or_1d
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted, validate_data

from multilayer._tracebacks import filter_traceback
from multilayer.functional import Array
from multilayer.sklearn.base import BaseMLP, Samples, is_stochastic


class MLPRegressor(RegressorMixin, BaseMLP):  # type: ignore[misc] # scikit-learn has no types
    """A perceptron that fits numbers: scikit-learn's `MLPRegressor`, and more.

    With the parameters that scikit-learn's has, and the same `random_state`, the same network comes out of the same
    data, epoch by epoch, but for the rounding of sums in another order. One target or several, y (n,) or (n, k).

    Args:
        loss: 'squared_error'; 'poisson' for counts, behind an exponential; or a loss by Keras' name ('huber', 'mae',
            'log_cosh', ...), or a `losses.Loss`.
        hidden_layer_sizes: See `MLPClassifier`, here and below.
        activation: Of the hidden layers.
        solver: The optimizer.
        alpha: Factor of the penalty.
        batch_size: Samples a step.
        learning_rate: Its schedule.
        learning_rate_init: Size of a step.
        power_t: See `learning_rate`.
        max_iter: The largest number of epochs.
        shuffle: Whether samples are shuffled anew for every epoch.
        random_state: A number or a `RandomState`.
        tol: What counts as an improvement.
        verbose: True, 'bar' or 'line'.
        warm_start: Whether `fit` goes on from where the last one ended.
        momentum: Of 'sgd'.
        nesterovs_momentum: Of 'sgd'.
        early_stopping: Whether the score on a share of the samples says when training ends.
        validation_fraction: The share.
        beta_1: Of 'adam'.
        beta_2: Of 'adam'.
        epsilon: Of 'adam'.
        n_iter_no_change: How many epochs without an improvement are borne.
        max_fun: Of 'lbfgs'.
        dropout: Share of a hidden layer's outputs that is dropped in a step; a list has one for each layer.
        batch_normalization: Whether what goes into each hidden activation is normalized.
        dtype: What it computes in.

    Attributes:
        model_: The network, a `Sequential`.
        coefs_: The weights of each layer.
        intercepts_: The biases of each layer.
        history_: What each epoch brought, by name: "loss", and with `validation_data` "val_loss", "val_r2_score".
        loss_: The last epoch's loss.
        loss_curve_: The loss of each epoch.
        best_loss_: The least of them; None with `early_stopping`.
        validation_scores_: R2 after each epoch, with `early_stopping`; None without.
        best_validation_score_: The best of them; None without.
        n_iter_: Epochs, or iterations.
        t_: Samples that steps have been taken with.
        n_layers_: Layers, with the input.
        n_outputs_: Targets.
        out_activation_: 'identity', or 'exp' for loss='poisson'.
        n_features_in_: Numbers in a sample.
        feature_names_in_: Their names, where they have names.

    Raises:
        ValueError: In `fit`, a parameter or the data is not what it must be.

    Example:
        >>> X = np.linspace(-1, 1, 100).reshape(-1, 1)
        >>> reg = MLPRegressor(hidden_layer_sizes=(20,), activation="silu", solver="lbfgs", random_state=0)
        >>> bool(reg.fit(X, X[:, 0] ** 2).score(X, X[:, 0] ** 2) > 0.99)
        True
    """

    def __init__(
        self,
        loss: Any = "squared_error",
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
        dropout: Any = 0.0,
        batch_normalization: bool = False,
        dtype: str | None = None,
    ) -> None:
        self.loss = loss
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
        self.dropout = dropout
        self.batch_normalization = batch_normalization
        self.dtype = dtype

    @filter_traceback
    def fit(
        self, X: Any, y: Any, sample_weight: Any = None, validation_data: Any = None, callbacks: Any = None
    ) -> MLPRegressor:
        """Trains the network.

        Args:
            X: Samples, (n, d): an array, a frame, or a sparse matrix.
            y: Targets, (n,) or (n, k).
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
    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> MLPRegressor:
        """Trains the network for one epoch on these samples, from where it stands.

        Args:
            X: Samples, (n, d).
            y: Targets, (n,) or (n, k).
            sample_weight: What each sample weighs in the loss, (n,).

        Returns:
            Itself.
        """
        return self._fit(X, y, sample_weight, None, None, incremental=True)  # type: ignore[no-any-return]

    def _validated(self, X: Any, y: Any, reset: bool, incremental: bool) -> tuple[Any, Array, Array]:  # noqa: ARG002
        X, y = validate_data(
            self,
            X,
            y,
            accept_sparse=["csr", "csc"],
            multi_output=True,
            y_numeric=True,
            dtype=self._floats(),
            reset=reset,
        )
        if y.ndim == 2 and y.shape[1] == 1:
            y = column_or_1d(y, warn=True)
        targets = y.reshape(len(y), -1)
        if not reset and targets.shape[1] != self.n_outputs_:
            raise ValueError(
                f"The network has {self.n_outputs_} outputs, one for each target that it was made for; got `y` of "
                f"shape {y.shape}."
            )
        return X, y, targets

    def _validated_others(self, X: Any, y: Any) -> tuple[Any, Array, Array]:
        return self._validated(X, y, reset=False, incremental=False)

    def _output(self, targets: Array) -> tuple[int, str]:
        poisson = isinstance(self.loss, str) and self.loss == "poisson"
        return targets.shape[1], "exp" if poisson else "identity"

    def _metrics(self) -> list[Any]:
        return ["r2_score"]

    def _score_of(self, samples: Samples) -> float:
        predicted = self._predicted(samples.X, check_input=False)
        if not np.isfinite(predicted).all():
            return float("nan")
        return float(r2_score(samples.y, predicted.reshape(samples.y.shape), sample_weight=samples.weight))

    @filter_traceback
    def predict(self, X: Any) -> Array:
        """The targets of each sample, (n,) or (n, k)."""
        check_is_fitted(self)
        predicted = self._predicted(X)
        return predicted.ravel() if predicted.shape[1] == 1 else predicted
