"""Models as C: what compilers make of the files computes what the model computes, and nothing else."""

import errno
import os
import re
import shutil
import subprocess

import numpy as np
import pytest

import multilayer as keras
from helpers.c_programs import WARNINGS, built, needs
from helpers.layer_cases import ALL_ACTIVATIONS, DEEP, NUMBERS, ROWS, X, randomized
from multilayer import layers
from multilayer._core import kernels
from multilayer._names import registry
from multilayer.export.c.nests import nest
from multilayer.export.c.source import C_TYPES
from multilayer.export.layers import WRITERS
from multilayer.export.plan import plan_of
from multilayer.layers import Dense, Input

PIXELS = np.arange(45, dtype="uint8").reshape(5, 3, 3) * 5
BIG = np.array([[7, -3, 2**40], [5, 5, 0], [7, 7, 7]])

# Layers of whole numbers with vocabularies, which other formats have in tables of their own.
WHOLE = [
    (layers.IntegerLookup(vocabulary=[7, -3, 12]), BIG),
    (layers.IntegerLookup(vocabulary=[7, 2**40], num_oov_indices=3), BIG),
    (layers.IntegerLookup(vocabulary=[7, -3, 5, 0, 2**40], num_oov_indices=0), BIG),
    (layers.IntegerLookup(vocabulary=[7, 5], mask_token=0, output_mode="multi_hot"), BIG),
    (layers.IntegerLookup(vocabulary=[7, 5], output_mode="one_hot"), BIG),
    (layers.IntegerLookup(vocabulary=[7, 5], output_mode="tf_idf", idf_weights=[0.5, 2.0]), BIG),
    (layers.IntegerLookup(vocabulary=[70, 50], invert=True), NUMBERS),
    (layers.Discretization([-1.0, 0.0, 0.5]), X),
    (layers.Discretization([0.0], output_mode="count"), X),
]


def of_one_layer(layer, xs):
    several = isinstance(xs, list)
    xs = xs if several else [xs]
    inputs = [Input(x.shape[1:], dtype=None if x.dtype.kind == "f" else str(x.dtype)) for x in xs]
    return randomized(keras.Model(inputs, layer(inputs if several else inputs[0]))), xs


def of_activation(name):
    x = Input((6,))
    return randomized(keras.Model(x, [layers.Activation(name)(x), Dense(8, name)(x)])), [X]


def with_branches():
    a, b = Input((6,), name="item"), Input((2, 4), name="items")
    shared = Dense(4, "tanh", name="shared")
    first = shared(a)
    joined = layers.Concatenate()([Dense(6, "relu")(first), layers.Flatten()(b)])
    again = shared(layers.BatchNormalization()(Dense(6)(joined)))
    model = keras.Model([a, b], [Dense(3, "softmax", name="kind")(again), layers.Add(name="sum")([first, again])])
    return randomized(model), [X, DEEP]


def that_hands_on_what_comes_in():
    a = Input((2, 4))
    flat = layers.Flatten()(a)
    y = layers.Activation("relu")(flat)
    return keras.Model(a, [flat, y, layers.Reshape((4, 2))(y), layers.Add()([flat, y])]), [DEEP]


def of_steps():
    inner = keras.Sequential([Input((4,)), layers.LayerNormalization(), Dense(3, "gelu"), layers.Reshape((1, 3))])
    model = keras.Sequential([Input((2, 4)), layers.TimeDistributed(inner), layers.Flatten(), Dense(2, "softmax")])
    return randomized(model), [DEEP]


def of_bytes():
    inside = [layers.Flatten(), layers.Rescaling(1 / 255), Dense(200, "relu"), Dense(2, "softmax")]
    return keras.Sequential([Input((3, 3), dtype="uint8"), *inside]), [PIXELS]


def of_words():
    tokens = Input((3,), dtype="int32")
    x = layers.Embedding(9, 4)(tokens)
    scores = layers.Dot(2, normalize=True)([x, x])
    weighted = layers.Dot((2, 1))([layers.Softmax()(scores), x])
    y = layers.GlobalAveragePooling1D()(layers.Add()([weighted, x]))
    return randomized(keras.Model(tokens, Dense(2)(layers.UnitNormalization()(y)))), [NUMBERS]


