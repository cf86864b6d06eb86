"""The smallest model there is, for tests that are about what happens around its training."""

import multilayer as keras
from multilayer import layers


def compiled(**arguments):
    model = keras.Sequential([keras.Input((2,)), layers.Dense(1)])
    model.compile(**{"optimizer": "sgd", "loss": "mse", "metrics": ["mae"]} | arguments)
    return model
