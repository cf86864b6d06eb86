"""The one table from a file's ending to its writer."""

import pytest

import multilayer as keras
from multilayer.export import FORMATS, export, format_of
from multilayer.export.names import Names, comment, identifier
from multilayer.layers import Dense, Input


@pytest.fixture
def model():
    return keras.Sequential([Input((4,)), Dense(3, "softmax")])


@pytest.mark.parametrize("name", ["net.tflite", "net.pb", "net", "net.c.gz", "net.h", "net.cpp", "c", ".C"])
def test_an_ending_that_is_not_known_is_refused(model, tmp_path, name):
    with pytest.raises(ValueError, match=r"it ends in '.onnx' for an ONNX file, .*'.c' for a file of C, .*Received: "):
        model.export(tmp_path / name)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("net.c", {"format": "onnx"}, r"it ends in '.onnx' for an ONNX file. Received: "),
        ("net.c", {"format": "tflite"}, r"no format 'tflite' to export to: `format` is one of 'onnx', .*'c', "),
        ("net.c", {"flahs": 3}, r"`export` to a file of C has no option `flahs`: it takes .*`name`, `examples`, "),
        ("net.py", {"name": "x"}, "`export` to a Python file has no option `name`: it takes none"),
        ("net.py", {"input_signature": []}, "`input_signature` is None here"),
    ],
)
def test_a_format_or_an_option_that_does_not_fit_is_refused_by_name(model, tmp_path, name, options, message):
    with pytest.raises(ValueError, match=message):
        model.export(tmp_path / name, **options)
    assert list(tmp_path.iterdir()) == []


def test_a_model_without_weights_is_refused(tmp_path):
    with pytest.raises(ValueError, match="no weights yet"):
        keras.Sequential([Dense(2)]).export(tmp_path / "net.c")


def test_every_format_has_a_name_an_ending_and_a_writer():
    assert len({one.name for one in FORMATS}) == len({one.ending for one in FORMATS}) == len(FORMATS)
    assert all(format_of(f"a{one.ending}", one.name) is one for one in FORMATS)
    assert all(callable(one.writer()) for one in FORMATS)


def test_what_there_is_to_say_is_said_unless_it_is_not_wanted(model, tmp_path, capsys):
    model.export(tmp_path / "net.c", verbose=False)
    assert capsys.readouterr().out == ""
    model.export(tmp_path / "net.c", verbose=True)
    said = capsys.readouterr().out
    assert said.startswith(f"Saved artifact at '{tmp_path / 'net.c'}'.\nflash: ")
    model.export(tmp_path / "net.py")
    assert capsys.readouterr().out == ""
    assert export(model, tmp_path / "net.c", verbose=False).multiplications == 12


@pytest.mark.parametrize("text", ["a */ b", "// \\\nint x;", "??/", '"quoted"', "/* again", "é\x00\r", "'''", '"""'])
def test_nothing_in_a_comment_ends_it(text):
    found = comment(text)
    assert found.isascii()
    assert not set(found) & set('\\*/"?\n\r\x00')


def test_identifiers_are_ascii_and_all_different():
    assert identifier("Layer 1: */ ouch", "layer") == "layer_1_ouch"
    assert identifier("가중치", "layer") == "layer"
    assert identifier("2nd", "layer") == "layer_2nd"
    names = Names()
    assert [names.unique("x") for _ in range(3)] == ["x", "x_2", "x_3"]
