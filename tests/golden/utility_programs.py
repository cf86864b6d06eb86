"""Golden programs about utilities: arrays, splits, names of one's own, and descriptions of objects."""

import json
from collections import OrderedDict

import numpy as np

from golden.table import LABELS, X, program, variants

# --- Arrays -----------------------------------------------------------------------------------------------------------


@variants(
    by_default=lambda keras: {},
    of_sums=lambda keras: {"order": 1},
    of_the_largest=lambda keras: {"order": np.inf},
    along_the_middle=lambda keras: {"axis": 1, "order": 3},
)
def utility_normalize(keras, arguments):
    x = X.reshape(15, 3, 6)
    x = np.where(np.arange(15)[:, None, None] == 4, np.float32(0), x)  # vectors of zeros, too
    return {"normalized": np.array(keras.utils.normalize(x, **arguments))}


@variants(
    by_default=lambda keras: {},
    behind=lambda keras: {"padding": "post", "truncating": "post", "maxlen": 3, "value": 9},
    cut_before=lambda keras: {"padding": "post", "maxlen": 3, "dtype": "float64", "value": 0.5},
)
def utility_pad_sequences(keras, arguments):
    return {"rows": keras.utils.pad_sequences([LABELS[:n].tolist() for n in (2, 0, 5, 3)], **arguments)}


@variants(
    left=lambda keras: {"left_size": 0.8},
    right=lambda keras: {"right_size": 0.3},
    left_number=lambda keras: {"left_size": 11},
    right_number=lambda keras: {"right_size": 11},
    both=lambda keras: {"left_size": 0.5, "right_size": 0.25},
    rounded=lambda keras: {"left_size": 0.49},
)
def utility_split(keras, arguments):
    left, right = keras.utils.split_dataset((X, LABELS), **arguments)
    if keras.__name__ != "multilayer":  # samples one by one
        left, right = ([np.stack(part) for part in zip(*half, strict=True)] for half in (left, right))
    return {"left": [np.array(part) for part in left], "right": [np.array(part) for part in right]}


@program
def utility_random_kinds(keras):
    """Numbers differ; their types, shapes and ranges do not."""
    draw, seeds = keras.random, keras.random.SeedGenerator(3)
    drawn = {
        "normal": draw.normal((4, 3), 1.0, 0.5, seed=1),
        "normal, float64": draw.normal((2,), dtype="float64", seed=1),
        "uniform": draw.uniform((200,), 2.0, 3.0, seed=seeds),
        "randint": draw.randint((300,), 0, 3, seed=seeds),
        "truncated_normal": draw.truncated_normal((500,), 1.0, 2.0, seed=4),
        "shuffle": draw.shuffle(np.arange(12).reshape(4, 3), seed=5),
    }
    arrays = {name: np.array(values) for name, values in drawn.items()}
    return {
        "types": {name: str(values.dtype) for name, values in arrays.items()},
        "shapes": {name: list(values.shape) for name, values in arrays.items()},
        "whole numbers": sorted({int(value) for value in arrays["randint"]}),
        "in range": bool((arrays["uniform"] >= 2).all() and (arrays["uniform"] < 3).all()),
        "cut off": bool(np.abs(arrays["truncated_normal"] - 1).max() <= 4),
        "all there": sorted(int(value) for value in arrays["shuffle"].ravel()),
        "again": bool((np.array(draw.normal((4, 3), 1.0, 0.5, seed=1)) == arrays["normal"]).all()),
        "state": [int(number) for number in np.array(seeds.state)],
        "config": {**keras.random.SeedGenerator(7, name="mine").get_config()},
    }


# --- Names of one's own, and descriptions -----------------------------------------------------------------------------


