"""A model as a classifier of scikit-learn's."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import ClassifierMixin
from sklearn.utils.multiclass import check_classification_targets, type_of_target

from multilayer import ops
from multilayer.losses import BinaryCrossentropy
from multilayer.wrappers.base import Wrapper

Array = NDArray[Any]


class SKLearnClassifier(ClassifierMixin, Wrapper):  # type: ignore[misc]
    """A model as a classifier of scikit-learn's: for pipelines, cross-validation, searches.

    The model gives a column for each class, two of them for two classes, and is trained on a 1 in the column of the
    class and 0 elsewhere: with a softmax and 'categorical_crossentropy', for instance. What is predicted is the class
    of the largest output.

    Args:
        model: A compiled model, or a function `model(X, y, **model_kwargs)` that returns one; y has a column for each
            class. Of a model, `fit` trains a copy with weights of its own (`clone_model`).
        warm_start: Whether `fit` goes on from the weights of the one before, at first from those of `model` itself.
        model_kwargs: For `model`, where it is a function.
        fit_kwargs: For `Model.fit`, such as `epochs`. What is given to this `fit` goes before them. Labels in
            `validation_data` are the classes themselves, as those of `fit`.
        random_state: Where weights, batches and dropout are drawn from, as in scikit-learn: a number repeats them,
            None goes on with the global seed.

    Attributes:
        model_: The trained model.
        history_: What its `fit` returned.
        classes_: The classes, sorted; of shape (classes,).
        n_features_in_: How many columns X had.
        feature_names_in_: What they are called, where X was a table with names.

    Raises:
        ValueError: In `fit`, targets are no classes, or all of one.
        RuntimeError: In `fit`, the model is not compiled.

    Example:
        >>> from sklearn.datasets import make_classification
        >>> from sklearn.model_selection import GridSearchCV
        >>> from multilayer import Sequential, layers
        >>> def network(X, y, units=8):
        ...     model = Sequential([layers.Input((X.shape[1],)), layers.Dense(units, "relu"),
        ...                         layers.Dense(y.shape[1], "softmax")])
        ...     model.compile("adam", "categorical_crossentropy")
        ...     return model
        >>> X, y = make_classification(n_samples=200, class_sep=2.0, random_state=0)
        >>> fitting = {"epochs": 20, "verbose": 0}
        >>> search = GridSearchCV(
        ...     SKLearnClassifier(network, fit_kwargs=fitting, random_state=0),
        ...     {"model_kwargs": [{"units": 4}, {"units": 16}]},
        ... )
        >>> bool(search.fit(X, y).best_score_ > 0.8)
        True
    """

    def predict(self, X: Any) -> Array:
        """The class of each sample, of shape (samples,)."""
        places = self._outputs(X).argmax(axis=1)  # before `classes_`, as it says where there has been no fit
        found: Array = self.classes_[places]
        return found

    def decision_function(self, X: Any) -> Array:
        """The model's outputs, of shape (samples, classes).

        Of two classes, as scikit-learn has it, by how much the second's is above the first's, of shape (samples,).
        Keras gives both columns.
        """
        outputs = self._outputs(X)
        difference: Array = outputs[:, 1] - outputs[:, 0]
        return outputs if outputs.shape[1] > 2 else difference

    def predict_proba(self, X: Any) -> Array:
        """The probability of each class, of shape (samples, classes).

        Outputs that are scores, for a loss with `from_logits=True`, pass through the softmax or sigmoid that belongs to
        it. Those that are divided by their sum then, as several sigmoids do not come to 1.

        Raises:
            ValueError: There are outputs below 0: the model gives no probabilities.
        """
        outputs = self._outputs(X).astype(np.float64)
        loss = self.model_.loss
        if getattr(loss, "from_logits", False):
            outputs = np.asarray((ops.sigmoid if isinstance(loss, BinaryCrossentropy) else ops.softmax)(outputs))
        if outputs.min() < 0:
            raise ValueError(
                "The model's outputs are no probabilities: some are below 0. Let it end in a softmax, or compile it "
                "with a loss that says `from_logits=True`."
            )
        probabilities: Array = outputs / outputs.sum(axis=1, keepdims=True)
        return probabilities

    def _encoded(self, y: Array, again: bool) -> Array:
        check_classification_targets(y)
        if (kind := type_of_target(y)) not in ("binary", "multiclass"):
            raise ValueError(f"Targets must be one class a sample. Received: targets that are {kind}")
        classes = np.unique(y)
        if not again:
            if len(classes) < 2:
                raise ValueError(f"All targets are of one class, {classes[0]!r}; two are needed to tell them apart.")
            self.classes_ = classes
        elif unknown := sorted(set(classes.tolist()) - set(self.classes_.tolist())):
            raise ValueError(f"Targets have classes that the first fit has not seen: {unknown}")
        return np.asarray(y[:, None] == self.classes_, np.float32)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.poor_score = True  # what a model learns in the epochs that it is given is its own affair
        return tags
