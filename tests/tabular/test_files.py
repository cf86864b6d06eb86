"""One file for all of it, safe to open."""

import numpy as np
import pytest

import multilayer
from multilayer import layers
from multilayer._containers import npz
from multilayer._containers.errors import ModelFileError
from multilayer.tabular import TabularClassifier, load

X, Y = {"age": np.arange(20.0) ** 2, "city": ["a", "b"] * 10}, [0] * 10 + [1] * 10


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    path = tmp_path_factory.mktemp("files") / "fitted.npz"
    TabularClassifier(members=2, random_state=0).fit(X, Y).save(path)
    return path


def test_the_network_in_it_is_a_model_like_any_other(file):
    model = multilayer.models.load_model(file)
    inputs = load(file).preprocessing_(multilayer.tabular.Table.of(X))
    said = model.predict({"numbers": inputs.numbers, "codes": inputs.codes}, verbose=0)
    assert np.allclose(said, load(file).predict_proba(X), atol=1e-6)


def test_a_models_own_file_is_told_apart(tmp_path):
    multilayer.Sequential([layers.Input((2,)), layers.Dense(1)]).save(tmp_path / "model.npz")
    with pytest.raises(ModelFileError, match="`multilayer.models.load_model` reads it"):
        load(tmp_path / "model.npz")


@pytest.mark.parametrize("damage", ["classes", "preprocessing", "params", "columns"])
def test_a_damaged_file_is_refused(file, damage, tmp_path):
    with npz.opened(file) as (config, stored):
        arrays = {name: one.read() for name, one in stored.items()}
    config["table"][damage] = {"values": "?", "names": 3}
    npz.write(tmp_path / "damaged.npz", config, arrays)
    with pytest.raises(ModelFileError, match="damaged"):
        load(tmp_path / "damaged.npz")


def test_nothing_in_the_file_names_a_class_to_import(file, tmp_path):
    with npz.opened(file) as (config, stored):
        arrays = {name: one.read() for name, one in stored.items()}
    config["table"]["preprocessing"]["encodings"][0]["kind"] = "os.system"
    npz.write(tmp_path / "hostile.npz", config, arrays)
    with pytest.raises(ModelFileError, match="damaged"):
        load(tmp_path / "hostile.npz")


@pytest.mark.parametrize(
    ("where", "value"),
    [
        (("classes", "dtype"), "U999999999"),
        (("classes", "values"), [0]),
        (("preprocessing", "encodings", 0, "center"), "x"),
        (("preprocessing", "encodings", 0, "factor"), None),
        (("preprocessing", "forms", "age"), "zzz"),
        (("preprocessing", "encodings"), []),
        (("preprocessing", "encodings", 0, "missing"), True),
    ],
)
def test_what_does_not_fit_its_network_is_refused_when_it_is_opened(file, where, value, tmp_path):
    with npz.opened(file) as (config, stored):
        arrays = {name: one.read() for name, one in stored.items()}
    place = config["table"]
    for step in where[:-1]:
        place = place[step]
    place[where[-1]] = value
    npz.write(tmp_path / "damaged.npz", config, arrays)
    with pytest.raises(ModelFileError, match="damaged"):
        load(tmp_path / "damaged.npz")