def of_single_numbers():
    x = Input(())
    return keras.Model(x, [layers.Rescaling(2.0, 1.0)(x), layers.Discretization([0.0])(x)]), [X[:, 0]]


def at_random(seed):
    """A graph whose steps take what some of those before gave: what lies where, and for how long, is always another."""
    random = np.random.default_rng(seed)
    tensors = [Input((6,))]
    for _ in range(12):
        taken = [tensors[i] for i in random.integers(max(0, len(tensors) - 5), len(tensors), 2)]
        made = [
            lambda a, b: Dense(6, "tanh")(a),
            lambda a, b: layers.Activation("sigmoid")(a),
            lambda a, b: layers.Subtract()([a, b]),
            lambda a, b: layers.Reshape((6,))(layers.Permute((2, 1))(layers.Reshape((2, 3))(a))),
            lambda a, b: layers.Multiply()([layers.LayerNormalization()(b), a]),
            lambda a, b: Dense(6)(layers.Concatenate()([a, b, a])),
        ]
        tensors.append(made[random.integers(len(made))](*taken))
    chosen = random.choice(np.arange(1, len(tensors)), 3, replace=False)
    return keras.Model(tensors[0], [tensors[i] for i in chosen]), [X]


def of_functions():
    """What a model was drawn up with beside layers, each sample by itself."""
    x, y = Input((2, 4)), Input((2, 4))
    numbers, matrix = np.array([0.5, -1.0, 2.0, 1.0]), np.arange(8.0).reshape(4, 2) / 8
    mixed = np.maximum(2 * x - y / 3 + numbers, 0.25) - np.minimum(1 - y, 0.5)
    curved = np.exp(-np.abs(x)) * np.tanh(y) + keras.ops.square(x) - keras.activations.gelu(y)
    turned = keras.ops.matmul(keras.ops.transpose(x, (0, 2, 1)), np.swapaxes(keras.ops.matmul(y, matrix), 1, 2))
    pooled = np.mean(x, axis=1) + np.sum(y, axis=-2) - np.max(x, axis=1) * np.min(y, axis=1)
    both = keras.ops.concatenate([keras.ops.reshape(mixed, (-1, 8)), keras.ops.reshape(curved, (-1, 8))], axis=1)
    apart = layers.Softmax(axis=(1, 3))(layers.Reshape((2, 2, 2))(x - np.mean(x, axis=2, keepdims=True)))
    return keras.Model([x, y], [both, turned, pooled, apart]), [DEEP, DEEP[::-1]]


def with_what_is_no_number():
    """NaN comes out wherever the model has it, and no loop waits for it to go away."""
    x, y = Input((2, 4)), Input((2, 4))
    chosen = [layers.Maximum()([x, y]), layers.Minimum()([x, y]), layers.GlobalMaxPooling1D()(x)]
    chosen += [np.min(x, axis=2), np.max(layers.Activation("sparsemax")(x), axis=2)]
    samples = DEEP.copy()
    samples[0, 0, 0] = samples[0, 1, 3] = samples[1] = np.nan
    return keras.Model([x, y], chosen), [samples, samples[::-1]]


WHOLE_MODELS = (
    with_branches,
    that_hands_on_what_comes_in,
    of_steps,
    of_bytes,
    of_words,
    of_functions,
    of_single_numbers,
    with_what_is_no_number,
)
CASES = [
    *((of_activation, (name,)) for name in ALL_ACTIVATIONS),
    *((of_one_layer, row) for row in [*ROWS, *WHOLE]),
    *((make, ()) for make in WHOLE_MODELS),
    *((at_random, (seed,)) for seed in range(8)),
]
COMPILERS = {
    "gcc": ("gcc", "-std=c99", *WARNINGS),
    "clang": ("clang", "-std=c99", *WARNINGS),
    "sanitizers": ("gcc", "-std=c99", "-fsanitize=address,undefined,float-cast-overflow", "-fno-sanitize-recover=all"),
}


