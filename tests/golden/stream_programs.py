"""Golden programs about data that comes in batches, and epochs of so many steps."""

import warnings

import numpy as np

from golden.table import LABELS, LABELS_VAL, WEIGHTS, X_VAL, X, classifier, program, start, variants


def _batches(size=9, weights=False, rounds=1):
    for _ in range(rounds):
        for i in range(0, len(X), size):
            part = slice(i, i + size)
            yield (X[part], LABELS[part], WEIGHTS[part]) if weights else (X[part], LABELS[part])


def _dataset(keras):
    class Pieces(keras.utils.PyDataset):
        def __len__(self):
            return 5

        def __getitem__(self, index):
            return X[index * 9 : index * 9 + 9], LABELS[index * 9 : index * 9 + 9]

    return Pieces()


def _compiled(keras):
    model = classifier(keras)
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    start(model)
    return model


def _found(model, history):
    return {"history": history.history, "weights": model.get_weights()}


@variants(
    generator=lambda keras: {"x": _batches(rounds=3), "steps_per_epoch": 5, "epochs": 3},
    generator_with_weights=lambda keras: {"x": _batches(weights=True, rounds=2), "steps_per_epoch": 5, "epochs": 2},
    generator_for_one_epoch=lambda keras: {"x": _batches()},
    generator_in_short_epochs=lambda keras: {"x": _batches(rounds=2), "steps_per_epoch": 3, "epochs": 3},
    dataset=lambda keras: {"x": _dataset(keras), "epochs": 3, "shuffle": False},
    dataset_in_steps=lambda keras: {"x": _dataset(keras), "epochs": 4, "steps_per_epoch": 2, "shuffle": False},
    arrays_in_steps=lambda keras: {
        "x": X,
        "y": LABELS,
        "batch_size": 10,
        "epochs": 3,
        "steps_per_epoch": 3,
        "shuffle": False,
    },
    arrays_by_steps=lambda keras: {"x": X, "y": LABELS, "epochs": 2, "steps_per_epoch": 5, "shuffle": False},
    class_weights=lambda keras: {"x": _dataset(keras), "epochs": 2, "shuffle": False, "class_weight": {0: 2.0, 1: 0.5}},
)
def fitted_on(keras, arguments):
    model = _compiled(keras)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Your input ran out of data")
        return _found(model, model.fit(**arguments, verbose=0))


@variants(
    dataset=lambda keras: {"validation_data": _dataset(keras)},
    dataset_in_steps=lambda keras: {"validation_data": _dataset(keras), "validation_steps": 2},
    arrays_in_steps=lambda keras: {
        "validation_data": (X_VAL, LABELS_VAL),
        "validation_batch_size": 4,
        "validation_steps": 2,
    },
)
def validated_on(keras, arguments):
    model = _compiled(keras)
    return _found(model, model.fit(X, LABELS, batch_size=10, epochs=2, shuffle=False, verbose=0, **arguments))


@program
def evaluated_and_predicted_on_batches(keras):
    model = _compiled(keras)
    return {
        "dataset": model.evaluate(_dataset(keras), verbose=0),
        "generator": model.evaluate(_batches(), verbose=0),
        "steps": model.evaluate(X, LABELS, batch_size=10, steps=2, verbose=0),
        "predict": np.array(model.predict(_dataset(keras), verbose=0)),
        "predict steps": np.array(model.predict(X, batch_size=10, steps=2, verbose=0)),
    }
