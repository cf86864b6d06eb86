"""`EinsumDense`: what it refuses, what it tells its initializer, and that its products copy nothing."""

import numpy as np
import pytest

from multilayer import initializers, layers
from multilayer._core import kernels
from multilayer._core.arena import Arena
from multilayer.layers.contraction import Contraction


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: layers.EinsumDense("ab,bc", 3), "Invalid einsum equation 'ab,bc'"),
        (lambda: layers.EinsumDense("ab0,bc->ac", 3), "Invalid einsum equation"),
        (lambda: layers.EinsumDense("...ab,bc->ac", 3), "Invalid einsum equation"),
        (lambda: layers.EinsumDense(3, 3), "Invalid einsum equation '3'"),
        (lambda: layers.EinsumDense("ab,bc->ad", 3), "'d' was specified in the output 'ad'"),
        (lambda: layers.EinsumDense("ab,bc->acc", 3), "more than once"),
        (lambda: layers.EinsumDense("ab,bcd->ac", 3), "Weight dimension 'd'"),
        (lambda: layers.EinsumDense("ab,bc->ac", 0), "`output_shape` is the sides"),
        (lambda: layers.EinsumDense("ab,bc->ac", 3, lora_rank=2), "`lora_rank` is out of scope"),
        (lambda: layers.EinsumDense("ab,bc->ac", 3, quantization_config={}), "`quantization_config` is out of scope"),
        (lambda: layers.EinsumDense("ab,bc->ac", (3, 4))(np.ones((2, 3))), "needs 1 sides in `output_shape`"),
        (lambda: layers.EinsumDense("ab,bc->ac", 3)(np.ones((2, 3, 4))), "for inputs of 2 axes"),
        (lambda: layers.EinsumDense("...abc,cd->...abd", 3)(np.ones((2, 3))), "at least 3 axes"),
        (lambda: layers.EinsumDense("abc,cd->abd", (5, 3))(np.ones((2, 4, 3))), "do not match at shared dimension 'b'"),
        (lambda: layers.EinsumDense("ab,bc->ac", (None,))(np.ones((2, 3))), "needs to know every side of its kernel"),
        (lambda: layers.EinsumDense("ab,bc->ac", 3, bias_axes="b")(np.ones((2, 3))), "Bias dimension 'b'"),
        (lambda: layers.EinsumDense("ab,bc->ac", 3, bias_axes="")(np.ones((2, 3))), "bias_axes=''"),
    ],
)
def test_what_no_layer_could_compute_is_refused(make, words):
    with pytest.raises(ValueError, match=words.replace("(", r"\(")):
        make()


def test_an_input_of_other_sides_is_refused():
    layer = layers.EinsumDense("abc,cd->abd", (None, 3))
    layer.build((None, 2, 4))
    with pytest.raises(ValueError, match="found ndim=2"):
        layer(np.ones((5, 4)))
    with pytest.raises(ValueError, match=r"expected shape=\(None, None, 4\)"):
        layer(np.ones((5, 2, 3)))


def test_the_initializer_is_told_which_axes_are_inputs():
    layer = layers.EinsumDense("bki,kio->bko", (2, 30), kernel_initializer=initializers.VarianceScaling(seed=1))
    layer.build((None, 2, 50))
    told = initializers.VarianceScaling(seed=1, input_axes=[1], output_axes=[0, 2])
    np.testing.assert_array_equal(layer.kernel, told((2, 50, 30)))
    assert layer.kernel_initializer.input_axes is None  # the user's own stays as it was


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_members_side_by_side_are_three_products_that_copy_nothing(dtype, monkeypatch):
    layer = layers.EinsumDense("bki,kio->bko", (2, 3), dtype=dtype)
    layer.ensure_built((None, 2, 4))
    Arena(layer.weights)
    x = np.random.default_rng(0).normal(size=(5, 2, 4)).astype(dtype)
    layer.backward(layer.forward(x, training=True).copy())  # memory for results is there from now on
    products, matmul, dense = [], kernels.matmul, kernels.dense
    monkeypatch.setattr(kernels, "matmul", lambda a, b, out: products.append((a, b, out)) or matmul(a, b, out))
    monkeypatch.setattr(
        kernels, "dense", lambda x, W, b, f, out: products.append((x, W, out)) or dense(x, W, b, f, out)
    )
    y = layer.forward(x, training=True)
    dy = y.copy()
    dx = layer.backward(dy)
    W = layer.kernel
    expected = [(x, W.value, y), (x, dy, W.gradient), (dy, W.value, dx)]
    for product, arrays in zip(products, expected, strict=True):
        assert all(np.shares_memory(one, array) for one, array in zip(product, arrays, strict=True))
        assert {one.dtype for one in product} == {np.dtype(dtype)}


@pytest.mark.parametrize("activation", ["relu", "softmax", "tanh", "gelu", None])
def test_members_do_what_dense_layers_of_their_own_do(activation):
    x = np.random.default_rng(0).normal(size=(7, 5)).astype(np.float32)
    options = {"activation": activation, "bias_axes": "ko", "bias_initializer": "random_normal"}
    first = layers.EinsumDense("bi,kio->bko", (3, 4), **options)
    second = layers.EinsumDense("bki,kio->bko", (3, 6), **options)
    y = second(first(x))
    for k in range(3):
        h = x
        for layer in (first, second):
            dense = layers.Dense(layer.kernel.shape[-1], activation=activation)
            dense.build(h.shape)
            dense.set_weights([one[k] for one in layer.get_weights()])
            h = dense(h)
        np.testing.assert_allclose(y[:, k], h, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("bias_axes", ["k", "o", "ko"])
@pytest.mark.parametrize("rows", [0, 1, 7])
def test_members_may_share_a_bias_or_have_one_for_all_their_units(bias_axes, rows):
    draw = np.random.default_rng(0)
    for equation, shape in (("bi,kio->bko", (rows, 5)), ("bki,kio->bko", (rows, 3, 5))):
        layer = layers.EinsumDense(equation, (3, 4), "relu", bias_axes, bias_initializer="random_normal")
        x = draw.normal(size=shape).astype(np.float32)
        y = layer(x)
        expected = np.maximum(np.einsum(equation, x, layer.kernel.value) + layer.bias.value, 0)
        np.testing.assert_allclose(y, expected, rtol=1e-5, atol=1e-6)


def test_what_members_say_of_a_row_depends_on_no_other_row():
    x = np.random.default_rng(0).normal(size=(300, 40)).astype(np.float32)
    layer = layers.EinsumDense("bi,kio->bko", (3, 50), activation="relu", bias_axes="ko")
    y = layer(x)
    order = np.random.default_rng(1).permutation(300)
    if kernels.kind != "numpy":  # a BLAS library's sums depend on where a row stands
        np.testing.assert_array_equal(layer(x[order]), y[order])
        np.testing.assert_array_equal(np.concatenate([layer(x[i : i + 1]) for i in range(9)]), y[:9])


def test_rows_and_columns_of_a_result_may_lie_apart():
    stream = np.random.default_rng(0)
    a, b = stream.normal(size=(5, 2, 3)), stream.normal(size=(3, 4, 6))
    out = np.empty((5, 4, 2, 6))
    np.testing.assert_allclose(Contraction("abc", "cde", "adbe")(a, b, out), np.einsum("abc,cde->adbe", a, b))
