"""Makes the files beside it with Keras 3.15: `PYTHONPATH=tests python tests/files/make.py`, or those that it is given.

Every program of `keras_programs` that is named here is trained for a while and saved; `expected.json` tells with which
backend that was, what the model then predicts, and the losses of the epochs after that. Keras on JAX is not the one to
make "held to a norm" with: in training, it forgets there that a kernel was divided.
"""

from __future__ import annotations

import json
import sys
import warnings
from pathlib import Path

import numpy as np

from helpers import keras_programs

FOLDER = Path(__file__).parent
# By file: the program that makes it.
FILES = {
    "adam_amsgrad.keras": "Adam, amsgrad",
    "rmsprop.keras": "RMSprop, all",
    "nadam.keras": "Nadam",
    "muon.keras": "Muon",
    "sgd.keras": "SGD, Nesterov",
    "accumulation.keras": "accumulation",
    "schedule.keras": "a schedule",
    "several.keras": "several inputs and outputs",
    "residual.keras": "residual",
    "within.keras": "models within",
    "every_argument.keras": "every argument",
    "adapted.keras": "adapted",
    "steps.keras": "steps",
    "held_to_a_norm.keras": "held to a norm",
    "adam.h5": "Adam",
    "residual.h5": "residual",
    "within.h5": "models within",
    "adam.weights.h5": "Adam",
    "within.weights.h5": "models within",
}


def main() -> None:
    import keras  # which need not be there when tests are collected

    recorded = FOLDER / "expected.json"
    expected = json.loads(recorded.read_text())
    by = {"keras": keras.__version__, "backend": keras.backend.backend()}
    for file in sys.argv[1:] or FILES:
        name = FILES[file]
        keras.utils.set_random_seed(1)
        keras.backend.clear_session()
        model, x, y = keras_programs.PROGRAMS[name](keras)
        keras_programs.train(model, x, y, 3)
        path = FOLDER / file
        if file.endswith(".weights.h5"):
            model.save_weights(path)
        else:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # `.h5` is of earlier days
                model.save(path)
        predicted = [np.asarray(one, "float64").round(8).tolist() for one in keras_programs.predictions(model, x)]
        losses = keras_programs.train(model, x, y, 3)
        expected[file] = {"program": name, **by, "predictions": predicted, "losses": losses}
    recorded.write_text(json.dumps({file: expected[file] for file in FILES}, indent=1) + "\n")


if __name__ == "__main__":
    main()
