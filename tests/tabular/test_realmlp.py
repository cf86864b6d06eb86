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


@both
def test_preprocessing_is_that_of_pytabkit(recorded, recipe):
    prefix = f"{recipe}/Classifier"
    numbers, codes, labels, _ = table()
    order = np.argsort(numbers[:TRAINED, 0], kind="stable")
    kind = networks.Full if recipe == "td" else networks.Simple
    network = kind(4, CARDINALITIES, 3, True, np.random.default_rng(0))
    network.adapt(numbers[:TRAINED], codes[:TRAINED], labels)
    found = network.prepared([numbers[order], codes[order].astype("int32")])
    if recipe == "td":
        network.learned([keras.Input(one.shape[1:], dtype=str(one.dtype)) for one in found])
        frequencies, phases, mixing, offsets, embeddings, *_ = weights_of(recorded, f"{prefix}/before/")
        network.periodic.set_weights([frequencies, phases, mixing, offsets])
        network.embeddings.set_weights([embeddings])
        found = [network._embedded(found)]
    np.testing.assert_allclose(found[0], recorded[f"{prefix}/begins with"], rtol=1e-6, atol=1e-6)
