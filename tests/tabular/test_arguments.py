"""What is given beside a table."""

import numpy as np
import pytest

from multilayer.tabular.arguments import checked_weights, groups_of, scaled_to_one, seed_of, with_class_weights


def test_weights_have_mean_1_whatever_their_unit():
    first, other = (scaled_to_one(checked_weights(weights, 2)) for weights in ([1, 3], [100, 300]))
    assert first.tolist() == other.tolist() == [0.5, 1.5]


def test_weights_that_leave_nothing_to_learn_from_are_refused():
    labels, classes = np.array([0, 1, 1]), np.array(["no", "yes"])
    with pytest.raises(
        ValueError, match=r"leave no row a weight above 0. Received: class_weight=\{'no': 0, 'yes': 0\}"
    ):
        with_class_weights({"no": 0, "yes": 0}, classes, labels, None)
    with pytest.raises(ValueError, match="leave no row a weight above 0"):
        with_class_weights({"no": 0}, classes, labels, np.array([3.0, 0.0, 0.0]))


def test_a_seed_is_made_of_whatever_scikit_learn_takes_for_one():
    assert seed_of(7) == 7
    assert seed_of(np.random.RandomState(0)) == seed_of(np.random.RandomState(0))
    assert seed_of(None) != seed_of(None)


def test_the_name_of_a_column_is_no_groups():
    with pytest.raises(ValueError, match=r"Received the text 'city'. Pass the column itself, such as table\['city'\]"):
        groups_of("city", 4)
