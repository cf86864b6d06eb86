"""What is printed while a model trains: on a terminal, in a file, and where there is only ASCII."""

import io
import re
import sys
from contextlib import redirect_stdout
from types import SimpleNamespace

import numpy as np
import pytest

import multilayer as keras
from multilayer import layers
from multilayer._system.progress import Progbar

X, Y = np.ones((4, 2), "float32"), np.ones((4, 1), "float32")
BAR = "━" * 20
RATE = r"\d+(s|ms|us)/step"
FIGURES = " - loss: 1.0000"


class Terminal(io.StringIO):
    """A standard output that says it is a terminal, and can tell what would be seen there."""

    def isatty(self):
        return True

    def seen(self):
        """The lines on the screen: colours are no characters, and a carriage return goes back to the line's start."""
        lines = []
        for written in re.sub(r"\x1b\[\d+m", "", self.getvalue()).split("\n"):
            line = ""
            for piece in written.split("\r"):
                line = piece + line[len(piece) :]
            lines.append(line.rstrip())
        return lines


@pytest.fixture
def clock(monkeypatch):
    """Time that passes only when told to: `clock.now += seconds`."""
    time = SimpleNamespace(now=100.0)
    monkeypatch.setattr("multilayer._system.progress.time", SimpleNamespace(perf_counter=lambda: time.now))
    return time


def compiled():
    """A model whose loss on X and Y is 1, and stays so."""
    model = keras.Sequential([keras.Input((2,)), layers.Dense(1, kernel_initializer="zeros")])
    model.compile(keras.optimizers.SGD(0.0), "mse")
    return model


# --- Where there is no terminal: finished lines, and nothing else ---


def test_fit_prints_an_epochs_number_and_its_finished_bar(capsys):
    compiled().fit(X, Y, batch_size=2, epochs=2, validation_data=(X, Y))
    bar = rf"2/2 {BAR} \d+s {RATE}{FIGURES} - val_loss: 1.0000"
    assert re.fullmatch(rf"Epoch 1/2\n{bar}\nEpoch 2/2\n{bar}\n", capsys.readouterr().out)


def test_a_single_epoch_has_no_number(capsys):
    compiled().fit(X, Y, verbose="auto")
    assert re.fullmatch(rf"1/1 {BAR} \d+s {RATE}{FIGURES}\n", capsys.readouterr().out)


def test_verbose_2_prints_a_plain_line_an_epoch(capsys):
    compiled().fit(X, Y, batch_size=2, epochs=2, verbose=2, validation_data=(X, Y))
    line = rf"2/2 - \d+s - {RATE}{FIGURES} - val_loss: 1.0000"
    assert re.fullmatch(rf"Epoch 1/2\n{line}\nEpoch 2/2\n{line}\n", capsys.readouterr().out)


def test_evaluate_and_predict_print_a_line_of_their_own(capsys):
    model = compiled()
    model.evaluate(X, Y, batch_size=2)
    model.predict(X, batch_size=2)
    bar = rf"2/2 {BAR} \d+s {RATE}"
    assert re.fullmatch(rf"{bar}{FIGURES}\n{bar}\n", capsys.readouterr().out)
    model.evaluate(X, Y, batch_size=2, verbose=2)
    model.predict(X, batch_size=2, verbose=2)
    assert re.fullmatch(rf"2/2 - \d+s - {RATE}{FIGURES}\n2/2 - \d+s - {RATE}\n", capsys.readouterr().out)


def test_verbose_0_prints_nothing(capsys):
    model = compiled()
    model.fit(X, Y, epochs=2, verbose=0)
    model.evaluate(X, Y, verbose=0)
    model.predict(X, verbose=0)
    Progbar(2, verbose=0).update(2)
    assert capsys.readouterr().out == ""


# --- On a terminal: one line, redrawn ---


def test_the_bar_grows_in_its_place(clock):
    with redirect_stdout(Terminal()) as terminal:
        bar = Progbar(4, stateless_metrics=())
        for step in range(1, 5):
            clock.now += 1.0
            bar.update(step, [("loss", 1.0 / step)])
            remaining = f"{4 - step}s" if step < 4 else "4s"
            assert terminal.seen()[0] == f"{step}/4 {BAR} {remaining} 1s/step - loss: {1 / step:.4f}"
        assert terminal.seen() == [f"4/4 {BAR} 4s 1s/step - loss: 0.2500", ""]
        assert terminal.getvalue().count("\n") == 1


def test_the_done_part_is_green_and_the_rest_grey(clock):
    with redirect_stdout(Terminal()) as terminal:
        Progbar(4).update(1)
        assert f"\x1b[1m1/4\x1b[0m \x1b[32m{'━' * 5}\x1b[37m{'━' * 15}\x1b[0m" in terminal.getvalue()


def test_a_shorter_line_leaves_nothing_of_a_longer_one(clock):
    with redirect_stdout(Terminal()) as terminal:
        bar = Progbar(3, stateless_metrics=())
        clock.now += 100
        bar.update(1, [("loss", -123456.0)])
        clock.now += 1
        bar.update(2, [("loss", 0.5)])
        assert terminal.seen() == [f"2/3 {BAR} 1s 1s/step - loss: 0.5000"]
        clock.now += 1
        bar.update(3)
        assert terminal.seen() == [f"3/3 {BAR} 102s 1s/step - loss: 0.5000", ""]


