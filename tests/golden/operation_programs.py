"""Golden programs about operations: operators, indexing and functions between a model's tensors.

`ops` is Keras' there and NumPy here: where both have a function, it has the same name and arguments.
"""

import json

import numpy as np

from golden.table import AMOUNTS, ONE_HOT, X, program, variants, walk

MSE = {"optimizer": "adam", "loss": "mse"}


def ops_of(keras):
    return getattr(keras, "ops", np)


def walked(model, y=AMOUNTS):
    """The walk, and what the operations are called and how they are described."""
    model.compile(**MSE)
    described = [one for one in model.get_config()["layers"] if ".ops." in str(one["module"])]
    return {
        **walk(model, X, y),
        "layers": [layer.name for layer in model.layers],
        "operations": [one.name for one in model.operations],
        "described": json.dumps(described, sort_keys=True),
    }


def hidden(keras, units=6, activation="tanh"):
    x = keras.Input((6,), name="x")
    return x, keras.layers.Dense(units, activation=activation, name="hidden")(x)


def model_of(keras, x, h, units=1):
    return keras.Model(x, keras.layers.Dense(units, name="out")(h))


@variants(
    add=lambda keras: lambda x, h: x + h,
    subtract=lambda keras: lambda x, h: 1.0 - x - h,
    multiply=lambda keras: lambda x, h: 2 * x * h,
    divide=lambda keras: lambda x, h: x / (2.0 + h),
    power=lambda keras: lambda x, h: h**2,
    negative=lambda keras: lambda x, h: -h,
    absolute=lambda keras: lambda x, h: abs(h),
    slices=lambda keras: lambda x, h: h[:, 1:4] * x[:, ::2],
    one_column=lambda keras: lambda x, h: h[..., None, 2],
    exponential=lambda keras: lambda x, h: ops_of(keras).exp(-h),
    extremes=lambda keras: lambda x, h: ops_of(keras).maximum(h, 0.1) + ops_of(keras).minimum(x, h),
    centred=lambda keras: lambda x, h: h - ops_of(keras).mean(h, axis=-1, keepdims=True),
    joined=lambda keras: lambda x, h: ops_of(keras).concatenate([ops_of(keras).sin(h), x[:, :2]], axis=-1),
    chosen=lambda keras: lambda x, h: ops_of(keras).where(x > 0, h, 0.1 * h),
    clipped=lambda keras: lambda x, h: ops_of(keras).clip(h, -0.5, 0.5),
    summed=lambda keras: lambda x, h: ops_of(keras).einsum("bi,bi->b", x, h)[:, None],
    split=lambda keras: lambda x, h: ops_of(keras).multiply(*ops_of(keras).split(h, 2, axis=1)),
    rooted=lambda keras: lambda x, h: ops_of(keras).sqrt(ops_of(keras).sum(h * h, axis=1, keepdims=True) + 1e-3),
    reshaped=lambda keras: lambda x, h: ops_of(keras).max(ops_of(keras).reshape(h, (-1, 2, 3)), axis=2),
    activated=lambda keras: lambda x, h: keras.activations.relu(h) + keras.activations.softmax(h),
)
def operation(keras, between):
    x, h = hidden(keras)
    return walked(model_of(keras, x, between(x, h)))


@program
def operations_with_several_outputs(keras):
    x, h = hidden(keras)
    gate = keras.activations.sigmoid(keras.layers.Dense(6, name="gate")(x))
    mixed = gate * h + (1 - gate) * x
    model = keras.Model(
        x, [keras.layers.Dense(1, name="amount")(mixed), keras.layers.Dense(3, name="kind")(mixed[:, :4])]
    )
    model.compile("adam", ["mse", "mse"])
    return {**walk(model, X, [AMOUNTS, ONE_HOT]), "operations": [one.name for one in model.operations]}


@program
def operations_within_a_model_within(keras):
    inner_x = keras.Input((6,), name="inner_x")
    inner = keras.Model(inner_x, inner_x * keras.layers.Dense(6, name="scale")(inner_x), name="inner")
    x = keras.Input((6,), name="x")
    return walked(model_of(keras, x, inner(x) + inner(x * 0.5)))


@program
def lambda_layer(keras):
    x, h = hidden(keras)
    squared = keras.layers.Lambda(lambda t, power: t**power, arguments={"power": 2}, name="squared")
    model = model_of(keras, x, squared(h))
    model.compile(**MSE)
    return walk(model, X, AMOUNTS)
