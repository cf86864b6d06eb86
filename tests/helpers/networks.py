"""Networks that other processes make, too, and so have to find in a module."""

from multilayer import Sequential, layers


def network(X, y, loss="categorical_crossentropy", units=(8,), end="softmax", optimizer="rmsprop"):
    """A perceptron for whatever data; as in Keras' own tests of its wrappers."""
    hidden = [layers.Dense(width, "relu") for width in units]
    outputs = y.shape[1] if y.ndim > 1 else 1
    model = Sequential([layers.Input((X.shape[1],)), *hidden, layers.Dense(outputs, end)])
    model.compile(optimizer, loss)
    return model
