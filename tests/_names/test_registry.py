"""The registry: names to classes and back, and what is said to names and configs that are none."""

import json

import pytest

import multilayer as keras
from multilayer._names import naming, registry

KINDS = ["activation", "initializer", "layer", "loss", "metric", "optimizer"]


class Thing:
    def __init__(self, size=1):
        self.size = size

    def get_config(self):
        return {"size": self.size}

    @classmethod
    def from_config(cls, config):
        return cls(**config)


@pytest.fixture
def kind():
    """A kind of its own with one entry, so that no test leaves anything behind."""
    registry.register("test kind", "short")(Thing)
    yield "test kind"
    del registry._entries["test kind"]


# --- Names ---


@pytest.mark.parametrize("name", ["Thing", "thing", "THING", "short", "Short"])
def test_an_entry_is_found_by_its_names_in_any_case(kind, name):
    assert registry.lookup(kind, name) is Thing


@pytest.mark.parametrize("kind", KINDS)
def test_everything_is_found_by_its_own_name_and_in_snake_case(kind):
    entries = registry.registered(kind)
    assert entries
    for entry in entries:
        for name in (entry.__name__, naming.snake_case(entry.__name__), entry.__name__.upper()):
            assert registry.lookup(kind, name) is entry


def test_an_unknown_name_comes_with_the_nearest_and_all_known_ones(kind):
    with pytest.raises(ValueError, match=r"Unknown test kind: 'thnig'\. Did you mean 'thing'\? Known: .*short, thing"):
        registry.lookup(kind, "thnig")
    with pytest.raises(ValueError, match=r"Unknown test kind: 'qqqq'\. Known: ") as error:
        registry.lookup(kind, "qqqq")
    assert "Did you mean" not in str(error.value)


def test_a_class_is_listed_in_one_spelling_the_one_that_keras_reads():
    with pytest.raises(
        ValueError,
        match=r"Unknown optimizer: 'adm'\. Did you mean 'adam'\? Known: adadelta, adafactor, adagrad, adam, adamax,",
    ):
        registry.lookup("optimizer", "adm")
    with pytest.raises(
        ValueError, match="Known: bce, binary_crossentropy, binary_focal_crossentropy, categorical_crossentropy"
    ):
        registry.lookup("loss", "qqqq")


def test_names_in_capitals_are_names_too():
    error = registry.unknown("metric", "MSF", ["MSE", "val_MSE"])
    assert str(error) == "Unknown metric: 'MSF'. Did you mean 'MSE'? Known: MSE, val_MSE."


def test_where_there_are_no_names_that_is_what_is_said():
    assert str(registry.unknown("metric", "loss", {})) == "Unknown metric: 'loss'. There is none at all."


def test_a_name_is_given_once(kind):
    class Short:
        pass

    assert registry.register(kind)(Thing) is Thing  # again is nothing new
    with pytest.raises(ValueError, match="The test kind name 'short' is taken by .*Thing"):
        registry.register(kind)(Short)


# --- Configs ---


def test_an_object_survives_the_way_through_json(kind):
    description = json.loads(json.dumps(registry.serialize(Thing(size=5))))
    assert description == {
        "module": "keras.test kinds",
        "class_name": "Thing",
        "config": {"size": 5},
        "registered_name": None,
    }
    assert registry.deserialize(kind, description).size == 5
    assert registry.serialize(None) is None


def test_a_description_may_say_more_than_is_asked(kind):
    description = {"module": "keras.things", "class_name": "Thing", "config": {"size": 5}, "registered_name": None}
    assert registry.deserialize(kind, description).size == 5


@pytest.mark.parametrize(
    "description",
    [
        {},
        {"class_name": "Thing"},
        {"config": {}},
        {"name": "thing"},
        {"class_name": "Thing", "size": 5},
        {"class_name": "Thing", "config": None},
        {"class_name": "Thing", "config": [5]},
        {"class_name": 5, "config": {}},
        {"class_name": None, "config": {}},
    ],
)
def test_a_description_that_is_none_is_shown(kind, description):
    with pytest.raises(ValueError, match="Expected a test kind as {'class_name': …, 'config': {…}}; got {"):
        registry.deserialize(kind, description)


def test_a_class_of_another_kind_is_unknown():
    with pytest.raises(ValueError, match="Unknown optimizer: 'Dense'"):
        registry.deserialize("optimizer", {"class_name": "Dense", "config": {"units": 1}})


def test_nothing_can_be_reached_but_what_is_registered():
    for name in ("os.system", "builtins.eval", "__init__", "FunctionOperation"):
        with pytest.raises(ValueError, match="Unknown layer"):
            registry.deserialize("layer", {"class_name": name, "config": {}})


def test_get_takes_an_instance_a_class_a_name_or_a_config(kind):
    thing = Thing(size=3)
    assert registry.get(kind, thing, Thing) is thing
    assert registry.get(kind, registry.serialize(thing), Thing).size == 3
    assert [type(registry.get(kind, given, Thing)) for given in (Thing, "thing")] == [Thing, Thing]
    for given in (None, 5, int, thing.get_config):
        with pytest.raises(ValueError, match="Could not interpret test kind identifier: .* instance of Thing"):
            registry.get(kind, given, Thing)


# --- Names of classes and objects ---


@pytest.mark.parametrize(
    ("name", "snake"),
    [("Dense", "dense"), ("GlorotUniform", "glorot_uniform"), ("SGD", "sgd"), ("InputLayer", "input_layer")],
)
def test_class_names_in_snake_case(name, snake):
    assert naming.snake_case(name) == snake


def test_unnamed_objects_are_numbered_until_the_session_is_cleared():
    keras.utils.clear_session()
    assert [naming.auto_name("Thing") for _ in range(3)] == ["thing", "thing_1", "thing_2"]
    keras.utils.clear_session()
    assert naming.auto_name("Thing") == "thing"
