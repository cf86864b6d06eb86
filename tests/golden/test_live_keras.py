"""Every golden program with Keras as it is installed here, and with `multilayer`, side by side in one process.

The recordings in `golden/recorded` make this possible without Keras; this asks Keras itself:

    pytest -m keras
"""

import importlib.util
import warnings

import pytest

import multilayer
from golden import recordings
from golden.comparison import differences
from golden.programs import PROGRAMS
from golden.record import import_keras
from golden.surface import members, surface

pytestmark = pytest.mark.keras


@pytest.fixture(scope="module")
def keras():
    if importlib.util.find_spec("keras") is None or importlib.util.find_spec("tensorflow") is None:
        pytest.skip("Keras and TensorFlow are not installed")
    with pytest.MonkeyPatch.context() as patch, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # theirs are not ours to mend
        patch.setenv("COLUMNS", str(recordings.SCREEN_WIDTH))
        yield import_keras()


@pytest.mark.parametrize("name", PROGRAMS)
def test_both_walk_the_same_path(name, keras):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        keras.utils.clear_session()
        theirs = recordings.plain(PROGRAMS[name](keras))
    multilayer.utils.clear_session()
    found = list(differences(theirs, PROGRAMS[name](multilayer), name))
    if found:
        pytest.fail("\n".join(found), pytrace=False)


def test_what_is_recorded_of_its_names_is_what_keras_has(keras):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert {"names": surface(keras), "members": members(keras)} == recordings.read("surface")
