"""Losses: what their arguments mean, and what of a caller's own mistakes they say."""

import inspect
import json

import numpy as np
import pytest

import multilayer as keras
from multilayer import losses

RNG = np.random.default_rng(0)
CLASSES = [entry for entry in map(losses.__dict__.get, losses.__all__) if inspect.isclass(entry)]
BUILT_IN = [cls for cls in CLASSES if cls not in (losses.Loss, losses.LossFunctionWrapper)]
WITH_AXIS = [cls for cls in BUILT_IN if "axis" in inspect.signature(cls).parameters]
OF_LABELS = (losses.SparseCategoricalCrossentropy, losses.CategoricalGeneralizedCrossEntropy)


def data(cls, shape=(6, 3), dtype="float32"):
    """Targets and predictions that any loss takes."""
    labels = RNG.integers(shape[-1], size=shape[:-1])
    y_pred = RNG.uniform(0.1, 0.9, size=shape).astype(dtype)
    return (labels if cls in OF_LABELS else np.eye(shape[-1], dtype=dtype)[labels]), y_pred


# --- Order ---


@pytest.mark.parametrize("cls", BUILT_IN)
def test_reduction_name_and_type_come_last_and_in_this_order_as_in_keras(cls):
    names = [name for name in inspect.signature(cls).parameters if name in ("reduction", "name", "dtype")]
    assert names == ["reduction", "name", "dtype"]


def test_a_reduction_given_by_place_is_a_reduction():
    loss = losses.MeanSquaredError("sum", "mine")
    assert (loss.reduction, loss.name) == ("sum", "mine")
    assert loss([[0.0], [0.0]], [[1.0], [2.0]]) == 5.0


# --- Type ---


@pytest.mark.parametrize("cls", BUILT_IN)
def test_a_loss_computes_in_the_type_it_is_given(cls):
    y_true, y_pred = data(cls)
    double = cls(reduction="none", dtype="float64")
    assert double.dtype == "float64"
    expected = cls(reduction="none")(y_true, y_pred.astype("float64"))
    assert expected.dtype == double(y_true, y_pred).dtype == "float64"
    np.testing.assert_array_equal(double(y_true, y_pred), expected)
    assert cls(reduction="none", dtype="float32")(y_true, y_pred.astype("float64")).dtype == "float32"


@pytest.mark.parametrize("cls", BUILT_IN)
def test_a_loss_of_another_type_than_the_model_still_gives_the_models_gradient(cls):
    y_true, y_pred = data(cls)
    expected = cls().value_and_gradient(y_true, y_pred.astype("float64"))
    out = np.full_like(y_pred, np.nan)
    value, gradient = cls(dtype="float64").value_and_gradient(y_true, y_pred, out=out)
    assert value == expected[0]
    assert gradient is out
    np.testing.assert_array_equal(gradient, expected[1].astype("float32"))


@pytest.mark.parametrize("cls", [cls for cls in BUILT_IN if cls.fuses])
def test_so_it_does_behind_its_activation(cls):
    y_true, a = data(cls)
    y, da = np.empty_like(a), np.empty_like(a)
    value, gradient = cls(dtype="float64").value_and_gradient_fused(y_true, a, None, y, da)
    double = a.astype("float64")
    expected = cls().value_and_gradient_fused(y_true, double, None, np.empty_like(double), np.empty_like(double))
    assert value == expected[0]
    assert gradient is da
    np.testing.assert_array_equal(da, expected[1].astype("float32"))
    np.testing.assert_allclose(y, keras.activations.get(cls.fuses)(a.copy()), rtol=1e-6)


def test_a_given_type_is_part_of_the_config_and_no_other():
    assert "dtype" not in losses.Huber().get_config()
    copy = losses.get(json.loads(json.dumps(losses.serialize(losses.Huber(dtype="float64")))))
    assert copy.dtype == "float64"


def test_the_default_type_is_floatx():
    assert losses.Huber().dtype == "float32"
    assert losses.Huber(dtype=np.float64).dtype == "float64"


@pytest.mark.parametrize("cls", BUILT_IN)
def test_whole_or_double_targets_do_not_change_the_type_of_the_values(cls):
    y_true, y_pred = data(cls)
    for targets in (y_true.astype("int64"), y_true.astype("float64"), y_true.tolist()):
        assert cls(reduction="none")(targets, y_pred).dtype == "float32"


# --- Axis ---


@pytest.mark.parametrize("cls", WITH_AXIS)
@pytest.mark.parametrize("shape", [(6, 3), (2, 4, 3)])
def test_the_last_axis_may_be_counted_from_either_end(cls, shape):
    y_true, y_pred = data(cls, shape)
    last = cls(axis=len(shape) - 1)
    assert last(y_true, y_pred) == cls()(y_true, y_pred)
    last.prepare(y_true, (None, *shape[1:]))


@pytest.mark.parametrize("cls", WITH_AXIS)
def test_another_axis_is_refused_and_never_taken_for_the_last(cls):
    y_true, y_pred = data(cls, (2, 4, 3))
    loss = cls(axis=1)
    for use in (lambda: loss(y_true, y_pred), lambda: loss.prepare(y_true, (None, 4, 3))):
        with pytest.raises(ValueError, match=r"works along the last axis .* of 3 axes, axis=2\. Received: axis=1"):
            use()


def test_a_model_refuses_an_axis_before_it_trains():
    model = keras.Sequential([keras.Input((4, 2)), keras.layers.Dense(3)])
    model.compile("sgd", losses.CosineSimilarity(axis=1))
    with pytest.raises(ValueError, match="works along the last axis"):
        model.fit(np.ones((2, 4, 2)), np.ones((2, 4, 3)), verbose=0)


@pytest.mark.parametrize("cls", WITH_AXIS)
@pytest.mark.parametrize("axis", [True, None, "last", 1.0])
def test_an_axis_is_a_whole_number(cls, axis):
    with pytest.raises(ValueError, match="`axis` must be of type `int`"):
        cls(axis=axis)


# --- Shapes ---


@pytest.mark.parametrize("cls", [cls for cls in BUILT_IN if cls not in OF_LABELS])
@pytest.mark.parametrize("shape", [(4, 2), (5, 3), (4, 3, 3)])
def test_targets_that_do_not_fit_the_predictions_are_refused(cls, shape):
    with pytest.raises(ValueError, match=r"expects .*targets of the shape of the predictions, \(4, 3\); got \("):
        cls()(np.ones(shape), np.ones((4, 3)))


def test_one_row_of_targets_is_that_of_every_sample_but_never_one_hot():
    y_pred = np.array([[1.0, 2.0], [3.0, 4.0]])
    assert losses.MeanSquaredError("sum")([1.0, 2.0], y_pred) == 4.0
    with pytest.raises(ValueError, match="For labels, use 'sparse_categorical_crossentropy'"):
        losses.CategoricalCrossentropy()([1.0, 0.0], y_pred)


# --- Values ---


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: losses.CategoricalCrossentropy(axis=1.5), "`axis` must be of type `int`"),
        (lambda: losses.BinaryCrossentropy(axis=0), "along the last axis"),
        (lambda: losses.CategoricalGeneralizedCrossEntropy(q=0.0), r"q must be in the interval \(0, 1\]"),
        (lambda: losses.Huber(dtype="int8"), "Received: int8"),
    ],
)
def test_arguments_that_make_no_sense_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()
