"""The command line: most of it called in this process, and what needs one of its own in a subprocess."""

import gzip
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import multilayer as ml
from helpers.commands import FILES, SMALL, call, rows, start
from multilayer import cli
from multilayer.datasets import DatasetUnavailableError, synthetic_digits


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """The folder of a small run, what it printed, and what it told on the way."""
    folder = tmp_path_factory.mktemp("runs") / "small"
    return folder, *call("train", *SMALL, "--output", folder)


@pytest.fixture(scope="module")
def model_file(run):
    return run[0] / "model.npz"


@pytest.fixture
def digit(tmp_path):
    """A digit as a PNG file: light ink on dark, as the networks learn it."""
    (images, _), _ = synthetic_digits.load_data(1, 1)
    path = tmp_path / "digit.png"
    Image.fromarray(images[0]).save(path)
    return path


def write_idx(path, array):
    header = bytes([0, 0, 8, array.ndim]) + b"".join(side.to_bytes(4, "big") for side in array.shape)
    path.write_bytes(header + array.astype(np.uint8).tobytes())
    return path


# --- train ---


def test_train_leaves_a_run(run):
    folder, stdout, _ = run
    assert {path.name for path in folder.iterdir()} == FILES
    assert f"The run is in {folder}:" in stdout
    assert all(f"  {name}" in stdout.splitlines() or name in stdout for name in FILES)
    for name in FILES:
        if name.endswith(".png"):
            with Image.open(folder / name) as image:
                image.verify()


def test_train_prints_summary_epochs_and_test_result(run):
    _, stdout, stderr = run
    assert stderr.startswith("Drawing 700 digits\n")
    assert "Data: synthetic_digits, 600 digits to train on, 100 to test with" in stderr
    assert 'Model: "sequential' in stderr
    assert "39,760" in stderr
    stamp = r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d[+-]\d\d:\d\d  "  # this is no terminal, and somebody reads it later
    assert re.findall(stamp + r"(Epoch \d/\d)$", stderr, re.MULTILINE) == ["Epoch 1/2", "Epoch 2/2"]
    assert len(re.findall(stamp + "19/19 - ", stderr, re.MULTILINE)) == 2  # a line an epoch, and no bar
    assert re.search(r"^test_loss: \d\.\d{4}\ntest_accuracy: \d\.\d{4}$", stdout, re.MULTILINE)


def test_history_has_a_row_for_each_epoch(run):
    folder, stdout, _ = run
    history = rows((folder / "history.csv").read_text())
    assert list(history[0]) == ["epoch", "accuracy", "loss", "val_accuracy", "val_loss"]
    assert [row["epoch"] for row in history] == ["1", "2"]
    assert f"test_loss: {float(history[-1]['val_loss']):.4f}" in stdout


def test_the_same_seed_trains_the_same_network(run, tmp_path):
    call("train", *SMALL, "--output", tmp_path / "again")
    first, again = (ml.models.load_model(folder / "model.npz") for folder in (run[0], tmp_path / "again"))
    assert all(np.array_equal(a, b) for a, b in zip(first.get_weights(), again.get_weights(), strict=True))


def test_options_shape_the_network(tmp_path):
    options = ["--hidden", "12,7", "--activation", "relu", "--optimizer", "sgd", "--learning-rate", "0.5"]
    _, stderr = call("train", *SMALL, *options, "--batch-size", "100", "--output", tmp_path / "run")
    assert "6/6 - " in stderr
    model = ml.models.load_model(tmp_path / "run" / "model.npz")
    assert [layer.units for layer in model.layers] == [12, 7, 10]
    assert [layer.activation.name for layer in model.layers] == ["relu", "relu", "softmax"]
    assert isinstance(model.optimizer, ml.optimizers.SGD)
    assert model.optimizer.learning_rate == 0.5


def test_the_default_is_the_tutorials_network(monkeypatch, tmp_path):
    asked = {}

    def fit(self, x, y, **arguments):
        asked.update(arguments, model=self)
        raise KeyboardInterrupt

    monkeypatch.setattr(ml.Sequential, "fit", fit)
    monkeypatch.setattr(ml.datasets.mnist, "load_data", lambda: synthetic_digits.load_data(10, 10))
    monkeypatch.chdir(tmp_path)
    _, stderr = call("train", code=130)
    assert "Data: mnist" in stderr
    assert (asked["epochs"], asked["batch_size"]) == (10, 32)
    model = asked["model"]
    assert model.input_shape == (None, 784)
    assert [(layer.units, layer.activation.name) for layer in model.layers] == [(50, "sigmoid"), (10, "softmax")]
    assert isinstance(model.optimizer, ml.optimizers.Adam)
    assert model.optimizer.learning_rate == 0.001