@program
def utility_custom_objects(keras):
    saving, kept = keras.saving, dict(keras.saving.get_custom_objects())

    class Mine:
        def get_config(self):
            return {}

    def function():
        pass

    found = {"before": [saving.get_registered_name(Mine), saving.get_registered_object("Mine") is None]}
    saving.register_keras_serializable("mine")(Mine)
    saving.register_keras_serializable()(function)
    found["after"] = [saving.get_registered_name(Mine), saving.get_registered_name(function)]
    found["objects"] = [saving.get_registered_object("mine>Mine") is Mine, saving.get_registered_object("Mine") is None]
    with saving.custom_object_scope({"mine>Mine": function}):
        found["in scope"] = saving.get_registered_object("mine>Mine") is function
    found["out of scope"] = saving.get_registered_object("mine>Mine") is Mine
    found["elsewhere"] = saving.get_registered_object("there", {"there": 1}, {"there": 2})
    found["global"] = sorted(set(saving.get_custom_objects()) - set(kept))
    saving.get_custom_objects().clear()
    saving.get_custom_objects().update(kept)
    return found


@variants(
    plain=lambda keras: {"a": [1, 0.5, None, True, "text"], "b": {"c": []}},
    bytes=lambda keras: b"some",
    slice=lambda keras: slice(1, None, 2),
    ellipsis=lambda keras: ...,
    array=lambda keras: np.arange(6, dtype="float32").reshape(2, 3),
    numbers=lambda keras: [np.float64(0.5), np.int32(3)],
    initializer=lambda keras: keras.initializers.RandomUniform(-1.0, 2.0, seed=3),
    several=lambda keras: [keras.initializers.Zeros(), {"one": keras.initializers.Constant(0.5)}],
    loss=lambda keras: keras.losses.MeanSquaredError(name="mine"),
    metric=lambda keras: keras.metrics.BinaryAccuracy(threshold=0.25),
    activation=lambda keras: keras.activations.relu,
)
def utility_serialized(keras, thing):
    described = _described(keras, thing)
    again = keras.saving.deserialize_keras_object(described)
    return {"described": _essentials(described), "described again": _essentials(_described(keras, again))}


def _described(keras, thing):
    return json.loads(json.dumps(keras.saving.serialize_keras_object(thing)))


def _essentials(described):
    """A description without the arguments that Keras alone has, and without its wrappers of types."""
    if isinstance(described, list):
        return [_essentials(one) for one in described]
    if not isinstance(described, dict):
        return described
    config = described.get("config")
    if "class_name" in described and isinstance(config, dict):
        config = {key: _essentials(value) for key, value in sorted(config.items()) if key not in ("dtype", "name")}
        return {**described, "config": config}
    return {key: _essentials(value) for key, value in described.items()}


# --- Structures -------------------------------------------------------------------------------------------------------


@program
def structures(keras):
    tree = keras.tree
    structure = {"b": [1, (2, None)], "a": OrderedDict([("z", 3), ("y", [4, []])])}
    visits = {True: [], False: []}
    for top_down, seen in visits.items():
        tree.traverse(lambda part, seen=seen: seen.append(repr(part)), [(1, 2), [3], {"a": 4}], top_down=top_down)
    return {
        "flat": repr(tree.flatten(structure)),
        "paths": repr(tree.flatten_with_path(structure)),
        "packed": repr(dict(tree.pack_sequence_as({"b": (0, 0), "a": 0}, [1, 2, 3]))),
        "mapped": repr(dict(tree.map_structure(lambda x, y: (x, y), {"b": [1], "a": None}, {"a": 2, "b": [3]}))),
        "without none": repr(tree.map_structure(lambda x: x + 1, [1, None, (2,)], none_is_leaf=False)),
        "up to": repr(tree.map_structure_up_to([0, [0, 0]], str, [[1, 1], [2, [2]]])),
        "tuples": repr(tree.lists_to_tuples([1, {"a": [2, [3]]}])),
        "shapes": repr(tree.map_shape_structure(len, [(None, 3), {"a": [1, 28, 28]}, []])),
        "replaced": repr(tree.traverse(lambda part: tree.MAP_TO_NONE if part == 3 else None, [1, [3, (3,)]])),
        "nested": [tree.is_nested(one) for one in ([], (), {}, None, "ab", 1, {1}, np.zeros(2))],
        "down": visits[True],
        "up": visits[False],
    }
