"""Golden programs about callbacks that change the run, write it down, or say something.

What is printed holds learning rates that are powers of two, which Keras' float32 and Python's floats write alike.
"""

import contextlib
import csv
import math
import pathlib
import tempfile
import warnings

import numpy as np

from golden.fitting import compiled
from golden.table import LABELS, LABELS_VAL, X_VAL, X, classifier, go_on, printed, program, start, variants, walk

VALIDATED = {"validation_data": (X_VAL, LABELS_VAL)}


def walk_with(keras, *callbacks, optimizer=None, **arguments):
    model = compiled(keras, optimizer or keras.optimizers.SGD(0.5))
    walked = walk(model, X, LABELS, callbacks=[*callbacks], **arguments)
    return {**walked, "learning rate": float(model.optimizer.learning_rate)}


# --- Learning rates ---------------------------------------------------------------------------------------------------


@variants(
    halved=lambda keras: lambda epoch, rate: 0.5 * rate,
    of_the_epoch_alone=lambda keras: lambda epoch: 0.25 / (epoch + 1),
    decaying_late=lambda keras: lambda epoch, rate: rate if epoch < 3 else rate * math.exp(-0.5),
    a_numpy_number=lambda keras: lambda epoch, rate: np.float64(rate) * 0.75,
    zero=lambda keras: lambda epoch, rate: 0.0,
)
def callback_scheduler(keras, schedule):
    return walk_with(keras, keras.callbacks.LearningRateScheduler(schedule), **VALIDATED)


@variants(
    adam=lambda keras: keras.optimizers.Adam(0.0625),
    rmsprop=lambda keras: keras.optimizers.RMSprop(0.0625, momentum=0.5),
    momentum=lambda keras: keras.optimizers.SGD(0.5, momentum=0.9, nesterov=True),
)
def callback_scheduler_of(keras, optimizer):
    scheduler = keras.callbacks.LearningRateScheduler(lambda epoch, rate: 0.5 * rate)
    return walk_with(keras, scheduler, optimizer=optimizer)


@variants(
    loss=lambda keras: {"monitor": "loss", "patience": 1, "factor": 0.5, "min_delta": 0.05},
    by_default=lambda keras: {},
    validation=lambda keras: {"patience": 1, "factor": 0.25, "min_delta": 0.1},
    patient=lambda keras: {"patience": 2, "factor": 0.5, "min_delta": 1.0},
    with_cooldown=lambda keras: {"patience": 1, "factor": 0.5, "min_delta": 1.0, "cooldown": 2},
    down_to_a_least_rate=lambda keras: {"patience": 1, "factor": 0.25, "min_delta": 1.0, "min_lr": 0.0625},
    of_an_accuracy=lambda keras: {"monitor": "val_accuracy", "patience": 1, "factor": 0.5},
    in_the_wrong_mode=lambda keras: {"monitor": "loss", "mode": "max", "patience": 2, "factor": 0.5},
    of_the_rate_itself=lambda keras: {"monitor": "learning_rate", "mode": "min", "patience": 2, "factor": 0.5},
)
def callback_plateau(keras, arguments):
    return walk_with(keras, keras.callbacks.ReduceLROnPlateau(**arguments), epochs=9, **VALIDATED)


@program
def callback_plateau_in_two_runs(keras):
    model = compiled(keras, keras.optimizers.SGD(0.5))
    reduce = keras.callbacks.ReduceLROnPlateau("loss", factor=0.5, patience=2, min_delta=1.0, cooldown=1)
    first = walk(model, X, LABELS, callbacks=[reduce])
    return {"first": first, "second": go_on(model, X, LABELS, callbacks=[reduce])}


@program
def callback_scheduler_and_plateau(keras):
    scheduler = keras.callbacks.LearningRateScheduler(lambda epoch, rate: rate if epoch % 3 else 0.5)
    reduce = keras.callbacks.ReduceLROnPlateau("loss", factor=0.5, patience=1, min_delta=1.0)
    return walk_with(keras, scheduler, reduce, epochs=8)


# --- Stopping ---------------------------------------------------------------------------------------------------------


