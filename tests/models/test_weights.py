"""The weights of models: views of one vector, shared, frozen, copied."""

import copy
import pickle

import numpy as np
import pytest

import multilayer as keras
from helpers.classifier import LABELS, X, classifier
from multilayer import layers


def test_weights_are_given_and_taken_as_copies():
    model = classifier()
    weights = model.get_weights()
    weights[0][:] = 1.0
    assert not (model.get_weights()[0] == 1.0).any()
    model.set_weights(weights)
    assert (model.get_weights()[0] == 1.0).all()


def test_setting_weights_that_do_not_fit_changes_none():
    model = classifier()
    before = model.get_weights()
    with pytest.raises(ValueError, match="weight list of length 1, but it was expecting 4 weights"):
        model.set_weights(before[:1])
    with pytest.raises(ValueError, match=r"has shape \(8, 3\), but the value given for it has shape \(3, 8\)"):
        model.set_weights([before[0] + 1, before[1], before[2].T, before[3]])
    for kind in (complex, str):
        with pytest.raises(ValueError, match=r"Weights are real numbers; got an array of type .* for dense.*/bias"):
            model.set_weights([before[0] + 1, *before[1:3], before[3].astype(kind)])
    for old, new in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


def test_a_weight_cannot_be_replaced_only_assigned():
    model = classifier()
    with pytest.raises(AttributeError, match=r"use `layer.kernel.assign\(value\)`"):
        model.layers[0].kernel = np.zeros((4, 8))
    model.layers[0].kernel.assign(np.zeros((4, 8)))
    assert not model.get_weights()[0].any()


def test_all_parameters_train_as_one_vector():
    model = classifier()
    model.fit(X, LABELS, verbose=0)
    first = model.weights[0].value
    assert first.base is not None
    assert all(np.shares_memory(w.value, first.base) for w in model.weights)


def test_a_frozen_layer_keeps_its_weights():
    model = classifier(compiled=False)
    model.layers[0].trainable = False
    model.compile("sgd", "sparse_categorical_crossentropy")
    before = model.get_weights()
    model.fit(X, LABELS, verbose=0)
    np.testing.assert_array_equal(model.layers[0].get_weights()[0], before[0])
    assert not np.array_equal(model.layers[1].get_weights()[0], before[2])


def test_changing_what_is_trainable_without_compiling_again_is_refused():
    model = classifier()
    model.fit(X, LABELS, verbose=0)
    loss = model.evaluate(X, LABELS, verbose=0)
    model.layers[0].trainable = False
    with pytest.raises(ValueError, match="Compile the model again"):
        model.fit(X, LABELS, verbose=0)
    with pytest.raises(ValueError, match="Compile the model again"):
        model.train_on_batch(X, LABELS)
    assert model.evaluate(X, LABELS, verbose=0) == loss  # nothing is trained here
    assert model.test_on_batch(X, LABELS) == pytest.approx(loss)


def test_changing_layers_without_compiling_again_is_refused():
    model = classifier()
    model.fit(X, LABELS, verbose=0)
    model.pop()
    model.add(layers.Dense(3, "softmax"))
    assert len(model.evaluate(X, LABELS, verbose=0)) == 2
    with pytest.raises(ValueError, match="Compile the model again"):
        model.fit(X, LABELS, verbose=0)
    model.compile("adam", "sparse_categorical_crossentropy")
    model.fit(X, LABELS, verbose=0)


def test_an_optimizer_does_not_mix_the_means_of_two_models():
    optimizer = keras.optimizers.Adam()
    first, second = classifier(optimizer=optimizer), classifier(optimizer=optimizer)
    first.fit(X, LABELS, verbose=0)
    with pytest.raises(ValueError, match="has trained other weights.*belongs to another model"):
        second.fit(X, LABELS, verbose=0)
    first.fit(X, LABELS, verbose=0)


def test_compiling_again_with_the_same_optimizer_does_not_hide_what_was_frozen():
    model = keras.Sequential([keras.Input((4,)), layers.Dense(4), layers.Dense(4), layers.Dense(4)])
    for frozen in (0, 1):  # as many trainable weights, but other ones
        for i, layer in enumerate(model.layers):
            layer.trainable = i != frozen
        model.compile(model.optimizer or "adam", "mse")
        if frozen == 0:
            model.fit(X, X, verbose=0)
    with pytest.raises(ValueError, match="has trained other weights"):
        model.fit(X, X, verbose=0)


