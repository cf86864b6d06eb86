"""Networks as plain steps, which all writers but that of ONNX work from."""

import numpy as np
import pytest

import multilayer as keras
from multilayer import layers
from multilayer.activations import Activation
from multilayer.export.plan import plan_of
from multilayer.layers import Dense, Input

OWN = Activation("relu", lambda x, out=None: x * 2, lambda dy, y, out=None: dy * 2)


class Own(Dense):
    pass


def masked():
    inside = [layers.Embedding(9, 4, mask_zero=True), layers.GlobalAveragePooling1D(), Dense(1)]
    return keras.Sequential([Input((3,)), *inside])


def of_a_mask_that_is_merged():
    x = layers.Masking()(Input((3, 4)))
    return keras.Model(x.node.inputs, layers.Multiply()([x, x]))


def nan():
    model = keras.Sequential([Input((6,)), Dense(2, name="d")])
    model.layers[0].bias.assign([np.nan, 0])
    return model


def test_what_is_for_training_alone_or_another_shape_of_the_same_is_gone():
    inner = keras.Sequential([Input((8,)), Dense(4, "relu"), layers.Dropout(0.5), layers.GaussianNoise(0.1)])
    model = keras.Sequential([Input((2, 4)), layers.Flatten(), inner, layers.Identity(), Dense(3, "softmax", name="y")])
    plan = plan_of(model)
    assert [(step.kind, step.activation.name) for step in plan.steps] == [
        ("reshape", "linear"),
        ("dense", "relu"),
        ("dense", "softmax"),
    ]
    assert plan.steps[-1].name == "y"
    assert plan.steps[-1].activation.axes == (0,)
    assert [plan.values[one].shape for one in (*plan.inputs, *plan.outputs)] == [(2, 4), (3,)]
    assert plan.multiplications() == 8 * 4 + 4 * 3


def test_whole_numbers_become_real_where_they_are_computed_with():
    model = keras.Sequential([Input((2, 4), dtype="uint8"), layers.Flatten(), Dense(3)])
    plan = plan_of(model)
    assert [step.kind for step in plan.steps] == ["reshape", "cast", "dense"]
    assert [plan.values[step.output].dtype for step in plan.steps] == ["uint8", "float32", "float32"]


def test_a_layer_at_every_step_has_parts():
    model = keras.Sequential([Input((5, 4)), layers.TimeDistributed(layers.GroupNormalization(2))])
    plan = plan_of(model)
    assert {step.parts for step in plan.steps} == {(5,)}
    (step,) = (one for one in plan.steps if one.kind == "normalize")
    assert plan.shapes(step) == ([(2, 2)], (2, 2))
    assert plan.values[step.output].shape == (5, 2, 2)


@pytest.mark.parametrize(
    ("made", "message"),
    [
        (
            lambda: keras.Sequential([Input((6,)), Own(2, name="mine")]),
            "'mine' is a Own, which this format has no form",
        ),
        (
            lambda: keras.Sequential([Input((6,)), Dense(2, OWN, name="d")]),
            "'relu' of layer 'd' is an activation of your",
        ),
        (lambda: keras.Model(x := Input((6,)), layers.Dropout(0.5, name="n")(x, training=True)), "'n' was called with"),
        (masked, "padding left out of what comes after it"),
        (of_a_mask_that_is_merged, "padding left out of what comes after it"),
        (nan, "'d' has numbers in its bias that are NaN"),
        (lambda: keras.Sequential([Input((None, 4), name="x"), Dense(2)]), r"'x' has the shape \(None, None, 4\)"),
        (
            lambda: keras.Sequential([Input((1,), dtype="string"), layers.StringLookup(name="s")]),
            "'s' is a StringLookup, and",
        ),
        (lambda: keras.Sequential([Input((2,)), layers.Lambda(np.abs, name="l")]), "'l' is a Lambda"),
        (
            lambda: keras.Model(x := Input((2,)), np.tan(x)),
            r"The operation 'tan.*' \(Tan\) is not exported",
        ),
        (lambda: keras.Sequential([Input((1,)), layers.Hashing(3, name="h")]), "'h' is a Hashing, and texts are not"),
        (lambda: keras.Sequential([Input((1,)), layers.Discretization(num_bins=3, name="b")]), "'b' has no boundaries"),
        (
            lambda: keras.Sequential(
                [
                    Input((1,), dtype="int64"),
                    layers.IntegerLookup(vocabulary=[1], num_oov_indices=2, oov_method="farmhash"),
                ]
            ),
            "by their hash",
        ),
        (
            lambda: keras.Sequential([Input((1,)), layers.IntegerLookup(vocabulary=[2**30], invert=True)]),
            "gives whole numbers up to 1,073,741,824",
        ),
        (lambda: keras.Model(x := Input((2, 3)), layers.Softmax(axis=0)(x)), "axis 0, the batch"),
        (
            lambda: keras.Model(x := Input(batch_shape=(3, 3)), layers.EinsumDense("ab,ac->bc", 3)(x)),
            "samples are not apart",
        ),
    ],
)
def test_what_has_no_plain_steps_is_refused_and_named(made, message):
    with pytest.raises(ValueError, match=message):
        plan_of(made())


@pytest.mark.parametrize("layer", [layers.ReLU(max_value=np.inf), layers.ReLU(threshold=1e39), layers.Masking(np.nan)])
def test_options_that_no_file_could_write_are_refused(layer):
    with pytest.raises(ValueError, match=r"has (max_value|threshold|value)=.*expected a number that float32 can hold"):
        plan_of(keras.Sequential([Input((3,)), layer, Dense(1)]))