class Written:
    """All cases in one folder, and a program that predicts them all: buffers of just the sizes that headers say."""

    def __init__(self, folder):
        self.folder, self.expected, data, blocks = folder, [], [], []
        for i, (make, arguments) in enumerate(CASES):
            model, xs = make(*arguments)
            model.export(folder / f"m{i}.c", verbose=False, progmem=i % 2 == 1 and arguments not in WHOLE)
            self.expected.append([np.asarray(y, "float32") for y in model.run([np.asarray(x) for x in xs])])
            plan = plan_of(model)
            xs = [np.asarray(x, plan.values[one].dtype) for x, one in zip(xs, plan.inputs, strict=True)]
            data += [x[row].tobytes() for row in range(len(xs[0])) for x in xs]
            blocks.append(self.block(i, plan, len(xs[0])))
        includes = "\n".join(f'#include "m{i}.c"' for i in range(len(CASES)))
        (folder / "all.c").write_text(includes + "\n")
        (folder / "run.c").write_text(
            '#include "all.c"\n#include <stdio.h>\n#include <stdlib.h>\nint main(void)\n{\n'
            + "\n".join(blocks)
            + "\nreturn 0;\n}\n"
        )
        self.data = b"".join(data)
        self.found = {}

    @staticmethod
    def block(i, plan, count):
        """Predicts a case's samples, from the standard input to the standard output."""
        sizes = [(C_TYPES[plan.values[one].dtype], plan.values[one].size) for one in plan.inputs]
        outputs = [plan.values[one].size for one in plan.outputs]
        made = [f"{kind} *x{k} = malloc({size} * sizeof *x{k});" for k, (kind, size) in enumerate(sizes)]
        made += [f"float *y{k} = malloc({size} * sizeof *y{k});" for k, size in enumerate(outputs)]
        read = [
            f"if (fread(x{k}, sizeof *x{k}, {size}, stdin) != {size}) return 2;" for k, (_, size) in enumerate(sizes)
        ]
        names = [f"x{k}" for k in range(len(sizes))] + [f"y{k}" for k in range(len(outputs))] + ["work"]
        wrote = [f"fwrite(y{k}, sizeof *y{k}, {size}, stdout);" for k, size in enumerate(outputs)]
        return (
            f"{{ float *work = malloc(M{i}_WORK_SIZE * sizeof *work); {' '.join(made)}\n"
            f"for (int s = 0; s < {count}; s++) {{ {' '.join(read)}\n"
            f"if (m{i}_predict({', '.join(names)})) return 3;\n{' '.join(wrote)} }}\n"
            f"{' '.join(f'free({name});' for name in names)} }}"
        )

    def by(self, compiler):
        """What the program of a compiler predicts: for each case, the outputs."""
        if compiler not in self.found:
            if shutil.which(COMPILERS[compiler][0]) is None:
                pytest.skip(f"{COMPILERS[compiler][0]} is not installed")
            built([*COMPILERS[compiler], "run.c", "-o", compiler, "-lm"], self.folder)
            stream = built([self.folder / compiler], self.folder, input=self.data)
            numbers, start = np.frombuffer(stream, np.float32), 0
            self.found[compiler] = []
            for outputs in self.expected:
                size = sum(y[0].size for y in outputs)
                rows = numbers[start : start + size * len(outputs[0])].reshape(-1, size)
                parts = np.split(rows, np.cumsum([y[0].size for y in outputs])[:-1], axis=1)
                self.found[compiler].append([y.reshape(e.shape) for y, e in zip(parts, outputs, strict=True)])
                start += rows.size
            assert start == len(numbers)
        return self.found[compiler]


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    return Written(tmp_path_factory.mktemp("c"))


def of_case(one):
    make, arguments = one
    return getattr(arguments[0], "name", arguments[0]) if arguments else make.__name__