def test_an_optimizer_that_took_steps_on_a_plain_vector_trains_no_model():
    optimizer = keras.optimizers.Adam()
    model = classifier(optimizer=optimizer)
    size = model.count_params()
    optimizer.step(np.ones(size, "float32"), np.ones(size, "float32"))
    with pytest.raises(ValueError, match="has trained other weights"):
        model.fit(X, LABELS, verbose=0)


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda model: pickle.loads(pickle.dumps(model))])
def test_a_copy_goes_on_as_the_original_does(copied):
    model = classifier()
    model.fit(X, LABELS, verbose=0)
    twin = copied(model)
    for one in (model, twin):
        one.fit(X, LABELS, epochs=2, shuffle=False, verbose=0)
    for ours, theirs in zip(model.get_weights(), twin.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_two_models_can_share_a_layer_and_both_train_it():
    shared = layers.Dense(8, "tanh")
    models = [keras.Sequential([keras.Input((4,)), shared, layers.Dense(k)]) for k in (1, 2)]
    for model, target in zip(models, (X[:, :1], X[:, :2]), strict=True):
        model.compile("sgd", "mse")
        model.fit(X, target, verbose=0)
    trained = shared.get_weights()[0]
    models[0].fit(X, X[:, :1], verbose=0)
    assert not np.array_equal(shared.get_weights()[0], trained)
    np.testing.assert_array_equal(models[0].get_weights()[0], models[1].get_weights()[0])


class LayerThatHeedsNeedsDx(layers.Layer):
    """An identity without weights, which nothing but `needs_dx` tells whether the chain goes on below it."""

    def forward(self, x, training=False):
        return x

    def backward(self, dy):
        return dy if self.needs_dx else None


@pytest.mark.parametrize("hook", ["on_epoch_end", "on_train_batch_begin", "on_train_batch_end", "on_test_batch_end"])
@pytest.mark.parametrize("use", ["evaluate", "fit"])
def test_using_another_model_with_the_same_layers_in_a_callback_does_not_stop_training(hook, use):
    def run(hooks):
        keras.utils.set_random_seed(1)
        below, between, above = layers.Dense(8, "tanh"), LayerThatHeedsNeedsDx(), layers.Dense(3, "softmax")
        model = keras.Sequential([keras.Input((4,)), below, between, above])
        other = keras.Sequential([keras.Input((8,)), between, above])
        for one in (model, other):
            one.compile(keras.optimizers.SGD(0.1), "sparse_categorical_crossentropy")
        other.optimizer.learning_rate = 0.0  # what it trains stays where it is

        def use_other(*_, **__):
            getattr(other, use)(np.ones((3, 8)), [0, 1, 2], verbose=0)

        callbacks = [keras.callbacks.LambdaCallback(**dict.fromkeys(hooks, use_other))]
        data = {"batch_size": 20, "shuffle": False, "validation_data": (X, LABELS)}
        model.fit(X, LABELS, **data, epochs=3, verbose=0, callbacks=callbacks)
        return model.get_weights()

    for alone, watched in zip(run([]), run([hook]), strict=True):
        np.testing.assert_array_equal(watched, alone)


def test_evaluating_leaves_variables_where_they_are():
    model = classifier()
    model.fit(X, LABELS, verbose=0)
    values = [v.value for v in model.weights]
    other = keras.Sequential([keras.Input((8,)), model.layers[1]])
    other.compile("adam", "sparse_categorical_crossentropy")
    other.evaluate(np.ones((60, 8)), LABELS, verbose=0)
    other.test_on_batch(np.ones((60, 8)), LABELS)
    assert all(v.value is value for v, value in zip(model.weights, values, strict=True))
    assert model.layers[1].needs_dx


def test_freezing_in_a_callback_is_refused_rather_than_ignored():
    def freeze(epoch, logs):
        model.layers[0].trainable = False

    model = classifier()
    with pytest.raises(ValueError, match="Compile the model again"):
        model.fit(X, LABELS, epochs=2, verbose=0, callbacks=[keras.callbacks.LambdaCallback(on_epoch_end=freeze)])


def test_a_layer_is_found_by_its_name_or_its_place():
    model = keras.Sequential([keras.Input((4,)), layers.Dense(8, name="first"), layers.Dense(3, name="last")])
    assert model.get_layer("last") is model.get_layer(index=1) is model.layers[1]
    with pytest.raises(ValueError, match=r"No such layer: middle. Existing layers are: \['first', 'last'\]"):
        model.get_layer("middle")
    with pytest.raises(ValueError, match="index 2 but model only has 2 layers"):
        model.get_layer(index=2)
    with pytest.raises(ValueError, match="either a layer's name or its index"):
        model.get_layer()
