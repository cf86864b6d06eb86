"""The networks of RealMLP: what is done to columns, and what training begins with."""

import numpy as np

import multilayer as keras
from multilayer.tabular import NTPDense, networks
from tabular.record_realmlp import TRAINED, table
from tabular.test_realmlp import CARDINALITIES, both, recorded, weights_of

__all__ = ["recorded"]


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


def test_td_begins_with_units_of_deviation_1_whose_kinks_are_among_the_rows():
    stream = np.random.default_rng(0)
    layer = NTPDense(50)
    layer.build((None, 6))
    x = (stream.normal(size=(200, 6)) * 3 + 1).astype("float32")
    y = networks._started(layer, x, stream)
    np.testing.assert_allclose(y, layer(x), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(y.std(axis=0), 1.0, rtol=1e-4)
    assert ((y.min(axis=0) < 0) & (y.max(axis=0) > 0)).all()


def test_units_of_rows_that_are_all_alike_stay_finite():
    layer = NTPDense(5)
    layer.build((None, 3))
    y = networks._started(layer, np.ones((8, 3), "float32"), np.random.default_rng(0))
    np.testing.assert_allclose(y, 0.0, atol=1e-5)
