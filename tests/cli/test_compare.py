"""`multilayer compare`: a network for every combination of settings."""

import csv
import math
import signal

import pytest
from PIL import Image

from helpers import commands, tasks
from multilayer._system import calls
from multilayer.callbacks import LayerHistory
from multilayer.cli import comparison_results, comparison_runs, grid
from multilayer.cli.multi_value import join_values, parse_values

SMALL = ["--data", "synthetic_digits", "--samples", "600", "--epochs", "2", "--jobs", "1"]


def call(*arguments, code=0):
    """Runs the command in this process and returns what it printed, in one line."""
    return " ".join(printed.in_a_line() for printed in commands.call("compare", *arguments, code=code))


def table(folder, name=comparison_results.RESULTS):
    with (folder / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


# --- Several values to an option ---


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (["--a", "x", "y", "z"], ["--a=x,y,z"]),
        (["--a", "x,y", "z,"], ["--a=x,y,z"]),
        (["--a=x", "y", "--b", "1"], ["--a=x,y", "--b=1"]),
        (["--a", "x", "--b", "1", "--a", "y"], ["--a=x,y", "--b=1"]),
        (["--rate", "0.1", "-1"], ["--rate=0.1,-1"]),
        (["stray", "--help"], ["stray", "--help"]),
        (["--a"], ["--a"]),
        ([], []),
        (["--out", "x,", "--a", "1", "2"], ["--out", "x,", "--a=1,2"]),
        (["--out", "x", "--out=y", "z"], ["--out", "x", "--out=y", "z"]),
    ],
)
def test_what_follows_an_option_of_several_values_belongs_to_it(given, expected):
    assert join_values(given, {"--a", "--b", "--rate"}) == expected


