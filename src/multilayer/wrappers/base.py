"""What the wrappers share: a model is made, trained and asked, as scikit-learn expects it of an estimator."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from multilayer import random
from multilayer.callbacks import History
from multilayer.models import Model, clone_model

Array = NDArray[Any]


class Wrapper(BaseEstimator):  # type: ignore[misc]
    """A model as an estimator; see the classes that derive from it.

    Its parameters are what it was constructed with, untouched; what training adds ends in an underscore.
    """

    # `fit` hands on whatever `Model.fit` takes, which its signature does not show: so metadata routing learns of it.
    __metadata_request__fit: ClassVar[dict[str, Any]] = dict.fromkeys(
        name for name in inspect.signature(Model.fit).parameters if name not in ("self", "x", "y")
    )

    _multi_output = False  # whether targets may have several columns

    def __init__(
        self,
        model: Model | Callable[..., Model],
        warm_start: bool = False,
        model_kwargs: dict[str, Any] | None = None,
        fit_kwargs: dict[str, Any] | None = None,
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        self.model = model
        self.warm_start = warm_start
        self.model_kwargs = model_kwargs
        self.fit_kwargs = fit_kwargs
        self.random_state = random_state

    @property
    def epoch_(self) -> int:
        """How many epochs the last `fit` took; 0 before the first."""
        return len(self.history_.epoch) if hasattr(self, "history_") else 0

    def fit(self, X: Any, y: Any, **kwargs: Any) -> Any:
        """Trains the model.

        Args:
            X: The samples, of shape (samples, features).
            y: A target for each.
            **kwargs: For `Model.fit`, such as `epochs`; they go before `fit_kwargs`.

        Returns:
            This estimator.

        Raises:
            ValueError: The data is not what an estimator takes.
            RuntimeError: The model is not compiled.
        """
        X, y = validate_data(self, X, y, multi_output=self._multi_output)
        y = self._encoded(y, again=self.warm_start and hasattr(self, "model_"))
        with self._seeded():
            model = self._model_for(X, y)
            history = model.fit(X, y, **self._prepared({**(self.fit_kwargs or {}), **kwargs}))
        self.history_: History = history
        self.model_ = model
        return self

    def _seeded(self) -> Any:
        """All that is drawn within, where `random_state` says from where: weights, batches, dropout."""
        if self.random_state is None:
            return nullcontext()
        return random.seeded(int(check_random_state(self.random_state).randint(2**31 - 1)))

    def _model_for(self, X: Array, y: Array) -> Model:
        if self.warm_start and hasattr(self, "model_"):
            return self.model_
        if not isinstance(self.model, Model):
            model = self.model(X=X, y=y, **(self.model_kwargs or {}))
        else:
            model = self.model if self.warm_start else clone_model(self.model)
        if not isinstance(model, Model):
            raise TypeError(
                f"Argument `model` of {type(self).__name__} must be a model, or a function of X and y that returns "
                f"one. Received: {type(model).__name__}"
            )
        if not model.compiled:
            raise RuntimeError(
                f"The model of {type(self).__name__} is not compiled. Call its `compile` with an optimizer and a loss "
                "before it is handed over, or in the function that makes it."
            )
        return model

    def _outputs(self, X: Any) -> Array:
        check_is_fitted(self)
        outputs: Array = self.model_.predict(validate_data(self, X, reset=False), verbose=0)
        return outputs

    def _encoded(self, y: Array, again: bool) -> Array:
        """The targets as the model sees them: a matrix. `again` where they are to be as those of the fit before."""
        raise NotImplementedError

    def _prepared(self, arguments: dict[str, Any]) -> dict[str, Any]:
        """Arguments of `Model.fit`, with the targets among them as the model sees them."""
        held_out = arguments.get("validation_data")
        if isinstance(held_out, (tuple, list)) and len(held_out) > 1 and np.ndim(held_out[1]) == 1:
            X, y, *weights = held_out
            X, y = validate_data(self, X, y, reset=False, multi_output=self._multi_output)
            return {**arguments, "validation_data": (X, self._encoded(y, again=True), *weights)}
        return arguments
