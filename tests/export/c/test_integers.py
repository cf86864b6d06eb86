"""Networks in whole numbers as C: what compilers make of them gives the emulation's numbers, bit for bit."""

import re
import shutil
import subprocess

import numpy as np
import pytest

import multilayer as keras
from multilayer import layers
from multilayer.export import quantize
from multilayer.layers import Dense, Input

WARNINGS = ("-Wall", "-Wextra", "-Wconversion", "-pedantic", "-Werror")
RNG = np.random.default_rng(11)
X = RNG.normal(0, 1, (300, 6, 4)).astype("float32")
COMPILERS = {
    "gcc": ("gcc", "-std=c99", "-O2"),
    "clang": ("clang", "-std=c99", "-O2"),
    "g++": ("g++", "-std=c++11", "-x", "c++"),
    "sanitizers": ("gcc", "-std=c99", "-O1", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"),
}
# Reads rows of the inputs, one behind the other, and writes those of the outputs.
PROGRAM = """\
#include "net.h"
#include <stdio.h>
int main(void)
{{
    static int8_t work[NET_WORK_SIZE];
    {buffers}
    while (fread({first}, 1, sizeof {first}, stdin) == sizeof {first}) {{
        {rest}
        net_predict({names}, work);
        {wrote}
    }}
    return 0;
}}
"""


def done(command, folder, **options):
    """What a program prints, which must succeed."""
    found = subprocess.run(list(map(str, command)), cwd=folder, capture_output=True, timeout=120, **options)
    assert found.returncode == 0, (found.stdout + found.stderr).decode()[:4000]
    return found.stdout


def numbers_of(folder, network, rows, command):
    """What the program of a compiler gives for rows of whole numbers."""
    header = (folder / "net.h").read_text()
    inputs, outputs = (re.findall(rf"(?:const )?int8_t \*({kind}\w*)[,)]", header) for kind in ("input", "output"))
    given = [f"static int8_t {one}[NET_{one.upper()}_SIZE];" for one in (*inputs, *outputs)]
    rest = [f"if (fread({one}, 1, sizeof {one}, stdin) != sizeof {one}) return 1;" for one in inputs[1:]]
    wrote = [f"fwrite({one}, 1, sizeof {one}, stdout);" for one in outputs]
    text = PROGRAM.format(
        buffers="\n    ".join(given),
        first=inputs[0],
        rest="\n        ".join(rest),
        names=", ".join([*inputs, *outputs]),
        wrote="\n        ".join(wrote),
    )
    (folder / "run.c").write_text(text)
    done([*command, *WARNINGS, "net.c", "run.c", "-o", "run"], folder)
    joined = np.concatenate([one.reshape(len(one), -1) for one in rows], axis=1)
    found = np.frombuffer(done([folder / "run"], folder, input=joined.tobytes()), np.int8).reshape(len(joined), -1)
    sizes = [network.values[one].size for one in network.outputs]
    return np.split(found, np.cumsum(sizes)[:-1], axis=1)


def with_everything():
    """Every kind of step, with weights of 8, 4 and 2 bits, rows, odd sizes, two inputs and two outputs."""
    x, beside = Input((6, 4), name="x"), Input((3,), name="beside")
    turned = layers.Permute((2, 1))(layers.QuantizationAware(Dense(5, "relu"), 4)(x))
    flat = layers.Flatten()(turned)
    a = layers.QuantizationAware(Dense(7, "relu"), 2)(flat)
    b = layers.QuantizationAware(Dense(7, "tanh"), 4)(layers.Concatenate()([flat, beside]))
    c = layers.BatchNormalization()(layers.Subtract()([layers.Average()([a, b]), layers.Add()([b, b])]))
    d = layers.Activation("softmax")(layers.Reshape((2, 7))(layers.Concatenate()([c, a])))
    model = keras.Model([x, beside], [layers.Dense(3, "softmax")(c), d])
    model.compile("adam", ["mse", "mse"])
    model.fit(rows(), [RNG.uniform(size=(300, 3)), RNG.uniform(size=(300, 2, 7))], epochs=2, verbose=0)
    return model


def rows():
    return [X, X[:, 0, :3]]


def of_sides(n, side, axis):
    """Concatenation along another axis than the last."""
    x = Input((n, side))
    return keras.Model(x, layers.Concatenate(axis=axis)([x, Dense(side, "relu")(x), x]))


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    folder = tmp_path_factory.mktemp("integers")
    keras.utils.set_random_seed(2)
    model = with_everything()
    model.export(folder / "net.c", dtype="int8", calibration=rows(), verbose=False)
    return folder, quantize(model, rows())


@pytest.mark.parametrize("compiler", COMPILERS)
def test_c_gives_the_numbers_of_the_emulation(written, compiler):
    folder, network = written
    command = COMPILERS[compiler]
    if shutil.which(command[0]) is None:
        pytest.skip(f"{command[0]} is not installed")
    assert {one.kind for one in network.steps} == {
        "concatenate", "dense", "reshape", "softmax", "sum", "table", "transpose",
    }  # fmt: skip
    assert {one.options["bits"] for one in network.steps if one.kind == "dense"} == {2, 4, 8}
    # Any number of 8 bits, not those alone that calibration leads to.
    given = [RNG.integers(-128, 128, one.shape).astype(np.int8) for one in rows()]
    found = numbers_of(folder, network, given, command)
    for one, expected in zip(found, network.run(given), strict=True):
        np.testing.assert_array_equal(one, expected.reshape(len(one), -1))


@pytest.mark.skipif(shutil.which("gcc") is None, reason="gcc is not installed")
@pytest.mark.parametrize(
    "model",
    [
        lambda: of_sides(3, 2, axis=1),
        lambda: of_sides(3, 2, axis=2),
        lambda: keras.Sequential([Input((5,)), layers.Flatten()]),
        lambda: keras.Sequential([Input((5,)), layers.Activation("tanh"), layers.Softmax()]),
    ],
)
def test_so_do_small_ones(tmp_path, model):
    model = model()
    x = RNG.normal(size=(50, *model.input_shape[1:]))
    model.export(tmp_path / "net.c", dtype="int8", calibration=x, progmem=True, verbose=False)
    network = quantize(model, x)
    given = network.quantized([2 * x])
    (found,) = numbers_of(tmp_path, network, given, COMPILERS["sanitizers"])
    np.testing.assert_array_equal(found, network.run(given)[0].reshape(len(x), -1))


def at_random(random):
    """A graph of layers drawn at random, with weights and bounds of any size."""
    x = Input((int(random.integers(2, 9)),))
    values = [x]
    activations = ["relu", "tanh", "gelu", "linear", "relu6", "softplus", "softmax"]
    for _ in range(6):
        one, other = (values[random.integers(len(values))] for _ in range(2))
        dense = Dense(int(random.integers(2, 9)), activations[random.integers(7)], use_bias=bool(random.integers(2)))
        merge = layers.Add() if other.shape == one.shape else layers.Concatenate()
        values.append(
            [
                lambda one=one, dense=dense: dense(one),
                lambda one=one, dense=dense: layers.QuantizationAware(dense, [4, 2][random.integers(2)])(one),
                lambda one=one, other=other, merge=merge: merge([one, other]),
                lambda one=one: layers.BatchNormalization()(one),
            ][random.integers(4)]()
        )
    model = keras.Model(x, values[-1])
    for weight in model.weights:
        size = 10.0 ** random.integers(-2, 2)
        if weight.name in ("moving_minimum", "moving_maximum"):
            weight.assign(-size if weight.name == "moving_minimum" else size)
        elif weight.name in ("step", "moving_variance"):
            weight.assign(random.uniform(0.1, 1.0, weight.shape) * size)
        else:
            weight.assign(random.normal(0.0, size, weight.shape))
    return model


@pytest.mark.skipif(shutil.which("gcc") is None, reason="gcc is not installed")
@pytest.mark.parametrize("seed", range(6))
def test_so_do_graphs_at_random_and_nothing_overflows(tmp_path, seed):
    random = np.random.default_rng(seed)
    model = at_random(random)
    x = random.normal(0.0, 3.0, (40, *model.input_shape[1:]))
    model.export(tmp_path / "net.c", dtype="int8", calibration=x, verbose=False)
    network = quantize(model, x)
    given = [random.integers(-128, 128, x.shape).astype(np.int8)]
    (found,) = numbers_of(tmp_path, network, given, COMPILERS["sanitizers"])
    np.testing.assert_array_equal(found, network.run(given)[0])


@pytest.mark.skipif(shutil.which("gcc") is None, reason="gcc is not installed")
def test_the_program_beside_it_passes_and_fails_where_a_bias_is_another(written, tmp_path):
    folder, _ = written
    for file in folder.glob("net*"):
        shutil.copy(file, tmp_path)
    build = ["gcc", "-std=c99", *WARNINGS, "net.c", "net_test.c", "-o", "net"]
    done(build, tmp_path)
    assert b"68 numbers of 4 samples, 0 differ: passed" in done([tmp_path / "net"], tmp_path)
    text = (tmp_path / "net.c").read_text()
    (tmp_path / "net.c").write_text(re.sub(r"(dense_\w*bias\[3\] = \{\n +)-?\d+,", r"\g<1>99999,", text))
    done(build, tmp_path)
    failed = subprocess.run([tmp_path / "net"], capture_output=True, check=False)
    assert failed.returncode == 1
    assert b"FAILED" in failed.stdout


def test_no_function_of_a_library_is_called_and_no_fraction_is_there(written):
    folder, _ = written
    text = re.sub(r"/\*.*?\*/", "", (folder / "net.c").read_text(), flags=re.DOTALL)
    assert not re.search(r"float|double|math\.h|\d\.\d", text)
    called = set(re.findall(r"(\w+)\(", text)) - {"for", "if", "while", "sizeof"}
    assert all(re.match("net_|NET_READ|INT32_C|INT64_C", one) for one in called), called


def test_the_budget_is_that_of_the_emulation(written, tmp_path, capsys):
    model = keras.Sequential([Input((8,)), layers.QuantizationAware(Dense(10), 4)])
    model.export(tmp_path / "net.c", dtype="int8", calibration=X.reshape(-1, 8))
    printed = capsys.readouterr().out
    assert "flash: 130 bytes of constants" in printed  # 40 of weights, 9 for each unit
    assert "(work 1, inputs 8, outputs 10)" in printed
    assert "multiplications: 80 a sample" in printed
    with pytest.raises(ValueError, match="takes 19 bytes of RAM .* allows 18"):
        model.export(tmp_path / "net.c", dtype="int8", calibration=X.reshape(-1, 8), ram=18)


def test_a_layer_that_is_called_twice_has_its_weights_once(tmp_path):
    x, shared = Input((4,)), layers.QuantizationAware(Dense(4, use_bias=False), 4)
    model = keras.Model(x, shared(shared(x)))
    shared.moving_maximum.assign(1.0)
    model.export(tmp_path / "net.c", dtype="int8", calibration=np.ones((1, 4)), verbose=False)
    assert (tmp_path / "net.c").read_text().count("_weights[8] = {") == 1
    assert quantize(model, np.ones((1, 4))).weight_bytes() < 2 * (8 + 4 * 9)


def test_options_that_do_not_fit_are_refused_and_nothing_is_written(tmp_path):
    model = keras.Sequential([Input((4,)), Dense(10_000)])
    x = np.ones((3, 4))
    for arguments, message in (
        ({"dtype": "int4", "calibration": x}, '`dtype` of a C file is "float32" or "int8"'),
        ({"dtype": "int8"}, "needs `calibration`"),
        ({"dtype": "int8", "calibration": x, "progmem": True}, "has 40,000 bytes of weights, and an array of AVR's"),
        ({"calibration": x}, '`calibration` is for `dtype="int8"`'),
        ({"dtype": "int8", "calibration": x[:, :3]}, "`calibration` for the input"),
        ({"dtype": "int8", "calibration": x, "examples": x[:, :3]}, "`examples` for the input"),
    ):
        with pytest.raises(ValueError, match=message):
            model.export(tmp_path / "net.c", **arguments)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(shutil.which("gcc") is None, reason="gcc is not installed")
def test_all_test_digits_of_mnist_are_the_same(mnist_data, tmp_path):
    (x, y), (x_test, y_test) = mnist_data
    keras.utils.set_random_seed(0)
    aware = [layers.QuantizationAware(Dense(h, f), 4) for h, f in ((32, "relu"), (10, "softmax"))]
    model = keras.Sequential([Input((784,)), *aware])
    model.compile("adam", "sparse_categorical_crossentropy")
    model.fit(x[:20_000], y[:20_000], batch_size=64, epochs=2, verbose=0)
    model.export(tmp_path / "net.c", dtype="int8", calibration=x[:500], flash=16_000, verbose=False)
    network = quantize(model, x[:500])
    given = network.quantized([x_test])
    (found,) = numbers_of(tmp_path, network, given, COMPILERS["gcc"])
    np.testing.assert_array_equal(found, network.run(given)[0])
    assert np.mean(found.argmax(axis=1) == y_test) > 0.9
