"""Networks in whole numbers: how near they are to the model, what they are made of, and what is refused."""

import numpy as np
import pytest

import multilayer as keras
from multilayer import layers
from multilayer.export import quantize
from multilayer.export.integers import fixed_point, packed
from multilayer.functional.quantization import scale_and_zero
from multilayer.layers import Dense, Input

RNG = np.random.default_rng(3)
X = RNG.normal(0, 1, (400, 6)).astype("float32")


def chain(*inside, shape=(6,)):
    return keras.Sequential([Input(shape), *inside])


def kinds(network):
    return [step.kind for step in network.steps if step.kind != "reshape"]


def with_branches():
    x = Input((6,))
    a, b = Dense(8, "relu")(x), Dense(8, "tanh")(x)
    joined = layers.Concatenate()([layers.Add()([a, b]), layers.Subtract()([a, b])])
    return keras.Model(x, Dense(3)(layers.Concatenate()([joined, layers.Average()([a, b])])))


MODELS = {
    "linear": lambda: chain(Dense(5)),
    "relu": lambda: chain(Dense(16, "relu"), Dense(3)),
    "relu6": lambda: chain(Dense(16, "relu6"), Dense(3)),
    "capped": lambda: chain(Dense(16), layers.ReLU(max_value=0.7), Dense(3)),
    "leaky": lambda: chain(Dense(16), layers.LeakyReLU(), Dense(3)),
    "tables": lambda: chain(Dense(16, "gelu"), Dense(8, "sigmoid"), Dense(3, "selu")),
    "softmax": lambda: chain(Dense(16, "relu"), Dense(3, "softmax")),
    "normalized": lambda: chain(Dense(16), layers.BatchNormalization(), layers.ReLU(), Dense(3)),
    "normalized later": lambda: chain(Dense(16, "relu"), layers.BatchNormalization(), Dense(3)),
    "rows": lambda: chain(layers.Reshape((2, 3)), Dense(4, "relu"), layers.Permute((2, 1)), layers.Flatten(), Dense(2)),
    "steps": lambda: chain(layers.Reshape((2, 3)), layers.TimeDistributed(Dense(4, "relu")), Dense(2, "softmax")),
    "branches": with_branches,
    "rescaled": lambda: chain(layers.Rescaling(0.25, offset=0.5), Dense(3)),
    "nothing": lambda: chain(layers.Dropout(0.5), layers.Identity()),
}


@pytest.mark.parametrize("name", MODELS)
def test_it_predicts_nearly_what_the_model_does(name):
    keras.utils.set_random_seed(1)
    model = MODELS[name]()
    for weight in model.weights:
        if "normalization" in weight.path:
            weight.assign(RNG.uniform(0.5, 1.5, weight.shape))
    expected = model.predict(X, verbose=0)
    found = quantize(model, X)(X)
    assert found.shape == expected.shape
    assert np.abs(found - expected).max() <= 0.04 * np.ptp(expected)


def test_what_follows_a_product_is_part_of_it():
    model = chain(Dense(16), layers.BatchNormalization(), layers.ReLU(), Dense(3))
    assert kinds(quantize(model, X)) == ["dense", "dense"]
    aware = layers.QuantizationAware(Dense(16), 4)
    model = chain(aware, layers.BatchNormalization(), layers.ReLU(), Dense(3))
    model.compile("sgd", "mse")
    model.fit(X, RNG.normal(size=(len(X), 3)), epochs=2, verbose=0)
    model.layers[1].gamma.assign(RNG.choice([-1.0, 1.0], 16))  # what turns the sign of a unit turns its weights
    network = quantize(model, X)
    assert kinds(network) == ["dense", "dense"]
    step = next(one for one in network.steps if one.kind == "dense")
    assert step.options["bits"] == 4
    np.testing.assert_array_equal(np.abs(step.arrays["levels"]), np.abs(aware.levels()))
    expected = model.predict(X, verbose=0)
    assert np.abs(network(X) - expected).max() <= 0.04 * np.ptp(expected)


def test_a_layer_trained_for_few_bits_keeps_its_levels_and_its_bounds():
    aware = layers.QuantizationAware(Dense(5, "relu"), 2)
    model = chain(layers.Flatten(), aware, shape=(2, 3))
    model.compile("adam", "mse")
    model.fit(X.reshape(-1, 2, 3), RNG.normal(size=(len(X), 5)), verbose=0)
    network = quantize(model, 100.0 * X.reshape(-1, 2, 3))
    (step,) = (one for one in network.steps if one.kind == "dense")
    np.testing.assert_array_equal(step.arrays["levels"], aware.levels())
    value = network.values[network.inputs[0]]
    assert (value.scale, value.zero) == aware.scale_and_zero()


def test_normalization_in_front_is_done_where_numbers_become_whole_ones():
    x = X * 10.0 ** np.arange(-3, 3)
    normalization = layers.Normalization()
    normalization.adapt(x)
    model = chain(normalization, Dense(3))
    network = quantize(model, x)
    assert kinds(network) == ["dense"]
    assert network.entries[0].factor.shape == (6,)
    expected = model.predict(x, verbose=0)
    assert np.abs(network(x) - expected).max() <= 0.04 * np.ptp(expected)


def test_pixels_go_in_less_128():
    x = RNG.integers(0, 256, (50, 9)).astype("uint8")
    x[0, :2] = 0, 255
    network = quantize(chain(layers.Rescaling(1 / 255), Dense(2), shape=(9,)), x)
    assert (network.entries[0].factor, network.entries[0].offset) == (1.0, -128.0)
    np.testing.assert_array_equal(network.quantized([x])[0], x.astype(int) - 128)


def test_several_inputs_are_a_list_or_a_dict():
    a, b = Input((6,), name="a"), Input((2,), name="b")
    model = keras.Model([a, b], Dense(3)(layers.Concatenate()([a, Dense(4)(b)])))
    rows = [X, X[:, :2]]
    one, other = quantize(model, rows), quantize(model, {"b": rows[1], "a": rows[0]})
    np.testing.assert_array_equal(one(rows), other(rows))
    with pytest.raises(ValueError, match="`calibration` must be a list of 2 arrays, or a dict .*: a, b"):
        quantize(model, X)
    with pytest.raises(ValueError, match="`calibration` has inputs of 400, 3 rows"):
        quantize(model, [X, X[:3, :2]])
    with pytest.raises(ValueError, match="The network has 2 inputs. Received: 1 arrays"):
        one([X])


def test_what_it_is_asked_about_has_to_fit():
    network = quantize(chain(Dense(3)), X)
    for wrong in (X[:, :5], X[0], np.full((1, 6), np.nan)):
        with pytest.raises(ValueError, match=r"must be rows of numbers, of shape \(n, 6\), without NaN"):
            network(wrong)
    assert repr(network) == "<IntegerNetwork name=" + network.name + ", 45 bytes of constants>"


# --- Arithmetic ---


def test_factors_in_fixed_point_are_right_to_31_bits():
    factors = np.exp(RNG.uniform(-20, 15, 1000))
    m, s = fixed_point(factors)
    assert ((m >= 2**30) & (s >= 1) & (s <= 62)).all()
    np.testing.assert_allclose(m * 2.0 ** -s.astype(float), factors, rtol=1e-9)
    assert fixed_point(np.array([1.0 - 2.0**-40]))[0][0] == 2**30  # rounded up it is 2^31, one bit too many
    assert fixed_point(np.array([0.0, 1e-30]))[0].tolist() == [0, 0]


@pytest.mark.parametrize("bits", [8, 4, 2])
def test_packed_weights_are_the_levels(bits):
    Q = 2 ** (bits - 1) - 1
    levels = RNG.integers(-Q, Q + 1, (7, 3)).astype(np.int8)
    found = packed(levels, bits)
    each = 8 // bits
    assert found.shape == (3, -(-7 // each))
    for column in range(3):
        for row in range(7):
            one = int(found[column, row // each]) >> (row % each * bits) & (2**bits - 1)
            assert (one ^ 2 ** (bits - 1)) - 2 ** (bits - 1) == levels[row, column]


def test_0_is_a_whole_number_whatever_the_range():
    for low, high in [(-1.0, 3.0), (2.0, 5.0), (-7.0, -3.0), (0.0, 0.0), (-1e-30, 1e30)]:
        scale, zero = scale_and_zero(low, high)
        assert scale > 0
        assert -128 <= zero <= 127


def test_a_unit_of_next_to_no_weights_keeps_its_bias():
    model = chain(Dense(3))
    model.set_weights([np.full((6, 3), [1e-12, 0.0, 1.0]), np.array([1.0, -1.0, 0.0])])
    np.testing.assert_allclose(quantize(model, X)(X), model.predict(X, verbose=0), atol=0.1)


# --- What is refused ---


def test_rows_that_do_not_fit_are_refused():
    model = chain(Dense(3))
    with pytest.raises(ValueError, match="needs `calibration`: rows of its input"):
        quantize(model, None)
    for rows in (X[:, :5], X[0], X[:0], X[None], [["a"] * 6]):
        with pytest.raises(ValueError, match=r"`calibration` for the input '.*' must be rows .* of shape \(n, 6"):
            quantize(model, rows)
    for wrong in (np.nan, np.inf):
        rows = X.copy()
        rows[7, 2] = wrong
        with pytest.raises(ValueError, match="has NaN or infinite numbers, the first in row 7"):
            quantize(model, rows)


@pytest.mark.parametrize(
    ("layer", "why"),
    [
        (layers.LayerNormalization(name="it"), "a step of the kind 'normalize'"),
        (layers.Activation("log_softmax", name="it"), "'log_softmax' goes along an axis"),
        (Dense(4, "sparsemax", name="it"), "'sparsemax' goes along an axis"),
        (layers.PReLU(name="it"), "a step of the kind 'prelu'"),
    ],
)
def test_a_layer_without_a_whole_number_form_is_named(layer, why):
    with pytest.raises(ValueError, match=f"Layer 'it' has no whole-number form: (it is )?{why}"):
        quantize(chain(layer), X)


def test_products_of_numbers_have_no_whole_number_form():
    x = Input((6,))
    with pytest.raises(ValueError, match="Layer 'it' has no whole-number form: it has the multiply of numbers"):
        quantize(keras.Model(x, layers.Multiply(name="it")([x, Dense(6)(x)])), X)


def test_sums_that_32_bits_do_not_hold_are_refused():
    model = chain(Dense(1, kernel_initializer="ones", name="wide"), shape=(140_000,))
    with pytest.raises(ValueError, match="Layer 'wide' has 140,000 inputs"):
        quantize(model, np.ones((1, 140_000)))


def test_outputs_too_small_beside_the_weights_are_refused():
    model = keras.Sequential([Input((2,)), Dense(1, bias_initializer=keras.initializers.Constant(1e-12), name="tiny")])
    with pytest.raises(ValueError, match="Layer 'tiny' has inputs or factors too large beside its output"):
        quantize(model, np.zeros((3, 2)))


def test_a_softmax_of_too_many_numbers_is_refused():
    model = keras.Sequential([Input((2**16 + 1,)), layers.Softmax(name="wide")])
    with pytest.raises(ValueError, match=r"Layer 'wide' has no whole-number form: it is a softmax of 65,537 numbers"):
        quantize(model, np.zeros((1, 2**16 + 1)))


def test_a_network_that_overflows_is_refused():
    model = chain(Dense(2, kernel_initializer=keras.initializers.Constant(3e38)))
    with pytest.raises(ValueError, match="NaN or infinite"):
        quantize(model, np.full((3, 6), 3e38))
