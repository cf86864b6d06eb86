"""The page as it is written: what it says of a model, what it refuses, and that it is one safe file."""

import base64
import hashlib
import html.parser
import json
import re
from importlib import resources

import numpy as np
import pytest

from multilayer import Model, Sequential, layers, losses
from multilayer.export import page
from multilayer.export.page import assembling
from multilayer.export.page.steps import encoded


def tutorial():
    return Sequential([layers.Input((784,)), layers.Dense(50, "sigmoid"), layers.Dense(10, "softmax")])


class Parts(html.parser.HTMLParser):
    """The elements of a page that hold what is no text, and every attribute."""

    def __init__(self, text):
        super().__init__()
        self.inside, self.attributes = None, []
        self.parts = {}
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.attributes += attributes
        named = dict(attributes)
        if tag in ("script", "style"):
            self.inside = named.get("id") or named.get("type") or tag
            assert self.inside not in self.parts
            self.parts[self.inside] = ""
        if named.get("http-equiv") == "Content-Security-Policy":
            self.policy = named["content"]

    def handle_endtag(self, tag):
        self.inside = None

    def handle_data(self, data):
        if self.inside:
            self.parts[self.inside] += data


def test_the_tutorials_network_is_a_file_below_a_megabyte_that_is_safe_to_open(tmp_path):
    path = tmp_path / "digits.html"
    tutorial().export(path)
    assert path.stat().st_size < 400_000
    text = path.read_text(encoding="utf-8")
    page = Parts(text)
    assert set(page.parts) == {"style", "network", "module"}
    assert json.loads(page.parts["network"])["labels"] == list("0123456789")
    assert not [value for name, value in page.attributes if name in ("src", "style") or name.startswith("on")]
    assert {value for name, value in page.attributes if name == "href"} == {"data:,", "#stage"}
    assert not re.search(r"\b(?:fetch|XMLHttpRequest|WebSocket|innerHTML|outerHTML|eval|insertAdjacentHTML)\b", text)


def test_the_policy_lets_this_script_and_this_style_in_and_nothing_else():
    for live in (False, True):
        page = Parts(assembling.assemble(None, live=live))
        rules = dict(rule.split(" ", 1) for rule in page.policy.split("; "))
        assert rules["default-src"] == "'none'"
        for rule, part in (("script-src", "module"), ("style-src", "style")):
            digest = base64.b64encode(hashlib.sha256(page.parts[part].encode()).digest()).decode()
            assert rules[rule] == f"'sha256-{digest}'"
        assert rules["connect-src"] == ("'self'" if live else "'none'")
        assert rules["require-trusted-types-for"] == "'script'"


def test_names_cannot_leave_their_place():
    evil = "</script><script>alert(1)</script><!--{{script}}\u2028"
    model = Sequential([layers.Input((784,)), layers.Dense(2, "softmax")])
    text = page.assemble(page.describe(model, labels=[evil, "b"], title=evil), title=evil)
    assert text.count("<script") == 2
    assert text.count("</script>") == 2
    assert json.loads(Parts(text).parts["network"])["labels"][0] == evil


def test_no_two_modules_export_the_same_name():
    folder = resources.files("multilayer.export.page") / "static"
    modules = [*folder.iterdir(), *(folder / "views").iterdir()]
    names = [
        match[2]
        for module in modules
        if module.name.endswith(".js")
        for match in assembling._EXPORT.finditer(module.read_text(encoding="utf-8"))
    ]
    assert len(names) > 40
    assert len(names) == len(set(names))


def test_modules_stand_below_what_they_import():
    text = assembling.joined(["start.js"])
    assert text.index("// === texts.js ===") < text.index("// === elements.js ===") < text.index("// === app.js ===")
    assert not re.search(r"^(?:import|export)\b", text, re.MULTILINE)


def test_numbers_are_whole_in_base64():
    values = np.array([[1.5, -2.0, np.float32(1e-40)]])
    written = encoded(values)
    assert written["shape"] == [1, 3]
    assert np.array_equal(np.frombuffer(base64.b64decode(written["data"]), "<f4"), values[0].astype(np.float32))


@pytest.mark.parametrize(
    ("inputs", "before", "picture"),
    [
        ((784,), [], {"side": 28, "box": 20, "scale": 1}),
        ((28, 28), [layers.Rescaling(1 / 255), layers.Flatten()], {"side": 28, "box": 20, "scale": 255}),
        ((784,), [layers.Normalization(mean=33.0, variance=6000.0, axis=None)], {"side": 28, "box": 20, "scale": 255}),
        ((14, 14, 1), [layers.Flatten()], {"side": 14, "box": 10, "scale": 1}),
        ((16,), [], None),
        ((13,), [], None),
    ],
)
def test_square_inputs_are_drawn_and_others_are_set(inputs, before, picture):
    model = Sequential([layers.Input(inputs), *before, layers.Dense(2, "softmax")])
    described = page.describe(model)
    assert described["picture"] == picture
    assert ("columns" in described["input"]) == (picture is None)


