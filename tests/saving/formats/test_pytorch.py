"""PyTorch's state dicts: transposed, numbered and named as PyTorch has them, both ways.

The files under `files` were made by PyTorch (`files/make_torch.py`); `pytest -m interop` asks PyTorch itself.
"""

import numpy as np
import pytest

import multilayer as keras
from helpers.paths import FILES
from multilayer import layers, saving
from multilayer.saving import load_pytorch, save_pytorch, to_pytorch


def linear():
    """Five layers of four with tanh, and one of two without a bias."""
    hidden = [layers.Dense(4, "tanh") for _ in range(5)]
    return keras.Sequential([keras.Input((4,)), *hidden, layers.Dense(2, use_bias=False)])


def mixed():
    return keras.Sequential(
        [
            keras.Input((4,)),
            layers.Dense(6),
            layers.BatchNormalization(epsilon=1e-5),
            layers.PReLU(),
            layers.Dropout(0.5),
            layers.Dense(3),
            layers.LayerNormalization(epsilon=1e-5),
            layers.Softmax(),
        ]
    )


def scrambled(model):
    """The model with other weights."""
    for i, v in enumerate(model.weights):
        v.assign(np.random.default_rng(i).uniform(0.5, 1.5, v.shape))
    return model


def test_a_dense_layer_is_a_linear_module_turned_round():
    model = keras.Sequential([keras.Input((3,)), layers.Dense(2, "relu")])
    model.set_weights([[[1, 2], [3, 4], [5, 6]], [7, 8]])
    state = to_pytorch(model)
    assert state["0.weight"].tolist() == [[1, 3, 5], [2, 4, 6]]  # y = W x + b, where we have x W + b
    assert state["0.bias"].tolist() == [7, 8]
    assert all(array.flags.c_contiguous for array in state.values())


def test_numbers_count_what_a_sequential_has_as_modules_of_their_own():
    model = keras.Sequential(
        [
            keras.Input((2, 2)),
            layers.Flatten(),  # 0
            layers.Dense(4, "relu"),  # 1, 2
            layers.Dense(4),  # 3
            layers.BatchNormalization(),  # 4
            layers.Activation("tanh"),  # 5
            layers.Dropout(0.5),  # 6
            layers.RMSNormalization(),  # 7
            layers.Dense(1, use_bias=False),  # 8
        ]
    )
    assert list(to_pytorch(model)) == [
        *("1.weight", "1.bias", "3.weight", "3.bias"),
        *("4.weight", "4.bias", "4.running_mean", "4.running_var", "4.num_batches_tracked"),
        *("7.weight", "8.weight"),
    ]


@pytest.mark.parametrize(("name", "make"), [("linear", linear), ("mixed", mixed)])
def test_a_file_of_pytorch_computes_what_it_computed_there(name, make):
    model = make()
    load_pytorch(model, FILES / f"torch_{name}.safetensors")
    with np.load(FILES / "torch_outputs.npz") as outputs:
        np.testing.assert_allclose(model.predict(outputs["x"], verbose=0), outputs[name], rtol=1e-5, atol=1e-6)


def test_a_file_in_bfloat16_gives_nearly_the_same():
    model, halved = linear(), linear()
    load_pytorch(model, FILES / "torch_linear.safetensors")
    load_pytorch(halved, FILES / "torch_bfloat16.safetensors")
    for weight, near in zip(model.get_weights(), halved.get_weights(), strict=True):
        np.testing.assert_allclose(near, weight, rtol=2**-8)


@pytest.mark.parametrize("make", [linear, mixed])
def test_what_goes_there_comes_back(tmp_path, make):
    pytest.importorskip("safetensors")
    model, other, third = scrambled(make()), make(), make()
    save_pytorch(model, tmp_path / "m.safetensors")
    load_pytorch(other, tmp_path / "m.safetensors")
    load_pytorch(third, to_pytorch(model))
    for weight, again, once_more in zip(model.get_weights(), other.get_weights(), third.get_weights(), strict=True):
        np.testing.assert_array_equal(weight, again)
        np.testing.assert_array_equal(weight, once_more)


