"""Structures under Keras' names. What Keras gives for them is recorded, too: see `golden/utility_programs.py`."""

from collections import OrderedDict, defaultdict, deque, namedtuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from multilayer import tree

Point = namedtuple("Point", ["x", "y"])
NODES = [
    [1, 2],
    (1, 2),
    Point(1, 2),
    {"b": 2, "a": 1},
    OrderedDict([("b", 1), ("a", 2)]),
    defaultdict(list, {"b": 2, "a": 1}),
    deque([1, 2], maxlen=3),
]
LEAVES = [None, 1, "ab", np.zeros(3), {1, 2}, range(3)]

structures = st.recursive(
    st.none() | st.integers(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(st.text(max_size=2), inner, max_size=3)
        | st.tuples(inner, inner).map(lambda pair: Point(*pair))
    ),
    max_leaves=8,
)


@pytest.mark.parametrize("node", NODES, ids=lambda node: type(node).__name__)
def test_every_kind_of_node_comes_back_as_itself(node):
    assert tree.is_nested(node)
    assert tree.flatten(node) == [1, 2]
    packed = tree.pack_sequence_as(node, [10, 20])
    assert type(packed) is type(node)
    assert packed == tree.map_structure(lambda leaf: 10 * leaf, node)
    assert list(packed) == list(node) if isinstance(node, dict) else list(packed) == [10, 20]
    assert getattr(packed, "maxlen", None) == getattr(node, "maxlen", None)
    assert getattr(packed, "default_factory", None) == getattr(node, "default_factory", None)


@pytest.mark.parametrize("leaf", LEAVES, ids=str)
def test_all_else_is_a_leaf(leaf):
    assert not tree.is_nested(leaf)
    assert tree.flatten(leaf)[0] is leaf
    assert tree.pack_sequence_as("leaf", [leaf]) is leaf


@given(structures)
def test_what_is_taken_apart_goes_together_again(structure):
    leaves = tree.flatten(structure)
    assert tree.pack_sequence_as(structure, leaves) == structure
    assert [leaf for _, leaf in tree.flatten_with_path(structure)] == leaves
    assert tree.traverse(lambda part: None, structure) == structure
    assert tree.traverse(lambda part: None, structure, top_down=False) == structure
    tree.assert_same_structure(structure, structure)
    tree.assert_same_paths(structure, tree.lists_to_tuples(structure))


def test_parts_can_be_replaced_on_the_way():
    structure = [{"a": 1, "b": [2]}, 3]
    assert tree.traverse(lambda part: sum(part) if part == [2] else None, structure) == [{"a": 1, "b": 2}, 3]
    assert tree.traverse(lambda part: tree.MAP_TO_NONE if part == 3 else None, structure) == [{"a": 1, "b": [2]}, None]
    doubled = tree.traverse(lambda part: part * 2 if isinstance(part, (int, list)) else None, [1, [2]], top_down=False)
    assert doubled == [2, [4, 4], 2, [4, 4]]


def test_several_structures_are_gone_through_together():
    assert tree.map_structure(lambda x, y: (x, y), {"a": 1}, OrderedDict(a=2)) == {"a": (1, 2)}
    assert tree.map_structure(lambda x: x + 1, [None, 1], none_is_leaf=False) == [None, 2]
    assert tree.map_structure(lambda x: x is None, [None, 1]) == [True, False]
    assert tree.map_structure_up_to([0, {"a": 0}], lambda x, y: (x, y), [[1], {"a": 2}], [3, {"a": (4,)}]) == [
        ([1], 3),
        {"a": (2, (4,))},
    ]
    assert tree.map_shape_structure(
        lambda shape: sum(side or 0 for side in shape), {"a": (None, 3), "b": [(1, 2)]}
    ) == {
        "a": 3,
        "b": [3],
    }


@pytest.mark.parametrize(
    ("a", "b", "where"),
    [
        ([1, 2], [1], "at the top, one has 2 entries, the other 1"),
        ([(1,)], [[1]], r"at \(0,\), one has a tuple, the other a list"),
        ({"a": 1}, {"b": 1}, r"the keys \['a'\], the other \['b'\]"),
        ({"a": [1]}, {"a": 1}, r"at \('a',\), one has a list, the other a int"),
        (Point(1, 2), (1, 2), "one has a Point, the other a tuple"),
    ],
)
def test_structures_that_are_not_alike_are_refused(a, b, where):
    for refuse in (tree.assert_same_structure, lambda a, b: tree.map_structure(lambda *_: 0, a, b)):
        with pytest.raises(ValueError, match=where):
            refuse(a, b)
    with pytest.raises(ValueError, match="don't have the same nested structure"):
        tree.map_structure_up_to(a, id, b)


def test_too_few_too_many_and_no_function():
    with pytest.raises(ValueError, match="Too few leaves .* expected: 2, got 1"):
        tree.pack_sequence_as([0, 0], [1])
    with pytest.raises(ValueError, match="Too many leaves .* expected: 2, got 3"):
        tree.pack_sequence_as([0, 0], [1, 2, 3])
    for call in (tree.traverse, tree.map_structure, tree.map_shape_structure):
        with pytest.raises(TypeError, match="`func` must be callable"):
            call(3, [1])
    with pytest.raises(ValueError, match="at least one structure"):
        tree.map_structure(len)
    with pytest.raises(ValueError, match=r"Paths in `a` missing in `b`: \[\(1,\)\]"):
        tree.assert_same_paths([1, 2], (1,))
    with pytest.raises(ValueError, match="None stands beside"):
        tree.map_structure(max, [None], [1], none_is_leaf=False)
    with pytest.warns(DeprecationWarning, match="check_types"):
        tree.assert_same_structure([1], [2], check_types=False)