@pytest.mark.parametrize("compiler", COMPILERS)
def test_every_layer_computes_what_the_model_does(written, compiler):
    wrong = {}
    for case, found, expected in zip(CASES, written.by(compiler), written.expected, strict=True):
        for y, e in zip(found, expected, strict=True):
            assert np.isnan(y).tolist() == np.isnan(e).tolist(), of_case(case)
            y, e = np.nan_to_num(y), np.nan_to_num(e)
            difference = np.abs(y - e).max() / max(1.0, np.abs(e).max())
            if not difference <= (1e-6 if kernels.kind != "numpy" else 2e-6):  # a BLAS library sums in another order
                wrong[of_case(case)] = difference
    assert wrong == {}


@pytest.mark.parametrize("compiler", ["g++", "clang++"])
def test_all_of_it_is_c_plus_plus_as_well(written, compiler):
    if shutil.which(compiler) is None:
        pytest.skip(f"{compiler} is not installed")
    built([compiler, "-std=c++11", *WARNINGS, "-fsyntax-only", "-x", "c++", "all.c"], written.folder)


def test_the_table_has_every_layer():
    there = {type(layer) for layer, _ in [*ROWS, *WHOLE]}
    assert there == set(WRITERS)
    of_texts = {layers.StringLookup, layers.TextVectorization, layers.Hashing, layers.HashedCrossing}
    registered = {one for one in registry.registered("layer") if one.__module__.startswith("multilayer.layers.")}
    assert registered - there == {*of_texts, layers.InputLayer, layers.Lambda}


def test_no_more_than_a_few_functions_of_the_library_are_called(written):
    text = "".join(path.read_text() for path in written.folder.glob("m*.c") if not path.stem.endswith("_test"))
    called = set(re.findall(r"(\w+)\(", text)) - {"for", "if", "while", "sizeof", "defined", "pgm_read_float"}
    outside = {one for one in called if not re.match(r"[mM]\d+_", one) and not one.startswith("pgm_")}
    assert outside <= {"expf", "logf", "sqrtf", "tanhf"}, outside
    assert "malloc" not in text


# --- The test that is written beside it ---


@pytest.mark.parametrize(
    ("make", "flags"),
    [
        (with_branches, ("gcc", "-std=c99")),
        (of_bytes, ("clang", "-std=c99")),
        (of_words, ("g++", "-std=c++11", "-x", "c++")),
    ],
)
def test_the_program_beside_it_passes_and_fails_where_a_weight_is_another(tmp_path, make, flags):
    if shutil.which(flags[0]) is None:
        pytest.skip(f"{flags[0]} is not installed")
    model, _ = make()
    model.export(tmp_path / "net.c", verbose=False)
    build = [*flags, *WARNINGS, "net.c", "net_test.c", "-o", "net", "-lm"]
    built(build, tmp_path)
    assert b"4 samples, largest difference" in built([tmp_path / "net"], tmp_path)
    text = (tmp_path / "net.c").read_text()
    (tmp_path / "net.c").write_text(re.sub(r"(kernel\[\d+\] = \{\n +)[^,]+,", r"\g<1>9.0f,", text))
    built(build, tmp_path)
    failed = subprocess.run([tmp_path / "net"], capture_output=True, check=False)
    assert failed.returncode == 1
    assert b"FAILED" in failed.stdout


@needs("gcc")
def test_samples_of_ones_own_are_compared(tmp_path):
    model, xs = of_bytes()
    model.export(tmp_path / "net.c", verbose=False, examples=xs[0])
    built(["gcc", "-std=c99", *WARNINGS, "net.c", "net_test.c", "-o", "net", "-lm"], tmp_path)
    assert b"5 samples" in built([tmp_path / "net"], tmp_path)
    with pytest.raises(ValueError, match=r"samples of shapes \(3, 3\), at least one. Received: \(5, 9\)"):
        model.export(tmp_path / "net.c", examples=xs[0].reshape(5, 9))
    for given in ({"item": X}, [X], 3):
        with pytest.raises(ValueError, match="`examples` must be a list of 2 arrays, .* names: item, items. Received"):
            with_branches()[0].export(tmp_path / "net.c", examples=given)