def test_an_option_of_one_value_takes_no_second(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    _, error = commands.call("compare", "--output", "one", "two", code=2)
    assert "unexpected extra argument" in error
    assert list(tmp_path.iterdir()) == []


def test_values_are_read_once_each_in_the_order_given():
    assert parse_values("8, 2,8 1", int) == [8, 2, 1]
    with pytest.raises(ValueError, match="at least one value"):
        parse_values(" , ", int)


# --- The grid ---


def test_cells_are_named_after_what_differs():
    trials = grid.grid({"activation": ["relu"], "learning_rate": [0.1, 0.01], "layers": [1, 8], "dropout": [0.0]})
    assert [trial.name for trial in trials] == [
        "learning rate 0.1, 1 layer",
        "learning rate 0.1, 8 layers",
        "learning rate 0.01, 1 layer",
        "learning rate 0.01, 8 layers",
    ]
    assert [trial.name for trial in grid.grid({"activation": ["relu"], "layers": [1]})] == ["relu"]


def test_settings_make_the_network():
    settings = {
        "activation": "tanh", "initializer": "he_normal", "optimizer": "sgd", "learning_rate": 0.5, "layers": 3,
        "width": 7, "batch_size": 16, "dropout": 0.2,
    }  # fmt: skip
    model = grid.network(settings)
    kinds = [type(layer).__name__ for layer in model.layers]
    assert kinds == ["Dense", "Dropout"] * 3 + ["Dense"]
    assert [layer.units for layer in model.layers[::2]] == [7, 7, 7, 10]
    assert model.layers[0].activation.name == "tanh"
    assert type(model.layers[0].kernel_initializer).__name__ == "HeNormal"
    assert float(model.optimizer.learning_rate) == 0.5


# --- The command ---


@pytest.fixture(scope="module")
def compared(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "activations"
    printed = call(*SMALL, "--activation", "sigmoid", "tanh", "relu", "--layers", "8", "--output", folder)
    return folder, printed


def test_it_leaves_a_picture_and_tables(compared):
    folder, printed = compared
    assert {path.name for path in folder.iterdir()} == {"comparison.png", "results.csv", "curves.csv"}
    with Image.open(folder / "comparison.png") as image:
        image.verify()
    assert f"The comparison is in {folder}:" in printed
    for line in ("1/3 sigmoid test accuracy", "2/3 tanh test accuracy", "3/3 relu test accuracy"):
        assert line in printed


def test_the_results_have_a_row_for_each_network(compared):
    rows = table(compared[0])
    assert [row["activation"] for row in rows] == ["sigmoid", "tanh", "relu"]
    for row in rows:
        assert (row["layers"], row["width"], row["epochs"], row["status"]) == ("8", "50", "2", "ok")
        assert 0 <= float(row["test_accuracy"]) <= float(row["best_test_accuracy"]) <= 1
    assert len(table(compared[0], comparison_results.CURVES)) == 3 * 2


def test_the_gradient_vanishes_in_the_first_of_eight_sigmoid_layers(compared):
    shares = {
        row["activation"]: float(row["gradient_first_layer"]) / float(row["gradient_last_layer"])
        for row in table(compared[0])
    }
    assert shares["sigmoid"] < 1e-4
    assert shares["tanh"] > 0.05
    assert shares["relu"] > 0.05


def test_the_same_seed_gives_the_same_results(compared, tmp_path):
    call(*SMALL, "--activation", "relu", "--layers", "8", "--output", tmp_path / "again")
    (again,), before = table(tmp_path / "again"), table(compared[0])[2]
    for name in set(again) - {"seconds"}:
        assert again[name] == before[name], name


def test_a_network_that_fails_or_blows_up_is_reported_and_the_others_go_on(tmp_path):
    settings = ["--activation", "glu", "relu", "--width", "51", "--optimizer", "sgd", "--learning-rate", "0.1,1e38"]
    printed = call(*SMALL, *settings, "--output", tmp_path / "run")
    statuses = [row["status"] for row in table(tmp_path / "run")]
    assert statuses[0].startswith("failed: 'glu' halves the last axis")
    assert statuses[2:] == ["ok", "diverged in epoch 1"]
    assert "4/4 relu, learning rate 1e+38 diverged in epoch 1" in printed
    assert (tmp_path / "run" / "comparison.png").exists()


def test_where_all_fail_there_are_tables_and_no_picture(tmp_path):
    printed = call(*SMALL, "--activation", "glu", "--width", "51", "--output", tmp_path / "run")
    assert {path.name for path in (tmp_path / "run").iterdir()} == {"results.csv", "curves.csv"}
    assert "comparison.png" not in printed


def test_ctrl_c_keeps_what_there_is(tmp_path, monkeypatch):
    network = grid.network

    def interrupted_in_the_second_epoch(settings):
        model = network(settings)
        if settings["activation"] == "tanh":
            step, taken = model._trainer.train_step, iter(range(10**6))

            def counting(*batch):
                if next(taken) == 25:  # of 19 an epoch
                    raise KeyboardInterrupt
                step(*batch)

            model._trainer.train_step = counting
        return model

    monkeypatch.setattr(grid, "network", interrupted_in_the_second_epoch)
    call(*SMALL, "--activation", "relu", "tanh", "sigmoid", "--output", tmp_path / "run", code=130)
    rows = table(tmp_path / "run")
    assert [row["status"] for row in rows] == ["ok", "interrupted", "not run"]
    assert [row["epochs"] for row in rows] == ["2", "1", "0"]  # whole epochs alone
    assert [row["name"] for row in table(tmp_path / "run", comparison_results.CURVES)] == ["relu", "relu", "tanh"]
    assert (tmp_path / "run" / "comparison.png").exists()


def test_networks_that_are_trained_at_once_come_to_the_same(tmp_path):
    settings = [*SMALL[:-2], "--activation", "glu", "relu", "tanh", "--width", "51", "--dropout", "0.2"]
    printed = {jobs: call(*settings, "--output", tmp_path / str(jobs), "--jobs", jobs) for jobs in (1, 2)}
    one, two = (tmp_path / str(jobs) for jobs in (1, 2))
    assert (one / comparison_results.CURVES).read_bytes() == (two / comparison_results.CURVES).read_bytes()
    rows, others = ([{**row, "seconds": 0} for row in table(folder)] for folder in (one, two))
    assert rows == others
    assert rows[0]["status"].startswith("failed: 'glu' halves the last axis")
    for line in ("1/3 glu failed", "2/3 relu test accuracy", "3/3 tanh test accuracy"):
        assert line in printed[2]
    assert (two / "comparison.png").exists()


@pytest.mark.parametrize("times", [1, 2])
def test_ctrl_c_keeps_what_there_is_of_those_trained_at_once(times, tmp_path, monkeypatch):
    begun, pressed = {}, []

    def press(self, number, trial, told):
        begun[number] = told[0]
        if len(begun) == 2 and min(begun.values()) > 1 and len(pressed) < times:
            pressed.append(number)
            signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(comparison_runs._Board, "update", press)
    endless = [*SMALL[:3], "60", "--epochs", "10000000", "--jobs", "2"]
    call(*endless, "--activation", "relu", "tanh", "sigmoid", "--output", tmp_path / "run", code=130)
    rows = table(tmp_path / "run")
    assert [row["status"] for row in rows] == ["interrupted", "interrupted", "not run"]
    if times == 1:  # at the second nobody waits for what they have
        assert min(int(row["epochs"]) for row in rows[:2]) >= 1


def test_a_network_that_is_lost_with_its_process_is_reported_and_the_others_go_on(tmp_path):
    trials = [grid.Trial({}, name) for name in ("a", "die", "b")]
    exchange = calls.Exchange(tmp_path)
    found = sorted((number, trial.status) for number, trial in survivors(trials, exchange))
    assert [status for _, status in found][::2] == ["ok", "ok"]
    assert found[1][1].startswith("failed: its process was ended from outside; where that was for want of memory")


def survivors(trials, exchange):
    return comparison_runs._survivors(trials, tasks.train_or_die, exchange, jobs=2)


def test_of_many_networks_the_best_are_drawn():
    trials = []
    for number in range(20):
        accuracies = [0.0, number / 20]
        history = dict.fromkeys(("loss", "accuracy", "val_loss", "val_accuracy"), accuracies)
        record = LayerHistory()
        record.steps, record.gradients = [1], {"a": [0.1]}
        trials.append(grid.Trial({}, f"trial {number}", history, record, "ok"))
    (legend,) = comparison_results.plot(trials).legends
    assert [text.get_text() for text in legend.get_texts()] == [
        *(f"trial {number}" for number in range(8, 20)),
        "train",
    ]


def test_a_cell_that_was_not_run_has_no_figures():
    trial = grid.Trial({}, "a")
    assert math.isnan(trial.last("loss"))
    assert math.isnan(trial.gradient(0))
    assert comparison_results.plot([trial]) is None


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--activation", "sigmoid", "rleu"], "Did you mean 'relu'"),
        (["--initializer", "he"], "Invalid value for '--initializer'"),
        (["--optimizer", "lbfgs"], "'lbfgs' takes no steps on batches"),
        (["--layers", "8.5"], "'8.5': expected a whole number of at least 0"),
        (["--layers", "8", "1000000"], "1,000,000 hidden layers: expected at most 1,000"),
        (["--layers", "9" * 5000], "is beyond what can be counted"),
        (["--width", "50", "0"], "'0': expected a whole number of at least 1"),
        (["--learning-rate", "0.1", "-1"], "'-1' is no size for a step"),
        (["--learning-rate", "fast"], "'fast' is no number"),
        (["--dropout", "1"], "'1' is no share to drop"),
        (["relu"], "unexpected extra argument"),
        (["--activation"], "requires an argument"),
    ],
)
def test_what_cannot_be_compared_is_refused_before_anything_is_drawn(arguments, message):
    assert message in call(*arguments, code=2)


def test_a_folder_with_a_comparison_in_it_is_left_alone(compared):
    printed = call(*SMALL, "--output", compared[0], code=1)
    assert "already holds a comparison.png" in printed
