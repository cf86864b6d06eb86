"""What is recorded of layers while they are trained."""

import pickle

import numpy as np
import pytest

from multilayer import Input, Sequential, layers
from multilayer.callbacks import LayerHistory, dead_units

X, Y = np.eye(4), np.arange(4.0)


def trained(*parts, epochs=1, record=None, **fit):
    model = Sequential([Input((4,)), *parts])
    model.compile("sgd", "mse")
    record = record or LayerHistory()
    model.fit(X, Y, epochs=epochs, batch_size=2, shuffle=False, verbose=0, callbacks=[record], **fit)
    return model, record


def test_sizes_are_root_mean_squares_of_the_gradients_of_kernels():
    model = Sequential([Input((4,)), layers.Dense(3, "tanh", name="hidden"), layers.Dense(1, name="out")])
    model.compile("sgd", "mse")
    step = model.trace(X, Y)
    record = LayerHistory()
    model.fit(X, Y, batch_size=4, shuffle=False, verbose=0, callbacks=[record])
    assert record.steps == [1]
    for name, gradient in (("hidden", step["dW1"]), ("out", step["dW2"])):
        assert record.gradients[name] == [pytest.approx(float(np.sqrt(np.mean(gradient**2))), rel=1e-6)]


def test_the_first_step_is_recorded_and_every_so_many_after_it_across_epochs():
    _, record = trained(layers.Dense(1, name="out"), epochs=4, record=LayerHistory(every=3))
    assert record.steps == [1, 4, 7]
    assert len(record.gradients["out"]) == 3


def test_a_pickled_record_leaves_the_network_behind():
    _, record = trained(layers.Dense(1, name="out"))
    again = pickle.loads(pickle.dumps(record))
    assert (again.steps, again.gradients) == (record.steps, record.gradients)
    assert not hasattr(again, "model")
    assert trained(layers.Dense(1, name="more"), record=again)[1].steps == [1, 2]


def test_layers_that_are_frozen_or_without_a_kernel_are_left_out():
    _, record = trained(
        layers.Dense(4, name="frozen", trainable=False), layers.BatchNormalization(), layers.Dense(1, name="out")
    )
    assert list(record.gradients) == ["out"]


def test_layers_of_models_within_are_recorded():
    inner = Sequential([Input((4,)), layers.Dense(3, name="within")])
    _, record = trained(inner, layers.Dense(1, name="out"))
    assert list(record.gradients) == ["within", "out"]


def test_a_second_training_is_recorded_anew():
    model, record = trained(layers.Dense(1), epochs=2)
    model.fit(X, Y, verbose=0, callbacks=[record])
    assert record.steps == [1]


def test_recording_changes_nothing():
    def run(callbacks):
        model = Sequential([Input((4,)), layers.Dense(3, "relu", kernel_initializer="ones"), layers.Dense(1)])
        model.layers[1].kernel.assign(np.ones((3, 1)))
        model.compile("adam", "mse")
        return model.fit(X, Y, epochs=3, shuffle=False, verbose=0, callbacks=callbacks).history

    assert run([]) == run([LayerHistory(x=X)])


def test_dead_units_are_those_that_no_sample_moves():
    model = Sequential([Input((2,)), layers.Dense(4, "relu", name="hidden"), layers.Dense(2, "softmax")])
    model.layers[0].kernel.assign([[1, -1, -1, 1], [1, -1, 1, -1]])
    assert dead_units(model, [[1.0, 1.0], [2.0, 2.0]]) == {"hidden": 0.75}
    assert dead_units(model, [[1.0, 1.0], [2.0, 1.0]]) == {"hidden": 0.5}
    assert dead_units(model, [[1.0, -1.0], [-2.0, 1.0], [1.0, 1.0]]) == {"hidden": 0.0}


@pytest.mark.parametrize("activation", ["relu6", "hard_sigmoid", "selu", "gelu", "tanh"])
def test_dead_units_of_any_activation(activation):
    model = Sequential([Input((1,)), layers.Dense(3, name="hidden"), layers.Activation(activation, name="act")])
    model.layers[0].kernel.assign([[0.0, 0.0, 0.0]])
    model.layers[0].bias.assign([-200.0, 0.5, 200.0])
    # In float32 far out on the left every one of these has the slope 0; selu and gelu have 1 on the right.
    expected = 1 / 3 if activation in ("selu", "gelu") else 2 / 3
    assert dead_units(model, np.ones((5, 1))) == {"act": pytest.approx(expected)}


def test_dead_units_are_recorded_for_samples_that_are_given():
    _, record = trained(layers.Dense(8, "relu", name="hidden"), layers.Dense(1), epochs=2, record=LayerHistory(x=X))
    assert list(record.dead) == ["hidden"]
    assert len(record.dead["hidden"]) == len(record.steps) == 4
    assert trained(layers.Dense(8, "relu"), layers.Dense(1))[1].dead == {}


@pytest.mark.parametrize("every", [0, -1, 1.5, True, "epoch"])
def test_an_interval_that_is_none_is_refused(every):
    with pytest.raises(ValueError, match="`every` must be a whole number of at least 1"):
        LayerHistory(every=every)


def test_samples_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="incompatible"):
        dead_units(Sequential([Input((2,)), layers.Dense(1, "relu")]), np.ones((3, 5)))
    with pytest.raises(ValueError, match="has no weights yet"):
        dead_units(Sequential([layers.Dense(1, "relu")]), np.ones((3, 5)))
