"""The page in a browser: its numbers beside Python's, and what a person does with it."""

import base64
import json
import re

import numpy as np
import pytest

from helpers.browsing import answer, clear, draw, serious_faults, settled
from multilayer import Model, Sequential, activations, layers
from multilayer.export import page as pages
from multilayer.export.page.describing import describe


@pytest.fixture(scope="module")
def model(mnist_data):
    (x, y), _ = mnist_data
    model = Sequential([layers.Input((784,)), layers.Dense(50, "relu", name="hidden"), layers.Dense(10, "softmax")])
    model.compile("adam", "sparse_categorical_crossentropy")
    model.fit(x, y, batch_size=128, epochs=2, verbose=0)
    model.compile("sgd", "sparse_categorical_crossentropy")
    return model


@pytest.fixture(scope="module")
def url(model, tmp_path_factory):
    path = tmp_path_factory.mktemp("page") / "digits.html"
    model.export(path)
    assert path.stat().st_size < 1_000_000
    return path.as_uri()


def forward(page, x):
    """The outputs of the page's network for rows of numbers."""
    rows = page.evaluate("(rows) => rows.map((row) => Array.from(multilayer.network.forward(row).output))", x.tolist())
    return np.array(rows)


# --- Its numbers ------------------------------------------------------------------------------------------------------


def test_a_thousand_digits_give_the_numbers_that_python_gives(visit, url, model, mnist_data):
    _, (x, y) = mnist_data
    page = visit(url)
    pixels = base64.b64encode(np.rint(x[:1000] * 255).astype(np.uint8).tobytes()).decode()
    got = page.evaluate(
        """(text) => { const pixels = Float32Array.from(atob(text), (byte) => byte.charCodeAt(0) / 255), rows = [];
          for (let i = 0; i < pixels.length; i += 784)
            rows.push(multilayer.network.forward(pixels.subarray(i, i + 784)));
          return rows.map(({ output }) => Array.from(output)); }""",
        pixels,
    )
    expected = model.predict(x[:1000], verbose=0)
    assert np.abs(np.array(got) - expected).max() < 1e-5
    assert np.mean(np.argmax(got, axis=1) == y[:1000]) > 0.9


def _others():
    """Networks that have everything in them that a page has a form for."""
    dense = layers.Dense
    for name in sorted(vars(activations)):
        one = getattr(activations, name)
        if isinstance(one, activations.Activation) and one.name == name:
            yield name, Sequential([layers.Input((6,)), dense(8, name), dense(3, "softmax")])
    for layer in (
        layers.ReLU(3.0, 0.1, 0.2), layers.LeakyReLU(0.2), layers.ELU(0.5), layers.PReLU("ones"), layers.Softmax(),
        layers.BatchNormalization(), layers.LayerNormalization(), layers.RMSNormalization(), layers.UnitNormalization(),
        layers.Dropout(0.5), layers.GaussianNoise(1.0), layers.Rescaling(2.0, [0.5] * 8), layers.Activation("gelu"),
    ):  # fmt: skip
        yield type(layer).__name__, Sequential([layers.Input((6,)), dense(8, "tanh"), layer, dense(3, "softmax")])
    yield "shapes", Sequential(
        [
            layers.Input((6,)), layers.Normalization(mean=[1.0] * 6, variance=[4.0] * 6), layers.Reshape((2, 3)),
            dense(4, "tanh"), layers.Permute((2, 1)), layers.LayerNormalization([-2, -1]), layers.Flatten(), dense(3),
        ]
    )  # fmt: skip
    x = layers.Input((6,))
    a, b = dense(5, "tanh")(x), dense(5, "sigmoid")(x)
    merges = (layers.Add, layers.Subtract, layers.Multiply, layers.Average, layers.Maximum, layers.Minimum)
    merged = layers.Concatenate()([merge()([a, b]) for merge in merges])
    yield "merges", Model(x, dense(3, "softmax")(merged))
    yield "one probability", Sequential([layers.Input((6,)), dense(4, "relu"), dense(1, "sigmoid")])
    yield "several probabilities", Sequential([layers.Input((6,)), dense(4, "relu"), dense(3, "sigmoid")])