def test_a_line_is_not_drawn_more_often_than_anybody_sees(clock):
    with redirect_stdout(Terminal()) as terminal:
        bar = Progbar(1000, interval=0.05)
        for step in range(1, 1000):
            clock.now += 0.001
            bar.update(step)
        assert 15 <= terminal.getvalue().count("\r") <= 25
        bar.update(1000)
        assert terminal.seen()[0].startswith("1000/1000")


def test_the_count_is_as_wide_as_its_target(clock):
    with redirect_stdout(Terminal()) as terminal:
        Progbar(1000).update(5)
        assert terminal.seen()[0].startswith("   5/1000 ")


def test_a_whole_fit_reads_as_it_should():
    with redirect_stdout(Terminal()) as terminal:
        compiled().fit(X, Y, batch_size=1, epochs=2, validation_data=(X, Y))
        bar = rf"4/4 {BAR} \d+s {RATE}{FIGURES} - val_loss: 1.0000"
        first, one, second, two, rest = terminal.seen()
        assert (first, second, rest) == ("Epoch 1/2", "Epoch 2/2", "")
        assert re.fullmatch(bar, one)
        assert re.fullmatch(bar, two)


def test_verbose_2_draws_nothing_on_a_terminal_either():
    with redirect_stdout(Terminal()) as terminal:
        compiled().fit(X, Y, batch_size=1, verbose=2)
        assert "\r" not in terminal.getvalue()
        assert "\x1b" not in terminal.getvalue()


def test_the_number_of_steps_may_be_unknown(clock):
    with redirect_stdout(Terminal()) as terminal:
        bar = Progbar(None)
        clock.now += 2
        bar.update(1, [("loss", 1.0)])
        assert terminal.seen() == ["      1/Unknown 2s 2s/step - loss: 1.0000"]
        clock.now += 1
        bar.update(2, [("loss", 1.0)], finalize=True)
        assert terminal.seen() == ["      2/Unknown 3s 1s/step - loss: 1.0000", ""]


# --- Where there is only ASCII ---


@pytest.mark.parametrize("verbose", [1, 2])
def test_a_standard_output_that_knows_only_ascii_gets_ascii(monkeypatch, verbose):
    raw = io.BytesIO()
    monkeypatch.setattr("sys.stdout", io.TextIOWrapper(raw, encoding="ascii", write_through=True))
    compiled().fit(X, Y, batch_size=2, epochs=2, verbose=verbose)
    text = raw.getvalue().decode("ascii")
    assert ("=" * 20 in text) == (verbose == 1)


# --- Times and figures ---


@pytest.mark.parametrize(
    ("seconds", "shown"), [(5, "5s"), (59.9, "59s"), (60, "1:00"), (185, "3:05"), (3600, "1:00:00"), (3723, "1:02:03")]
)
def test_the_time_left_is_shown_as_on_a_clock(clock, seconds, shown):
    with redirect_stdout(Terminal()) as terminal:
        bar = Progbar(2)
        clock.now += seconds
        bar.update(1)
        assert f"{BAR} {shown} " in terminal.seen()[0]


@pytest.mark.parametrize(("seconds", "shown"), [(2.0, "2s"), (0.25, "250ms"), (0.0025, "2ms"), (0.000125, "125us")])
def test_the_time_of_a_step_leaves_out_the_first(capsys, clock, seconds, shown):
    bar = Progbar(5)
    clock.now += 10.0  # builds and allocates
    bar.update(1)
    for step in range(2, 6):
        clock.now += seconds
        bar.update(step)
    assert f" {shown}/step" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("value", "shown"),
    [(0.5, "0.5000"), (12.34567, "12.3457"), (0.00012345, "1.2345e-04"), (0, "0.0000e+00"), (float("nan"), "nan")],
)
def test_figures_have_four_digits_whatever_their_size(capsys, value, shown):
    Progbar(1).update(1, [("loss", value)])
    assert f" - loss: {shown}\n" in capsys.readouterr().out


# --- A bar of one's own ---


@pytest.mark.parametrize(
    ("names", "shown"),
    [
        ({}, ("loss: 2.0000", "accuracy: 0.2667")),
        ({"stateful_metrics": ["accuracy"]}, ("loss: 2.0000", "accuracy: 0.4000")),
        ({"stateless_metrics": ["accuracy"]}, ("loss: 1.0000", "accuracy: 0.2667")),
        ({"stateless_metrics": ()}, ("loss: 1.0000", "accuracy: 0.4000")),
    ],
)
def test_figures_are_averaged_over_steps_or_shown_as_they_come(clock, names, shown):
    terminal = Terminal()
    with redirect_stdout(terminal):
        bar = Progbar(10, interval=0.0, **names)
        bar.update(2, [("loss", 2.5), ("accuracy", 0.2)])
        clock.now += 1
        bar.add(1, [("loss", 1.0)])
        bar.add(1, [("accuracy", 0.4)])
        assert " - ".join(shown) in terminal.seen()[-1]
        bar.update(10, [("loss", 7.0)])
    assert "loss: 7.0000" in terminal.seen()[0]


