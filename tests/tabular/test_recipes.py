"""The recipes by name, and the search among their settings."""

import numpy as np
import pytest

from multilayer.tabular.recipes import RECIPES, Task, trained

stream = np.random.default_rng(0)
X = stream.normal(size=(60, 3)).astype(np.float32)
TASK = Task(X, np.zeros((60, 0), np.int32), [], (X[:, 0] > 0).astype(int), 2)
VALUES = Task(X, stream.integers(1, 4, size=(60, 1)).astype(np.int32), [3], X[:, :1].copy(), None)


@pytest.mark.parametrize("recipe", RECIPES)
def test_every_recipe_gives_probabilities_or_values(recipe):
    found = trained(recipe, TASK, seed=0, budget=0.2)
    said = found.model.predict({"numbers": X}, verbose=0)
    assert said.shape == (60, 2)
    assert np.allclose(said.sum(axis=1), 1, atol=1e-5)
    found = trained(recipe, VALUES, seed=0, budget=0.2)
    assert found.model.predict({"numbers": X, "codes": VALUES.codes}, verbose=0).shape == (60, 1)
    assert np.isfinite(found.losses).all()


def test_a_search_is_the_same_for_any_number_of_jobs():
    one, two = (trained("default", TASK, seed=0, members=2, tries=1, n_jobs=jobs) for jobs in (1, 2))
    assert one.options == two.options
    assert np.array_equal(one.out_of_fold, two.out_of_fold)
