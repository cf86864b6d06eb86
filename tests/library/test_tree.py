"""The tests' tree mirrors the house, so that the tests of a module are found from its name.

The tests of `layers/base.py` are in `tests/layers/test_base.py`; or in `tests/layers/test_layers.py`, named after their
folder, where one table holds what all of its modules have to pass. What else stands beside them is about a subject that
goes across modules. Folders that mirror nothing, and modules that are tested by subject, are named here.
"""

from pathlib import Path

import multilayer
from helpers.paths import TESTS

HOUSE = Path(multilayer.__file__).parent
SHORT = 60  # lines; shorter modules are tested by those that use them

NO_WINGS = {
    "browser",  # of the page, as a browser shows it
    "docs",  # of the pages in docs/
    "files",  # that Keras and PyTorch have written, for tests to read
    "golden",  # programs that walk the way of Keras, and what it has recorded of them
    "helpers",  # what many tests use
    "hostile",  # files that strangers made, by intent or by accident
    "library",  # of the library as a whole
}

# A folder, or one module of it, and the test file, for what is tested by subject.
BY_SUBJECT = {
    "_checks": "_training/test_data.py",  # what users pass in
    "_as_keras": "_as_keras/test_as_keras.py",
    "_containers/errors.py": "saving/test_saving.py",  # what is said to a file that is none
    "_containers/names.py": "saving/formats/test_npz.py",
    "_containers/npz.py": "saving/formats/test_npz.py",
    "_containers/safetensors.py": "saving/formats/test_safetensors.py",
    "_containers/stored.py": "saving/formats/test_npz.py",
    "_containers/zips.py": "saving/formats/test_npz.py",
    "_core/tape": "_core/tape/test_operations.py",  # what each operation does to a gradient
    "_core/tape/activations.py": "test_activations.py",  # their second derivatives
    "_language.py": "library/test_language.py",
    "_names/keras2.py": "saving/formats/keras/test_keras2.py",
    "_names/keras_forms.py": "saving/formats/keras/test_keras.py",
    "_names/reprs.py": "test_reprs.py",  # of every class
    "tabular/__init__.py": "tabular/test_estimators.py",
    "_pictures/paper.py": "_pictures/test_preparation.py",  # photographs
    "_tables": "_tables/test_reading.py",  # files; frames, and what columns are, in test_table.py
    "_tracebacks.py": "library/test_tracebacks.py",  # errors of every entry
    "_training": "models/test_models.py",  # how models are trained
    "_training/randomness.py": "library/test_determinism.py",
    "benchmark/engines": "benchmark/test_benchmark.py",
    "callbacks": "callbacks/test_hooks.py",  # who is called when and with what
    "callbacks/monitor.py": "callbacks/test_stopping.py",  # which figure is watched
    "callbacks/preemption.py": "callbacks/test_faults.py",  # signals
    "constraints.py": "test_penalties.py",
    "datasets/california_housing.py": "datasets/test_whole.py",
    "datasets/description.py": "datasets/test_files.py",
    "datasets/glyphs.py": "datasets/test_synthetic_digits.py",
    "datasets/imdb.py": "datasets/test_whole.py",
    "datasets/reuters.py": "datasets/test_whole.py",
    "datasets/transfer.py": "datasets/test_download.py",
    "datasets/word_sequences.py": "golden/test_golden.py",  # against Keras
    "plotting": "plotting/test_history_and_digits.py",
    "plotting/network.py": "plotting/test_layers.py",
    "plotting/regions.py": "plotting/test_landscape.py",
    "regularizers.py": "test_penalties.py",
    "saving/formats/__init__.py": "saving/test_saving.py",
    "saving/formats/contents.py": "saving/test_saving.py",
    "serve": "serve/test_app.py",  # what it answers; what it refuses, in test_protocol.py
    "utils/features.py": "utils/test_feature_space.py",
    "utils/__init__.py": "docs/test_reference.py",  # its public names
}


def modules():
    """Every module that is long enough to have tests, by its place in the house."""
    for path in sorted(HOUSE.rglob("*.py")):
        if len(path.read_text(encoding="utf-8").splitlines()) > SHORT and path != HOUSE / "__init__.py":
            yield path.relative_to(HOUSE)


def has_tests_by_name(module):
    folder = TESTS / module.parent
    return any((folder / f"test_{name}.py").exists() for name in (module.stem, module.parent.name))


def folders(root):
    """The folders within it that hold Python files, or lead to some."""
    return {folder for path in root.rglob("*.py") for folder in path.relative_to(root).parents} - {Path()}


def test_every_module_has_its_tests_where_its_name_says():
    found = list(modules())
    assert len(found) > 100
    lost = [module for module in found if not has_tests_by_name(module)]
    assert [str(one) for one in lost if not BY_SUBJECT.keys() & {str(place) for place in (one, *one.parents)}] == []


def test_every_exception_is_needed_and_leads_to_tests():
    for place, tests in BY_SUBJECT.items():
        assert (TESTS / tests).exists(), tests
        within = [module for module in modules() if Path(place) in (module, *module.parents)]
        assert not all(map(has_tests_by_name, within)), f"{place} has its tests where its name says"


def test_every_folder_of_tests_is_a_wing_of_the_house():
    found = {folder for folder in folders(TESTS) if folder.parts[0] not in NO_WINGS}
    assert sorted(map(str, found - folders(HOUSE))) == []
    assert all((TESTS / folder).is_dir() for folder in NO_WINGS)
