"""Layers that were built for inputs of one number of axes and are called with another."""

import itertools

import numpy as np
import pytest

from multilayer import layers

SHAPES = {2: (2, 3), 3: (2, 3, 3), 4: (2, 3, 3, 3)}  # of equal sides, so that a wrong axis shows in the values alone
PAIRS = list(itertools.permutations(SHAPES, 2))

# What Keras 3.15.1 (JAX) gives at places 1, 4 and 7 of the output for x = 0, 1, 4, 9, ... of these numbers of axes,
# whatever the layer was built for: axis -1 is the last one of what comes, axis 1 the one behind the batch.
EXPECTED = {
    (layers.LayerNormalization, -1, 2): [-0.3922, -0.1018],
    (layers.LayerNormalization, -1, 3): [-0.3922, -0.1018, -0.0583],
    (layers.LayerNormalization, -1, 4): [-0.3922, -0.1018, -0.0583],
    (layers.LayerNormalization, 1, 2): [-0.3922, -0.1018],
    (layers.LayerNormalization, 1, 3): [-1.0474, -0.2993, 1.3466],
    (layers.LayerNormalization, 1, 4): [-1.0076, -1.0624, -1.0956],
    (layers.RMSNormalization, -1, 2): [0.4201, 0.8935],
    (layers.RMSNormalization, -1, 3): [0.4201, 0.8935, 0.9614],
    (layers.RMSNormalization, -1, 4): [0.4201, 0.8935, 0.9614],
    (layers.RMSNormalization, 1, 2): [0.4201, 0.8935],
    (layers.RMSNormalization, 1, 3): [0.0336, 0.5375, 1.6462],
    (layers.RMSNormalization, 1, 4): [0.0046, 0.054, 0.1253],
    (layers.UnitNormalization, -1, 2): [0.2425, 0.5159],
    (layers.UnitNormalization, -1, 3): [0.2425, 0.5159, 0.5551],
    (layers.UnitNormalization, -1, 4): [0.2425, 0.5159, 0.5551],
    (layers.UnitNormalization, 1, 2): [0.2425, 0.5159],
    (layers.UnitNormalization, 1, 3): [0.0194, 0.3103, 0.9504],
    (layers.UnitNormalization, 1, 4): [0.0027, 0.0312, 0.0724],
}


def _squares(ndim):
    shape = SHAPES[ndim]
    return np.arange(np.prod(shape), dtype="float32").reshape(shape) ** 2


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize(("built", "called"), PAIRS)
@pytest.mark.parametrize("axis", [-1, 1])
@pytest.mark.parametrize(
    "cls", [layers.LayerNormalization, layers.RMSNormalization, layers.UnitNormalization], ids=lambda cls: cls.__name__
)
def test_the_axis_is_that_of_what_comes(cls, axis, built, called, training):
    layer = cls(axis=axis)
    layer.build((None, *SHAPES[built][1:]))
    y = layer(_squares(called), training=training)
    np.testing.assert_allclose(y.ravel()[1::3][:3], EXPECTED[cls, axis, called], atol=6e-5)
    of_its_own = cls(axis=axis)
    np.testing.assert_allclose(y, of_its_own(_squares(called), training=training), rtol=1e-6)
    dy = np.random.default_rng(1).normal(size=y.shape).astype("float32")
    for one in (layer, of_its_own):
        one(_squares(called), training=True)
    np.testing.assert_allclose(layer.backward(dy.copy()), of_its_own.backward(dy.copy()), rtol=1e-6)


@pytest.mark.parametrize(("built", "called"), PAIRS)
@pytest.mark.parametrize(
    "layer",
    [layers.BatchNormalization(), layers.BatchNormalization(axis=1), layers.PReLU()],
    ids=["last", "1", "PReLU"],
)
def test_another_number_of_axes_is_refused_where_weights_belong_to_places(layer, built, called):
    layer = type(layer).from_config(layer.get_config())
    layer.build((None, *SHAPES[built][1:]))
    for shape in (SHAPES[called], (None, *SHAPES[called][1:])):
        with pytest.raises(ValueError, match=f"expected ndim={built}, found ndim={called}"):
            layer(np.zeros(shape)) if None not in shape else layer(layers.Input(shape[1:]))


def test_an_axis_that_is_given_twice_or_does_not_exist_is_refused():
    for axis, shape in (([-1, 1], (None, 3)), ([1, 2], (None, 3)), (3, (None, 3))):
        with pytest.raises(ValueError, match="exists, is known, and is not the batch"):
            layers.LayerNormalization(axis=axis).build(shape)
    layer = layers.LayerNormalization(axis=[1, 2])
    layer.build((None, 3, 3))
    with pytest.raises(ValueError, match="incompatible with the layer"):
        layer(np.zeros((2, 3)))


def test_a_normalization_counted_from_the_end_takes_more_axes_than_it_was_measured_with():
    layer = layers.Normalization()
    layer.adapt(np.arange(24.0).reshape(2, 4, 3))
    x = np.ones((5, 2, 4, 3), "float32")
    np.testing.assert_allclose(layer(x), np.broadcast_to(layer(x[0]), x.shape), rtol=1e-6)
    with pytest.raises(ValueError, match="an incompatible shape"):
        layer.adapt(x)
    counted_from_the_front = layers.Normalization(axis=2)
    counted_from_the_front.adapt(np.arange(24.0).reshape(2, 4, 3))
    with pytest.raises(ValueError, match="an incompatible shape"):
        counted_from_the_front(x)


def test_one_number_is_encoded_as_one_row():
    for mode in ("one_hot", "multi_hot", "count"):
        encoding = layers.CategoryEncoding(6, mode)
        assert encoding(np.array(4)).tolist() == [0, 0, 0, 0, 1, 0]
        assert encoding.compute_output_shape(()) == (6,)


def test_an_embedding_is_built_without_a_shape_as_any_will_do():
    layer = layers.Embedding(3, 2)
    layer.build()
    assert layer.built
    assert layers.Embedding.from_config(layer.get_config())(np.array([0, 2])).shape == (2, 2)


def test_rms_scaling_is_refused_with_what_to_use_instead():
    layers.LayerNormalization(rms_scaling=False)
    with pytest.raises(ValueError, match="RMSNormalization"):
        layers.LayerNormalization(rms_scaling=True)
