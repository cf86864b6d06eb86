"""Callbacks: who is called when and with what; the history, functions as hooks, and the progress bar."""

import numpy as np
import pytest

import multilayer as keras
from helpers.line import compiled
from multilayer import callbacks
from multilayer.callbacks import Callback, CallbackList, EarlyStopping, History, LambdaCallback

X, Y = np.linspace(0, 1, 10, dtype="float32").reshape(5, 2), np.arange(5.0, dtype="float32")[:, None]


HOOKS = [name for name in dir(Callback) if name.startswith("on_")]
OLDER = {"on_batch_begin", "on_batch_end"}


def recorder(calls, hooks):
    """A callback whose hooks note their name, number and the names of the figures they get."""

    def note(hook):
        def called(self, *arguments):
            calls.append((hook, *(sorted(a) if isinstance(a, dict) else a for a in arguments)))

        return called

    return type("Recorder", (Callback,), {hook: note(hook) for hook in hooks})()


# --- The order of the hooks ---


def test_fit_calls_its_hooks_in_the_order_of_keras():
    calls = []
    watcher = recorder(calls, set(HOOKS) - OLDER)
    compiled().fit(X, Y, batch_size=3, epochs=2, verbose=0, validation_data=(X, Y), callbacks=[watcher])
    figures = ["loss", "mae"]
    batches = [
        [(f"on_{kind}_batch_begin", i, []), (f"on_{kind}_batch_end", i, figures)]
        for kind in ("train", "test")
        for i in (0, 1)
    ]
    every = [*figures, "val_loss", "val_mae"]
    expected = [("on_train_begin", [])]
    for epoch in (0, 1):
        expected += [("on_epoch_begin", epoch, []), *batches[0], *batches[1]]
        expected += [("on_test_begin", []), *batches[2], *batches[3], ("on_test_end", figures)]
        expected += [("on_epoch_end", epoch, every)]
    expected += [("on_train_end", every)]
    assert calls == expected


def test_evaluate_and_predict_call_theirs():
    calls = []
    watcher = recorder(calls, set(HOOKS) - OLDER)
    compiled().evaluate(X, Y, batch_size=5, verbose=0, callbacks=[watcher])
    figures = ["loss", "mae"]
    assert calls == [
        ("on_test_begin", []),
        ("on_test_batch_begin", 0, []),
        ("on_test_batch_end", 0, figures),
        ("on_test_end", figures),
    ]
    calls.clear()
    compiled().predict(X, batch_size=5, verbose=0, callbacks=[watcher])
    assert calls == [
        ("on_predict_begin", []),
        ("on_predict_batch_begin", 0, []),
        ("on_predict_batch_end", 0, ["outputs"]),
        ("on_predict_end", []),
    ]


@pytest.mark.parametrize("hook", sorted(set(HOOKS) - OLDER))
def test_every_hook_gets_a_dict_of_figures_though_it_be_empty(hook):
    """`logs.keys()` is what the first line of many a callback asks for."""
    seen = []
    watcher = LambdaCallback(**{hook: lambda *arguments: seen.append(arguments[-1])})
    model = compiled()
    model.fit(X, Y, verbose=0, callbacks=[watcher])
    model.evaluate(X, Y, verbose=0, callbacks=[watcher])
    model.predict(X, verbose=0, callbacks=[watcher])
    assert seen
    assert all(isinstance(logs, dict) for logs in seen)


def test_validation_runs_as_often_as_asked():
    calls = []
    watcher = recorder(calls, {"on_test_begin", "on_epoch_end"})
    compiled().fit(X, Y, epochs=4, verbose=0, validation_data=(X, Y), validation_freq=2, callbacks=[watcher])
    assert [call[0] for call in calls] == ["on_epoch_end", "on_test_begin", "on_epoch_end"] * 2
    calls.clear()
    compiled().fit(X, Y, epochs=3, verbose=0, validation_data=(X, Y), validation_freq=[1], callbacks=[watcher])
    assert [call[0] for call in calls] == ["on_test_begin", *["on_epoch_end"] * 3]


def test_a_callback_knows_its_model_and_the_parameters_of_the_run():
    watcher = Callback()
    model = compiled()
    model.fit(X, Y, batch_size=2, epochs=3, verbose=0, callbacks=watcher)
    assert watcher.model is model
    assert watcher.params == {"verbose": 0, "epochs": 3, "steps": 3}


def test_several_callbacks_are_called_in_turn():
    calls = []
    both = tuple(LambdaCallback(on_epoch_end=lambda epoch, logs, i=i: calls.append(i)) for i in (1, 2))
    compiled().fit(X, Y, epochs=2, verbose=0, callbacks=both)
    assert calls == [1, 2, 1, 2]