@needs("gcc")
def test_a_whole_number_that_there_is_not_is_an_error_and_reads_nothing(tmp_path):
    keras.Sequential([Input((1,)), layers.Embedding(9, 2)]).export(tmp_path / "net.c", verbose=False)
    given = ["9", "-1", "NAN", "1e30f", "-INFINITY", "-0.9f", "8.9f"]
    (tmp_path / "main.c").write_text(
        f"""
        #include <math.h>
        #include <stdio.h>
        #include "net.h"
        int main(void)
        {{
            const float given[] = {{{", ".join(given)}}};
            float y[NET_OUTPUT_SIZE], work[NET_WORK_SIZE];
            for (int i = 0; i < {len(given)}; i++) {{
                printf("%d", net_predict(given + i, y, work));
            }}
            return 0;
        }}
        """
    )
    built([*COMPILERS["sanitizers"], "net.c", "main.c", "-o", "net", "-lm"], tmp_path)
    assert built([tmp_path / "net"], tmp_path) == b"1111100"  # what lies between is cut off, as the model does


# --- Memory ---


def test_memory_is_used_again_and_small_steps_write_over_their_input():
    sides = [64, 32, 64, 16, 8]
    model = keras.Sequential([Input((10,)), *(Dense(side, "relu") for side in sides), layers.LayerNormalization()])
    text = written_text(model)
    assert "WORK_SIZE 96" in text  # 64 and 32 at once, as the last layer goes straight to the output
    assert "work 384, inputs 40, outputs 32" in text


def written_text(model, tmp_path=None, **options):
    import tempfile
    from pathlib import Path

    with tempfile.TemporaryDirectory() as folder:
        model.export(Path(folder) / "net.c", verbose=False, **options)
        return "".join((Path(folder) / name).read_text() for name in ("net.h", "net.c"))


def test_constants_that_are_alike_or_alone_are_numbers():
    model = keras.Sequential([Input((6,)), layers.Rescaling(0.5), layers.BatchNormalization(), Dense(4)])
    text = written_text(model)
    assert "flash: 96 bytes of constants" in text  # the kernel alone: zeros as a bias are left out
    assert "v * 0.5f + 0.0f" in text


def test_loops_are_merged_where_neighbours_lie_together():
    assert nest([2, 3, 4], [[12, 4, 1], [0, 4, 1]]).places == ["12u * i + j", "j"]
    assert nest([1, 1], [[1, 1]]).heads == []


# --- Names ---


def test_no_name_breaks_out(tmp_path):
    a = Input((2,), name="int")
    hostile = Dense(2, name="x * #error \\ ??' \" é", use_bias=False)(a)
    model = keras.Model(a, [hostile, Dense(2, name="x-1")(hostile), Dense(2, name="x 1")(hostile)], name="a* ??")
    model.export(tmp_path / "1 my-Net.c", verbose=False)
    text = (tmp_path / "1 my-Net.c").read_text()
    assert text.isascii()
    assert "net_1_my_net_predict" in text
    assert "net_1_my_net_x_1_kernel[4]" in text
    assert "net_1_my_net_x_1_kernel_2[4]" in text
    assert "#error" not in text
    assert '"' not in text.replace('"1 my-Net.h"', "")
    if shutil.which("gcc"):
        built(["gcc", "-std=c99", "-trigraphs", *WARNINGS, "1 my-Net.c", "1 my-Net_test.c", "-o", "net"], tmp_path)
        built([tmp_path / "net"], tmp_path)


@pytest.mark.parametrize("name", ['a"b.c', "a\\b.c", "a\nb.c", "a?b.c"])
def test_a_file_that_cannot_be_included_is_refused(tmp_path, name):
    with pytest.raises(ValueError, match="The file is included by its name"):
        keras.Sequential([Input((2,)), Dense(1)]).export(tmp_path / name)
    assert list(tmp_path.iterdir()) == []


@needs("gcc")
def test_names_of_inputs_are_those_of_nothing_else(tmp_path):
    """The samples of an input `x` were called `input_xs`, as another input may be."""
    names = ("x", "xs", "i", "work", "int", "expected_x", "given_x")
    inputs = [Input((1,), name=name) for name in names]
    sums = [layers.Dense(1, name=f"sum_of_{name}")(layers.Concatenate()(inputs)) for name in names[:2]]
    keras.Model(inputs, sums).export(tmp_path / "net.c", verbose=False)
    built(["gcc", "-std=c99", *WARNINGS, "net.c", "net_test.c", "-o", "net", "-lm"], tmp_path)