def test_every_layer_gives_what_it_gives_in_python_and_so_do_its_gradients(visit, url):
    page = visit(url)
    rng = np.random.default_rng(0)
    x = rng.normal(0, 1, (5, 6)).astype(np.float32)
    seen = 0
    for name, model in _others():
        signs = [rng.choice([-1, 1], w.shape) ** (w.ndim - 1) for w in model.get_weights()]  # no variance below 0
        model.set_weights([sign * rng.uniform(0.1, 0.5, sign.shape) for sign in signs])
        size = model.output_shape[-1]
        loss = {
            "shapes": "mse",
            "one probability": "binary_crossentropy",
            "several probabilities": "binary_crossentropy",
        }
        model.compile("sgd", loss.get(name, "categorical_crossentropy"))
        t = np.eye(max(size, 2), dtype=np.float32)[[0, 1, 0, 1, 0]][:, :size]
        page.evaluate("(network) => multilayer.useNetwork(network)", describe(model))
        assert np.allclose(forward(page, x), model(x), rtol=1e-5, atol=1e-5), name
        got = page.evaluate(
            "([rows, targets]) => rows.map((row, i) => { const { network } = multilayer;"
            "return Array.from(network.backward(network.forward(row), targets[i]).dx); })",
            [x.tolist(), t.tolist()],
        )
        assert np.allclose(got, model.gradients(x, t), rtol=2e-4, atol=1e-5), name
        seen += 1
    assert seen > 40


def test_a_step_has_the_names_formulas_and_numbers_of_the_glass_box(visit, url, model, mnist_data):
    _, (x, _) = mnist_data
    page = visit(url)
    entries = page.evaluate(
        """(x) => { const { network } = multilayer;
          return network.step(x, network.target(3), 0.01, 3).entries
            .map((entry) => ({ ...entry, values: Array.from(entry.values) })); }""",
        x[0].tolist(),
    )
    trace = model.trace(x[:1], np.array([3]))
    assert [(e["part"], e["name"], e["formula"]) for e in entries] == [
        (e.part, e.name, e.formula) for e in trace.entries
    ]
    for mine, theirs in zip(entries, trace.entries, strict=True):
        assert tuple(mine["shape"]) == theirs.value.shape, theirs.name
        assert np.allclose(mine["values"], theirs.value.reshape(-1), rtol=1e-4, atol=1e-6), theirs.name


# --- Drawing ----------------------------------------------------------------------------------------------------------


def test_recorded_strokes_are_read(visit, url, recorded):
    page = visit(url)
    known = [one for one in recorded if not one["held_out"]]
    got = page.evaluate(
        "(all) => all.map((strokes) => { multilayer.useStrokes(strokes);"
        "return multilayer.network.best(multilayer.network.forward(multilayer.x)); })",
        [one["strokes"] for one in known],
    )
    assert sum(a == one["digit"] for a, one in zip(got, known, strict=True)) >= 0.9 * len(known)


def test_strokes_that_were_held_out_are_drawn_with_the_mouse_and_read(visit, url, recorded):
    page = visit(url)
    held_out = [one for one in recorded if one["held_out"]]
    read = []
    for one in held_out:
        clear(page)
        assert answer(page) is None
        draw(page, one["strokes"])
        read.append(answer(page) == str(one["digit"]))
    assert len(read) == 20
    assert sum(read) >= 18


def test_a_small_digit_in_a_corner_is_read_like_a_large_one(visit, url, recorded):
    page = visit(url)
    for one in recorded[2:20:6]:
        clear(page)
        draw(page, one["strokes"], size=0.3, at=(0.68, 0.02))
        assert answer(page) == str(one["digit"])