def test_modules_may_have_names_of_their_own_in_any_order(tmp_path):
    pytest.importorskip("safetensors")

    def branched():
        x = keras.Input((3,))
        return keras.Model(x, layers.Add()([layers.Dense(3)(layers.Dense(3, "relu")(x)), x]))

    model, other = scrambled(branched()), branched()
    with pytest.raises(ValueError, match="no chain of layers.*pass `names`"):
        to_pytorch(model)
    save_pytorch(model, tmp_path / "m.safetensors", names=["second.in", "first.out"])
    load_pytorch(other, tmp_path / "m.safetensors", names=["second.in", "first.out"])
    for weight, again in zip(model.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_array_equal(weight, again)


def test_a_file_whose_names_have_no_order_asks_for_it(tmp_path):
    pytest.importorskip("safetensors")
    model = keras.Sequential([keras.Input((2,)), layers.Dense(2), layers.Dense(2)])
    save_pytorch(model, tmp_path / "named.safetensors", names=["hidden", "output"])
    with pytest.raises(saving.ModelFileError, match=r"called \['hidden', 'output'\], which does not say in what order"):
        load_pytorch(model, tmp_path / "named.safetensors")
    for names in (["fc9", "fc10"], ["net.0", "net.2.1"], ["0.1", "1"]):
        save_pytorch(model, tmp_path / "numbered.safetensors", names)
        other = scrambled(keras.Sequential([keras.Input((2,)), layers.Dense(2), layers.Dense(2)]))
        load_pytorch(other, tmp_path / "numbered.safetensors")
        for weight, again in zip(model.get_weights(), other.get_weights(), strict=True):
            np.testing.assert_array_equal(weight, again)


def test_a_state_dict_is_taken_in_its_own_order():
    model = keras.Sequential([keras.Input((2,)), layers.Dense(2), layers.Dense(2)])
    load_pytorch(
        model,
        {"z.weight": np.full((2, 2), 1.0), "z.bias": [1.0, 1.0], "a.weight": np.zeros((2, 2)), "a.bias": [0.0, 0.0]},
    )
    assert [weight.flat[0] for weight in model.get_weights()] == [1, 1, 0, 0]


# --- What does not fit ---

W, B = np.zeros((2, 4), "f4"), np.zeros(2, "f4")


@pytest.mark.parametrize(
    ("state", "message"),
    [
        ({}, r"has 0 modules with weights, \[\], and the model 1 such layers"),
        ({"0.weight": W}, "'0' in it has weight, and 'd', the Dense at its place, takes weight, bias"),
        ({"0.weight": W, "0.bias": B, "0.running_mean": B}, "takes weight, bias"),
        ({"0.weight": W.T, "0.bias": B}, r"'0.weight' in it has the shape \(4, 2\); .* has to be \(2, 4\)"),
        ({"0.weight": W, "0.bias": B, "1.weight": W}, r"has 2 modules with weights, \['0', '1'\]"),
        ({"0.weight": W, "0.bias": B * np.nan}, "its weight d/bias holds nan at .*allow_nonfinite"),
        ({"0.weight": W, "0.bias": B.astype("i8")}, "weight d/bias is of type int64"),
        ({"0.weight": W, "0.bias": B.astype("c8")}, "weight d/bias is of type complex64"),
        ({"0.weight": W, "0.bias": np.array([None, None])}, "weight d/bias is of type object"),
        ({"0.weight": W.astype("f8") + 1e300, "0.bias": B}, "too large for the model's type"),
        ({"0.weight": [[1.0], [1.0, 2.0]], "0.bias": B}, "'0.weight' cannot be read as an array"),
    ],
)
def test_a_state_dict_that_does_not_fit_is_refused_and_nothing_is_changed(tmp_path, state, message):
    model = scrambled(keras.Sequential([keras.Input((4,)), layers.Dense(2, name="d")]))
    before = model.get_weights()
    with pytest.raises(ValueError, match=message):
        load_pytorch(model, state)
    for weight, kept in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(weight, kept)


def test_load_weights_says_who_reads_a_file_of_pytorch():
    with pytest.raises(saving.ModelFileError, match="Unknown: '0.bias', .*are read by `saving.load_pytorch"):
        linear().load_weights(FILES / "torch_linear.safetensors")


def test_a_file_that_does_not_fit_is_named():
    with pytest.raises(saving.ModelFileError, match="torch_linear.safetensors' is refused: it has 6 modules"):
        load_pytorch(mixed(), FILES / "torch_linear.safetensors")


@pytest.mark.parametrize("names", [["a"], ["a", "a"], "ab", ["a", "b", "c"]])
def test_names_that_are_not_one_for_each_layer_are_refused(names):
    model = keras.Sequential([keras.Input((2,)), layers.Dense(2), layers.Dense(2)])
    with pytest.raises(ValueError, match="one for each layer with weights"):
        to_pytorch(model, names)


def test_names_that_the_file_does_not_have_are_shown_beside_those_it_has():
    with pytest.raises(ValueError, match=r"modules in it are \['0', '2', .*`names` are \['a', 'b'"):
        load_pytorch(linear(), FILES / "torch_linear.safetensors", names=list("abcdef"))


@pytest.mark.parametrize(
    ("layer", "message"),
    [
        (
            layers.Normalization(name="it"),
            "'it' has no counterpart in PyTorch: PyTorch has no module for a Normalization",
        ),
        (layers.Rescaling(2.0, name="it"), "no module for 'it', a Rescaling.*pass `names`"),
        (layers.BatchNormalization(axis=2, name="it"), "'it' has no counterpart.*along axis 1"),
        (
            layers.BatchNormalization(axis=1, center=False, name="it"),
            "'it' has no counterpart.*both a weight and a bias",
        ),
        (layers.LayerNormalization(axis=1, name="it"), "'it' has no counterpart.*the last axes"),
        (layers.LayerNormalization(scale=False, name="it"), "'it' has no counterpart.*no bias without"),
        (layers.PReLU(name="it"), "'it' has no counterpart.*one slope for each entry"),
    ],
)
def test_a_layer_that_pytorch_does_not_have_is_named(layer, message):
    with pytest.raises(ValueError, match=message):
        to_pytorch(keras.Sequential([keras.Input((3, 4)), layer, layers.Dense(1)]))


@pytest.mark.parametrize("name", ["m.pt", "m.pth", "pytorch_model.bin", "m.pkl"])
@pytest.mark.parametrize(
    "take", [load_pytorch, lambda model, path: model.load_weights(path), lambda _, path: keras.models.load_model(path)]
)
def test_pickles_are_refused_unopened_with_what_to_do(tmp_path, name, take):
    (tmp_path / name).write_bytes(b"\x80\x04.")
    with pytest.raises(ValueError, match=r"named like a pickle.*safetensors.torch.save_file\(module.state_dict"):
        take(linear(), tmp_path / name)


# --- PyTorch itself ---


@pytest.fixture
def torch():
    return pytest.importorskip("torch")


@pytest.mark.interop
@pytest.mark.parametrize("make", [linear, mixed])
def test_pytorch_computes_from_our_weights_what_we_compute(tmp_path, torch, make):
    from safetensors.torch import load_file

    nn = torch.nn
    hidden = [module for _ in range(5) for module in (nn.Linear(4, 4), nn.Tanh())]
    theirs = {
        linear: nn.Sequential(*hidden, nn.Linear(4, 2, bias=False)),
        mixed: nn.Sequential(
            *(nn.Linear(4, 6), nn.BatchNorm1d(6), nn.PReLU(6), nn.Dropout(0.5)),
            *(nn.Linear(6, 3), nn.LayerNorm(3), nn.Softmax(-1)),
        ),
    }[make].eval()
    model = scrambled(make())
    save_pytorch(model, tmp_path / "m.safetensors")
    theirs.load_state_dict(load_file(tmp_path / "m.safetensors"))
    x = np.random.default_rng(0).normal(size=(7, 4)).astype("f4")
    with torch.no_grad():
        expected = theirs(torch.from_numpy(x)).numpy()
    np.testing.assert_allclose(model.predict(x, verbose=0), expected, rtol=1e-5, atol=1e-6)


@pytest.mark.interop
def test_a_state_dict_of_tensors_is_read_as_it_is(torch):
    network = torch.nn.Sequential(torch.nn.Embedding(9, 4), torch.nn.Flatten(), torch.nn.Linear(12, 2))
    model = keras.Sequential(
        [keras.Input((3,), dtype="int32"), layers.Embedding(9, 4), layers.Flatten(), layers.Dense(2)]
    )
    load_pytorch(model, network.state_dict())
    x = np.random.default_rng(0).integers(0, 9, (5, 3))
    with torch.no_grad():
        expected = network(torch.from_numpy(x)).numpy()
    np.testing.assert_allclose(model.predict(x, verbose=0), expected, rtol=1e-5, atol=1e-6)


@pytest.mark.interop
def test_a_tensor_that_numpy_cannot_read_is_named_with_what_to_do(torch):
    model = keras.Sequential([keras.Input((2,)), layers.Dense(2)])
    state = torch.nn.Linear(2, 2).to(torch.bfloat16).state_dict(prefix="0.")
    with pytest.raises(ValueError, match=r"'0.weight' cannot be read.*tensor.detach\(\).cpu\(\).float\(\).numpy\(\)"):
        load_pytorch(model, state)
