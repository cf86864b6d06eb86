"""The recipes of RealMLP: held against pytabkit's, and what they do with what they are given."""

from pathlib import Path

import numpy as np
import pytest

import multilayer as keras
from multilayer.callbacks import Callback
from multilayer.tabular import networks, realmlp_td, realmlp_td_s
from tabular.record_realmlp import EPOCHS, TRAINED, table

RECORDED = Path(__file__).parent / "recorded" / "realmlp.npz"
CARDINALITIES = [3, 11, 2]
RECIPES = {"td_s": realmlp_td_s, "td": realmlp_td}
both = pytest.mark.parametrize("recipe", RECIPES)
each_sort = pytest.mark.parametrize("end", ["Classifier", "Regressor"])


class FromRecorded(Callback):
    """Begins with recorded weights, and notes what becomes of them."""

    def __init__(self, weights):
        self.weights = weights
        self.after = []

    def on_train_begin(self, logs=None):
        kept = [weight.numpy() for weight in self.model.non_trainable_weights]
        self.model.set_weights([*self.weights, *kept])

    def on_epoch_end(self, epoch, logs=None):
        self.after.append([weight.numpy() for weight in self.model.trainable_weights])


@pytest.fixture(scope="module")
def recorded():
    with np.load(RECORDED) as file:
        return dict(file)


def weights_of(recorded, prefix):
    """Recorded weights in the order in which the network has them: in pytabkit, mixing comes before phases."""
    found = {name.removeprefix(prefix): value for name, value in recorded.items() if name.startswith(prefix)}
    own = [found.pop(f"plr/{name}") for name in ("weight_1", "bias_1", "weight_2", "bias_2") if f"plr/{name}" in found]
    return [np.squeeze(one, 1) if one.ndim == 3 and one.shape[1] == 1 else one for one in own] + [
        one[0] if len(one) == 1 and "weight" not in name else one for name, one in found.items()
    ]


@both
@each_sort
def test_every_step_is_that_of_pytabkit(recorded, recipe, end, monkeypatch):
    monkeypatch.setattr(networks.Simple, "width", 8)
    monkeypatch.setattr(networks.Full, "dropout", 0.0)
    prefix = f"{recipe}/{end}"
    numbers, codes, labels, values = table()
    np.testing.assert_array_equal(recorded[f"{prefix}/raw/x_cat"], codes[:TRAINED])
    train, held_out = slice(TRAINED), slice(TRAINED, None)
    y = labels if end == "Classifier" else values
    noted = FromRecorded(weights_of(recorded, f"{prefix}/before/"))
    trained = RECIPES[recipe](
        numbers[train],
        codes[train],
        CARDINALITIES,
        y[train],
        classes=3 if end == "Classifier" else None,
        epochs=EPOCHS,
        batch_size=TRAINED,
        validation=(numbers[held_out], codes[held_out], y[held_out]),
        callbacks=[noted],
    )
    for epoch, weights in enumerate(noted.after):
        for ours, theirs in zip(weights, weights_of(recorded, f"{prefix}/after/{epoch}/"), strict=True):
            np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-5)
    found = trained.model.predict({"numbers": numbers[held_out], "codes": codes[held_out]}, verbose=0)
    found = (
        np.asarray(keras.ops.softmax(found)) if end == "Classifier" else found[:, 0] * trained.deviation + trained.mean
    )
    np.testing.assert_allclose(found, recorded[f"{prefix}/predicted"], rtol=1e-4, atol=1e-5)


@pytest.fixture(scope="module")
def rows():
    stream = np.random.default_rng(0)
    numbers, codes = stream.normal(size=(90, 3)), stream.integers(0, 12, (90, 2)) % [3, 12]
    return numbers, codes, (numbers[:, 0] + (codes[:, 1] > 5) > 0.5).astype(int), numbers[:, 0] * 3 + codes[:, 0] + 20


def predicted(trained, numbers, codes):
    given = {"numbers": numbers, "codes": codes}
    return trained.model.predict({name: given[name] for name in trained.model.input_names}, verbose=0)


