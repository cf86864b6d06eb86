"""Every layer that predicts, with what it is called with: the table that all formats of files are compared by."""

import numpy as np

from multilayer import activations, layers
from multilayer._names import registry

RNG = np.random.default_rng(7)
X = RNG.normal(0, 2, (5, 6)).astype("float32")
DEEP = RNG.normal(0, 2, (5, 2, 4)).astype("float32")
NUMBERS = RNG.integers(0, 9, (5, 3))

ALL_ACTIVATIONS = sorted(
    {one.name for one in registry.registered("activation") if one is getattr(activations, one.name, None)}
)


def randomized(model):
    """The model with weights that leave nothing at its start: variances, too, are positive.

    They are the same whichever tests ran before: how close another processor comes depends on them.
    """
    random = np.random.default_rng(1)
    for v in model.weights:
        v.assign(random.uniform(0.5, 1.5, v.shape) * (1 if "variance" in v.name else random.choice([-1, 1], v.shape)))
    return model


# What is called with what; each row a layer with another way to compute.
ROWS = [
    (layers.Activation("relu"), X),
    (layers.Activation(activations.gelu.bound(approximate=True)), X),
    (layers.Activation(activations.threshold.bound(threshold=0.5, default_value=-1.0)), X),
    (layers.Activation(activations.celu.bound(alpha=0.5)), X),
    (layers.Activation(activations.hard_shrink.bound(threshold=1.0)), X),
    (layers.Activation(activations.soft_shrink.bound(threshold=1.0)), X),
    (layers.Activation(activations.squareplus.bound(b=1.0)), X),
    (layers.Activation(activations.sparsemax.bound(axis=1)), DEEP),
    (layers.Activation(activations.log_softmax.bound(axis=1)), DEEP),
    (layers.ActivityRegularization(l2=0.1), X),
    (layers.Add(), [X, X[:, ::-1], X]),
    (layers.Add(), [X[:, None], DEEP[:, :, :1]]),
    (layers.Add(), [X[:, :4], DEEP]),
    (layers.AlphaDropout(0.5), X),
    (layers.Average(), [X, X[:, ::-1], X]),
    (layers.BatchNormalization(), X),
    (layers.BatchNormalization(axis=1, center=False), DEEP),
    (layers.BatchNormalization(scale=False, epsilon=0.1), DEEP),
    (layers.CategoryEncoding(9), NUMBERS),
    (layers.CategoryEncoding(9, "count"), NUMBERS),
    (layers.CategoryEncoding(9, "one_hot"), NUMBERS),
    (layers.CategoryEncoding(9, "one_hot"), NUMBERS[:, :1]),
    (layers.Concatenate(), [X, X[:, :2]]),
    (layers.Concatenate(axis=1), [DEEP, DEEP[:, :1]]),
    (layers.Dense(4), X),
    (layers.Dense(4, use_bias=False), DEEP),
    (layers.Dense(4, layers.LeakyReLU(0.4)), X),
    (layers.Dropout(0.5), X),
    (layers.Dot(1), [X, X[:, ::-1]]),
    (layers.Dot((1, 2), normalize=True), [X[:, :4], DEEP]),
    (layers.Dot(2), [DEEP, DEEP[:, ::-1]]),
    (layers.ELU(0.5), X),
    (layers.EinsumDense("ab,bc->ac", 3, "tanh", "c"), X),
    (layers.EinsumDense("bki,kio->bko", (None, 3), "softmax", "ko"), DEEP),
    (layers.EinsumDense("...x,xy->...y", 3), DEEP),
    (layers.Embedding(9, 4), NUMBERS),
    (layers.Flatten(), DEEP),
    (layers.GaussianDropout(0.5), X),
    (layers.GaussianNoise(0.5), X),
    (layers.GlobalAveragePooling1D(), DEEP),
    (layers.GlobalMaxPooling1D("channels_first", keepdims=True), DEEP),
    (layers.GroupNormalization(2), X),
    (layers.GroupNormalization(-1, axis=1, center=False), DEEP),
    (layers.Identity(), X),
    (layers.LayerNormalization(), X),
    (layers.LayerNormalization(axis=1, scale=False), DEEP),
    (layers.LayerNormalization(axis=[1, 2], center=False), DEEP),
    (layers.LeakyReLU(0.4), X),
    (layers.Masking(0.0), DEEP * (np.arange(DEEP.shape[1]) > 0)[:, None]),
    (layers.Maximum(), [X, X[:, ::-1]]),
    (layers.Minimum(), [X, X[:, ::-1]]),
    (layers.Multiply(), [X, X[:, ::-1]]),
    (layers.Normalization(mean=[1.0] * 6, variance=range(6)), X),
    (layers.Normalization(invert=True), X),
    (layers.Normalization(axis=1), DEEP),
    (layers.Normalization(axis=None), DEEP),
    (layers.PReLU(), X),
    (layers.PReLU(shared_axes=1), DEEP),
    (layers.Permute((2, 1)), DEEP),
    (layers.RMSNormalization(), X),
    (layers.ReLU(), X),
    (layers.ReLU(2.0, 0.25, 0.5), X),
    (layers.RepeatVector(3), X),
    (layers.Rescaling(1 / 3, offset=-1), X),
    (layers.Rescaling([1, 2, 3, 4], offset=[0, 1, 0, 1]), DEEP),
    (layers.Reshape((4, -1)), DEEP),
    (layers.Softmax(), X),
    (layers.Softmax(axis=1), DEEP),
    (layers.QuantizationAware(layers.Dense(4, "tanh"), 4), X),
    (layers.SpectralNormalization(layers.Dense(4)), X),
    (layers.Subtract(), [X, X[:, ::-1]]),
    (layers.TimeDistributed(layers.Dense(3, "tanh")), DEEP),
    (layers.UnitNormalization(), X * (np.arange(5) > 0)[:, None]),
    (layers.UnitNormalization(axis=[1, 2]), DEEP),
]