def test_probabilities_follow_while_one_draws(visit, url, recorded):
    page = visit(url)
    box = page.locator("canvas.sheet").bounding_box()
    stroke = recorded[0]["strokes"][0]
    page.mouse.move(box["x"] + stroke[0][0] * box["width"], box["y"] + stroke[0][1] * box["height"])
    page.mouse.down()
    shares = []
    assert len(stroke) > 24
    for x, y in stroke[4::4]:
        page.mouse.move(box["x"] + x * box["width"], box["y"] + y * box["height"])
        settled(page)
        shares.append(page.locator(".answer .bar-value").all_text_contents())
    page.mouse.up()
    assert len({tuple(share) for share in shares}) > 4
    page.get_by_role("button", name="Undo", exact=True).click()
    page.locator(".verdict.waiting").wait_for()
    assert answer(page) is None


def test_a_finger_draws_and_does_not_scroll(visit, url):
    page = visit(url, has_touch=True, viewport={"width": 360, "height": 740})
    assert page.evaluate("getComputedStyle(document.querySelector('canvas.sheet')).touchAction") == "none"
    box = page.locator("canvas.sheet").bounding_box()
    session = page.context.new_cdp_session(page)
    for i in range(12):
        point = {"x": box["x"] + box["width"] / 2, "y": box["y"] + box["height"] * (0.15 + 0.06 * i)}
        session.send("Input.dispatchTouchEvent", {"type": "touchMove" if i else "touchStart", "touchPoints": [point]})
    session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    settled(page)
    assert answer(page) == "1"
    assert page.evaluate("scrollY") == 0


# --- Teaching ---------------------------------------------------------------------------------------------------------


def test_a_wrong_digit_is_taught_and_untaught(visit, url, recorded):
    page = visit(url)
    draw(page, recorded[9]["strokes"])
    said = answer(page)
    right = "7" if said != "7" else "1"  # whatever was meant, a person may say so
    teach = page.locator(".view-teach")
    teach.get_by_role("radio", name=right, exact=True).check(force=True)
    before = page.locator(f"[data-answer='{right}'] .bar-value").text_content()
    teach.get_by_role("slider").fill("8")
    for _ in range(3):
        teach.get_by_role("button", name="Take one step").click()
    settled(page)
    assert answer(page) == right
    names = page.locator("table.step tbody th[scope=row]").all_text_contents()
    assert (
        " ".join(names)
        == "X W1 b1 a1 z1 W2 b2 a2 y_hat Y t loss dy dW2 db2 dz1 da1 dW1 db1 W1_new b1_new W2_new b2_new"
    )
    assert right in page.locator("#spoken").text_content()
    teach.get_by_role("button", name="Undo the step").click()
    teach.get_by_role("button", name="Forget everything taught").click()
    settled(page)
    assert answer(page) == said
    assert page.locator(f"[data-answer='{right}'] .bar-value").text_content() == before


def test_following_the_gradient_changes_its_mind(visit, url, recorded):
    page = visit(url)
    draw(page, recorded[0]["strokes"])
    mind = page.locator(".view-mind")
    mind.get_by_role("radio", name="6", exact=True).check(force=True)
    mind.get_by_role("button", name="Follow it").click()
    settled(page)
    assert re.search(r"After \d+ steps? along the gradient it says 6", mind.get_by_role("status").text_content())


# --- Everybody --------------------------------------------------------------------------------------------------------


def test_everything_is_done_with_the_keyboard(visit, url):
    page = visit(url, reduced_motion="no-preference")  # an example is drawn stroke by stroke
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "sheet"
    page.keyboard.press("Space")  # the pen goes down
    for _ in range(7):
        page.keyboard.press("Shift+ArrowDown")
    page.keyboard.press("Space")
    settled(page)
    assert answer(page) == "1"
    for _ in range(4):  # undo, clear, open a picture, the first example
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.locator(".answer.best .bar-label").get_by_text("0", exact=True).wait_for()
    for _ in range(10):
        page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.dataset.unit") == "0.0"
    page.keyboard.press("ArrowRight")
    settled(page)
    assert page.evaluate("document.activeElement.dataset.unit") == "0.1"
    assert "Unit 2 of z1" in page.locator(".view-sees .caption").text_content()