def test_a_figure_is_in_one_of_the_lists():
    with pytest.raises(ValueError, match="Only one of `stateful_metrics` and `stateless_metrics`"):
        Progbar(3, stateful_metrics=["loss"], stateless_metrics=["accuracy"])


def test_of_a_figure_of_several_numbers_the_mean_is_shown(capsys):
    Progbar(1).update(1, [("each", np.array([0.25, 0.75]))])
    assert "each: 0.5000" in capsys.readouterr().out


# --- Whatever the standard output is, the training goes on ---


class Logger:
    """What a program puts in the place of the standard output to have it in its log: it can write, and no more."""

    def __init__(self):
        self.text = ""

    def write(self, text):
        self.text += text


def train():
    callbacks = [
        keras.callbacks.LearningRateScheduler(lambda epoch, rate: rate, verbose=1),
        keras.callbacks.EarlyStopping(monitor="loss", patience=0, verbose=1),
    ]
    model = compiled()
    model.summary()
    model.fit(X, Y, epochs=3, callbacks=callbacks)
    model.evaluate(X, Y)
    return model.predict(X)


def closed():
    output = io.StringIO()
    output.close()
    return output


@pytest.mark.parametrize("make", [lambda: None, Logger, closed])
def test_a_standard_output_that_is_none_or_can_only_write(monkeypatch, make):
    monkeypatch.setattr("sys.stdout", output := make())
    assert train().shape == (4, 1)
    if isinstance(output, Logger):
        assert f"{BAR} 0s" in output.text
        assert "early stopping" in output.text
        assert "Total params" in output.text


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252"])
def test_what_the_output_cannot_encode_is_a_question_mark(monkeypatch, encoding):
    buffer = io.BytesIO()
    monkeypatch.setattr("sys.stdout", io.TextIOWrapper(buffer, encoding, write_through=True))
    metric = keras.metrics.MeanSquaredError(name="größe_损失")
    model = compiled()
    model.compile("sgd", "mse", metrics=[metric])
    model.fit(X, Y)
    train()
    assert "gr" in buffer.getvalue().decode(encoding)
    assert "损" not in buffer.getvalue().decode(encoding)


def test_an_encoding_that_nobody_knows(monkeypatch):
    output = Logger()
    output.encoding = "no such"
    monkeypatch.setattr("sys.stdout", output)
    train()
    assert "=" * 20 in output.text


def test_each_line_goes_out_in_one_piece(monkeypatch):
    written = []
    monkeypatch.setattr("sys.stdout", SimpleNamespace(write=written.append))
    compiled().fit(X, Y, epochs=2)
    assert written[0] == "Epoch 1/2\n"
    assert all(text.endswith("\n") for text in written)


@pytest.mark.parametrize("loss", ["mse", "categorical_crossentropy", "binary_crossentropy"])
def test_what_the_caller_has_set_for_overflow_and_its_like_does_not_end_a_training(loss):
    model = keras.Sequential([keras.Input((2,)), layers.Dense(3, "softmax")])
    model.compile("adam", loss, metrics=["accuracy"])
    x = np.array([[1e-300, 300.0], [-900.0, 0.0], [1e-42, 500.0]])
    expected = model.predict(x, verbose=0)
    with np.errstate(all="raise"):
        np.testing.assert_array_equal(model.predict(x, verbose=0), expected)
        model.fit(x, np.eye(3), epochs=3, validation_data=(x, np.eye(3)), verbose=0)
        model.evaluate(x, np.eye(3), verbose=0)
        model.train_on_batch(x, np.eye(3))
        model.test_on_batch(x, np.eye(3))
        model.predict_on_batch(x)
        with pytest.raises(FloatingPointError):
            np.float32(1e-30) * np.float32(1e-30)


# --- Without rich ---


def test_a_summary_without_rich_is_a_plain_table(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "rich.console", None)
    x = keras.Input((2,), name="x")
    hidden = layers.Dense(3, name="hidden")(x)
    model = keras.Model(x, layers.Add(name="both")([hidden, layers.Dense(3, name="other")(x)]), name="net")
    model.summary(show_trainable=True)
    found = capsys.readouterr().out
    words = [line.split() for line in found.splitlines()]
    assert words[0] == ["Model:", '"net"']
    assert words[1] == ["Layer", "(type)", "Output", "Shape", "Param", "#", "Connected", "to", "Trainable"]
    assert words[4] == ["hidden", "(Dense)", "(None,", "3)", "9", "x[0][0]", "Y"]
    assert words[6] == ["both", "(Add)", "(None,", "3)", "0", "hidden[0][0],", "other[0][0]", "-"]
    assert " Total params: 18 (72.00 B)" in found
    lines = []
    compiled().summary(print_fn=lines.append)
    assert "Dense" in lines[0]
    with pytest.raises(ValueError, match="`positions`"):
        model.summary(positions=[0.5])
