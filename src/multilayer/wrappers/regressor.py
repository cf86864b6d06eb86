"""A model as a regressor of scikit-learn's."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import RegressorMixin

from multilayer.wrappers.base import Wrapper

Array = NDArray[Any]


class SKLearnRegressor(RegressorMixin, Wrapper):  # type: ignore[misc]
    """A model as a regressor of scikit-learn's: for pipelines, cross-validation, searches.

    Args:
        model: A compiled model, or a function `model(X, y, **model_kwargs)` that returns one; y has a column for each
            target. Of a model, `fit` trains a copy with weights of its own (`clone_model`).
        warm_start: Whether `fit` goes on from the weights of the one before, at first from those of `model` itself.
        model_kwargs: For `model`, where it is a function.
        fit_kwargs: For `Model.fit`, such as `epochs`. What is given to this `fit` goes before them.
        random_state: Where weights, batches and dropout are drawn from, as in scikit-learn: a number repeats them,
            None goes on with the global seed.

    Attributes:
        model_: The trained model.
        history_: What its `fit` returned.
        n_features_in_: How many columns X had.
        feature_names_in_: What they are called, where X was a table with names.

    Raises:
        RuntimeError: In `fit`, the model is not compiled.

    Example:
        >>> from sklearn.datasets import make_regression
        >>> from sklearn.pipeline import make_pipeline
        >>> from sklearn.preprocessing import StandardScaler
        >>> from multilayer import Sequential, layers
        >>> model = Sequential([layers.Input((4,)), layers.Dense(1)])
        >>> model.compile("lbfgs", "mse")
        >>> X, y = make_regression(n_samples=100, n_features=4, random_state=0)
        >>> line = make_pipeline(StandardScaler(), SKLearnRegressor(model, fit_kwargs={"epochs": 20, "verbose": 0}))
        >>> round(line.fit(X, y).score(X, y), 3)
        1.0
    """

    _multi_output = True

    def predict(self, X: Any) -> Array:
        """The value of each sample, of the shape of the targets: (samples,) or (samples, targets)."""
        outputs = self._outputs(X).astype(np.float64)  # as scikit-learn's own, whose scores are sums of squares
        return outputs if outputs.ndim == self._target_axes else outputs.reshape(-1)

    def _encoded(self, y: Array, again: bool) -> Array:
        y = np.asarray(y, np.float64)
        if not again:
            self._target_axes = y.ndim
        return y.reshape(len(y), -1)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.regressor_tags.poor_score = True  # what a model learns in the epochs that it is given is its own affair
        tags.target_tags.multi_output = True
        return tags
