"""Models as graphs: in DOT, as pictures where Graphviz is installed, and in text where it is not."""

import importlib.util
import stat
import sys

import pytest

import multilayer as keras
from multilayer import layers
from multilayer.utils import model_to_dot, model_to_text, plot_model


def two_branches():
    wide, deep = keras.Input((3,), name="wide"), keras.Input((5,), name="deep")
    hidden = layers.Dense(4, "relu", name="hidden", trainable=False)(deep)
    both = layers.Concatenate(name="both")([wide, hidden])
    return keras.Model([wide, deep], layers.Dense(1, name="amount")(both), name="wide_and_deep")


TEXT = """\
wide (InputLayer) (None, 3)
deep (InputLayer) (None, 5)
hidden (Dense) (None, 4) <- deep
both (Concatenate) (None, 7) <- wide, hidden
amount (Dense) (None, 1) <- both"""


def lines_of(text):
    return sorted(text.split("\n"))


def test_text_names_layers_shapes_and_connections():
    assert lines_of(model_to_text(two_branches())) == lines_of(TEXT)


def test_text_of_a_sequential_model():
    model = keras.Sequential([keras.Input((4,)), layers.Dense(2, name="a"), layers.Dense(1, name="b")])
    assert model_to_text(model) == "a (Dense) (None, 2)\nb (Dense) (None, 1) <- a"


class TestInDot:
    @pytest.fixture(autouse=True)
    def graphviz(self):
        return pytest.importorskip("graphviz")

    def test_every_layer_is_a_box_and_every_connection_an_arrow(self):
        source = model_to_dot(two_branches(), show_layer_names=True).source
        numbers = {name: source.split(f'[label="{name} (')[0].split()[-1] for name in ("wide", "hidden", "both")}
        assert f"{numbers['wide']} -> {numbers['both']}" in source
        assert f"{numbers['hidden']} -> {numbers['both']}" in source
        assert source.count("->") == 4

    @pytest.mark.parametrize(
        ("shown", "text"),
        [
            ("show_shapes", "output: (None, 4)"),
            ("show_dtype", "dtype: float32"),
            ("show_layer_names", "hidden (Dense)"),
            ("show_layer_activations", "activation: relu"),
            ("show_trainable", "not trainable"),
        ],
    )
    def test_what_is_written_into_the_boxes(self, shown, text):
        assert text in model_to_dot(two_branches(), **{shown: True}).source
        assert text not in model_to_dot(two_branches()).source

    def test_direction_and_resolution(self):
        source = model_to_dot(two_branches(), rankdir="LR", dpi=96).source
        assert "rankdir=LR" in source
        assert "dpi=96" in source

    def test_a_name_that_dot_reads_otherwise(self):
        model = keras.Sequential([keras.Input((4,)), layers.Dense(2, name="a:b->c"), layers.Dense(1)])
        source = model_to_dot(model, show_layer_names=True).source
        assert 'label="a:b->c (Dense)"' in source
        assert "0 -> 1" in source

    @pytest.mark.skipif(sys.platform == "win32", reason="the stand-in for dot is a shell script")
    def test_the_program_dot_draws_the_picture(self, tmp_path, monkeypatch):
        program = tmp_path / "dot"
        program.write_text('#!/bin/sh\nfor last; do :; done\nprintf drawn > "$(dirname "$last")/network.svg"\n')
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
        monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
        graph = plot_model(two_branches(), tmp_path / "network.svg", show_shapes=True)
        assert "output: (None, 7)" in graph.source
        assert (tmp_path / "network.svg").read_text() == "drawn"
        assert sorted(path.name for path in tmp_path.iterdir()) == ["dot", "network.svg"]


@pytest.mark.parametrize("missing", ["program", "package"])
def test_without_graphviz_the_graph_is_printed_and_it_says_what_a_picture_takes(missing, tmp_path, monkeypatch, capsys):
    if missing == "program":
        monkeypatch.setenv("PATH", str(tmp_path))
    else:
        monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    assert plot_model(two_branches(), tmp_path / "network.png") is None
    *drawn, advice = capsys.readouterr().out.strip().split("\n")
    assert sorted(drawn) == lines_of(TEXT)
    assert "network.png is not drawn" in advice
    assert "pip install graphviz" in advice
    assert not (tmp_path / "network.png").exists()


def test_a_file_without_an_ending_and_a_model_without_shapes_are_refused(tmp_path):
    with pytest.raises(ValueError, match=r"needs an ending .* '\.png'"):
        plot_model(two_branches(), tmp_path / "network")
    with pytest.raises(ValueError, match="has not been built"):
        plot_model(keras.Sequential([layers.Dense(1)]), tmp_path / "network.png")