def test_runs_of_the_same_second_get_folders_of_their_own(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    for _ in range(2):
        call("train", "--data", "synthetic_digits", "--samples", "6", "--epochs", "1")
    folders = list((tmp_path / "runs").iterdir())
    assert len(folders) == 2
    assert all(re.match(r"\d{4}-\d\d-\d\d_\d\d-\d\d-\d\d", folder.name) for folder in folders)


def test_runs_that_is_no_folder_is_found_before_the_training(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "runs").write_text("in the way")
    _, stderr = call("train", *SMALL, code=1)
    assert "Cannot write to the run folder runs" in stderr


# --- Bad options ---


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--data", "mnst"], "Unknown data set: 'mnst'. Did you mean 'mnist'?"),
        (["--hidden", "0"], "'0' are no layer sizes"),
        (["--hidden", "50,-3"], "'50,-3' are no layer sizes"),
        (["--hidden", "fifty"], "'fifty' are no layer sizes"),
        (["--hidden", ""], "'' are no layer sizes"),
        (["--hidden", "5," * 1000 + "5"], "1,001 hidden layers: expected at most 1,000"),
        (["--activation", "sigmoyd"], "Did you mean 'sigmoid'?"),
        (["--optimizer", "adm"], "Did you mean 'adam'?"),
        (["--learning-rate", "0"], "expected a number greater than 0"),
        (["--learning-rate", "nan"], "expected a number greater than 0"),
        (["--learning-rate", "inf"], "expected a number greater than 0"),
        (["--epochs", "0"], "Invalid value for '--epochs'"),
        (["--batch-size", "0"], "Invalid value for '--batch-size'"),
        (["--seed", "-1"], "Invalid value for '--seed'"),
        (["--samples", "0"], "Invalid value for '--samples'"),
        (["--epoch", "3"], "No such option"),
    ],
)
def test_a_bad_option_is_a_usage_error_before_anything_is_loaded(options, message, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(ml.datasets.mnist, "load_data", lambda: pytest.fail("loaded"))
    _, stderr = call("train", *options, code=2)
    assert message in stderr
    assert list(tmp_path.iterdir()) == []


def test_more_samples_than_there_are_digits_are_refused(monkeypatch, tmp_path):
    monkeypatch.setattr(ml.datasets.mnist, "load_data", lambda: synthetic_digits.load_data(10, 10))
    _, stderr = call("train", "--samples", "11", "--output", tmp_path / "run", code=1)
    assert "mnist has 10 training digits; --samples asks for 11." in stderr
    assert not (tmp_path / "run").exists()


# --- The run folder ---


@pytest.mark.parametrize("below", ["", "run"])
def test_a_folder_that_cannot_be_written_to_is_found_before_the_training(below, monkeypatch, tmp_path):
    monkeypatch.setattr(synthetic_digits, "load_data", lambda *_: pytest.fail("loaded"))
    file = tmp_path / "file"
    file.write_text("in the way")
    _, stderr = call("train", *SMALL, "--output", file / below, code=1)
    assert f"Cannot write to the run folder {file / below}" in stderr
    assert "--output" in stderr
    assert file.read_text() == "in the way"


def test_an_earlier_run_is_not_overwritten(run):
    folder, *_ = run
    before = (folder / "model.npz").read_bytes()
    _, stderr = call("train", *SMALL, "--output", folder, code=1)
    assert "already holds a model.npz" in stderr
    assert (folder / "model.npz").read_bytes() == before


def test_an_existing_folder_keeps_its_other_files(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    call("train", "--data", "synthetic_digits", "--samples", "6", "--epochs", "1", "--output", tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == FILES | {"notes.txt"}


def test_a_run_that_cannot_be_saved_says_so(monkeypatch, tmp_path):
    def save(self, path):
        raise OSError(28, "No space left on device", str(path))

    monkeypatch.setattr(ml.Sequential, "save", save)
    _, stderr = call("train", *SMALL, "--output", tmp_path / "run", code=1)
    assert f"Cannot save the run (once that is mended, go on with --resume {tmp_path / 'run'}):" in stderr
    assert "No space left on device" in stderr


def test_a_network_that_does_not_fit_into_memory_says_so(monkeypatch, tmp_path):
    def fit(self, *_, **__):
        raise MemoryError("Unable to allocate 1. TiB")

    monkeypatch.setattr(ml.Sequential, "fit", fit)
    _, stderr = call("train", *SMALL, "--output", tmp_path / "run", code=1)
    assert "does not fit into memory: Unable to allocate 1. TiB" in stderr
    _, stderr = call("train", *SMALL, "--hidden", "1000000,1000000", "--output", tmp_path / "other", code=1)
    assert "its 1,000,796,000,010 weights need about 14,913 GiB to be trained" in stderr
    assert not (tmp_path / "other").exists()


# --- Without MNIST ---


@pytest.fixture
def without_mnist(monkeypatch):
    def load_data():
        raise DatasetUnavailableError("MNIST is not in the cache,\nand no mirror answered.")

    monkeypatch.setattr(ml.datasets.mnist, "load_data", load_data)


def test_without_mnist_it_says_so_in_one_line_and_takes_synthetic_digits(without_mnist, tmp_path):
    _, stderr = call("train", "--samples", "60", "--epochs", "1", "--output", tmp_path / "run")
    assert stderr.startswith("Note: MNIST is neither here nor reachable")
    assert "Data: synthetic_digits" in stderr
    _, stderr = call("train", "--samples", "60", "--epochs", "1", "--quiet", "--output", tmp_path / "quiet")
    assert stderr.count("\n") == 1


@pytest.mark.parametrize("command", ["train", "evaluate"])
def test_data_that_was_insisted_on_fails_clearly(command, without_mnist, model_file, tmp_path):
    arguments = ["--output", tmp_path / "run"] if command == "train" else [model_file]
    stdout, stderr = call(command, *arguments, "--data", "mnist", code=1)
    assert stderr == "Error: MNIST is not in the cache,\nand no mirror answered.\n"
    assert stdout == ""
    assert not (tmp_path / "run").exists()


def test_broken_data_is_no_reason_for_other_data(monkeypatch, tmp_path):
    def load_data():
        raise ml.datasets.DatasetCorruptError("train-images-idx3-ubyte.gz is truncated.")

    monkeypatch.setattr(ml.datasets.mnist, "load_data", load_data)
    _, stderr = call("train", "--output", tmp_path / "run", code=1)
    assert stderr == "Error: train-images-idx3-ubyte.gz is truncated.\n"


# --- Terminals ---


def test_an_ascii_terminal_is_no_obstacle(tmp_path):
    env = {"LANG": "C", "LC_ALL": "C", "PYTHONIOENCODING": "ascii"}
    process = start("train", *SMALL, "--output", tmp_path / "ünïcödé", env=env)
    stdout, stderr = process.communicate(timeout=60)
    assert process.returncode == 0, stderr
    assert (stdout + stderr).isascii()
    assert "Layer (type)" in stderr


GOES_ON = "nothing more is printed, the work goes on.\n"


def test_a_reader_that_goes_away_does_not_end_the_training(tmp_path):
    process = start("train", *SMALL, "--output", tmp_path / "run")
    process.stdout.close()
    assert process.stderr.read().endswith(f"Note: Broken pipe: {GOES_ON}")
    process.stderr.close()
    assert process.wait(timeout=60) == 0
    assert {path.name for path in (tmp_path / "run").iterdir()} == FILES


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
@pytest.mark.parametrize("streams", ["stdout", "both"])
def test_a_full_disk_does_not_end_the_training(streams, tmp_path):
    command = [sys.executable, "-m", "multilayer", "train", *SMALL, "--output", tmp_path / "run"]
    with Path("/dev/full").open("w") as full:
        stderr = subprocess.PIPE if streams == "stdout" else full
        done = subprocess.run(command, stdout=full, stderr=stderr, text=True, timeout=60, check=False)
    assert done.returncode == 0
    assert streams == "both" or done.stderr.endswith(f"Note: No space left on device: {GOES_ON}")
    assert {path.name for path in (tmp_path / "run").iterdir()} == FILES


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_result_that_cannot_be_printed_is_a_failure(model_file):
    command = [sys.executable, "-m", "multilayer", "summary", model_file]
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (1, "Error: Cannot print: No space left on device\n")


def test_a_result_that_nobody_reads_ends_the_command_quietly(model_file):
    process = start("summary", model_file)
    process.stdout.close()
    assert process.stderr.read() == ""
    process.stderr.close()
    assert process.wait(timeout=60) == 1


@pytest.mark.skipif(sys.platform == "win32", reason="needs a POSIX shell")
def test_a_closed_output_is_no_obstacle(tmp_path):
    command = [sys.executable, "-m", "multilayer", "train", *SMALL, "--output", tmp_path / "run"]
    subprocess.run(["sh", "-c", '"$@" >&- 2>&-', "sh", *command], check=True, timeout=60)
    assert {path.name for path in (tmp_path / "run").iterdir()} == FILES


def test_without_display_home_or_mnist_the_first_command_trains(tmp_path):
    env = {name: str(tmp_path / "nothing") for name in ("MULTILAYER_DATASETS", "MULTILAYER_HOME", "KERAS_HOME", "HOME")}
    env |= dict.fromkeys(("HTTPS_PROXY", "HTTP_PROXY"), "http://127.0.0.1:9")  # where nobody answers
    env |= {"DISPLAY": "", "MPLBACKEND": "tkagg"}
    process = start("train", "--samples", "60", "--epochs", "1", cwd=tmp_path, env=env)
    stdout, stderr = process.communicate(timeout=60)
    assert process.returncode == 0, stderr
    assert "Note: MNIST is neither here nor reachable" in stderr
    (folder,) = (tmp_path / "runs").iterdir()
    assert f"The run is in {folder.relative_to(tmp_path)}:" in stdout


@pytest.mark.parametrize("package", ["typer", "rich", "matplotlib"])
def test_a_missing_package_is_named(package, monkeypatch, tmp_path, capsys):
    monkeypatch.setitem(sys.modules, package, None)
    for name in [name for name in sys.modules if name.startswith(("multilayer.cli.", f"{package}."))]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(sys, "argv", ["multilayer", "train", *SMALL, "--output", str(tmp_path / "run")])
    with pytest.raises(SystemExit) as stop:
        cli.main()
    assert f"needs {package}. Try: pip install" in str(stop.value)
    assert not (tmp_path / "run").exists()


def test_missing_pillow_is_named_as_it_is_installed(model_file, digit, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "PIL", None)
    monkeypatch.setattr(sys, "argv", ["multilayer", "predict", str(model_file), str(digit)])
    with pytest.raises(SystemExit) as stop:
        cli.main()
    assert str(stop.value) == (
        "multilayer: the command line needs pillow. Try: pip install typer rich matplotlib pillow"
    )


# --- evaluate ---


def test_evaluate_repeats_the_test_result(run, model_file):
    folder, trained, _ = run
    stdout, stderr = call("evaluate", model_file)
    assert "Data: synthetic_digits, 100 digits" in stderr
    assert call("evaluate", folder)[0] == stdout
    assert stdout.splitlines() == [line for line in trained.splitlines() if line.startswith("test_")]


def test_evaluate_takes_what_it_is_told(model_file, monkeypatch):
    monkeypatch.setattr(ml.datasets.mnist, "load_data", lambda: synthetic_digits.load_data(60, 10))
    assert "Data: mnist, 10 digits" in call("evaluate", model_file, "--data", "mnist")[1]
    assert "Data: synthetic_digits, 5 digits" in call("evaluate", model_file, "--samples", "30")[1]


def test_evaluate_takes_mnist_where_there_is_a_model_and_no_run(model_file, tmp_path, monkeypatch):
    monkeypatch.setattr(ml.datasets.mnist, "load_data", lambda: synthetic_digits.load_data(60, 10))
    alone = tmp_path / "model.npz"
    alone.write_bytes(model_file.read_bytes())
    assert "Data: mnist, 10 digits" in call("evaluate", alone)[1]


@pytest.mark.parametrize(
    "content", ["", "[]", "{}", '{"data": "mnst", "samples": 1}', '{"data": "mnist", "samples": null}']
)
def test_evaluate_refuses_a_run_that_does_not_say_what_it_was_trained_on(content, model_file, tmp_path):
    (tmp_path / "model.npz").write_bytes(model_file.read_bytes())
    (tmp_path / "trained_on.json").write_text(content)
    _, stderr = call("evaluate", tmp_path / "model.npz", code=1)
    assert "trained_on.json does not say what the network was trained on" in stderr
    assert "Pass --data." in stderr


def test_evaluate_refuses_a_network_for_something_else(tmp_path):
    model = ml.Sequential([ml.Input((30,)), ml.layers.Dense(1)])
    model.compile(loss="mse")
    model.save(tmp_path / "model.npz")
    _, stderr = call("evaluate", tmp_path / "model.npz", "--data", "synthetic_digits", "--samples", "6", code=1)
    assert "The model takes inputs of shape (30,), which are no square images." in stderr


def test_evaluate_refuses_a_network_for_other_images(tmp_path):
    model = ml.Sequential([ml.Input((64,)), ml.layers.Dense(10, activation="softmax")])
    model.compile(loss="sparse_categorical_crossentropy")
    model.save(tmp_path / "model.npz")
    _, stderr = call("evaluate", tmp_path / "model.npz", "--data", "synthetic_digits", "--samples", "6", code=1)
    assert "The model takes images of 8 x 8 pixels; these have (28, 28)." in stderr


@pytest.mark.parametrize("command", [["evaluate"], ["predict", "digit.png"], ["summary"]])
@pytest.mark.parametrize("content", [None, b"", b"no model", b"PK\x03\x04 broken"])
def test_a_model_file_that_is_none_is_refused(command, content, tmp_path):
    path = tmp_path / "model.npz"
    if content is not None:
        path.write_bytes(content)
    _, stderr = call(command[0], path, *command[1:], code=1)
    assert str(path) in stderr
    assert stderr.startswith("Error: ")


# --- predict ---


def test_predict_prints_digit_and_probabilities(model_file, digit):
    stdout, stderr = call("predict", model_file, digit, "--csv")
    (row,) = rows(stdout)
    probabilities = [float(row[str(i)]) for i in range(10)]
    assert row["image"] == str(digit)
    assert int(row["digit"]) == np.argmax(probabilities)
    assert sum(probabilities) == pytest.approx(1)
    assert stderr == ""


def test_predict_agrees_with_the_model(model_file, digit):
    (row,) = rows(call("predict", model_file, digit, "--csv")[0])
    x = np.asarray(Image.open(digit), dtype=np.float32).reshape(1, 784) / 255
    expected = ml.models.load_model(model_file).predict(x, verbose=0)[0]
    assert [float(row[str(i)]) for i in range(10)] == pytest.approx(expected.tolist(), rel=1e-5)


def test_predict_prints_a_table(model_file, digit):
    (row,) = rows(call("predict", model_file, digit, "--csv")[0])
    stdout, _ = call("predict", model_file, digit)
    assert f"{row['digit']} " in stdout
    assert f"{float(row['3']):.2f}" in stdout
    assert all(str(i) in stdout.splitlines()[1] for i in range(10))


@pytest.mark.parametrize("compress", [False, True])
def test_predict_reads_every_image_of_an_idx_file(compress, model_file, digit, tmp_path):
    image = np.asarray(Image.open(digit))
    path = write_idx(tmp_path / "images-idx3-ubyte", np.stack([image, 0 * image, image // 2]))
    if compress:
        path.write_bytes(gzip.compress(path.read_bytes()))
    read = rows(call("predict", model_file, path, digit, "--csv")[0])
    assert [row["image"] for row in read] == [f"{path}[0]", f"{path}[1]", f"{path}[2]", str(digit)]
    assert {**read[0], "image": ""} == {**read[3], "image": ""}  # the same image


def test_ink_on_paper_is_inverted_on_demand(model_file, digit, tmp_path):
    paper = tmp_path / "paper.png"
    Image.fromarray(255 - np.asarray(Image.open(digit))).save(paper)
    stdout, stderr = call("predict", model_file, paper, "--invert", "--csv")
    assert {**rows(stdout)[0], "image": ""} == {**rows(call("predict", model_file, digit, "--csv")[0])[0], "image": ""}
    assert stderr == ""


def test_a_picture_that_looks_inverted_is_pointed_out(model_file, digit, tmp_path):
    paper = tmp_path / "paper.png"
    Image.fromarray(255 - np.asarray(Image.open(digit))).save(paper)
    assert "dark ink on light paper inverted" in call("predict", model_file, paper)[1]
    assert "try with --invert" in call("predict", model_file, paper, "--no-invert")[1]
    _, stderr = call("predict", model_file, digit, digit, "--invert")
    assert f"{digit} and 1 more" in stderr
    assert "try without --invert" in stderr


@pytest.mark.parametrize("grey", [0, 127, 255])
def test_a_picture_without_ink_is_pointed_out(grey, model_file, digit, tmp_path):
    noise = np.random.default_rng(1).integers(-10, 11, (40, 40))
    blank = tmp_path / "blank.png"
    Image.fromarray(np.clip(grey + noise, 0, 255).astype(np.uint8)).save(blank)
    stdout, stderr = call("predict", model_file, digit, blank, "--csv")
    assert [row["image"] for row in rows(stdout)] == [str(digit), str(blank)]
    assert stderr == f"Note: {blank}: no ink, nothing to read. What is printed for it means nothing.\n"


def test_broken_files_are_named(model_file, digit, tmp_path):
    whole = digit.read_bytes()
    truncated = tmp_path / "truncated.png"
    truncated.write_bytes(whole[: len(whole) // 2])
    text = tmp_path / "text.png"
    text.write_text("a seven")
    labels = write_idx(tmp_path / "labels-idx1-ubyte", np.zeros(5))
    empty = write_idx(tmp_path / "empty-idx3-ubyte", np.zeros((0, 28, 28)))
    for path, message in {
        tmp_path / "missing.png": "No such file or directory",
        tmp_path: "directory",
        truncated: "is broken",
        text: "is neither a picture (PNG, JPEG, BMP, GIF, TIFF, WebP) nor an IDX file",
        labels: "expected images, bytes of shape (n, rows, columns); the file holds uint8 of shape (5,)",
        empty: "the file holds uint8 of shape (0, 28, 28)",
    }.items():
        stdout, stderr = call("predict", model_file, digit, path, code=1)
        assert stdout == ""  # nothing is half done
        assert str(path) in stderr
        assert message in stderr


def test_predict_refuses_a_network_that_gives_one_number(digit, tmp_path):
    ml.Sequential([ml.Input((784,)), ml.layers.Dense(1)]).save(tmp_path / "model.npz")
    _, stderr = call("predict", tmp_path / "model.npz", digit, code=1)
    assert "no probability for each digit" in stderr


def test_predict_takes_networks_for_images_of_another_shape(digit, tmp_path):
    model = ml.Sequential([ml.Input((14, 14)), ml.layers.Flatten(), ml.layers.Dense(10, activation="softmax")])
    model.save(tmp_path / "model.npz")
    assert len(rows(call("predict", tmp_path / "model.npz", digit, "--csv")[0])) == 1


# --- summary, plot, the rest ---


def test_summary_prints_the_layers(model_file):
    stdout, _ = call("summary", model_file)
    assert "Layer (type)" in stdout
    assert "39,250" in stdout


def test_plot_draws_the_plots_again(run, tmp_path):
    (tmp_path / "history.csv").write_bytes((run[0] / "history.csv").read_bytes())
    stdout, _ = call("plot", tmp_path)
    assert stdout.split() == [str(tmp_path / "accuracy.png"), str(tmp_path / "loss.png")]
    for name in ("accuracy.png", "loss.png"):
        assert (tmp_path / name).read_bytes() == (run[0] / name).read_bytes()


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (None, "There is no history.csv in "),
        ("", "is not a table of numbers"),
        ("epoch,accuracy,loss\n", "is not a table of numbers"),
        ("epoch,accuracy,loss\n1,high,0.5\n", "is not a table of numbers"),
        ("epoch,accuracy,loss\n1,0.5\n", "is not a table of numbers"),
        ("epoch,accuracy,loss\n1,0.5,0.5\n2,0.5\n", "is not a table of numbers"),
        ("epoch,loss\n1,0.5\n", "Unknown metric: 'accuracy'"),
    ],
)
def test_plot_refuses_what_is_no_history(table, message, tmp_path):
    if table is not None:
        (tmp_path / "history.csv").write_text(table)
    _, stderr = call("plot", tmp_path, code=1)
    assert message in stderr
    assert not list(tmp_path.glob("*.png"))


def test_version():
    assert call("--version")[0] == f"multilayer {ml.__version__}\n"


@pytest.mark.parametrize("command", ["train", "evaluate", "predict", "summary", "plot"])
def test_every_command_has_help_and_is_listed(command):
    assert f"Usage: multilayer {command}" in call(command, "--help")[0].replace("root", "multilayer")
    assert command in call("--help")[0]