@variants(
    by_default=lambda keras: {},
    min_delta=lambda keras: {"min_delta": 0.05},
    negative_min_delta=lambda keras: {"min_delta": -0.05},
    patience=lambda keras: {"min_delta": 0.1, "patience": 2},
    best_weights=lambda keras: {"monitor": "val_accuracy", "patience": 3, "restore_best_weights": True},
    baseline=lambda keras: {"baseline": 0.3, "patience": 2},
    baseline_reached=lambda keras: {"baseline": 1.0, "patience": 2, "min_delta": 0.02},
    start_from_epoch=lambda keras: {"mode": "max", "start_from_epoch": 3, "restore_best_weights": True},
    accuracy=lambda keras: {"monitor": "accuracy", "patience": 1},
)
def callback_early_stopping(keras, arguments):
    return walk_with(keras, keras.callbacks.EarlyStopping(**arguments), epochs=12, **VALIDATED)


@variants(gently=lambda keras: False, with_an_error=lambda keras: True)
def callback_terminate_on_nan(keras, raise_error):
    # Numbers that overflow in the second step: a loss that is infinite, or none.
    model = classifier(keras, 1, None)
    model.compile(optimizer=keras.optimizers.SGD(1e30), loss="mse")
    start(model)
    noted = []

    class Note(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            noted.append(["batch", batch, bool(np.isfinite(logs["loss"]))])

        def on_epoch_end(self, epoch, logs=None):
            noted.append(["epoch", epoch, bool(np.isfinite(logs["loss"]))])

        def on_train_end(self, logs=None):
            noted.append(["train", sorted(logs)])

    def fit():
        guard = keras.callbacks.TerminateOnNaN(raise_error)
        try:
            model.fit(X, X[:, :1], batch_size=10, epochs=3, shuffle=False, verbose=0, callbacks=[guard, Note()])
        except RuntimeError as error:
            noted.append(["error", str(error).split("Loss value")[0]])

    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return {"printed": printed(fit), "noted": noted}


# --- What is said -----------------------------------------------------------------------------------------------------


@variants(
    scheduler=lambda keras: keras.callbacks.LearningRateScheduler(lambda epoch, rate: 0.5 * rate, verbose=1),
    plateau=lambda keras: keras.callbacks.ReduceLROnPlateau("loss", 0.5, 2, verbose=1, min_delta=1.0, min_lr=0.125),
    early_stopping=lambda keras: keras.callbacks.EarlyStopping(
        "loss", mode="max", patience=2, verbose=1, restore_best_weights=True
    ),
)
def callback_says(keras, callback):
    model = compiled(keras, keras.optimizers.SGD(0.5))
    start(model)
    lines = printed(lambda: model.fit(X, LABELS, epochs=7, shuffle=False, verbose=2, callbacks=[callback]))
    return {"lines": lines}


@variants(
    every_epoch=lambda keras: {},
    the_best=lambda keras: {"monitor": "loss", "save_best_only": True},
    the_best_in_the_wrong_mode=lambda keras: {"monitor": "loss", "save_best_only": True, "mode": "max"},
    the_best_accuracy=lambda keras: {"monitor": "val_accuracy", "save_best_only": True},
    beyond_a_threshold=lambda keras: {"save_best_only": True, "initial_value_threshold": 0.7},
    every_seven_batches=lambda keras: {"save_freq": 7},
    the_best_of_every_three_batches=lambda keras: {
        "monitor": "loss",
        "mode": "min",
        "save_best_only": True,
        "save_freq": 3,
    },
    weights=lambda keras: {"save_weights_only": True},
)
def callback_checkpoint(keras, arguments):
    # Files are called as each library wants them; here they are compared without their endings.
    ours = keras.__name__ == "multilayer"
    ending = ".weights" if "save_weights_only" in arguments else ""
    ending += ".npz" if ours else ".h5" if ending else ".keras"
    name = "{epoch:02d}-{loss:.3f}" + ("-{batch}" if "save_freq" in arguments else "")
    with tempfile.TemporaryDirectory() as folder:
        model = compiled(keras, keras.optimizers.SGD(0.5))
        start(model)
        path = str(pathlib.Path(folder, "made", name + ending))
        saves = keras.callbacks.ModelCheckpoint(path, verbose=1, **arguments)
        run = {"epochs": 6, "batch_size": 10, "shuffle": False, "verbose": 0, **VALIDATED}
        lines = printed(lambda: model.fit(X, LABELS, callbacks=[saves], **run))
        files = sorted(file.name.removesuffix(ending) for file in pathlib.Path(folder, "made").iterdir())
        last = pathlib.Path(folder, "made", files[-1] + ending)
        if "save_weights_only" in arguments:
            start(model)
            model.load_weights(last)
        else:
            model = keras.models.load_model(last)
        weights = model.get_weights()
    return {
        "printed": [line.replace(folder, "").replace(ending, "") for line in lines],
        "files": files,
        "weights of the last": weights,
    }


# --- What is written down ---------------------------------------------------------------------------------------------


@variants(
    plain=lambda keras: ({}, {}),
    validated=lambda keras: ({}, VALIDATED),
    validated_now_and_then=lambda keras: ({}, {**VALIDATED, "validation_freq": 2}),
    separated=lambda keras: ({"separator": ";"}, VALIDATED),
    appended=lambda keras: ({"append": True}, {}),
)
def callback_csv(keras, arguments):
    constructor, run = arguments
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder, "log.csv")
        model = compiled(keras)
        start(model)
        for _ in range(2):
            log = keras.callbacks.CSVLogger(str(path), **constructor)
            model.fit(X, LABELS, epochs=3, batch_size=10, shuffle=False, verbose=0, callbacks=[log], **run)
        with path.open(newline="") as file:
            rows = list(csv.reader(file, delimiter=constructor.get("separator", ",")))
        endings = path.read_bytes().count(b"\r\n")
    return {"rows": [[_cell(cell) for cell in row] for row in rows], "line endings": endings}


