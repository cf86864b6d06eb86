"""ONNX with the columns as they are: onnxruntime says of them what the estimator says."""

import json

import numpy as np
import onnx
import onnxruntime
import pytest

from multilayer.tabular import TabularClassifier, TabularRegressor

stream = np.random.default_rng(0)
ROWS = 60
X = {
    "size": np.where(stream.random(ROWS) < 0.2, np.nan, 1e6 + 1e3 * stream.normal(size=ROWS)),
    "city": np.array(["Seoul", "Busan", None], object)[stream.integers(3, size=ROWS)],
    "new": stream.random(ROWS) < 0.5,
}
LABEL = np.where(X["city"] == "Seoul", "yes", "no")
VALUE = 1e9 + 1e3 * (X["city"] == "Seoul") + stream.normal(size=ROWS)


def asked(path, x):
    """What onnxruntime says of columns."""
    texts = {
        "city": np.array([one or "" for one in x["city"]], object)[:, None],
        "new": np.where(x["new"], "true", "false").astype(object)[:, None],
    }
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    return session.run(None, {"size": x["size"][:, None], **texts})[0]


def test_probabilities_are_the_classifiers(tmp_path):
    fitted = TabularClassifier(members=2, random_state=0).fit(X, LABEL)
    fitted.export(tmp_path / "fitted.onnx")
    assert np.allclose(asked(tmp_path / "fitted.onnx", X), fitted.predict_proba(X), atol=1e-5)
    unseen = {**X, "city": np.full(ROWS, "Jeju", object)}
    with pytest.warns(UserWarning, match="Jeju"):
        assert np.allclose(asked(tmp_path / "fitted.onnx", unseen), fitted.predict_proba(unseen), atol=1e-5)
    said = {one.key: json.loads(one.value) for one in onnx.load(tmp_path / "fitted.onnx").metadata_props}
    assert said == {"columns": ["size", "city", "new"], "classes": ["no", "yes"]}


@pytest.mark.parametrize("name", ["net.html", "net.c", "net.py", "net"])
def test_a_file_of_another_ending_is_not_filled_with_onnx(name, tmp_path):
    fitted = TabularClassifier(members=2, budget=1, random_state=0).fit(X, LABEL)
    with pytest.raises(ValueError, match=r"is written as ONNX, and the file's name ends in '.onnx'. Received"):
        fitted.export(tmp_path / name)
    assert not (tmp_path / name).exists()


def test_values_are_in_the_units_of_the_target(tmp_path):
    fitted = TabularRegressor(members=2, random_state=0).fit(X, VALUE)
    fitted.export(tmp_path / "fitted.onnx")
    assert np.allclose(asked(tmp_path / "fitted.onnx", X)[:, 0], fitted.predict(X), rtol=1e-9, atol=0.01)


def test_dates_are_refused_with_what_to_do(tmp_path):
    dates = np.datetime64("2024-01-01") + np.arange(ROWS) * np.timedelta64(5, "D")
    fitted = TabularClassifier(members=2, random_state=0).fit({**X, "day": dates}, LABEL)
    with pytest.raises(ValueError, match=r"these columns hold some: day.*model_\.export"):
        fitted.export(tmp_path / "fitted.onnx")


def test_quantiles_are_in_order_and_columns_may_be_called_as_the_files_own_names(tmp_path):
    fitted = TabularRegressor(members=2, random_state=0, quantiles=(0.1, 0.9)).fit({"values": X["size"]}, VALUE)
    fitted.export(tmp_path / "fitted.onnx")
    session = onnxruntime.InferenceSession(tmp_path / "fitted.onnx", providers=["CPUExecutionProvider"])
    found = session.run(None, {"values": X["size"][:, None]})[0]
    assert np.allclose(found[:, [0, 2]], fitted.predict_quantiles({"values": X["size"]}), rtol=1e-9, atol=0.01)
