"""Golden programs for the layers of words and categories: what they look up, learn, hash and count, and their files."""

import numpy as np

from golden.table import program
from golden.table import variants as variants_made

COLOURS = [["red", "green", "red"], ["blue", "red", "äpfel"], ["green", "", "red"], ["[UNK]", "zebra", "blue"]]
ASKED = [["red", "äpfel", "nobody"], ["", "[UNK]", "green"], ["nobody", "else", "red"]]
CODES = [[12, 36, 12], [7, -3, 12], [36, 0, 2**40], [-1, 7, 7]]
ASKED_CODES = [[12, 99, 1000], [0, -1, 36], [2**40, 101, -7]]
TEXTS = [
    "The quick brown fox, jumps!",
    "over the lazy dog; the end.",
    "Ärger im GÖTTERTAL \u2013 the end\u00a0of it",
    "tabs\tand\nlines   and spaces ",
    "",
    "quick-quick, slow... [slow] \U0001f98a fox",
]
ASKED_TEXTS = ["The fox and the unknown", "", "SLOW slow göttertal!"]
LENGTHS = [*range(70), 127, 128, 129, 200, 300]
OF_ALL_LENGTHS = [("abcdefghijklmnop \u00e4\u20ac" * 20)[:length] for length in LENGTHS]


def variants(**arguments):
    """Enters one program for each of these sets of arguments."""
    return variants_made(**{name: lambda _, given=given: dict(given) for name, given in arguments.items()})


def plain(y):
    """What a layer gave as arrays, texts as lists of them."""
    array = np.asarray(y)
    if array.dtype.kind not in "OSU":
        return array
    texts = [one.decode() if isinstance(one, bytes) else str(one) for one in array.ravel().tolist()]
    return {"shape": list(array.shape), "texts": texts}


def seen(layer, asked):
    """What there is to see of a layer with a vocabulary."""
    return {
        "vocabulary": list(layer.get_vocabulary()),
        "without special ones": list(layer.get_vocabulary(include_special_tokens=False)),
        "size": layer.vocabulary_size(),
        "y": plain(layer(asked)),
        "config": described(layer),
    }


def described(layer):
    config = layer.get_config()
    config.pop("dtype")
    found = {key: config[key] for key in sorted(config)}
    return {key: list(one) if isinstance(one, tuple) else one for key, one in found.items()}


_LOOKUPS = {
    "int": {},
    "two_unknown": {"num_oov_indices": 2},
    "masked": {"mask_token": ""},
    "masked_two_unknown": {"mask_token": "", "num_oov_indices": 2},
    "salted": {"num_oov_indices": 3, "salt": 7},
    "few": {"max_tokens": 3},
    "one_hot": {"output_mode": "one_hot"},
    "multi_hot": {"output_mode": "multi_hot", "mask_token": ""},
    "count": {"output_mode": "count", "num_oov_indices": 2},
    "padded": {"output_mode": "count", "max_tokens": 9, "pad_to_max_tokens": True},
    "tf_idf": {"output_mode": "tf_idf", "mask_token": ""},
    "tf_idf_padded": {"output_mode": "tf_idf", "max_tokens": 9, "pad_to_max_tokens": True},
}


@variants(**_LOOKUPS)
def words_learned(keras, arguments):
    layer = keras.layers.StringLookup(**arguments, name="words")
    layer.adapt(np.array(COLOURS))
    return seen(layer, ASKED)


@program
def words_learned_in_batches(keras):
    layer = keras.layers.StringLookup(output_mode="tf_idf", name="words")
    layer.adapt(np.array(batch) for batch in (COLOURS[:2], COLOURS[2:]))
    return seen(layer, ASKED)


@variants(
    int={},
    no_unknown={"num_oov_indices": 0, "asked": ["b", "a"]},
    special={"vocabulary": ["[UNK]", "a", "b"]},
    one_hot={"output_mode": "one_hot", "asked": ["a", "b", "z"]},
    tf_idf={"output_mode": "tf_idf", "idf_weights": [0.25, 0.75]},
    tf_idf_special={"vocabulary": ["[UNK]", "a", "b"], "output_mode": "tf_idf", "idf_weights": [0.9, 0.25, 0.75]},
    inverted={"invert": True, "asked": [[0, 1, 2, 3, -1]]},
    inverted_masked={"invert": True, "mask_token": "", "num_oov_indices": 2, "asked": [[0, 1, 2, 3, 4, 5]]},
)
def words_given(keras, arguments):
    arguments = {"vocabulary": ["a", "b"], "asked": [["a", "z", "b", "a"]], **arguments}
    asked = arguments.pop("asked")
    return seen(keras.layers.StringLookup(**arguments, name="words"), asked)