def _cell(text):
    """A number where it is one: libraries differ in the last digits."""
    try:
        return float(text) if "." in text else int(text)
    except ValueError:
        return text


# --- A run that goes on -----------------------------------------------------------------------------------------------


@variants(
    sgd=lambda keras: keras.optimizers.SGD(0.5, momentum=0.9),
    adam=lambda keras: keras.optimizers.Adam(0.0625),
)
def callback_backup(keras, optimizer):
    class Killed(Exception):  # noqa: N818
        pass

    class Kill(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            if epoch == 3:
                raise Killed

    model = compiled(keras, optimizer)
    start(model)
    with tempfile.TemporaryDirectory() as folder:
        backup_dir = str(pathlib.Path(folder, "backup"))
        run = {"epochs": 6, "batch_size": 10, "shuffle": False, "verbose": 0}
        with contextlib.suppress(Killed):
            model.fit(X, LABELS, callbacks=[keras.callbacks.BackupAndRestore(backup_dir), Kill()], **run)
        kept = pathlib.Path(backup_dir).exists()
        start(model)  # all is lost but the backup
        walked = go_on(model, X, LABELS, callbacks=[keras.callbacks.BackupAndRestore(backup_dir)])
        # Keras' history begins where it goes on; ours has the epochs before as well.
        walked["history"] = {name: values[-3:] for name, values in walked["history"].items()}
        walked["epoch"] = walked["epoch"][-3:]
        return {**walked, "kept": kept, "deleted": not pathlib.Path(backup_dir).exists()}


# --- Loops of one's own -----------------------------------------------------------------------------------------------


@program
def callback_list_by_hand(keras):
    heard = []

    class Hear(keras.callbacks.Callback):
        def on_train_begin(self, logs=None):
            heard.append(["train", logs, sorted(self.params)])

        def on_epoch_end(self, epoch, logs=None):
            heard.append(["epoch", epoch, logs])

        def on_batch_end(self, batch, logs=None):
            heard.append(["batch", batch, logs])

    model = compiled(keras)
    everyone = keras.callbacks.CallbackList([Hear()], add_history=True, model=model, verbose=0, epochs=2, steps=1)
    everyone.on_train_begin()
    for epoch in range(2):
        everyone.on_epoch_begin(epoch)
        everyone.on_train_batch_begin(0)
        everyone.on_train_batch_end(0, {"loss": 0.5})
        everyone.on_epoch_end(epoch, {"loss": 0.25})
    everyone.on_train_end()
    return {"heard": heard, "history": model.history.history, "kinds": [type(c).__name__ for c in everyone.callbacks]}
