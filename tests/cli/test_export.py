"""`multilayer export`: a network as ONNX, C or Python, by the file's ending."""

import json

import numpy as np
import pytest

import multilayer as ml
from helpers.commands import SMALL, call


@pytest.fixture(scope="module")
def model_file(tmp_path_factory):
    file = tmp_path_factory.mktemp("model") / "model.npz"
    ml.Sequential([ml.layers.Input((4,)), ml.layers.Dense(3, "softmax")]).save(file)
    return file


def test_c_is_written_with_its_options_and_budget(model_file, tmp_path):
    stdout, _ = call("export", model_file, tmp_path / "net.c", "--name", "digits", "--progmem", "--ram", "32")
    assert "Written:" in stdout
    assert "flash: 48 bytes of constants" in stdout
    assert "RAM: 32 bytes (work 4, inputs 16, outputs 12)" in stdout
    assert {file.name for file in tmp_path.iterdir()} == {"net.c", "net.h", "net_test.c"}
    assert "digits_kernel" not in (tmp_path / "net.h").read_text()
    assert "int digits_predict(const float *input, float *output, float *work);" in (tmp_path / "net.h").read_text()
    assert "DIGITS_FLASH PROGMEM" in (tmp_path / "net.c").read_text()


def test_the_budget_is_plain_data_as_well(model_file, tmp_path):
    stdout, _ = call("export", model_file, tmp_path / "net.c", "--json")
    found = json.loads(stdout)
    assert found["file"] == str(tmp_path / "net.c")
    assert found["budget"]["flash"] == 48
    assert found["budget"]["multiplications"] == 12


def test_python_is_written(model_file, tmp_path):
    stdout, _ = call("export", model_file, tmp_path / "net.py")
    assert "Written:" in stdout
    assert "def predict(x):" in (tmp_path / "net.py").read_text()


def test_whole_numbers_are_calibrated_by_rows_of_a_file(model_file, tmp_path):
    np.save(tmp_path / "rows.npy", np.random.default_rng(0).normal(size=(50, 4)).astype("float32"))
    call("export", model_file, tmp_path / "net.c", "--dtype", "int8", "--calibration", tmp_path / "rows.npy")
    assert "int8_t" in (tmp_path / "net.h").read_text()
    message = call("export", model_file, tmp_path / "other.c", "--dtype", "int8", code=1)[1]
    assert "name a .npy file with rows of the input by `--calibration`" in message
    (tmp_path / "rows.npy").write_bytes(b"no array")
    (tmp_path / "empty.npy").write_bytes(b"")
    np.savez(tmp_path / "rows.npz", x=np.ones((3, 4)))
    for file in ("rows.npy", "empty.npy", "rows.npz"):
        options = ("--dtype", "int8", "--calibration", tmp_path / file)
        assert "holds no array of numbers" in call("export", model_file, tmp_path / "other.c", *options, code=1)[1]
    assert not (tmp_path / "other.c").exists()


@pytest.mark.parametrize("content", [b"", b"a,b\n1,2\n", b"PK\x03\x04", b"\x93NUMPY", "objects", "several"])
def test_a_file_that_holds_no_rows_is_no_calibration(content, model_file, tmp_path):
    rows = tmp_path / "rows.npy"
    if content == "objects":
        np.save(rows, np.array([{}], object))
    elif content == "several":
        rows = tmp_path / "rows.npz"
        np.savez(rows, np.ones((3, 4)))
    else:
        rows.write_bytes(content)
    message = call("export", model_file, tmp_path / "net.c", "--dtype", "int8", "--calibration", rows, code=1)[1]
    assert f"`--calibration` is {rows}, which holds no array of numbers. Expected a .npy file" in message
    assert not (tmp_path / "net.c").exists()


def test_without_a_file_they_are_digits_of_what_the_run_was_trained_on(tmp_path):
    call("train", *SMALL, "--output", tmp_path / "run")
    stdout, _ = call("export", tmp_path / "run", tmp_path / "net.c", "--dtype", "int8")
    assert "flash: " in stdout


@pytest.mark.parametrize(
    ("file", "options", "message"),
    [
        ("net.tflite", [], "it ends in '.onnx' for an ONNX file"),
        ("net.c", ["--dtype", "int3"], '`dtype` of a C file is "float32" or "int8"'),
        ("net.py", ["--ram", "100"], "a Python file has no option `ram`"),
        ("net.c", ["--flash", "100"], "bytes of flash"),
        ("net.c", ["--name", "2"], "`name` is what all names in the C file begin with"),
    ],
)
def test_what_does_not_fit_is_refused_and_nothing_written(model_file, tmp_path, file, options, message):
    assert message in call("export", model_file, tmp_path / file, *options, code=1)[1]
    assert list(tmp_path.iterdir()) == []
