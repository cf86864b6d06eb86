"""What constructors take, and configs that are held against it."""

import pytest

from multilayer._names import registry


@pytest.mark.parametrize(
    ("kind", "name", "argument", "value", "kinds"),
    [
        ("optimizer", "SGD", "use_ema", "False", "bool"),  # which is true, as any other text
        ("optimizer", "SGD", "momentum", [0.9, 0.8], "float"),
        (
            "optimizer",
            "Adam",
            "clipnorm",
            {"class_name": "__numpy__", "config": {"value": [1], "dtype": "f4"}},
            "float",
        ),
        ("optimizer", "Muon", "ns_steps", "5", "int"),
        ("optimizer", "Adam", "name", ["adam"], "str"),
        ("layer", "LayerNormalization", "center", 2, "bool"),
        ("metric", "AUC", "name", 3, "str"),
        ("regularizer", "L2", "l2", "0.1", "float"),
    ],
)
def test_what_an_argument_may_be_is_held_against_its_constructor(kind, name, argument, value, kinds):
    with pytest.raises(ValueError, match=f"{name} has the argument {argument}=.*, which must be {kinds}"):
        registry.deserialize(kind, {"class_name": name, "config": {argument: value}})


def test_numbers_flags_and_nothing_stand_for_one_another_where_files_have_them_so():
    config = {"momentum": 0, "nesterov": 0, "use_ema": None, "clipnorm": 1, "learning_rate": 1}
    optimizer = registry.deserialize("optimizer", {"class_name": "SGD", "config": config})
    assert (optimizer.momentum, optimizer.nesterov, optimizer.clipnorm) == (0, 0, 1)
