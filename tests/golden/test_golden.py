"""Golden paths: given the same weights and batches, every program walks the way that Keras 3.15 has walked.

What Keras did is recorded in `golden/recorded`; `golden/record.py` says how.
"""

import re

import numpy as np
import pytest

import multilayer as keras
from golden import recordings
from golden.comparison import differences
from golden.configs import config_of, things
from golden.mistakes import MISTAKES
from golden.programs import PROGRAMS
from golden.record import main as record


@pytest.fixture(autouse=True)
def fresh_names_and_a_known_screen(monkeypatch):
    monkeypatch.setenv("COLUMNS", str(recordings.SCREEN_WIDTH))
    keras.utils.clear_session()


@pytest.mark.parametrize("name", PROGRAMS)
def test_it_walks_the_path_of_keras(name):
    found = list(differences(recordings.read(f"programs/{name}"), PROGRAMS[name](keras), name))
    if found:
        pytest.fail("\n".join(found), pytrace=False)


def test_every_program_is_recorded_and_every_recording_has_its_program():
    assert recordings.names("programs") == set(PROGRAMS)
    assert set(recordings.read("configs")) == set(things(keras))
    assert set(recordings.read("mistakes")) == set(MISTAKES)


def test_recording_nothing_is_an_error():
    with pytest.raises(SystemExit, match="No golden program's name begins with 'nonsense'; nothing was recorded"):
        record("nonsense")


def unnumbered(name):
    return name and re.sub(r"_\d+$", "", name)


@pytest.mark.parametrize("name", recordings.read("configs"))
def test_arguments_and_defaults_are_those_of_keras(name):
    theirs = recordings.read("configs")[name]
    theirs["name"] = unnumbered(theirs.get("name"))
    for key, value in config_of(things(keras)[name]).items():
        value = unnumbered(value) if key == "name" else value  # numbers count what was made before: see `words`
        assert (key, value) == (key, theirs.get(key, "(Keras has no such argument)"))


@pytest.mark.parametrize("name", MISTAKES)
def test_what_keras_refuses_is_refused_in_words_that_name_the_same(name):
    theirs = recordings.read("mistakes")[name]
    with pytest.raises(Exception) as caught:  # noqa: PT011 - type and text are compared below
        MISTAKES[name].make(keras)
    kinds = {kind.__name__ for kind in type(caught.value).__mro__[:3]}  # ours may be of both kinds
    assert kinds & {theirs["type"], "ValueError"}
    for word in MISTAKES[name].words:
        assert word in str(caught.value)


def test_the_comparison_sees_what_is_wrong():
    right = {"history": {"loss": [0.5, 0.25], "accuracy": [0.2]}, "weights": [np.eye(2)], "words": ["a", "b"], "n": 3}

    def found(**changes):
        return list(differences(right, {**right, **changes}, "walk"))

    assert found() == []
    assert found(history={"loss": [0.5, 0.25004], "accuracy": [0.2]}) == []
    assert found(history={"loss": [0.5, 0.2501], "accuracy": [0.2]}) == [
        "walk / history / loss, epoch 2: Keras has 0.25, found 0.2501"
    ]
    assert found(history={"accuracy": [0.2], "loss": [0.5, 0.25]})[0].startswith("walk / history: Keras has ['loss'")
    assert found(history={"loss": [0.5], "accuracy": [0.2]}) != []
    assert found(history={"loss": [0.5, float("nan")], "accuracy": [0.2]}) != []
    assert found(weights=[1.0001 * np.eye(2)]) == []
    assert found(weights=[1.001 * np.eye(2)]) == [
        "walk / weights [0]: differs from Keras by 0.00141, being of size 1.41"
    ]
    assert found(weights=[np.eye(3)]) == ["walk / weights [0]: Keras has shape (2, 2), found (3, 3)"]
    assert found(words=["a", "c"]) == ["walk / words [1]: Keras has 'b', found 'c'"]
    assert found(history={"loss": 0.5, "accuracy": [0.2]}) != []
    assert found(n=[3]) != []
    assert found(n=4) == ["walk / n: Keras has 3, found 4"]
