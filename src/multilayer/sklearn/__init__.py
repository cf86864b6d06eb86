"""The perceptron as scikit-learn has it: its `MLPClassifier` and `MLPRegressor`, for which one import is changed.

    from multilayer.sklearn import MLPClassifier  # instead of: from sklearn.neural_network import MLPClassifier

Every parameter and every fitted attribute is there, and from the same `random_state` the same network comes out; then
there is what has been asked for: class weights, dropout, a validation set of one's own, callbacks, and any activation,
loss and optimizer of this library. What is fitted, `model_`, is a `Sequential` that can be saved, exported and looked
into. Needs scikit-learn: `pip install 'multilayer[sklearn]'`.
"""

try:
    import sklearn as sklearn
except ImportError as error:
    raise ImportError(
        "`multilayer.sklearn` needs scikit-learn, which is not installed. Install it with "
        "`pip install 'multilayer[sklearn]'`."
    ) from error

from multilayer.sklearn.classifier import MLPClassifier
from multilayer.sklearn.regressor import MLPRegressor
from multilayer.sklearn.tabular import TabularClassifier, TabularRegressor

__all__ = ["MLPClassifier", "MLPRegressor", "TabularClassifier", "TabularRegressor"]