def test_figures_of_a_batch_are_those_of_the_epoch_so_far():
    losses = []
    compiled(optimizer=keras.optimizers.SGD(0.0)).fit(
        X, Y, batch_size=2, shuffle=False, verbose=0,
        callbacks=LambdaCallback(on_train_batch_end=lambda batch, logs: losses.append(logs)),
    )  # fmt: skip
    assert [set(logs) for logs in losses] == [{"loss", "mae"}] * 3
    assert all(type(value) is float for logs in losses for value in logs.values())


def test_a_callback_may_set_the_learning_rate():
    def halve(epoch, logs):
        model.optimizer.learning_rate = 0.1 * 0.5**epoch

    model = compiled()
    model.fit(X, Y, epochs=3, verbose=0, callbacks=[LambdaCallback(on_epoch_begin=halve)])
    assert model.optimizer.learning_rate == 0.025


def test_a_callback_may_evaluate_in_between():
    def fitted(**arguments):
        model = compiled()
        model.set_weights([np.ones((2, 1)), np.zeros(1)])
        watching = (
            [LambdaCallback(on_epoch_end=lambda epoch, logs: model.evaluate(X, Y, verbose=0))] if arguments else None
        )
        return model.fit(X, Y, epochs=3, batch_size=2, shuffle=False, verbose=0, callbacks=watching).history

    assert fitted(watching=True) == fitted()


# --- Single batches: only whoever listens is asked ---


def listeners(callback, hook):
    return CallbackList([callback]).listeners(hook)


BATCH_HOOKS = [hook for hook in HOOKS if "batch" in hook and hook not in OLDER]


@pytest.mark.parametrize("hook", BATCH_HOOKS)
def test_only_overridden_hooks_of_batches_are_called(hook):
    assert listeners(Callback(), hook) == []
    assert listeners(History(), hook) == []
    overriding = recorder([], {hook})
    assert listeners(overriding, hook) == [getattr(overriding, hook)]
    assert all(listeners(overriding, other) == [] for other in BATCH_HOOKS if other != hook)
    inherited = type("Inherited", (type(overriding),), {})()
    assert len(listeners(inherited, hook)) == 1


@pytest.mark.parametrize("hook", BATCH_HOOKS)
def test_a_hook_may_be_an_attribute_of_the_object(hook):
    calls = []
    watcher = Callback()
    setattr(watcher, hook, lambda batch, logs=None: calls.append(batch))
    model = compiled()
    model.fit(X, Y, batch_size=3, verbose=0, validation_data=(X, Y), callbacks=[watcher])
    model.predict(X, batch_size=3, verbose=0, callbacks=[watcher])
    assert calls == [0, 1]


@pytest.mark.parametrize("hook", sorted(OLDER))
def test_the_older_names_are_called_too(hook):
    calls = []
    compiled().fit(X, Y, batch_size=3, verbose=0, callbacks=[recorder(calls, {hook})])
    assert [call[:2] for call in calls] == [(hook, 0), (hook, 1)]
    calls.clear()
    watcher = LambdaCallback(**{hook: lambda batch, logs=None: calls.append(batch)})
    compiled().fit(X, Y, batch_size=3, verbose=0, callbacks=[watcher])
    assert calls == [0, 1]


# --- A list as one callback, for a loop of one's own ---


@pytest.mark.parametrize("hook", HOOKS)
def test_a_list_calls_everyone(hook):
    calls = []
    everyone = CallbackList([recorder(calls, {hook}), recorder(calls, {hook})])
    number = (3,) if "epoch" in hook or "batch" in hook else ()
    getattr(everyone, hook)(*number, {"loss": 1.0})
    getattr(everyone, hook)(*number, logs={"loss": 1.0})
    getattr(everyone, hook)(*number)
    assert calls == [(hook, *number, ["loss"])] * 4 + [(hook, *number, [])] * 2


def test_a_list_takes_what_that_of_keras_takes():
    model, watcher = compiled(), Callback()
    everyone = CallbackList([watcher], add_history=True, add_progbar=True, model=model, verbose=0, epochs=2, steps=7)
    assert [type(one) for one in everyone.callbacks] == [Callback, History, callbacks.ProgbarLogger]
    assert everyone.history is everyone.callbacks[1]
    assert watcher.model is everyone.model is model
    assert watcher.params == {"verbose": 0, "epochs": 2, "steps": 7}
    assert CallbackList().callbacks == []
    mine = [History(), callbacks.ProgbarLogger()]
    assert CallbackList(mine, add_history=True, add_progbar=True).callbacks == mine