def test_a_screen_reader_is_told_the_answer_once_the_drawing_rests(visit, url, recorded):
    page = visit(url)
    draw(page, recorded[0]["strokes"])
    page.get_by_text("It reads 0, ").wait_for(state="attached")
    page.get_by_text("The same in numbers").click()
    settled(page)
    assert page.locator(".view-tables table").first.locator("tbody tr").count() == 10


def test_it_speaks_korean_where_the_reader_does_and_switches(visit, url):
    page = visit(url, locale="ko-KR")
    assert page.locator("html").get_attribute("lang") == "ko"
    assert page.locator("h1").text_content() == "손글씨 숫자를 읽는 신경망"
    page.locator(".view-draw button.chip").nth(3).click()
    page.locator(".answer.best .bar-label").get_by_text("3", exact=True).wait_for()
    korean = page.locator("body").inner_text()
    assert not re.search(r"\b(the|draw|says|weights|units)\b", korean.lower())
    page.get_by_text("English").click()
    settled(page)
    assert page.locator("html").get_attribute("lang") == "en"
    assert not re.search("[가-힣]", page.locator("main").inner_text())
    assert page.title() == "A network that reads your digits"


def test_both_languages_say_everything(visit, url):
    page = visit(url)
    texts = page.evaluate(
        "Object.entries(multilayer.texts).map(([language, all]) => [language, Object.keys(all).sort()])"
    )
    (_, english), (_, korean) = texts
    assert english == korean


def test_light_and_dark_follow_the_system_and_the_switch(visit, url):
    page = visit(url, color_scheme="dark")
    colour = "getComputedStyle(document.body).backgroundColor"
    dark = page.evaluate(colour)
    page.get_by_text("Light", exact=True).click()
    light = page.evaluate(colour)
    assert dark != light
    page.get_by_text("Dark", exact=True).click()
    assert page.evaluate(colour) == dark