def test_a_picture_of_bytes_is_drawn():
    model = Sequential([layers.Input((28, 28), dtype="uint8"), layers.Flatten(), layers.Dense(10, "softmax")])
    assert page.describe(model)["picture"] == {"side": 28, "box": 20, "scale": 255}


@pytest.mark.parametrize("bits", [8, 4, 2])
def test_a_layer_for_few_bits_is_shown_with_the_weights_that_it_computes_with(bits):
    aware = layers.QuantizationAware(layers.Dense(3, "softmax"), bits=bits, name="few")
    model = Sequential([layers.Input((4,)), aware])
    assert "rounding" not in page.describe(model)["steps"][0]  # no bounds are known before it was trained
    model.compile("sgd", "sparse_categorical_crossentropy")
    model.fit(np.linspace(-1, 1, 80).reshape(20, 4), np.arange(20) % 3, verbose=0)
    described = page.describe(model)
    step = described["steps"][0]
    scale, zero = aware.scale_and_zero()
    assert (described["task"], step["kind"], step["layer"]) == ("classes", "dense", "few")
    assert step["rounding"] == {"scale": scale, "zero": zero}
    shown = np.frombuffer(base64.b64decode(step["arrays"]["W"]["data"]), "<f4").reshape(4, 3)
    assert np.array_equal(shown, aware.levels() * aware.step.value)
    assert step["arrays"]["b"] == encoded(aware.layer.bias.value)
    assert step["trained"] == {"W": "W1", "b": "b1"}


def test_sliders_begin_where_the_data_was_measured():
    normalization = layers.Normalization()
    normalization.adapt(np.array([[10.0, 0.0], [14.0, 6.0]]))
    model = Sequential([layers.Input((2,)), normalization, layers.Dense(1)])
    described = page.describe(model, columns=["width", "height"], labels=["price"])
    assert described["task"] == "numbers"
    assert described["input"]["middle"] == encoded([12.0, 3.0])
    assert described["input"]["spread"] == encoded([2.0, 3.0])


@pytest.mark.parametrize(
    ("units", "activation", "loss", "task"),
    [
        (3, "softmax", "mse", "classes"),
        (1, "sigmoid", "mse", "yes_no"),
        (3, "sigmoid", "mse", "several"),
        (3, "linear", "mse", "numbers"),
        (3, "log_softmax", "mse", "classes"),
        (3, "linear", losses.SparseCategoricalCrossentropy(from_logits=True), "classes"),
    ],
)
def test_what_comes_out_is_known_by_its_activation(units, activation, loss, task):
    model = Sequential([layers.Input((784,)), layers.Dense(units, activation)])
    model.compile("sgd", loss)
    assert page.describe(model)["task"] == task


class Own(layers.Layer):
    def call(self, x):
        return x


def _refused():
    def dense():
        return layers.Dense(2, "softmax")

    two = [layers.Input((4,)), layers.Input((4,))]
    yield (
        Sequential([layers.Input((784,)), Own(name="mine"), dense()]),
        "Layer 'mine' is a Own, which a page has no form",
    )
    yield (
        Sequential([layers.Input((784,)), layers.Dense(4, lambda x: x * x, name="square"), dense()]),
        "Layer 'square' has",
    )
    yield Sequential([layers.Input((300,)), dense()]), r"a square picture .* the model's has shape \(300,\)"
    yield (
        Sequential([layers.Input((4, 3)), layers.Dense(2)]),
        r"a row of numbers, \(n, k\); the model's is \(None, 4, 2\)",
    )
    yield (
        Sequential([layers.Input((4,), dtype="int32"), layers.Embedding(5, 2), layers.Flatten(), dense()]),
        "dtype 'int32'",
    )
    yield Model(two, layers.Dense(1)(layers.Add()(two))), "networks of one input; the model has 2"
    x = layers.Input((4,))
    yield Model(x, [layers.Dense(1)(x), layers.Dense(1)(x)]), "networks of one output; the model has 2"
    shared = layers.Dense(4, name="shared")
    yield Model(x, layers.Dense(2)(shared(shared(x)))), "Layer 'shared' is called more than once"
    yield (
        Model(x, layers.Dense(2)(layers.Dropout(0.5, name="drops")(x, training=True))),
        "Layer 'drops' was called with",
    )


def test_what_a_page_has_no_form_for_is_refused_by_its_name(tmp_path):
    path = tmp_path / "page.html"
    count = 0
    for model, words in _refused():
        with pytest.raises(ValueError, match=words):
            model.export(path)
        count += 1
    assert count == 9
    assert not path.exists()


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"labels": ["a"]}, "`labels` has a name for each of 10 answers"),
        ({"labels": "0123456789"}, "`labels` has a name for each of 10 answers"),
        ({"colour": "red"}, "`colour`"),
    ],
)
def test_options_are_checked(given, words, tmp_path):
    with pytest.raises(ValueError, match=words):
        tutorial().export(tmp_path / "page.html", **given)


def test_columns_need_a_name_each():
    with pytest.raises(ValueError, match="`columns` has a name for each of the model's 4 inputs"):
        page.describe(Sequential([layers.Input((4,)), layers.Dense(1)]), columns=["a", "b"])