@both
def test_a_trained_model_comes_back_from_files(rows, recipe, tmp_path):
    numbers, codes, labels, _ = rows
    trained = RECIPES[recipe](numbers, codes, [2, 11], labels, classes=2, epochs=2, seed=1)
    expected = predicted(trained, numbers, codes)
    trained.model.save(tmp_path / "model.keras")
    again = trained._replace(model=keras.models.load_model(tmp_path / "model.keras"))
    np.testing.assert_array_equal(predicted(again, numbers, codes), expected)
    pytest.importorskip("onnx")
    runtime = pytest.importorskip("onnxruntime")
    trained.model.export(tmp_path / "model.onnx")
    session = runtime.InferenceSession(tmp_path / "model.onnx", providers=["CPUExecutionProvider"])
    given = {"numbers": numbers.astype("float32"), "codes": codes.astype("int32")}
    np.testing.assert_allclose(session.run(None, given)[0], expected, rtol=1e-4, atol=1e-5)


@both
def test_a_seed_says_everything(rows, recipe):
    numbers, codes, _, values = rows
    first, again = (RECIPES[recipe](numbers, codes, [2, 11], values, epochs=3, seed=4) for _ in range(2))
    np.testing.assert_array_equal(predicted(first, numbers, codes), predicted(again, numbers, codes))
    other = RECIPES[recipe](numbers, codes, [2, 11], values, epochs=3, seed=5)
    assert not np.allclose(predicted(first, numbers, codes), predicted(other, numbers, codes))


@both
@pytest.mark.parametrize("of", ["numbers", "codes"])
def test_a_table_may_have_one_sort_of_columns(rows, recipe, of):
    numbers, codes, labels, _ = rows
    numbers, codes = (numbers, codes[:, :0]) if of == "numbers" else (numbers[:, :0], codes)
    trained = RECIPES[recipe](numbers, codes, [2, 11][: codes.shape[1]], labels, classes=2, epochs=2)
    assert trained.model.input_names == [of]
    assert predicted(trained, numbers, codes).shape == (90, 2)


def test_values_are_standardized_and_what_td_predicts_is_within_their_range(rows):
    numbers, codes, _, values = rows
    trained = realmlp_td(numbers, codes, [2, 11], values, epochs=1, val_fraction=0.0)
    np.testing.assert_allclose([trained.mean[0], trained.deviation[0]], [values.mean(), values.std()])
    far = predicted(trained, np.full((4, 3), 1e6) * [[1], [-1], [1e3], [-1e3]], codes[:4]) * trained.deviation
    assert (far + trained.mean >= values.min() - 1e-3).all()
    assert (far + trained.mean <= values.max() + 1e-3).all()


@both
def test_a_row_of_no_weight_changes_nothing(rows, recipe):
    numbers, codes, labels, _ = rows
    weight = np.r_[np.ones(60), np.zeros(30)]
    flipped = np.r_[labels[:60], 1 - labels[60:]]
    first, other = (
        RECIPES[recipe](numbers, codes, [2, 11], y, classes=2, epochs=2, seed=3, sample_weight=weight, val_fraction=0.0)
        for y in (labels, flipped)
    )
    np.testing.assert_array_equal(predicted(first, numbers, codes), predicted(other, numbers, codes))


def test_whoever_is_asked_may_end_training(rows):
    numbers, codes, labels, _ = rows
    asked = []

    def stop(epoch, figures):
        asked.append(figures["val_accuracy"])
        return epoch == 2

    trained = realmlp_td_s(numbers, codes, [2, 11], labels, classes=2, epochs=9, batch_size="auto", stop=stop)
    assert len(asked) == len(trained.history["loss"]) == 3
    assert trained.epoch == max(epoch for epoch in range(3) if asked[epoch] == max(asked))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"targets": np.full(90, 2), "classes": 2}, "whole numbers from 0 to 1"),
        ({"cardinalities": [2]}, "belong together"),
        ({"numbers": np.ones((3, 2))}, "belong together"),
        ({"numbers": np.ones((90, 0)), "codes": np.ones((90, 0)), "cardinalities": []}, "no column to learn from"),
        ({"numbers": np.full((90, 1), np.nan)}, "numbers"),
        ({"batch_size": 0}, "`batch_size`"),
        ({"val_fraction": 2.0}, "`val_fraction`"),
    ],
)
def test_what_nothing_could_be_learned_from_is_refused(rows, change, words):
    numbers, codes, _, values = rows
    given = {"numbers": numbers, "codes": codes, "cardinalities": [2, 11], "targets": values, "epochs": 1} | change
    with pytest.raises(ValueError, match=words):
        realmlp_td_s(**given)