@pytest.mark.parametrize("width", [320, 768, 1920])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_is_whole_and_without_serious_faults_at_every_width(visit, url, width, scheme):
    locale = "ko-KR" if scheme == "dark" else "en-US"
    page = visit(url, viewport={"width": width, "height": 800}, color_scheme=scheme, locale=locale)
    assert serious_faults(page) == []
    page.locator(".view-draw button.chip").nth(2).click()
    page.locator(".view-teach label.chip").nth(7).click()
    page.locator(".view-teach button.primary").click()
    page.locator("summary").click()
    settled(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert serious_faults(page) == []


def test_a_network_of_plain_numbers_has_sliders(visit, tmp_path):
    model = Sequential([layers.Input((4,)), layers.Dense(8, "relu"), layers.Dense(3, "softmax")])
    path = tmp_path / "iris.html"
    model.export(path, labels=["setosa", "versicolor", "virginica"], columns=["sepal", "petal", "length", "width"])
    page = visit(path.as_uri())
    settled(page)
    first = page.locator(".answer .bar-value").all_text_contents()
    page.get_by_role("slider", name="petal").fill("2.5")
    settled(page)
    x = page.evaluate("Array.from(multilayer.x)")
    assert x == [0, 2.5, 0, 0]
    assert np.allclose(forward(page, np.array([x])), model(np.array([x])), atol=1e-5)
    assert page.locator(".answer .bar-value").all_text_contents() != first
    assert serious_faults(page) == []


def test_a_network_that_gives_numbers_is_taught_one(visit, tmp_path):
    model = Sequential([layers.Input((2,)), layers.Dense(3, "tanh"), layers.Dense(1)])
    model.compile("sgd", "mse")
    path = tmp_path / "price.html"
    model.export(path, labels=["price"])
    page = visit(path.as_uri())
    page.get_by_role("slider", name="x1").fill("1")
    page.get_by_role("spinbutton", name="price").fill("5")
    page.get_by_role("button", name="Take one step").click()
    page.locator("table.step tbody tr").first.wait_for()
    trace = model.trace(np.array([[1.0, 0.0]]), np.array([[5.0]]))
    cells = page.locator("table.step tbody tr:not(.part)").all()
    assert [row.locator(".code").all_text_contents()[:2] for row in cells] == [
        [entry.name, entry.formula.replace("0.01", "0.005")] for entry in trace.entries
    ]
    page.get_by_text("한국어").click()
    assert serious_faults(page) == []


def test_names_of_strangers_are_text(visit, tmp_path):
    evil = "</script><script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\">"
    model = Sequential([layers.Input((784,)), layers.Dense(4, "relu", name="hidden"), layers.Dense(2, "softmax")])
    path = tmp_path / "evil.html"
    path.write_text(pages.assemble(describe(model, labels=[evil, "<!--"], title=evil), title=evil), encoding="utf-8")
    page = visit(path.as_uri())
    page.locator(".view-draw button.chip").nth(3).click()
    page.locator(".view-teach label.chip").first.click()
    page.locator(".view-teach button.primary").click()
    page.locator("summary").click()
    settled(page)
    assert page.title() == evil
    assert page.locator(".bar-label").first.text_content() == evil
    assert page.locator("img").count() == 0
    assert json.loads(page.locator("#network").text_content())["labels"] == [evil, "<!--"]


def test_the_link_over_the_heading_says_where_it_leads(visit, url, tmp_path):
    assert visit(url).locator(".skip").text_content() == "Skip to the sheet"
    Sequential([layers.Input((3,)), layers.Dense(2, "softmax")]).export(tmp_path / "numbers.html", verbose=False)
    assert visit((tmp_path / "numbers.html").as_uri()).locator(".skip").text_content() == "Skip to the inputs"


def test_a_network_of_bytes_gets_whole_numbers(visit, url, recorded):
    page = visit(url)
    model = Sequential([layers.Input((28, 28), dtype="uint8"), layers.Flatten(), layers.Dense(10, "softmax")])
    page.evaluate("(network) => multilayer.useNetwork(network)", describe(model))
    draw(page, recorded[0]["strokes"])
    x = np.array(page.evaluate("Array.from(multilayer.x)"))
    assert x.max() > 200
    assert np.array_equal(x, np.rint(x))


def test_a_network_for_few_bits_predicts_as_in_python(visit, url):
    page = visit(url)
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(200, 6)).astype("float32"), rng.integers(0, 3, 200)
    few = layers.QuantizationAware
    model = Sequential([layers.Input((6,)), few(layers.Dense(8, "relu"), 4), few(layers.Dense(3, "softmax"), 2)])
    model.compile("adam", "sparse_categorical_crossentropy")
    model.fit(x, y, epochs=2, verbose=0)
    page.evaluate("(network) => multilayer.useNetwork(network)", describe(model))
    far = np.concatenate([x[:20], 9 * x[:5]])  # the last beyond what training has seen
    assert np.allclose(forward(page, far), model(far), atol=1e-5)
    t = np.eye(3, dtype="float32")[[0] * len(far)]
    model.compile("sgd", "categorical_crossentropy")
    got = page.evaluate(
        "([rows, t]) => rows.map((row) => { const { network } = multilayer;"
        "return Array.from(network.backward(network.forward(row), t).dx); })",
        [far.tolist(), t[0].tolist()],
    )
    assert np.allclose(got, model.gradients(far, t), rtol=2e-4, atol=1e-5)