@variants(
    int={},
    two_unknown={"num_oov_indices": 2},
    hashed={"num_oov_indices": 3, "oov_method": "farmhash"},
    salted={"num_oov_indices": 3, "oov_method": "farmhash", "salt": [3, 4]},
    masked={"mask_token": 0, "num_oov_indices": 2},
    multi_hot={"output_mode": "multi_hot", "mask_token": 0},
    count={"output_mode": "count"},
    tf_idf={"output_mode": "tf_idf", "max_tokens": 4},
)
def codes_learned(keras, arguments):
    layer = keras.layers.IntegerLookup(**arguments, name="codes")
    layer.adapt(np.array(CODES))
    return seen(layer, np.array(ASKED_CODES))


@program
def codes_inverted(keras):
    layer = keras.layers.IntegerLookup(vocabulary=[12, 36], invert=True, mask_token=0, name="codes")
    return seen(layer, np.array([[0, 1, 2, 3, 4]]))


_AMOUNTS = np.random.RandomState(5).normal(size=(200, 3)).astype("float32")


@variants(
    int={}, one_hot={"output_mode": "one_hot"}, multi_hot={"output_mode": "multi_hot"}, count={"output_mode": "count"}
)
def amounts_in_bins(keras, arguments):
    layer = keras.layers.Discretization(bin_boundaries=[-1.0, 0.1, 0.1, 2.0], name="bins", **arguments)
    return {"y": plain(layer(np.array([[-1.0, 0.1, 7.0], [-9.0, 0.0, 2.0]], "float32"))), "config": described(layer)}


@variants(five={"num_bins": 5}, coarse={"num_bins": 7, "epsilon": 0.1}, one={"num_bins": 1}, many={"num_bins": 40})
def bins_learned(keras, arguments):
    layer = keras.layers.Discretization(name="bins", **arguments)
    layer.adapt(_AMOUNTS)
    whole = list(layer.bin_boundaries)
    layer.adapt([_AMOUNTS[:50], _AMOUNTS[50:60], _AMOUNTS[60:]])
    return {"whole": whole, "in batches": list(layer.bin_boundaries), "y": plain(layer(_AMOUNTS[:5]))}


@variants(
    plain={},
    salted={"salt": [133, 137]},
    salted_once={"salt": -5},
    masked={"mask_value": "a"},
    one_hot={"output_mode": "one_hot"},
)
def texts_hashed(keras, arguments):
    layer = keras.layers.Hashing(13, name="hashes", **arguments)
    return {"y": plain(layer([[text] for text in OF_ALL_LENGTHS])), "config": described(layer)}


@variants(
    int={},
    masked={"mask_value": 7},
    multi_hot={"output_mode": "multi_hot"},
    count={"output_mode": "count", "salt": 3},
)
def numbers_hashed(keras, arguments):
    layer = keras.layers.Hashing(5, name="hashes", **arguments)
    return {"whole": plain(layer(np.array(CODES))), "of floats": plain(layer(np.array([[1.0, -2.7], [7.0, 0.2]])))}


@variants(int={}, one_hot={"output_mode": "one_hot"})
def columns_crossed(keras, arguments):
    layer = keras.layers.HashedCrossing(11, name="cross", **arguments)
    words, codes = np.array(OF_ALL_LENGTHS), np.arange(len(LENGTHS)) - 9
    return {
        "two": plain(layer((words, codes))),
        "three, as columns": plain(layer((words[:, None], codes[:, None], words[::-1, None]))),
        "config": described(layer),
    }


