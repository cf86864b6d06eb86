"""FeatureSpace, beside what the golden programs compare with Keras: data as people have it, errors, copies."""

import copy
import pickle

import numpy as np
import pytest

import multilayer as keras
from multilayer import layers
from multilayer.utils import FeatureSpace, PyDataset

TABLE = {"colour": ["red", "green", "red"], "amount": [1.0, 2.0, 6.0], "code": [7, 7, 9]}
KINDS = {"colour": "string_categorical", "amount": "float_normalized", "code": "integer_hashed"}


def adapted(**arguments):
    space = FeatureSpace(KINDS, **arguments)
    space.adapt(TABLE)
    return space


class Batches(PyDataset):
    """The rows one by one, with a target each."""

    def __len__(self):
        return 3

    def __getitem__(self, index):
        return {name: values[index : index + 1] for name, values in TABLE.items()}, np.ones(1)


@pytest.mark.parametrize(
    "data",
    [
        {name: np.array(values) for name, values in TABLE.items()},
        [{name: values[:2] for name, values in TABLE.items()}, {name: values[2:] for name, values in TABLE.items()}],
        ({name: values[i : i + 1] for name, values in TABLE.items()} for i in range(3)),
        Batches(),
    ],
    ids=["arrays", "list of batches", "generator", "PyDataset"],
)
def test_it_learns_of_data_in_any_form(data):
    space = FeatureSpace(KINDS, crosses=[("colour", "code")])
    space.adapt(data)
    other = adapted(crosses=[("colour", "code")])
    np.testing.assert_allclose(space(TABLE), other(TABLE), rtol=1e-6)
    assert space(TABLE).shape == (3, 1 + 32 + 3 + 32)


@pytest.mark.parametrize(
    ("library", "frame_of"), [("pandas", "DataFrame"), ("polars", "DataFrame"), ("pyarrow", "table")]
)
def test_it_takes_a_frame(library, frame_of):
    frame = getattr(pytest.importorskip(library), frame_of)({name: np.ravel(one) for name, one in TABLE.items()})
    space = FeatureSpace(KINDS)
    space.adapt(frame)
    np.testing.assert_array_equal(space(frame), adapted()(TABLE))


def test_copies_do_the_same(tmp_path):
    space = adapted(crosses=[("colour", "code")])
    expected = space(TABLE)
    space.save(tmp_path / "space.keras")
    for twin in (
        copy.deepcopy(space),
        pickle.loads(pickle.dumps(space)),
        keras.models.load_model(tmp_path / "space.keras"),
    ):
        np.testing.assert_array_equal(twin(TABLE), expected)
    with pytest.raises(ValueError, match="saved to a '.keras' file"):
        space.save(tmp_path / "space.npz")


def test_a_layer_of_ones_own_choice():
    texts = layers.TextVectorization(output_mode="tf_idf")
    space = FeatureSpace({"text": FeatureSpace.feature("string", texts, "float")})
    space.adapt({"text": ["1st string", "2nd string"]})
    assert space({"text": "1st string"}).shape == (texts.vocabulary_size(),)


def test_a_model_of_its_tensors_is_the_same_in_files(tmp_path):
    space = adapted()
    model = keras.Model(space.get_inputs(), layers.Dense(1)(space.get_encoded_features()))
    table = {name: np.array(values) for name, values in TABLE.items()}
    expected = model.predict(table, verbose=0)
    for ending in ("keras", "npz"):
        model.save(tmp_path / f"model.{ending}")
        again = keras.models.load_model(tmp_path / f"model.{ending}")
        np.testing.assert_array_equal(again.predict(table, verbose=0), expected)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: FeatureSpace({}), "`features` argument cannot be None or empty"),
        (lambda: FeatureSpace({"a": "words"}), "Invalid feature type: words"),
        (lambda: FeatureSpace(KINDS, output_mode="list"), "Expected one of {'dict', 'concat'}"),
        (lambda: FeatureSpace(KINDS, crosses=[("colour", "size")]), "unknown features"),
        (lambda: FeatureSpace(KINDS, crosses=[("colour", "code")], crossing_dim=0), "`crossing_dim`"),
        (lambda: FeatureSpace.cross(("a", "b"), 3, output_mode="float"), "Invalid value for argument `output_mode`"),
        (lambda: FeatureSpace.feature("string", layers.Identity(), "text"), "Invalid value for argument `output_mode`"),
        (lambda: FeatureSpace(KINDS)(TABLE), "You need to call `.adapt"),
        (lambda: adapted()([1.0]), "can only be called with a dict"),
        (lambda: adapted()({"colour": ["red"]}), r"lacks the columns \['amount', 'code'\]"),
        (lambda: FeatureSpace(KINDS).adapt(3), "`adapt\\(\\)` can only be called on a dict"),
        (lambda: FeatureSpace(KINDS).adapt({"colour": ["red"]}), "lacks the column 'amount'"),
        (lambda: FeatureSpace(KINDS).adapt([np.ones(3)]), "A batch must be a dict of columns"),
        (
            lambda: FeatureSpace({"a": FeatureSpace.string_hashed(3, output_mode="int")}).get_inputs(),
            "has not been encoded",
        ),
        (
            lambda: FeatureSpace({"a": FeatureSpace.feature("float32", layers.Identity(), "one_hot")}).get_inputs(),
            "should return an integer dtype",
        ),
    ],
)
def test_what_does_not_fit_is_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()