def test_a_list_of_lists_calls_everyone_once():
    calls = []
    compiled().fit(X, Y, verbose=0, callbacks=CallbackList([recorder(calls, {"on_epoch_end", "on_train_batch_end"})]))
    assert [call[0] for call in calls] == ["on_train_batch_end", "on_epoch_end"]


# --- Stopping ---


def test_training_can_stop_in_the_middle_of_an_epoch():
    calls = []
    watcher = recorder(calls, {"on_train_batch_end", "on_test_end", "on_epoch_end", "on_train_end"})
    model = compiled()

    def stop(batch, logs):
        model.stop_training = batch == 1

    history = model.fit(
        X, Y, batch_size=1, epochs=5, verbose=0, validation_data=(X, Y),
        callbacks=[watcher, LambdaCallback(on_train_batch_end=stop)],
    )  # fmt: skip
    names = ["on_train_batch_end", "on_train_batch_end", "on_test_end", "on_epoch_end", "on_train_end"]
    assert [call[0] for call in calls] == names
    assert model.optimizer.iterations == 2
    assert history.epoch == [0]
    assert len(history.history["val_loss"]) == 1


def test_a_stop_is_over_when_training_starts_again():
    model = compiled()
    model.stop_training = True
    assert model.fit(X, Y, epochs=2, verbose=0).epoch == [0, 1]


# --- History ---


def test_history_has_every_epoch_of_every_figure():
    model = compiled()
    history = model.fit(X, Y, epochs=3, initial_epoch=1, verbose=0, validation_data=(X, Y))
    assert history.epoch == [1, 2]
    assert set(history.history) == {"loss", "mae", "val_loss", "val_mae"}
    assert all(len(values) == 2 and type(values[0]) is float for values in history.history.values())
    assert model.history is history


def test_ones_own_history_is_the_one_that_is_returned_and_goes_on():
    mine, model = History(), compiled()
    assert model.fit(X, Y, epochs=2, verbose=0, callbacks=[mine]) is mine
    model.fit(X, Y, epochs=1, verbose=0, callbacks=[mine])
    assert len(mine.history["loss"]) == 3


# --- LambdaCallback ---


def test_a_lambda_callback_calls_what_it_was_given():
    calls = []
    watcher = LambdaCallback(
        lambda epoch, logs: calls.append("epoch begins"),
        lambda epoch, logs: calls.append("epoch ends"),
        on_train_begin=lambda logs: calls.append("train begins"),
        on_train_end=lambda logs: calls.append("train ends"),
        on_test_end=lambda logs: calls.append("test ends"),
    )
    compiled().fit(X, Y, verbose=0, validation_data=(X, Y), callbacks=[watcher])
    assert calls == ["train begins", "epoch begins", "test ends", "epoch ends", "train ends"]


# --- The progress bar as a callback ---


def test_a_progress_bar_of_ones_own_is_the_only_one(capsys):
    compiled().fit(X, Y, verbose=1, callbacks=[callbacks.ProgbarLogger()])
    assert capsys.readouterr().out.count("loss:") == 1


def test_a_silent_fit_is_silent_whatever_progress_bar_it_has(capsys):
    compiled().fit(X, Y, epochs=2, verbose=0, callbacks=[callbacks.ProgbarLogger()])
    assert capsys.readouterr().out == ""


def test_a_progress_bar_that_served_fit_serves_evaluate(capsys):
    bar, model = callbacks.ProgbarLogger(), compiled()
    model.fit(X, Y, verbose=2, callbacks=[bar])
    capsys.readouterr()
    model.evaluate(X, Y, verbose=2, callbacks=[bar])
    assert "loss:" in capsys.readouterr().out


# --- Bad arguments ---


@pytest.mark.parametrize("wrong", [[EarlyStopping], [print], [[Callback()]], ["early_stopping"]])
def test_what_is_no_callback_is_shown_before_training(wrong):
    model = compiled()
    with pytest.raises(ValueError, match="`callbacks` must hold instances of `callbacks.Callback`; got "):
        model.fit(X, Y, verbose=0, callbacks=wrong)
    assert model.optimizer.iterations == 0


def test_what_is_no_hook_becomes_an_attribute_of_a_callback_of_functions():
    assert callbacks.LambdaCallback(custom_method=len).custom_method is len


def test_unknown_names_come_with_the_nearest_known_one():
    with pytest.raises(ValueError, match="Unknown callback hook: 'on_epoch_ends'. Did you mean 'on_epoch_end'"):
        LambdaCallback(on_epoch_ends=print)
    with pytest.raises(ValueError, match="Unknown mode: 'maximum'.*auto, max, min"):
        EarlyStopping(mode="maximum")
