"""docs/keras.md says what there is of Keras: it is what its script makes of both libraries as they are."""

import importlib.util

import pytest

from helpers.paths import DOCS

_SCRIPT = DOCS / "keras_names.py"


@pytest.fixture(scope="module")
def script():
    spec = importlib.util.spec_from_file_location("keras_names", _SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_page_is_up_to_date(script):
    made, found = script.page().split("\n"), script.PAGE.read_text(encoding="utf-8").split("\n")
    stale = next((line for line in zip(made, found, strict=False) if line[0] != line[1]), None)
    if stale or len(made) != len(found):
        pytest.fail(f"Run `python docs/keras_names.py`. docs/keras.md does not say what is: {stale}", pytrace=False)


def test_every_remark_is_on_the_page(script):
    page = script.page()
    for remark in (*script.REMARKS.values(), *script.MEMBER_REMARKS.values()):
        assert remark in page


@pytest.mark.parametrize(
    ("theirs", "ours", "said"),
    [
        ("function(x, axis=-1)", "function(x, axis=-1)", []),
        ("class(a=1.0, b='x', c=None)", "class(a=1, b='x', c=None)", []),
        ("class(a, **kwargs)", "class(a)", []),
        ("value", "value", []),
        ("function(*args, **kwargs)", "function(x, y=None)", []),
        ("function(x, y=None)", "function(*args, **kwargs)", []),
        ("function(a=absent)", "function(a=absent)", []),
        ("function(a, b=1, c=2)", "function(a)", ["no `b`, `c`"]),
        ("function(a)", "function(a, b=1)", ["also `b`"]),
        ("function(a, b=1)", "function(a, b=2)", ["`b=2` (Keras: `b=1`)"]),
        ("function(a, b)", "function(a, b=2)", ["`b=2` (Keras: `b`)"]),
        ("function(a, b=None)", "function(a, b)", ["`b` (Keras: `b=None`)"]),
        ("function(a=1, b=2)", "function(b=2, a=1)", ["in the order `b`, `a`"]),
        ("function(a, b=2)", "function(a, *, b=2)", ["`b` by name only"]),
        ("function(a, *, b=2)", "function(a, b=2)", []),
        ("class(a)", "function(a)", ["function here, class in Keras"]),
        ("attribute", "function(a)", ["function here, attribute in Keras"]),
        ("function(a=True)", "function(a=1)", ["`a=1` (Keras: `a=True`)"]),
        ("function(a=present)", "function(a=absent)", ["`a=absent` (Keras: `a=present`)"]),
    ],
)
def test_signatures_are_compared(script, theirs, ours, said):
    assert list(script.differences(theirs, ours)) == said


def test_what_every_layer_takes_is_no_difference(script):
    assert list(script.differences("class(units, autocast=True)", "class(units, input_dim=None)")) == []
