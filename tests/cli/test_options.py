"""Options from files, results for programs, names that do something to a terminal, and what is beyond reason."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import multilayer as ml
from helpers.commands import SMALL, call

TINY = ["--data", "synthetic_digits", "--samples", "60", "--epochs", "1", "--seed", "1"]


def test_results_are_json_for_programs(tmp_path):
    stdout, stderr = call("train", *TINY, "--output", tmp_path / "run", "--json", "--quiet")
    trained = json.loads(stdout)
    assert stderr == ""
    assert (trained["run"], trained["complete"], trained["epochs"]) == (str(tmp_path / "run"), True, 1)
    tested = json.loads(call("evaluate", tmp_path / "run", "--json")[0])
    assert tested["test"] == pytest.approx(trained["test"])
    compared = json.loads(call("compare", *TINY, "--layers", "0", "1", "--output", tmp_path / "c", "--json")[0])
    assert [network["layers"] for network in compared["networks"]] == [0, 1]
    assert compared["networks"][0]["learning_rate"] is None


def test_every_result_is_json_for_programs(tmp_path):
    model = ml.Sequential([ml.Input((28, 28)), ml.layers.Flatten(), ml.layers.Dense(10, "softmax")])
    model.save(tmp_path / "model.npz")
    pixels = np.zeros((28, 28), np.uint8)
    pixels[4:24, 12:16] = 255
    Image.fromarray(pixels).save(tmp_path / "one.png")
    found = json.loads(call("predict", tmp_path / "model.npz", tmp_path / "one.png", "--json")[0])
    (image,) = found["images"]
    assert (found["model"], image["image"]) == (str(tmp_path / "model.npz"), str(tmp_path / "one.png"))
    assert image["digit"] == int(np.argmax(image["probabilities"]))
    assert sum(image["probabilities"]) == pytest.approx(1, abs=1e-6)
    both = call("predict", tmp_path / "model.npz", tmp_path / "one.png", "--json", "--csv", code=2)
    assert "--csv and --json are two forms of one result" in both[1]

    summary = json.loads(call("summary", tmp_path / "model.npz", "--json")[0])
    assert [layer["output_shape"] for layer in summary["layers"]] == [[None, 784], [None, 10]]
    assert summary["parameters"]["total"] == 7850
    assert json.loads(call("info", "--json")[0])["versions"]["numpy"] == np.__version__

    (tmp_path / "history.csv").write_text("epoch,loss,accuracy\n0,1.5,0.5\n1,0.5,0.75\n")
    plots = json.loads(call("plot", tmp_path, "--json")[0])["plots"]
    assert plots
    assert all(Path(path).exists() for path in plots)


def test_a_file_gives_options_and_the_command_line_comes_first(tmp_path):
    (tmp_path / "options.json").write_text('{"data": "synthetic_digits", "samples": 60, "hidden": [7, 5], "epochs": 9}')
    arguments = ["--options", tmp_path / "options.json", "--epochs", "1", "--output", tmp_path / "run", "--json"]
    options = json.loads(call("train", *arguments)[0])["options"]
    assert (options["hidden"], options["epochs"], options["samples"]) == ("7,5", 1, 60)
    again = ["--options", tmp_path / "run" / "run.json", "--output", tmp_path / "again", "--json"]
    assert json.loads(call("train", *again)[0])["options"] == options


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"hiden": 5}', "Unknown option: 'hiden'. Did you mean 'hidden'?"),
        ('{"epochs": 2.5}', "Invalid value for '--epochs'"),
        ('{"epochs": {}}', "expected text, a number, or a list of these"),
        ('{"quiet": 1}', "expected true or false"),
        ("[]", "expected options with their values"),
        ("{", "Invalid value for '--options'"),
    ],
)
def test_a_file_of_other_options_is_a_usage_error(text, message, tmp_path):
    (tmp_path / "options.json").write_text(text)
    assert message in call("train", "--options", tmp_path / "options.json", code=2)[1]


@pytest.mark.parametrize("option", ["--epochs", "--samples", "--batch-size"])
def test_numbers_beyond_reason_are_usage_errors(option):
    assert f"Invalid value for '{option}'" in call("train", option, 10**30, code=2)[1]


@pytest.mark.parametrize("name", ["a" * 300, "x/" + "a" * 300, "a/" * 2100 + "a"])
def test_folders_that_cannot_be_named_so_are_refused_and_nothing_is_left(name, tmp_path):
    _, stderr = call("train", *SMALL, "--output", f"{tmp_path}/{name}", code=1)
    assert "Cannot write to the run folder" in stderr
    assert len(stderr) < 600
    assert list(tmp_path.iterdir()) == []


def test_names_in_files_do_nothing_to_a_terminal(tmp_path):
    model = ml.Sequential([ml.Input((784,)), ml.layers.Dense(10, activation="softmax")])
    metric = ml.metrics.SparseCategoricalAccuracy()
    metric.name = "acc\x1b[2J\ntest_loss: 0"
    model.compile("sgd", "sparse_categorical_crossentropy", metrics=[metric])
    model.save(tmp_path / "model.npz")
    stdout, stderr = call("evaluate", tmp_path / "model.npz", *TINY[:4], code=1)
    assert stdout == ""
    assert "must be of letters that can be printed" in stderr
    assert "\x1b" not in stderr


def test_help_is_printed_whatever_kernels_are_asked_for():
    def answer(*arguments):
        command = [sys.executable, "-m", "multilayer", *arguments]
        environment = {**os.environ, "MULTILAYER_KERNELS": "nonsense"}
        return subprocess.run(command, capture_output=True, text=True, env=environment, timeout=60, check=False)

    assert answer("train", "--help").returncode == 0
    refused = answer("info")
    assert refused.returncode == 1
    assert "Error: MULTILAYER_KERNELS='nonsense' asks for kernels that cannot be used here." in refused.stderr
    assert "Traceback" not in refused.stderr


@pytest.mark.skipif(sys.version_info < (3, 11), reason="there is no reader of TOML")
def test_a_file_of_options_nested_without_end_is_refused(tmp_path):
    path = tmp_path / "o.toml"
    path.write_text("a = " + "[" * 5000)
    assert "nested too deep" in call("train", "--options", path, code=2)[1]
