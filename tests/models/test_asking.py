"""What programs ask models about losses, figures and how they were compiled; and classes of one's own by name."""

import numpy as np
import pytest

import multilayer as keras
from multilayer import constraints, initializers, layers, losses, metrics, models, optimizers, regularizers
from multilayer.optimizers import schedules

X = np.random.default_rng(0).normal(size=(12, 4)).astype("float32")
Y = X[:, :1]


def compiled(**layer_arguments):
    model = keras.Sequential([keras.Input((4,)), layers.Dense(1, **layer_arguments)])
    model.compile(optimizers.Adam(0.01, weight_decay=0.1), "mse", metrics=["mae", "mse"], loss_weights=[0.5])
    return model


def test_names_stand_in_the_order_of_what_evaluate_returns():
    model = compiled()
    values = model.evaluate(X, Y, verbose=0)
    assert model.metrics_names == ["loss", "mae", "mse"]
    assert dict(zip(model.metrics_names, values, strict=True)) == model.get_metrics_result()


def test_losses_of_outputs_by_name_stand_in_the_order_of_the_dict_that_compile_was_given():
    x = keras.Input((4,))
    model = keras.Model(x, {name: layers.Dense(1)(x) for name in ("zebra", "ant", "bee")})
    losses_wanted = {"bee": "mse", "zebra": "mae"}
    model.compile("sgd", losses_wanted)
    values = model.evaluate(X, dict.fromkeys(losses_wanted, Y), verbose=0)
    assert model.metrics_names == ["loss", "bee_loss", "zebra_loss"]
    assert dict(zip(model.metrics_names, values, strict=True)) == model.get_metrics_result()


def test_figures_begin_anew():
    model = compiled()
    model.evaluate(X, Y, verbose=0)
    model.reset_metrics()
    assert all(metric.result() == 0 for metric in model.metrics)


def test_the_loss_is_what_compile_was_given():
    assert compiled().loss == "mse"
    assert keras.Sequential().loss is None


def test_a_model_is_compiled_again_as_it_was():
    model, again = compiled(), keras.Sequential([keras.Input((4,)), layers.Dense(1)])
    again.compile_from_config(model.get_compile_config())
    again.set_weights(model.get_weights())
    assert again.get_compile_config() == model.get_compile_config()
    histories = [m.fit(X, Y, epochs=3, shuffle=False, verbose=0).history for m in (model, again)]
    assert histories[0] == histories[1]


@pytest.mark.parametrize("method", ["get_compile_config", "get_metrics_result", "reset_metrics"])
def test_what_only_a_compiled_model_knows(method):
    with pytest.raises(ValueError, match=rf"You must call `compile\(\)` before calling `{method}\(\)`"):
        getattr(keras.Sequential([layers.Dense(1)]), method)()


def test_losses_are_the_penalties_of_weights_as_they_are():
    model = compiled(kernel_regularizer="l2", bias_regularizer=regularizers.L1(0.5))
    model.set_weights([np.full((4, 1), 2.0), np.array([-3.0])])
    assert model.losses == pytest.approx([0.01 * 16, 1.5])
    assert model.layers[0].losses == model.losses
    model.trainable = False
    assert model.losses == []


def test_the_data_may_be_asked_for_its_steps():
    assert compiled().fit(X, Y, batch_size=5, verbose=0).params["steps"] == 3


# --- Classes of one's own ---


class Twice(layers.Layer):
    def forward(self, x, training=False):
        return 2 * x

    def backward(self, dy):
        return 2 * dy


class MyMetric(metrics.MeanSquaredError):
    pass


class MyLoss(losses.MeanSquaredError):
    pass


class MyOptimizer(optimizers.SGD):
    pass


class MySchedule(schedules.ExponentialDecay):
    pass


class MyInitializer(initializers.Constant):
    pass


class MyRegularizer(regularizers.L2):
    pass


class MyConstraint(constraints.MaxNorm):
    pass


@pytest.mark.parametrize(
    ("module", "own"),
    [
        (layers, Twice(name="twice")),
        (losses, MyLoss()),
        (metrics, MyMetric(name="own")),
        (optimizers, MyOptimizer(0.5)),
        (schedules, MySchedule(0.1, 10, 0.5)),
        (initializers, MyInitializer(3.0)),
        (regularizers, MyRegularizer(0.2)),
        (constraints, MyConstraint(1.5)),
    ],
    ids=lambda value: getattr(value, "__name__", type(value).__name__),
)
def test_a_class_of_ones_own_is_found_where_its_name_is_given(module, own):
    config = module.serialize(own)
    again = module.deserialize(config, custom_objects={type(own).__name__: type(own)})
    assert type(again) is type(own)
    assert again.get_config() == own.get_config()
    with pytest.raises(ValueError, match="Unknown"):
        module.deserialize(config)


@pytest.mark.parametrize("kind", ["sequential", "functional"])
def test_a_model_with_layers_of_ones_own_comes_back_from_json_config_and_file(kind, tmp_path):
    if kind == "sequential":
        model = keras.Sequential([keras.Input((4,)), Twice(), layers.Dense(1)])
    else:
        x = keras.Input((4,))
        model = keras.Model(x, layers.Dense(1)(Twice()(x)))
    model.compile(MyOptimizer(0.1), MyLoss())
    named = {"Twice": Twice, "MyOptimizer": MyOptimizer, "MyLoss": MyLoss}
    model.save(tmp_path / "model.npz")
    loaded = models.load_model(tmp_path / "model.npz", custom_objects=named)
    np.testing.assert_array_equal(loaded.predict(X, verbose=0), model.predict(X, verbose=0))
    assert type(loaded.loss) is MyLoss or loaded.loss["class_name"] == "MyLoss"
    described = models.model_from_json(model.to_json(), custom_objects=named)
    configured = type(model).from_config(model.get_config(), custom_objects=named)
    for again in (described, configured):
        again.set_weights(model.get_weights())
        np.testing.assert_array_equal(again.predict(X, verbose=0), model.predict(X, verbose=0))


def test_without_its_class_a_file_is_refused_with_what_to_do(tmp_path):
    model = keras.Sequential([keras.Input((4,)), Twice()])
    model.save(tmp_path / "model.npz")
    with pytest.raises(ValueError, match=r"'Twice'.*register_keras_serializable.*`custom_objects`"):
        models.load_model(tmp_path / "model.npz")