@needs("gcc")
def test_a_file_may_have_letters_of_any_language(tmp_path):
    keras.Sequential([Input((2,)), Dense(1)]).export(tmp_path / "숫자 é.c", verbose=False)
    built(["gcc", "-std=c99", *WARNINGS, "숫자 é.c", "숫자 é_test.c", "-o", "net", "-lm"], tmp_path)
    built([tmp_path / "net"], tmp_path)


@pytest.mark.parametrize("name", ["2net", "_net", "a b", "net*/", "", 3, "n" * 32])
def test_a_prefix_that_is_no_identifier_is_refused(tmp_path, name):
    with pytest.raises(ValueError, match="`name` is what all names in the C file begin with"):
        keras.Sequential([Input((2,)), Dense(1)]).export(tmp_path / "net.c", name=name)
    assert list(tmp_path.iterdir()) == []


# --- Budgets and refusals ---


def test_the_budget_is_printed_and_returned(tmp_path, capsys):
    model = keras.Sequential([Input((4,)), Dense(3, "softmax")])
    model.get_layer(index=0).bias.assign([1, 2, 3])
    model.export(tmp_path / "net.c")
    said = capsys.readouterr().out
    assert "flash: 60 bytes of constants, and about" in said
    assert "RAM: 32 bytes (work 4, inputs 16, outputs 12)\nmultiplications: 12 a sample" in said
    assert said.splitlines()[0] in (tmp_path / "net.c").read_text()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"flash": 100}, r"takes \d+ bytes of flash \(60 of constants, about \d+ of code\), and `flash` allows 100"),
        ({"ram": 31}, r"takes 32 bytes of RAM \(work 4, inputs 16, outputs 12\), and `ram` allows 31"),
        ({"ram": 0}, "`ram` is a number of bytes, at least 1, or None"),
        ({"dtype": "int3"}, "has no option|dtype"),
    ],
)
def test_a_budget_that_is_exceeded_is_refused(tmp_path, options, message):
    model = keras.Sequential([Input((4,)), Dense(3, "softmax", bias_initializer="random_normal")])
    with pytest.raises(ValueError, match=message):
        model.export(tmp_path / "net.c", **options)
    assert list(tmp_path.iterdir()) == []
    model.export(tmp_path / "net.c", verbose=False, flash=1000, ram=32)


def test_whole_numbers_of_64_bits_are_not_for_avr(tmp_path):
    model = keras.Sequential([Input((1,), dtype="int64"), layers.IntegerLookup(vocabulary=[2**40])])
    with pytest.raises(ValueError, match="more than 32 bits"):
        model.export(tmp_path / "net.c", progmem=True)


def test_a_table_that_avr_has_no_array_for_is_refused(tmp_path):
    with pytest.raises(ValueError, match="has 40,000 bytes of kernel, .* AVR's compiler has 32,767 at most"):
        keras.Sequential([Input((100,)), Dense(100)]).export(tmp_path / "net.c", progmem=True)


def test_a_model_that_predicts_nothing_to_compare_is_refused(tmp_path):
    model = keras.Sequential([Input((1,), dtype="int32"), layers.IntegerLookup(vocabulary=[77], num_oov_indices=0)])
    with pytest.raises(ValueError, match="Give `examples`"):
        model.export(tmp_path / "net.c")
    model.export(tmp_path / "net.c", examples=[[77]], verbose=False)


def test_a_disk_error_leaves_the_old_file(tmp_path, monkeypatch):
    (tmp_path / "net.c").write_bytes(b"old")

    def failing(*args):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", failing)
    with pytest.raises(OSError, match="what was there is as it was"):
        keras.Sequential([Input((6,)), Dense(1)]).export(tmp_path / "net.c")
    assert (tmp_path / "net.c").read_bytes() == b"old"