@variants(
    int={},
    cut={"output_sequence_length": 4},
    lower={"standardize": "lower"},
    as_it_is={"standardize": None, "output_sequence_length": 12},
    without_signs={"standardize": "strip_punctuation", "max_tokens": 7},
    letters={"split": "character", "output_sequence_length": 8},
    pairs={"ngrams": 2, "output_mode": "count"},
    pairs_alone={"ngrams": (2,), "output_mode": "multi_hot"},
    count={"output_mode": "count", "max_tokens": 6},
    multi_hot={"output_mode": "multi_hot", "max_tokens": 40, "pad_to_max_tokens": True},
    tf_idf={"output_mode": "tf_idf"},
)
def texts_vectorized(keras, arguments):
    layer = keras.layers.TextVectorization(**arguments, name="texts")
    layer.adapt(TEXTS)
    found = seen(layer, ASKED_TEXTS)
    return {**found, "of a column": plain(layer([[text] for text in TEXTS]))}


@program
def texts_split_already(keras):
    layer = keras.layers.TextVectorization(standardize=None, split=None, output_mode="count", name="texts")
    layer.adapt(COLOURS)
    return seen(layer, ASKED)


_TABLE = {
    "amount": [0.5, 1.5, -2.0, 3.0, 0.0, 7.0],
    "share": [1.0, 2.0, 3.0, 4.0, 5.0, 6.0],
    "height": [1.0, 5.0, 2.0, 9.0, 3.0, 7.0],
    "plain": [1.0, 0.0, 1.0, 0.0, 1.0, 0.0],
    "colour": ["red", "green", "red", "blue", "green", "red"],
    "code": [3, 7, 3, 3, 9, 7],
    "street": ["a", "b", "c", "d", "e", "f"],
    "number": [1, 2, 3, 4, 5, 6],
}


def space_of(keras, **arguments):
    space = keras.utils.FeatureSpace
    return space(
        {
            "amount": "float_normalized",
            "share": space.float_rescaled(0.5, offset=1.0),
            "height": space.float_discretized(3),
            "plain": "float",
            "colour": "string_categorical",
            "code": space.integer_categorical(max_tokens=3, num_oov_indices=1),
            "street": "string_hashed",
            "number": "integer_hashed",
        },
        crosses=[("colour", "code"), space.cross(("street", "number"), 4)],
        crossing_dim=5,
        hashing_dim=3,
        **arguments,
    )


@program
def columns_side_by_side(keras):
    space = space_of(keras)
    space.adapt(_TABLE)
    one = {name: values[1] for name, values in _TABLE.items()}
    return {
        "y": plain(space(_TABLE)),
        "of one row": plain(space(one)),
        "inputs": {name: [list(t.shape), t.dtype] for name, t in space.get_inputs().items()},
        "encoded": list(space.get_encoded_features().shape),
    }


@program
def columns_each_by_itself(keras):
    space = keras.utils.FeatureSpace
    space = space(
        {
            "colour": space.string_categorical(output_mode="int"),
            "code": space.integer_categorical(output_mode="int"),
            "height": space.float_discretized(3, output_mode="int"),
        },
        crosses=[space.cross(("colour", "code"), 7, output_mode="int")],
        output_mode="dict",
    )
    table = {name: _TABLE[name] for name in ("colour", "code", "height")}
    space.adapt(table)
    return {name: plain(y) for name, y in space(table).items()}


def tensors(keras, columns):
    """Columns as each library wants them in `fit`: Keras takes no arrays of texts there."""
    types = {"colour": None, "code": "int32", "number": "int32", "street": None}
    if keras.backend.backend() == "numpy":
        return {name: np.array(values)[:, None] for name, values in columns.items()}
    import tensorflow

    return {
        name: tensorflow.constant(values, dtype=types.get(name, "float32") or "string")[:, None]
        for name, values in columns.items()
    }


@program
def a_network_behind_a_space(keras):
    space = space_of(keras)
    space.adapt(_TABLE)
    model = keras.Model(space.get_inputs(), keras.layers.Dense(1)(space.get_encoded_features()))
    model.compile("sgd", "mse")
    stream = np.random.RandomState(2)
    dense = model.layers[-1]
    dense.set_weights([stream.normal(size=weight.shape) for weight in dense.get_weights()])
    x, y = tensors(keras, _TABLE), np.arange(6.0)[:, None].astype("float32")
    history = model.fit(x, y, epochs=3, batch_size=6, shuffle=False, verbose=0)
    return {"history": history.history, "weights": dense.get_weights(), "predict": model.predict(x, verbose=0)}
