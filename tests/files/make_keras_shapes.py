"""Records what Keras gives for every loss and metric and pairs of shapes: `python make_keras_shapes.py` with Keras.

Values are those with `reduction="sum"`, null where Keras refuses. `tests/losses/test_shapes.py` reads them.
"""

import json
import os
from pathlib import Path

os.environ["KERAS_BACKEND"] = "numpy"

import keras
import numpy as np

SHAPES = [(3,), (3, 1), (3, 3), (1, 3), (3, 2), (3, 3, 1), (3, 1, 1), (3, 2, 2), (3, 1, 3)]
NO_TARGETS = ["Mean", "Sum", "Metric", "MeanMetricWrapper", "Loss"]
LEFT_OUT = ["CTC", "Dice", "Tversky", "Circle", "IoU", "BinaryIoU", "MeanIoU", "OneHotIoU", "OneHotMeanIoU"]
HALF = ["PrecisionAtRecall", "RecallAtPrecision", "SensitivityAtSpecificity", "SpecificityAtSensitivity"]
COUNTS = ["AUC", "Precision", "Recall", "F1Score", "FBetaScore", *HALF]


def targets_of(name):
    if "Sparse" in name or "Generalized" in name:
        return "labels"
    return "binary" if name in COUNTS or name.endswith(("Accuracy", "Positives", "Negatives")) else "real"


def data(shape, kind):
    n = np.arange(np.prod(shape))
    values = {
        "predictions": (n * 7 + 3) % 11 / 11.0,
        "real": (n * 5 + 1) % 11 / 11.0,
        "labels": (n * 5 + 1) % 2,
        "binary": (n * 5 + 1) % 3 % 2,
    }
    return values[kind].reshape(shape).astype("float32")


def value(make, y_true, y_pred):
    try:
        found = np.asarray(make()(y_true, y_pred))
    except Exception:
        return None
    numbers = [float(f"{x:.6g}") if np.isfinite(x) else "nan" for x in found.reshape(-1)]
    return numbers if found.ndim else numbers[0]


def main():
    table = {}
    for module, options in ((keras.losses, {"reduction": "sum"}), (keras.metrics, {})):
        for name in dir(module):
            if not name[0].isupper() or (name.isupper() and name != "AUC") or name in [*NO_TARGETS, *LEFT_OUT]:
                continue
            arguments = (0.5,) if name in HALF else ()
            make = lambda: getattr(module, name)(*arguments, **options)  # noqa: B023, E731
            kind = targets_of(name)
            pairs = []
            for of_targets in SHAPES:
                for of_predictions in SHAPES:
                    y_pred = data(of_predictions, "predictions")
                    y_pred = (y_pred > 0.5).astype("float32") if name == "Accuracy" else y_pred
                    pairs.append([of_targets, of_predictions, value(make, data(of_targets, kind), y_pred)])
            table[f"{module.__name__.rpartition('.')[2]}.{name}"] = {"targets": kind, "pairs": pairs}
    lines = ",\n".join(f"{json.dumps(key)}: {json.dumps(entry, separators=(',', ':'))}" for key, entry in table.items())
    made_with = f"Keras {keras.__version__}, NumPy backend, by make_keras_shapes.py"
    text = f'{{"made_with": {json.dumps(made_with)},\n"table": {{\n{lines}\n}}}}\n'
    Path(__file__).with_name("keras_shapes.json").write_text(text)


if __name__ == "__main__":
    main()
