"""Run folders that strangers made: the command says in a line what is wrong, and neither hangs nor breaks off."""

import json
import os

import pytest
from typer.testing import CliRunner

import multilayer as ml
from multilayer.cli.commands import app

OPTIONS = {
    "data": "synthetic_digits",
    "samples": None,
    "hidden": "5",
    "activation": "relu",
    "optimizer": "adam",
    "learning_rate": None,
    "epochs": 1,
    "batch_size": 32,
    "seed": 1,
}


def run_json(**options):
    return json.dumps({"version": "1", "complete": False, "options": {**OPTIONS, **options}})


def refused(*arguments):
    answer = CliRunner().invoke(app, list(map(str, arguments)))
    assert answer.exit_code == 1
    assert answer.exception is None or isinstance(answer.exception, SystemExit)
    assert answer.output.startswith("Error: ")
    assert len(answer.output) < 2000
    return answer.output


@pytest.mark.parametrize(
    "text",
    [
        "[" * 200_000,
        '{"a": 1, "a": 2}',
        "[0" + ",0" * 2_000_000 + "]",
        run_json(seed=10**4000),
        run_json(hidden="9" * 4000),
        run_json(activation="relu_" * 100_000),
        run_json(data="../../etc/passwd"),
    ],
    ids=lambda text: text[-50:],
)
def test_a_run_that_is_none_is_not_gone_on_with(tmp_path, text):
    (tmp_path / "run.json").write_text(text)
    assert "does not say what the run was begun with" in refused("train", "--resume", tmp_path).replace("\n", " ")


@pytest.mark.parametrize("samples", ["1e999", "-5", "true", "1e300", '"5"', "[" * 200_000])
def test_a_note_of_data_that_is_none_is_refused(tmp_path, samples):
    model = ml.Sequential([ml.Input((784,)), ml.layers.Dense(10, "softmax")])
    model.compile("sgd", "sparse_categorical_crossentropy")
    model.save(tmp_path / "model.npz")
    (tmp_path / "trained_on.json").write_text(f'{{"data": "synthetic_digits", "samples": {samples}}}')
    assert "does not say what the network was trained on" in refused("evaluate", tmp_path / "model.npz").replace(
        "\n", " "
    )


@pytest.mark.parametrize(
    "text", ["", "epoch,loss\n1,\0", "epoch,loss\n" + "1,1\n" * 2_000_000], ids=["empty", "zero", "long"]
)
def test_a_history_that_is_none_is_not_drawn(tmp_path, text):
    (tmp_path / "history.csv").write_text(text)
    assert "is not a table of numbers" in refused("plot", tmp_path).replace("\n", " ")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes with names here")
@pytest.mark.parametrize(("name", "command"), [("run.json", ("train", "--resume")), ("history.csv", ("plot",))])
def test_a_pipe_is_not_waited_for(tmp_path, name, command):
    os.mkfifo(tmp_path / name)
    assert "no plain file" in refused(*command, tmp_path).replace("\n", " ")
