"""A model as a transformer of scikit-learn's."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import ClassNamePrefixFeaturesOutMixin, TransformerMixin

from multilayer.wrappers.base import Wrapper

Array = NDArray[Any]


class SKLearnTransformer(ClassNamePrefixFeaturesOutMixin, TransformerMixin, Wrapper):  # type: ignore[misc]
    """A model as a transformer of scikit-learn's, which is a step that gives other columns, and no kind of network.

    What is a model's embedding, or an autoencoder's code, becomes the input of another estimator in a pipeline.

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
        >>> from multilayer import Sequential, layers
        >>> model = Sequential([layers.Input((3,)), layers.Dense(2, "tanh", name="code"), layers.Dense(3)])
        >>> model.compile("adam", "mse")
        >>> X = np.random.default_rng(0).normal(size=(20, 3))
        >>> transformer = SKLearnTransformer(model, fit_kwargs={"verbose": 0}).fit(X, X)
        >>> transformer.transform(X).shape, transformer.get_feature_names_out().tolist()[0]
        ((20, 3), 'sklearntransformer0')
    """

    _multi_output = True

    def transform(self, X: Any) -> Array:
        """The model's outputs, of shape (samples, outputs)."""
        return self._outputs(X)

    def _encoded(self, y: Array, again: bool) -> Array:  # noqa: ARG002 - nothing to remember of them
        return np.asarray(y, np.float64).reshape(len(y), -1)

    @property
    def _n_features_out(self) -> int:
        """What `get_feature_names_out` counts."""
        return int(self.model_.output_shape[-1])

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        tags.target_tags.multi_output = True
        tags.transformer_tags.preserves_dtype = []  # outputs are float32, or as `set_floatx` says
        return tags
