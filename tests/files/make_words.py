"""Writes words.keras, space.keras and words.json: what Keras saves of layers for words, and what it predicts by them.

Run it where Keras 3.15 and TensorFlow are installed, from the root of the repository:

    PYTHONPATH=tests python tests/files/make_words.py
"""

import json
import os
from pathlib import Path

import numpy as np

FOLDER = Path(__file__).parent
COLOURS = [["red"], ["nobody"], ["äpfel"], ["red"]]
CODES = [[3], [9], [2**40], [-1]]
AMOUNTS = [[1.0], [7.0], [3.0], [0.0]]
TABLE = {"colour": ["red", "green", "red", "äpfel"], "amount": [0.0, 1.0, 2.0, 5.0], "code": [1, 2, 3, 1]}


def model_of(keras):
    layers = keras.layers
    words = layers.StringLookup(name="words")
    words.adapt(np.array(["äpfel", "red", "äpfel", ""]))
    weighed = layers.StringLookup(output_mode="tf_idf", name="weighed")
    weighed.adapt(np.array([["red", "äpfel"], ["green", "red"], ["blue", "red"]]))
    texts = layers.TextVectorization(output_mode="tf_idf", name="texts")
    texts.adapt(["red red", "green red", "äpfel"])
    bins = layers.Discretization(num_bins=3, name="bins")
    bins.adapt(np.arange(10.0))
    colour = keras.Input((1,), dtype="string", name="colour")
    code = keras.Input((1,), dtype="int64", name="code")
    amount = keras.Input((1,), name="amount")
    numbers = layers.IntegerLookup(vocabulary=[3, 2**40], name="numbers")
    outputs = [words(colour), weighed(colour), texts(colour), numbers(code), bins(amount)]
    outputs += [layers.Hashing(7, salt=3)(colour), layers.HashedCrossing(5)([colour, code])]
    return keras.Model({"colour": colour, "code": code, "amount": amount}, outputs)


def main():
    os.environ |= {"KERAS_BACKEND": "tensorflow", "CUDA_VISIBLE_DEVICES": "-1", "TF_CPP_MIN_LOG_LEVEL": "3"}
    import keras
    import tensorflow

    model = model_of(keras)
    model.save(FOLDER / "words.keras")
    x = {
        "colour": tensorflow.constant(COLOURS),
        "code": tensorflow.constant(CODES, dtype="int64"),
        "amount": tensorflow.constant(AMOUNTS),
    }
    predicted = [y.tolist() for y in model.predict(x, verbose=0)]
    kinds = {"colour": "string_categorical", "amount": "float_normalized", "code": "integer_categorical"}
    space = keras.utils.FeatureSpace(kinds, crosses=[("colour", "code")], crossing_dim=4)
    space.adapt(TABLE)
    space.save(FOLDER / "space.keras")
    found = {"model": predicted, "space": np.array(space(TABLE)).tolist()}
    (FOLDER / "words.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
