"""`TabularClassifier` and `TabularRegressor` among scikit-learn's tools: pipelines, searches, routed metadata."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.utils import assert_all_finite
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_array, check_consistent_length, check_is_fitted, column_or_1d, validate_data

from multilayer import tabular
from multilayer._checks.tables import is_table
from multilayer.functional import Array
from multilayer.tabular.estimators import TabularEstimator

_T = TypeVar("_T", bound="_OfScikitLearn")


class _OfScikitLearn(TabularEstimator):
    """What scikit-learn asks of an estimator beyond its conventions: its own checks of input, in its own words."""

    def fit(
        self: _T,
        X: Any,
        y: Any = None,
        sample_weight: Any = None,
        *,
        validation_data: Sequence[Any] | None = None,
        groups: Any = None,
    ) -> _T:
        """Trains on a table; see `multilayer.tabular.TabularClassifier.fit`.

        What is predicted afterwards needs the same columns in the same order, as everywhere in scikit-learn.
        """
        X = self._checked(X, reset=True)
        if y is None:
            raise ValueError(f"This {type(self).__name__} estimator requires y to be passed, but the target y is None.")
        if not isinstance(y, str):
            y = self._checked_target(y)
            check_consistent_length(X, y)
        return super().fit(X, y, sample_weight, validation_data=validation_data, groups=groups)

    def _partial_fit(self: _T, X: Any, y: Any, sample_weight: Any, classes: Any) -> _T:
        X = self._checked(X, reset="_learning" not in self.__dict__)
        if not isinstance(y, str):
            y = self._checked_target(y)
            check_consistent_length(X, y)
        return super()._partial_fit(X, y, sample_weight, classes)

    def _require_trained(self) -> None:
        check_is_fitted(self, "model_")

    def _said(self, X: Any) -> Array:
        self._require_trained()
        return super()._said(self._checked(X, reset=False))

    def _checked(self, X: Any, reset: bool) -> Any:
        """X, where its form is one that scikit-learn knows; other forms are looked at by `Table.of`."""
        if isinstance(X, (dict, tabular.Table)) or (isinstance(X, list) and X and isinstance(X[0], dict)):
            return tabular.Table.of(X)
        checked = X
        if not is_table(X):
            least = 2 if reset else 1
            checked = check_array(
                X,
                accept_sparse=True,
                dtype=None,
                ensure_all_finite="allow-nan",
                ensure_min_samples=least,
                estimator=self,
            )
        validate_data(self, X, skip_check_array=True, reset=reset)  # names and number of the columns
        return checked

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """The accuracy, or R squared; y may be the name of its column, as in `fit`."""
        if isinstance(y, str):
            table, y = self._with_target(X, y)
            return self.score(table, y, sample_weight)
        return float(super().score(X, y, sample_weight))  # type: ignore[misc]

    def _checked_target(self, y: Any) -> Any:
        raise NotImplementedError

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()  # type: ignore[misc]
        tags.input_tags.allow_nan = tags.input_tags.sparse = True
        tags.input_tags.string = tags.input_tags.categorical = True
        return tags


class TabularClassifier(_OfScikitLearn, ClassifierMixin, BaseEstimator, tabular.TabularClassifier):  # type: ignore[misc]
    """`multilayer.tabular.TabularClassifier`, as scikit-learn's tools want an estimator."""

    def _checked_target(self, y: Any) -> Any:
        y = column_or_1d(y, warn=True)
        assert_all_finite(y, input_name="y", estimator_name=type(self).__name__, allow_nan=y.dtype.kind == "O")
        check_classification_targets(y)
        return y


class TabularRegressor(_OfScikitLearn, RegressorMixin, BaseEstimator, tabular.TabularRegressor):  # type: ignore[misc]
    """`multilayer.tabular.TabularRegressor`, as scikit-learn's tools want an estimator."""

    def _checked_target(self, y: Any) -> Any:
        y = check_array(y, ensure_2d=False, dtype="numeric", input_name="y", estimator=self)
        return column_or_1d(y, warn=True) if y.ndim == 1 or y.shape[1] == 1 else y

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags
