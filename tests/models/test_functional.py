"""Models drawn up with tensors: forms of data, derivatives, copies, files, and what is refused."""

import copy
import gc
import pickle
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import multilayer as keras
from multilayer import layers, models
from multilayer.initializers import Constant
from multilayer.utils import check_gradients

RNG = np.random.default_rng(0)
A, B = RNG.normal(size=(12, 3)).astype("float32"), RNG.normal(size=(12, 4)).astype("float32")
AMOUNT = A.sum(axis=1, keepdims=True)
KIND = np.arange(12) % 3


@pytest.fixture(autouse=True)
def same_start():
    keras.utils.set_random_seed(0)


# --- Networks of every shape ---


def residual():
    x = keras.Input((3,), name="a")
    hidden = layers.Dense(3, "tanh", name="hidden")(x)
    return x, layers.Dense(1, name="amount")(x + hidden), A, AMOUNT


def wide_and_deep():
    wide, deep = keras.Input((3,), name="a"), keras.Input((4,), name="b")
    hidden = layers.Dense(5, "tanh", name="hidden")(deep)
    return [wide, deep], layers.Dense(1, name="amount")(layers.Concatenate()([wide, hidden])), [A, B], AMOUNT


def shared():
    """One layer on two inputs, and on its own output."""
    one, other = keras.Input((3,), name="a"), keras.Input((3,), name="b")
    layer = layers.Dense(3, "sigmoid", name="hidden")
    return [one, other], layers.Dense(1, name="amount")(layer(layer(one)) * layer(other)), [A, A[::-1]], AMOUNT


def shared_with_memory():
    """A normalization layer keeps what its backward pass needs; called twice it needs it twice."""
    one, other = keras.Input((3,), name="a"), keras.Input((3,), name="b")
    norm = layers.LayerNormalization(name="norm")
    both = layers.Subtract()([norm(one), norm(layers.Dense(3, name="hidden")(other))])
    return [one, other], layers.Dense(1, name="amount")(both), [A, A[::-1]], AMOUNT


def nested():
    """A model in a model in a model, one of them called twice."""
    inner_in = keras.Input((3,))
    inner = keras.Model(inner_in, layers.Dense(3, "tanh")(inner_in), name="inner")
    middle = keras.Sequential([keras.Input((3,)), inner, layers.Dense(3)], name="middle")
    x = keras.Input((3,), name="a")
    return x, layers.Dense(1, name="amount")(middle(layers.Maximum()([middle(x), x]))), A, AMOUNT


def inside_and_beside():
    """A model that is called in another and beside it."""
    inner_in = keras.Input((3,))
    inner = keras.Model(inner_in, layers.Dense(3, "tanh")(inner_in), name="inner")
    middle = keras.Sequential([keras.Input((3,)), inner, layers.Dense(3)], name="middle")
    x = keras.Input((3,), name="a")
    return x, layers.Dense(1, name="amount")(layers.Maximum()([middle(x), inner(x)])), A, AMOUNT


def two_outputs():
    a, b = keras.Input((3,), name="a"), keras.Input((4,), name="b")
    both = layers.Concatenate(name="both")([layers.Dense(4, "relu", name="hidden")(a), b])
    outputs = {"kind": layers.Dense(3, "softmax", name="kind")(both), "amount": layers.Dense(1, name="amount")(both)}
    return {"a": a, "b": b}, outputs, {"a": A, "b": B}, {"kind": KIND, "amount": AMOUNT}


DESCRIBED = [residual, wide_and_deep, shared, shared_with_memory, nested, two_outputs]
NETWORKS = [*DESCRIBED, inside_and_beside]


def compiled(network):
    inputs, outputs, x, y = network()
    model = keras.Model(inputs, outputs)
    loss = {"kind": "sparse_categorical_crossentropy", "amount": "mse"} if isinstance(y, dict) else "mse"
    model.compile("adam", loss)
    return model, x, y


def leaves(values):
    if isinstance(values, dict):
        return [values[key] for key in sorted(values)]
    return values if isinstance(values, list) else [values]


def assert_same(found, expected):
    for one, other in zip(leaves(found), leaves(expected), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("network", NETWORKS)
def test_its_gradients_are_the_derivatives_of_its_loss(network):
    model, x, y = compiled(network)
    assert max(check_gradients(model, x, y, inputs=True).values()) < 1e-6


@pytest.mark.parametrize("network", NETWORKS)
def test_it_learns(network):
    model, x, y = compiled(network)
    losses = model.fit(x, y, epochs=30, batch_size=5, verbose=0).history["loss"]
    assert losses[-1] < losses[0]


@pytest.mark.parametrize("network", NETWORKS)
def test_calling_and_predicting_are_the_same(network):
    model, x, _ = compiled(network)
    assert_same(model(x), model.predict_on_batch(x))
    for called, predicted in zip(leaves(model(x)), leaves(model.predict(x, batch_size=5, verbose=0)), strict=True):
        np.testing.assert_allclose(called, predicted, rtol=1e-6, atol=1e-7)


COPIES = {
    "copy.deepcopy": copy.deepcopy,
    "pickle": lambda model: pickle.loads(pickle.dumps(model)),
}


@pytest.mark.parametrize("way", COPIES)
@pytest.mark.parametrize("network", NETWORKS)
def test_a_copy_goes_its_own_way_from_the_same_place(network, way):
    model, x, y = compiled(network)
    model.fit(x, y, verbose=0, shuffle=False)
    twin = COPIES[way](model)
    before = model.get_weights()
    history = twin.fit(x, y, epochs=2, verbose=0, shuffle=False).history
    assert_same(model.get_weights(), before)
    assert model.fit(x, y, epochs=2, verbose=0, shuffle=False).history == history
    assert_same(model.get_weights(), twin.get_weights())


REMADE = {
    "config": lambda model: type(model).from_config(model.get_config()),
    "json": lambda model: models.model_from_json(model.to_json()),
    "clone": models.clone_model,
}


@pytest.mark.parametrize("way", REMADE)
@pytest.mark.parametrize("network", DESCRIBED)
def test_it_is_remade_with_fresh_weights(network, way):
    model, x, _ = compiled(network)
    again = REMADE[way](model)
    assert again.get_config() == model.get_config()
    assert (again.input_shape, again.output_shape) == (model.input_shape, model.output_shape)
    assert [layer.name for layer in again.layers] == [layer.name for layer in model.layers]
    again.set_weights(model.get_weights())
    assert_same(again(x), model(x))


@pytest.mark.parametrize("way", [*REMADE, "file"])
def test_what_would_come_back_as_two_layers_is_refused(way, tmp_path):
    model, _, _ = compiled(inside_and_beside)
    with pytest.raises(ValueError, match=r"'middle' and 'inner' in it share the weight 'dense.*/kernel'.*save_weights"):
        model.save(tmp_path / "model.npz") if way == "file" else REMADE[way](model)


@pytest.mark.parametrize("network", DESCRIBED)
def test_it_comes_back_from_a_file(network, tmp_path):
    model, x, y = compiled(network)
    model.fit(x, y, verbose=0)
    model.save(tmp_path / "model.npz")
    loaded = models.load_model(tmp_path / "model.npz")
    assert_same(loaded.predict(x, verbose=0), model.predict(x, verbose=0))
    assert loaded.evaluate(x, y, verbose=0) == model.evaluate(x, y, verbose=0)


@pytest.mark.parametrize("network", DESCRIBED)
def test_weights_and_the_optimizers_state_come_back_from_a_file(network, tmp_path):
    model, x, y = compiled(network)
    model.fit(x, y, verbose=0, shuffle=False)
    model.save_weights(tmp_path / "model.weights.npz")
    again = models.clone_model(model)
    again.compile("adam", model.loss)
    again.load_weights(tmp_path / "model.weights.npz")
    histories = [m.fit(x, y, epochs=2, verbose=0, shuffle=False).history for m in (model, again)]
    assert histories[0] == histories[1]


# --- Forms of inputs and outputs ---


@pytest.mark.parametrize(
    "x", [{"a": A, "b": B}, {"b": B, "a": A}, [A, B], (A, B)], ids=["dict", "turned dict", "list", "tuple"]
)
@pytest.mark.filterwarnings("ignore:The structure of `inputs`")
def test_inputs_are_given_by_name_or_in_order(x):
    model, form, y = compiled(two_outputs)
    assert_same(model.predict(x, verbose=0), model.predict(form, verbose=0))
    assert model.evaluate(x, y, verbose=0) == model.evaluate(form, y, verbose=0)


def subtracting(first="a", second="b"):
    a, b = keras.Input((2,), name="left"), keras.Input((2,), name="right")
    return keras.Model({first: a, second: b}, layers.Subtract()([a, b]))


def test_a_model_of_a_dict_says_where_it_gets_something_else_as_keras_does():
    ones, zeros = np.ones((3, 2), "float32"), np.zeros((3, 2), "float32")
    for given in ([ones, zeros], {"a": ones, "b": zeros, "c": zeros}):
        with pytest.warns(UserWarning, match="The structure of `inputs` doesn't match the expected structure"):
            np.testing.assert_array_equal(subtracting().predict(given, verbose=0), ones)
    with pytest.raises(ValueError, match="structure of `inputs` doesn't match.*which have no order"):
        subtracting("b", "a")([ones, zeros])
    with pytest.raises(ValueError, match="also expects"):
        subtracting()({"left": ones, "right": zeros})


def test_a_list_for_outputs_of_a_dict_that_has_no_order_is_refused_or_goes_by_names_as_in_keras():
    x = keras.Input((2,))
    b, a = (layers.Dense(1, kernel_initializer="zeros", bias_initializer=one)(x) for one in (Constant(10.0), "ones"))
    model = keras.Model(x, {"b": b, "a": a})
    ones, sevens, threes = np.ones((2, 2)), np.full((2, 1), 7.0), np.full((2, 1), 3.0)
    with pytest.warns(UserWarning, match="`loss` is a list.*in the order of the keys' names, \\['a', 'b'\\]"):
        model.compile("sgd", ["mse", "mae"])
    found = model.evaluate(ones, {"b": sevens, "a": threes}, verbose=0, return_dict=True)
    assert found == {"loss": 7.0, "a_loss": 4.0, "b_loss": 3.0}  # as Keras has it
    for targets, weights in (([sevens, threes], None), ({"b": sevens, "a": threes}, [np.ones(2), np.ones(2)])):
        with pytest.raises(ValueError, match="structure of `outputs` doesn't match.*which have no order"):
            model.fit(ones, targets, sample_weight=weights, verbose=0)


def test_steps_of_ones_own_pair_outputs_of_a_dict_by_their_names():
    class Own(keras.Model):
        def compute_loss(self, **given):
            return super().compute_loss(**given)

    x = keras.Input((2,))
    model = Own(x, {"b": layers.Dense(1, kernel_initializer="zeros")(x), "a": layers.Dense(1)(x)})
    model.compile("sgd", {"b": "mse"})
    ones, sevens = np.ones((2, 2)), np.full((2, 1), 7.0)
    assert model.evaluate(ones, {"b": sevens}, verbose=0) == 49.0
    with pytest.raises(ValueError, match="which have no order that all agree on"):
        model.evaluate(ones, [sevens, sevens], verbose=0)


def test_an_array_may_stand_in_a_list_of_its_own_among_others():
    a, b = keras.Input((2,)), keras.Input((2,))
    model = keras.Model([a, b], layers.Add()([a, b]))
    np.testing.assert_array_equal(model([[np.ones((3, 2))], np.ones((3, 2))]), np.full((3, 2), 2.0))


def test_outputs_come_in_the_form_they_were_drawn_up_with():
    model, x, _ = compiled(two_outputs)
    found = model.predict(x, verbose=0)
    assert {name: values.shape for name, values in found.items()} == {"kind": (12, 3), "amount": (12, 1)}
    listed = keras.Model(model.inputs, [model.output["amount"], model.output["kind"]])
    amount, kind = listed.predict([A, B], verbose=0)
    np.testing.assert_array_equal(amount, found["amount"])
    np.testing.assert_array_equal(kind, found["kind"])


def test_a_list_of_one_is_that_one_as_in_keras():
    x = keras.Input((3,))
    model = keras.Model([x], [layers.Dense(2)(x)])
    assert model.predict([A], verbose=0).shape == model(A).shape == (12, 2)


def test_figures_of_several_outputs_bear_their_names():
    model, x, y = compiled(two_outputs)
    model.compile("sgd", model.loss, metrics={"kind": ["accuracy"], "amount": "mae"}, loss_weights={"amount": 0.0})
    figures = model.train_on_batch(x, y, return_dict=True)
    assert set(figures) == {"loss", "kind_loss", "amount_loss", "kind_accuracy", "amount_mae"}
    assert figures["loss"] == pytest.approx(figures["kind_loss"])


def test_a_tensor_in_the_middle_of_a_network_is_an_input_or_output_of_another():
    model, x, _ = compiled(wide_and_deep)
    hidden = keras.Model(model.inputs[1], model.get_layer("hidden").output)
    head = keras.Model([model.inputs[0], hidden.output], model.output)
    np.testing.assert_allclose(head([A, hidden(B)]), model(x), rtol=1e-6)
    assert hidden.weights[0] is model.get_layer("hidden").kernel


def test_models_share_the_weights_of_the_layers_they_share():
    model, x, y = compiled(residual)
    features = keras.Model(model.input, model.get_layer("hidden").output)
    before = features(A)
    model.fit(x, y, verbose=0)
    assert not np.array_equal(features(A), before)


def test_a_frozen_model_in_a_model_stays_as_it_is():
    inner = keras.Sequential([keras.Input((3,)), layers.Dense(3, "tanh")], name="inner")
    inner.trainable = False
    x = keras.Input((3,))
    model = keras.Model(x, layers.Dense(1)(inner(x)))
    model.compile("sgd", "mse")
    before = inner.get_weights()
    model.fit(A, AMOUNT, verbose=0)
    assert_same(inner.get_weights(), before)
    assert len(model.trainable_weights) == 2


def test_dropout_that_is_drawn_up_to_drop_drops_in_prediction():
    x = keras.Input((3,))
    model = keras.Model(x, layers.Dropout(0.5)(x, training=True))
    assert (model.predict(np.ones((20, 3)), verbose=0) == 0).any()
    still = keras.Model(x, layers.Dropout(0.5)(x))
    assert (still.predict(np.ones((20, 3)), verbose=0) == 1).all()


def as_in_training(inner=None):
    """A network in which layers of every kind are called with `training=True`, one of them a model."""
    x = keras.Input((3,))
    if inner is None:
        inner = keras.Sequential([keras.Input((3,)), layers.Dense(8, "tanh"), layers.BatchNormalization()])
    return keras.Model(x, layers.Dropout(0.3)(inner(x, training=True), training=True))


@pytest.mark.parametrize(
    "make",
    [
        as_in_training,
        lambda: as_in_training(layers.Dense(5)),
        lambda: as_in_training(layers.BatchNormalization()),
        lambda: keras.Sequential([keras.Input((3,)), as_in_training()]),
        lambda: keras.Model(x := keras.Input((3,)), as_in_training()(x)),
    ],
)
@pytest.mark.parametrize("method", ["__call__", "predict_on_batch"])
def test_results_of_layers_called_as_in_training_are_the_callers_own(make, method):
    model = make()
    call = getattr(model, method)
    first = call(A)
    kept, weights = first.copy(), model.get_weights()
    second = call(A + 1)
    np.testing.assert_array_equal(first, kept)
    assert not np.shares_memory(first, second)
    assert_same(model.get_weights(), weights)


def test_evaluating_and_predicting_change_no_weight_however_the_network_is_drawn():
    normalization = layers.BatchNormalization()
    x = keras.Input((3,))
    model = keras.Model(x, layers.Dense(1)(normalization(x, training=True)))
    model.compile("sgd", "mse")
    before = model.get_weights()
    predicted = model.predict(A, batch_size=len(A), verbose=0)
    model.evaluate(A, AMOUNT, verbose=0)
    model.test_on_batch(A, AMOUNT)
    assert_same(model.get_weights(), before)
    spread = (A - A.mean(axis=0)) / np.sqrt(A.var(axis=0) + normalization.epsilon)  # statistics of the batch itself
    np.testing.assert_allclose(predicted, spread @ model.layers[-1].kernel.numpy(), atol=1e-5)
    model.fit(A, AMOUNT, epochs=1, batch_size=len(A), verbose=0, validation_data=(A + 5, AMOUNT))
    momentum = normalization.momentum
    np.testing.assert_allclose(normalization.moving_mean.numpy(), (1 - momentum) * A.mean(axis=0), rtol=1e-4, atol=1e-6)


def test_threads_may_ask_a_network_that_is_drawn_up_as_in_training():
    x = keras.Input((3,))
    model = keras.Model(x, layers.BatchNormalization()(layers.Dense(32, "tanh")(x, training=True), training=True))
    batches = [A + i for i in range(40)]
    expected = [model(batch) for batch in batches]
    with ThreadPoolExecutor(4) as pool:
        for found, wanted in zip(pool.map(model, batches), expected, strict=True):
            np.testing.assert_array_equal(found, wanted)


def test_in_float64_throughout():
    keras.config.set_floatx("float64")
    try:
        model, x, y = compiled(two_outputs)
        model.fit(x, y, verbose=0)
        assert {w.dtype for w in model.get_weights()} == {np.dtype("float64")}
        assert {p.dtype for p in model.predict(x, verbose=0).values()} == {np.dtype("float64")}
    finally:
        keras.config.set_floatx("float32")


# --- What is refused ---


def test_an_output_that_does_not_come_from_the_inputs():
    a, b = keras.Input((3,), name="a"), keras.Input((3,), name="b")
    with pytest.raises(ValueError, match=r"(?s)b.*"):
        keras.Model(a, layers.Add()([a, b]))


@pytest.mark.parametrize("argument", ["inputs", "outputs"])
def test_what_is_no_tensor(argument):
    x = keras.Input((3,))
    tensors = {"inputs": x, "outputs": layers.Dense(1)(x), argument: A}
    with pytest.raises(ValueError, match=f"All `{argument}` values must be KerasTensors"):
        keras.Model(**tensors)


def test_two_layers_of_one_name():
    x = keras.Input((3,))
    with pytest.raises(ValueError, match=r"The name \"same\" is used 2 times"):
        keras.Model(x, layers.Dense(1, name="same")(layers.Dense(2, name="same")(x)))


def test_shapes_that_do_not_go_together_are_refused_where_they_are_drawn_up():
    a, b = keras.Input((3,)), keras.Input((4,))
    with pytest.raises(ValueError, match=r"(?s)\(None, 3\).*\(None, 4\)"):
        layers.Add()([a, b])


@pytest.mark.parametrize(
    ("x", "message"),
    [
        ([A], "2 inputs"),
        (A, "2 inputs"),
        ({"a": A}, "'b'"),
        ({"a": A, "c": B}, "'b'"),
        ([A, B[:, :2]], r"'b'.*\(None, 4\).*\(12, 2\)"),
        ([A, B[:5]], "12.*5"),
    ],
)
@pytest.mark.filterwarnings("ignore:The structure of `inputs`")
@pytest.mark.parametrize("method", ["predict", "fit", "evaluate"])
def test_data_that_does_not_fit_the_inputs(method, x, message):
    model, _, y = compiled(two_outputs)
    before = model.get_weights()
    with pytest.raises(ValueError, match=f"(?s){message}"):
        getattr(model, method)(x, *([] if method == "predict" else [y]), verbose=0)
    assert_same(model.get_weights(), before)


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (AMOUNT, "2 outputs"),
        ([KIND], "2 outputs"),
        ({"kind": KIND}, "'amount'"),
        ({"kind": KIND, "amount": AMOUNT[:5]}, "12.*5|5.*12"),
        ({"kind": KIND + 1, "amount": AMOUNT}, r"label value of 3"),
    ],
)
def test_targets_that_do_not_fit_the_outputs(y, message):
    model, x, _ = compiled(two_outputs)
    with pytest.raises(ValueError, match=f"(?s){message}"):
        model.fit(x, y, verbose=0)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"loss": {"kind": "mse", "weight": "mse"}}, "weight"),
        ({"loss": ["mse", "mse", "mse"]}, "3"),
        ({"loss": "mse", "loss_weights": {"weight": 1.0}}, "weight"),
        ({"loss": "mse", "loss_weights": ["accuracy"]}, r"third argument of `compile`; metrics go by name"),
        ({"loss": "mse", "metrics": {"weight": "mae"}}, "weight"),
    ],
)
def test_compile_arguments_that_do_not_fit_the_outputs(arguments, message):
    model, _, _ = compiled(two_outputs)
    with pytest.raises(ValueError, match=message):
        model.compile("sgd", **arguments)


def test_a_model_of_nothing():
    with pytest.raises(TypeError, match=r"`Model\(inputs, outputs\)`, with the inputs from `Input\(shape\)`"):
        keras.Model()


def test_a_model_comes_back_from_its_config_under_either_name():
    x = keras.Input((3,), name="x")
    model = keras.Model(x, {"y": layers.Dense(2, name="y")(x)}, name="one")
    for kind in (keras.Model, type(model)):
        other = kind.from_config(model.get_config())
        other.set_weights(model.get_weights())
        np.testing.assert_array_equal(other(np.ones((2, 3)))["y"], model(np.ones((2, 3)))["y"])


def test_a_summary_says_what_is_wrong_with_the_layers_asked_for():
    model = keras.Sequential([keras.Input((3,)), layers.Dense(2, name="one")])
    with pytest.raises(ValueError, match=r"do not match the layer names in the model. Received: \['one', 'two'\]"):
        model.summary(layer_range=["one", "two"])
    with pytest.raises(ValueError, match="must be a list of the names of two layers"):
        model.summary(layer_range="one")
    with pytest.raises(ValueError, match="`positions` must say where 3 columns end"):
        model.summary(positions=[0.5, 1.0])


def test_a_clone_gets_tensors_in_the_structure_of_the_model():
    model = subtracting()
    tensors = {"a": keras.Input((2,)), "b": keras.Input((2,))}
    assert set(models.clone_model(model, input_tensors=tensors).input) == {"a", "b"}
    with pytest.raises(ValueError, match="`input_tensors` must have the same structure as model.input"):
        models.clone_model(model, input_tensors=tuple(tensors.values()))


def test_outputs_in_a_tuple_are_in_one_again_after_a_config():
    x = keras.Input((3,))
    model = keras.Model(x, (layers.Dense(1)(x), layers.Dense(2)(x)))
    assert type(keras.Model.from_config(model.get_config())(A)) is tuple


def test_layers_are_not_set():
    model = subtracting()
    with pytest.raises(AttributeError, match="`Model.layers` attribute is reserved"):
        model.layers = []
    with pytest.raises(AttributeError, match=r"Use `add\(\)` and `pop\(\)`"):
        keras.Sequential().layers = []


def test_a_clone_may_have_layers_between_those_of_the_model_also_in_models_within():
    x = keras.Input((3,))
    inner = keras.Model(x, layers.Dense(4, name="within")(x))
    y = keras.Input((3,))
    model = keras.Model(y, layers.Dense(2)(keras.Sequential([layers.Dense(3, name="in_a_row")])(inner(y))))

    def called(layer, *args, **kwargs):
        y = layer(*args, **kwargs)
        return layers.Dropout(0.5)(y) if isinstance(layer, layers.Dense) else y

    clone = models.clone_model(model, clone_function=lambda layer: layer, call_function=called)
    assert [type(layer).__name__ for layer in clone.layers] == [
        "InputLayer",
        "Functional",
        "Sequential",
        "Dense",
        "Dropout",
    ]
    np.testing.assert_array_equal(clone(A), model(A))

    met = []
    deep = models.clone_model(model, None, lambda layer: met.append(layer.name) or layer, called, recursive=True)
    assert {"within", "in_a_row"} < set(met)
    assert [type(layer).__name__ for layer in deep.layers[1].layers] == ["InputLayer", "Dense", "Dropout"]
    np.testing.assert_array_equal(deep(A), model(A))
    with pytest.raises(ValueError, match="`call_function` argument is not supported with Sequential"):
        models.clone_model(keras.Sequential([layers.Dense(1)]), call_function=called)


def test_a_summary_shows_names_as_they_are_and_not_as_markup(monkeypatch):
    pytest.importorskip("rich")
    monkeypatch.setenv("COLUMNS", "200")
    x = keras.Input((3,), name="x")
    both = [layers.Dense(2, name=name)(x) for name in ("[red]a", "[link=x]b")]
    lines = []
    keras.Model(x, layers.Add()(both)).summary(print_fn=lines.append, line_length=150)
    assert "[red]a[0][0]" in "".join(lines)
    assert "[link=x]b[0][0]" in "".join(lines)


def test_a_clone_is_compiled_as_the_model_is_and_has_seen_nothing():
    def own(y_true, y_pred):
        return np.abs(y_true - y_pred).max(axis=-1)

    model = keras.Sequential([keras.Input((3,)), layers.Dense(2, name="two")])
    bare = models.clone_model(model)
    assert not bare.compiled
    optimizer = keras.optimizers.Adam(0.25, beta_1=0.5)
    model.compile(optimizer, "mae", metrics=[own, keras.metrics.RootMeanSquaredError(name="r")], loss_weights=[2.0])
    x, y = np.ones((4, 3)), np.zeros((4, 2))
    model.fit(x, y, verbose=0)
    clone = models.clone_model(model)
    assert clone.optimizer is not optimizer
    assert clone.optimizer.get_config() == optimizer.get_config()
    assert (clone.optimizer.iterations, optimizer.iterations) == (0, 1)
    clone.set_weights(model.get_weights())
    wanted = model.evaluate(x, y, return_dict=True, verbose=0)
    assert clone.evaluate(x, y, return_dict=True, verbose=0) == wanted
    assert wanted.keys() == {"loss", "own", "r"}
    before = model.get_weights()
    assert clone.train_on_batch(x, y, return_dict=True)["r"] == pytest.approx(wanted["r"])
    assert_same(model.get_weights(), before)  # it trains by itself
    assert (clone.optimizer.iterations, optimizer.iterations) == (1, 1)


@pytest.mark.parametrize(
    ("x", "words"),
    [
        ([[1.0, 2.0]], r"convert it by `x.astype\(float\)`"),
        ([[1.0, None]], r"holds None at index \(0, 1\)"),
        ([[1.0, "?"]], r"holds '\?' at index \(0, 1\)"),
    ],
)
def test_an_array_of_python_objects_says_what_hinders_it_from_being_one_of_numbers(x, words):
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    with pytest.raises(ValueError, match=words):
        model.predict(np.array(x, object), verbose=0)


def test_gradients_pass_through_a_call_without_training():
    """A network that was trained becomes part of a larger one, with `training=False`, and is trained on."""
    x = np.random.default_rng(0).normal(size=(8, 3)).astype("float32")
    dense, scale = layers.Dense(4, "tanh"), layers.BatchNormalization()
    inner = keras.Sequential([keras.Input((3,)), dense, scale, layers.Dropout(0.5)])
    scale.moving_mean.assign([0.1, -0.2, 0.3, 0.0])
    scale.moving_variance.assign([0.5, 1.0, 2.0, 0.25])
    inputs = keras.Input((3,))
    model = keras.Model(inputs, layers.Dense(1)(inner(inputs, training=False)))
    model.compile(keras.optimizers.SGD(0.5), "mse")
    with keras.GradientTape() as tape:
        loss = np.mean((model(x) - 1.0) ** 2)  # by running means, and without dropout
    before = [v.numpy() for v in model.trainable_weights]
    expected = [w - 0.5 * g for w, g in zip(before, tape.gradient(loss, model.trainable_weights), strict=True)]
    model.fit(x, np.ones((8, 1)), verbose=0)
    for variable, value in zip(model.trainable_weights, expected, strict=True):
        np.testing.assert_allclose(variable.numpy(), value, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(scale.moving_mean.numpy(), [0.1, -0.2, 0.3, 0.0], rtol=1e-6)


def test_a_training_of_a_layer_that_is_called_twice_leaves_nothing_for_the_collector():
    x, twice = keras.Input((2,)), layers.Dense(2)
    model = keras.Model(x, twice(layers.Dense(2)(twice(x))))
    model.compile("sgd", "mse")
    ones = np.ones((4, 2), "float32")
    model.fit(ones, ones, verbose=0)
    gc.collect()
    gc.disable()
    try:
        model.fit(ones, ones, verbose=0)
        assert gc.collect() == 0
    finally:
        gc.enable()
