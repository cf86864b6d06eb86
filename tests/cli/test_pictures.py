"""`multilayer predict` on pictures."""

import re

import pytest
from PIL import Image

import multilayer as ml
from helpers.commands import call, rows
from helpers.pictures import on_canvas, text
from multilayer.datasets import synthetic_digits


@pytest.fixture(scope="module")
def digits():
    return synthetic_digits.load_data(40, 1)[0][0]


@pytest.fixture(scope="module")
def model_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("run") / "model.npz"
    ml.Sequential([ml.Input((784,)), ml.layers.Dense(10, activation="softmax")]).save(path)
    return path


def test_predict_says_what_was_done(model_file, digits, tmp_path):
    paths = [tmp_path / name for name in ("a.png", "b.png", "c.png")]
    Image.fromarray(on_canvas(digits[0])).save(paths[0])
    Image.fromarray(on_canvas(digits[1])).save(paths[1])
    Image.fromarray(text("42")).save(paths[2])
    stdout, stderr = call("predict", model_file, *paths, "--csv")
    assert [row["image"] for row in rows(stdout)] == [*map(str, paths[:2]), f"{paths[2]}[0]", f"{paths[2]}[1]"]
    assert f"{paths[0]} and 1 more: cropped to the ink, scaled into 20 x 20 pixels, centred by mass." in stderr
    assert f"{paths[2]}: 2 digits, read one by one, from left to right." in stderr
    assert call("predict", model_file, paths[0], "--as-is")[1] == ""


def test_pictures_are_left_alone_for_a_network_that_reads_no_digits(model_file, digits, tmp_path):
    (tmp_path / "model.npz").write_bytes(model_file.read_bytes())
    (tmp_path / "trained_on.json").write_text('{"data": "fashion_mnist", "samples": 60000}')
    Image.fromarray(on_canvas(digits[0])).save(tmp_path / "shirt.png")
    assert call("predict", tmp_path / "model.npz", tmp_path / "shirt.png")[1] == ""


@pytest.mark.parametrize("name", ["fifo", "device"])
def test_what_is_no_file_is_not_waited_for(name, model_file, tmp_path):
    import os

    if not hasattr(os, "mkfifo"):
        pytest.skip("there are no pipes with names here")
    path = "/dev/zero"
    if name == "fifo":
        path = tmp_path / "fifo"
        os.mkfifo(path)
    assert "is no plain file" in re.sub(r"\s+", " ", call("predict", model_file, path, code=1)[1])


def test_a_network_that_divides_pixels_itself_reads_what_another_does(digits, tmp_path):
    """Once as it was trained on x / 255, once as Keras' guides have it, with the division in the model."""
    dense = ml.layers.Dense(10, "softmax")
    plain = [ml.Input((28, 28)), ml.layers.Flatten(), dense]
    Image.fromarray(on_canvas(digits[0])).save(tmp_path / "digit.png")

    def read(layers):
        ml.Sequential(layers).save(tmp_path / "model.keras")
        said = call("predict", tmp_path / "model.keras", tmp_path / "digit.png", "--csv")[0]
        return [float(value) for value in said.splitlines()[-1].split(",")[2:]]

    expected = read(plain)
    for dtype in ("float32", "uint8"):
        scaled = [ml.Input((28, 28), dtype=dtype), ml.layers.Rescaling(1 / 255), *plain[1:]]
        assert read(scaled) == pytest.approx(expected, abs=1e-6)
