"""Small programs that run with Keras and with this library alike: models that are trained, saved, and trained on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

Program = Callable[[Any], tuple[Any, Any, Any]]


def rows(n: int = 12, d: int = 4, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(n, d)).astype("float32")


def labels(n: int = 12, k: int = 3, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).integers(k, size=n)


def classifier(keras: Any, optimizer: Any) -> tuple[Any, Any, Any]:
    layers = keras.layers
    model = keras.Sequential([keras.Input((4,)), layers.Dense(5, activation="tanh"), layers.Dense(3, "softmax")])
    model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model, rows(), labels()


# --- Optimizers -------------------------------------------------------------------------------------------------------

OPTIMIZERS: dict[str, Callable[[Any], Any]] = {
    "SGD": lambda o: o.SGD(0.1),
    "SGD, Nesterov": lambda o: o.SGD(0.1, momentum=0.9, nesterov=True, weight_decay=0.01),
    "RMSprop": lambda o: o.RMSprop(0.01),
    "RMSprop, all": lambda o: o.RMSprop(0.01, rho=0.8, momentum=0.5, centered=True),
    "Adam": lambda o: o.Adam(0.01),
    "Adam, amsgrad": lambda o: o.Adam(0.01, beta_1=0.8, amsgrad=True, clipnorm=0.1),
    "AdamW": lambda o: o.AdamW(0.01, weight_decay=0.1),
    "Adamax": lambda o: o.Adamax(0.01),
    "Nadam": lambda o: o.Nadam(0.01),
    "Adagrad": lambda o: o.Adagrad(0.1),
    "Adadelta": lambda o: o.Adadelta(1.0),
    "Adafactor": lambda o: o.Adafactor(0.05),
    "Ftrl": lambda o: o.Ftrl(0.1, l1_regularization_strength=0.001),
    "Lamb": lambda o: o.Lamb(0.05),
    "Lion": lambda o: o.Lion(0.01),
    "Muon": lambda o: o.Muon(0.01),
    "average of weights": lambda o: o.Adam(0.01, use_ema=True, ema_momentum=0.9, ema_overwrite_frequency=5),
    "accumulation": lambda o: o.Adam(0.01, gradient_accumulation_steps=2, use_ema=True),
    "a schedule": lambda o: o.Adam(o.schedules.ExponentialDecay(0.05, 3, 0.7, staircase=True)),
    "warm-up": lambda o: o.SGD(o.schedules.CosineDecay(0.1, 10, alpha=0.1, warmup_target=0.2, warmup_steps=4)),
}


def with_optimizer(make: Callable[[Any], Any]) -> Program:
    return lambda keras: classifier(keras, make(keras.optimizers))


# --- Networks ---------------------------------------------------------------------------------------------------------


def several_inputs_and_outputs(keras: Any) -> tuple[Any, Any, Any]:
    layers = keras.layers
    wide, deep = keras.Input((4,), name="wide"), keras.Input((3,), name="deep")
    shared = layers.Dense(3, activation="relu", name="shared")
    merged = layers.Concatenate(name="merged")([wide, shared(shared(deep))])
    hidden = layers.BatchNormalization(momentum=0.9)(layers.Dense(6, "gelu")(merged))
    model = keras.Model(
        {"deep": deep, "wide": wide},
        {"label": layers.Dense(3, name="label")(hidden), "amount": layers.Dense(1, name="amount")(hidden)},
    )
    model.compile(
        keras.optimizers.Adam(0.01),
        loss={
            "label": keras.losses.SparseCategoricalCrossentropy(from_logits=True),
            "amount": keras.losses.MeanAbsoluteError(),
        },
        loss_weights={"label": 0.5, "amount": 2.0},
        metrics={"label": ["accuracy"], "amount": [keras.metrics.RootMeanSquaredError(name="rmse")]},
    )
    x = {"wide": rows(), "deep": rows(d=3, seed=3)}
    return model, x, {"label": labels(), "amount": rows(d=1, seed=4)}


def residual(keras: Any) -> tuple[Any, Any, Any]:
    layers = keras.layers
    x = keras.Input((4,))
    h = x + layers.Dense(4, activation="silu")(x)
    h = layers.LayerNormalization(epsilon=1e-5)(2.0 * h - layers.Dense(4, use_bias=False)(h))
    h = layers.Maximum()([h, layers.Multiply()([x, h])])
    model = keras.Model(x, layers.Dense(3, "softmax")((1.0 - h) / 2.0))
    model.compile(keras.optimizers.RMSprop(0.01), "sparse_categorical_crossentropy")
    return model, rows(), labels()


def models_within(keras: Any) -> tuple[Any, Any, Any]:
    layers = keras.layers
    inner = keras.Sequential([keras.Input((4,)), layers.Dense(3), layers.BatchNormalization(), layers.ReLU()])
    a = keras.Input((3,))
    b = keras.Model(a, layers.Add()([a, layers.Dense(3, "tanh")(a)]), name="block")
    left, right = keras.Input((4,), name="left"), keras.Input((4,), name="right")
    both = layers.Subtract()([b(inner(left)), b(inner(right))])
    model = keras.Model([left, right], layers.Dense(1)(both))
    model.compile(keras.optimizers.SGD(0.05, momentum=0.5), keras.losses.Huber(), metrics=["mae"])
    return model, [rows(), rows(seed=5)], rows(d=1, seed=6)


def dicts_within(keras: Any) -> tuple[Any, Any, Any]:
    layers = keras.layers
    p, q = keras.Input((4,), name="p"), keras.Input((4,), name="q")
    inner = keras.Model({"p": p, "q": q}, layers.Dense(3)(layers.Subtract()([p, q])), name="difference")
    x = keras.Input((4,))
    model = keras.Model(x, inner({"q": x, "p": layers.Dense(4, "tanh")(x)}))
    model.compile(keras.optimizers.Adam(0.01), keras.losses.LogCosh())
    return model, rows(), rows(d=3, seed=9)


def partly_frozen(keras: Any) -> tuple[Any, Any, Any]:
    layers = keras.layers
    x = keras.Input((4,))
    frozen = layers.Dense(5, "relu", name="frozen")
    model = keras.Model(x, layers.Dense(3, "softmax")(layers.BatchNormalization()(frozen(x))))
    frozen.trainable = False
    model.compile(keras.optimizers.Adam(0.01), "sparse_categorical_crossentropy")
    return model, rows(), labels()


def every_argument(keras: Any) -> tuple[Any, Any, Any]:
    layers, initializers = keras.layers, keras.initializers
    regularizers, constraints = keras.regularizers, keras.constraints
    model = keras.Sequential(
        [
            keras.Input((4,), name="rows"),
            layers.Rescaling([1.0, 2.0, 0.5, 1.0], offset=[0.1, 0.0, 0.0, 0.2], name="scaled"),
            layers.Normalization(mean=[0.1, 0.2, 0.3, 0.4], variance=[1.0, 2.0, 1.0, 0.5]),
            layers.Dense(
                6,
                activation="leaky_relu",
                kernel_initializer=initializers.HeNormal(seed=3),
                bias_initializer=initializers.Constant(0.1),
                kernel_regularizer=regularizers.L1L2(l1=0.001, l2=0.01),
                bias_regularizer="l2",
                activity_regularizer=regularizers.L2(0.001),
                kernel_constraint=constraints.MaxNorm(1.5, axis=0),
                bias_constraint=constraints.NonNeg(),
            ),
            layers.BatchNormalization(
                momentum=0.8,
                epsilon=1e-2,
                gamma_initializer=initializers.RandomUniform(0.5, 1.5, seed=1),
                beta_regularizer=regularizers.L1(0.01),
            ),
            layers.PReLU(alpha_initializer=initializers.Constant(0.2)),
            layers.Dense(
                6,
                kernel_initializer=initializers.Orthogonal(gain=0.8, seed=2),
                use_bias=False,
                kernel_constraint=constraints.UnitNorm(axis=1),
            ),
            layers.RMSNormalization(),
            layers.LeakyReLU(negative_slope=0.2),
            layers.Reshape((2, 3)),
            layers.UnitNormalization(axis=-1),
            layers.Flatten(),
            layers.ELU(alpha=0.7),
            layers.Dense(3, kernel_initializer=initializers.VarianceScaling(2.0, "fan_avg", "uniform", seed=4)),
            layers.Activation("log_softmax"),
            layers.Softmax(axis=-1),
        ],
        name="zoo",
    )
    model.compile(
        keras.optimizers.AdamW(0.01, weight_decay=0.02, global_clipnorm=1.0),
        keras.losses.CategoricalFocalCrossentropy(gamma=1.5, alpha=0.5),
        metrics=[keras.metrics.CategoricalAccuracy(name="hits"), keras.metrics.TopKCategoricalAccuracy(k=2), "mse"],
        weighted_metrics=[keras.metrics.AUC(num_thresholds=20, multi_label=True, name="auc")],
    )
    return model, rows(), np.eye(3, dtype="float32")[labels()]


def tokens(keras: Any) -> tuple[Any, Any, Any]:
    layers = keras.layers
    words = keras.Input((5,), dtype="int32", name="words")
    h = layers.Flatten()(layers.Embedding(7, 3, embeddings_initializer="he_uniform")(words))
    kinds = layers.CategoryEncoding(7, output_mode="count")(words)
    h = layers.Concatenate()([layers.Dense(4, "elu")(h), kinds])
    model = keras.Model(words, layers.Dense(1, "sigmoid")(h))
    model.compile(
        keras.optimizers.Adam(0.01),
        keras.losses.BinaryCrossentropy(label_smoothing=0.1),
        metrics=[
            keras.metrics.BinaryAccuracy(threshold=0.4),
            keras.metrics.Precision(name="precision"),
            keras.metrics.Recall(name="recall"),
        ],
    )
    return model, np.random.default_rng(2).integers(7, size=(12, 5)).astype("int32"), labels(k=2)[:, None]


def steps(keras: Any) -> tuple[Any, Any, Any]:
    """Layers on steps, around layers, and of two inputs, with an optimizer whose means are of rows and columns."""
    layers = keras.layers
    x = keras.Input((3, 4))
    h = layers.TimeDistributed(layers.Dense(4, "tanh"))(x)
    mean = layers.GlobalAveragePooling1D()(layers.GroupNormalization(2)(h))
    most = layers.GlobalMaxPooling1D()(layers.Permute((2, 1))(layers.RepeatVector(3)(mean)))
    other = layers.Dense(3, activation="tanh")(mean)
    y = layers.Concatenate()([layers.Dot(1, normalize=True)([other, most]), other])
    model = keras.Model(x, layers.Dense(1)(y))
    model.compile(keras.optimizers.Adafactor(0.05), "mse")
    data = rows(36).reshape(12, 3, 4)
    return model, data, data[:, 0, :1]


def held_to_a_norm(keras: Any) -> tuple[Any, Any, Any]:
    layers = keras.layers
    held = layers.SpectralNormalization(layers.Dense(3, activation="tanh"))
    model = keras.Sequential([keras.Input((4,)), held, layers.Dense(1)])
    model.compile(keras.optimizers.SGD(0.05), "mse")
    return model, rows(), rows(d=1, seed=8)


def adapted(keras: Any) -> tuple[Any, Any, Any]:
    normalization = keras.layers.Normalization(axis=-1)
    normalization.adapt(3.0 + 2.0 * rows())
    model = keras.Sequential([keras.Input((4,)), normalization, keras.layers.Dense(1)])
    model.compile(keras.optimizers.SGD(0.01), "mse")
    return model, rows(), rows(d=1, seed=8)


NETWORKS: dict[str, Program] = {
    "several inputs and outputs": several_inputs_and_outputs,
    "residual": residual,
    "models within": models_within,
    "partly frozen": partly_frozen,
    "dicts within": dicts_within,
    "every argument": every_argument,
    "tokens": tokens,
    "steps": steps,
    "held to a norm": held_to_a_norm,
    "adapted": adapted,
}

PROGRAMS: dict[str, Program] = {**{name: with_optimizer(make) for name, make in OPTIMIZERS.items()}, **NETWORKS}


# --- What is done with them -------------------------------------------------------------------------------------------


def train(model: Any, x: Any, y: Any, epochs: int = 1) -> list[float]:
    """The losses of so many epochs, in the same order in every library."""
    history = model.fit(x, y, batch_size=4, epochs=epochs, shuffle=False, verbose=0)
    return [float(loss) for loss in history.history["loss"]]


def flat(structure: Any) -> list[np.ndarray]:
    """All arrays of a prediction."""
    if isinstance(structure, dict):
        structure = [structure[key] for key in sorted(structure)]
    return [np.asarray(one) for one in (structure if isinstance(structure, (list, tuple)) else [structure])]


def predictions(model: Any, x: Any) -> list[np.ndarray]:
    """What a model says of data, as a list of arrays."""
    return flat(model.predict(x, verbose=0))
