"""Models as scikit-learn's estimators, by Keras' names, for its pipelines and searches.

Any model of the library will do: a compiled one, or a function that makes one for the data. It needs scikit-learn
(`pip install "multilayer[sklearn]"`), which is imported with this module and not with `multilayer`.
"""

try:
    import sklearn  # noqa: F401 - said here, once for all that follows
except ImportError as error:
    raise ImportError(
        "`multilayer.wrappers` makes estimators for scikit-learn, which is not installed. Install it with "
        '`pip install "multilayer[sklearn]"`.'
    ) from error

# isort: split
from multilayer.wrappers.classifier import SKLearnClassifier
from multilayer.wrappers.regressor import SKLearnRegressor
from multilayer.wrappers.transformer import SKLearnTransformer

__all__ = ["SKLearnClassifier", "SKLearnRegressor", "SKLearnTransformer"]
