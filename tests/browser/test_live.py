"""The page that a server sends: a training that one watches and directs, and the columns of a table."""

import io
import re
import time

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("starlette", reason="the extra `serve` is not installed")
pytest.importorskip("uvicorn", reason="the extra `serve` is not installed")
pytest.importorskip("prometheus_client", reason="the extra `serve` is not installed")

from helpers.browsing import answer, clear, draw, serious_faults, settled
from helpers.live_server import served
from multilayer import Sequential, layers, tabular, utils
from multilayer.serve import app as apps
from multilayer.serve import make_app
from multilayer.serve.digits import load_digits
from multilayer.serve.training import LiveTraining, to_watch


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    """What a machine learns from that has neither a network nor MNIST."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("MULTILAYER_DATASETS", "MULTILAYER_HOME", "KERAS_HOME"):
            patch.setenv(name, str(tmp_path_factory.mktemp("nothing")))
        patch.setattr("multilayer.datasets.download.fetch", None)
        patch.setattr("multilayer.serve.digits._TRAIN", 30_000)  # half of what it is otherwise
        patch.setattr("multilayer.serve.digits._TEST", 5_000)
        return load_digits(lambda share: None)


@pytest.fixture
def training(drawn, monkeypatch):
    """The training of the server that is made next, which begins at once and takes its time."""
    made = LiveTraining(lambda report: drawn, pace=lambda step: max(to_watch(step), 0.002))
    monkeypatch.setattr(apps, "LiveTraining", lambda: made)
    yield made
    made.close()


@pytest.fixture(scope="module")
def trained(drawn):
    """A server whose training is done, and its training."""
    utils.set_random_seed(1)
    training = LiveTraining(lambda report: drawn, pace=None)
    training.direct("start")
    training.join()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(apps, "LiveTraining", lambda: training)
        with served(make_app()) as server:
            yield server, training


def wait_for(page, condition):
    """Waits until something is so; Playwright's own way would need a page that takes scripts from text."""
    end = time.monotonic() + 20
    while not page.evaluate(condition):
        assert time.monotonic() < end, f"it does not come to {condition}"
        page.wait_for_timeout(20)


def state(page):
    return page.locator(".training-state").text_content()


def steps(page):
    return int(re.search(r"([\d,]+)\D*$", state(page))[1].replace(",", ""))


def button(page, name):
    return page.get_by_role("button", name=name, exact=True)


# --- Training ---------------------------------------------------------------------------------------------------------


def test_a_training_begins_pauses_goes_on_and_stops(visit, training):
    with served(make_app()) as server:
        page = visit(server.address)
        wait_for(page, "document.querySelector('.training-state')?.textContent.startsWith('Training, epoch 1 of 10')")
        wait_for(page, "!document.querySelector('.curve-value strong').textContent.startsWith('–')")
        button(page, "Pause").click()
        wait_for(page, "document.querySelector('.training-state').textContent.startsWith('Paused')")
        assert page.locator("#spoken").text_content().startswith("Paused after step")
        before = steps(page)
        time.sleep(0.3)
        assert steps(page) == before == len(training.record)
        button(page, "Go on").click()
        wait_for(page, "document.querySelector('.training-state').textContent.startsWith('Training')")
        assert button(page, "Stop").is_enabled()
        button(page, "Stop").click()
        wait_for(page, "document.querySelector('.training-state').textContent.startsWith('Stopped')")
        assert button(page, "Stop").is_disabled()
        assert button(page, "Start anew").is_enabled()
        assert len(training.record) >= before


def test_the_learning_rate_is_set_with_the_keyboard_while_it_trains(visit, training):
    with served(make_app()) as server:
        page = visit(server.address)
        wait_for(page, "document.querySelector('.training-state')?.textContent.startsWith('Training')")
        rate = page.get_by_role("slider", name="Learning rate").first
        assert rate.get_attribute("aria-valuetext") == "0.001"
        rate.focus()
        page.keyboard.press("End")
        assert rate.get_attribute("aria-valuetext") == "1"
        deadline = time.monotonic() + 10
        while float(training.model.optimizer.learning_rate) != 1:
            assert time.monotonic() < deadline
            time.sleep(0.02)
        wait_for(page, "document.querySelector('output[for=live-rate]').textContent === '1'")


def test_an_error_in_training_is_said(visit, monkeypatch):
    def broken(report):
        raise OSError("the disk is on fire")

    monkeypatch.setattr(apps, "LiveTraining", lambda: LiveTraining(broken))
    with served(make_app()) as server:
        page = visit(server.address)
        wait_for(page, "document.querySelector('.training-state')?.textContent.includes('the disk is on fire')")
        assert "the disk is on fire" in page.locator("#spoken").text_content()
        assert button(page, "Start anew").is_enabled()


def test_a_network_that_has_seen_no_handwriting_reads_what_is_drawn(visit, trained, recorded):
    server, _ = trained
    page = visit(server.address)
    wait_for(page, "document.querySelector('.training-state')?.textContent.startsWith('Trained')")
    first = {one["digit"]: one["strokes"] for one in reversed(recorded) if one["held_out"]}
    corner = {"size": 0.25, "at": (0.74, 0.02)}
    right = []
    for digit, where in ((0, {}), (3, {}), (4, corner), (7, corner)):
        clear(page)
        draw(page, [[*stroke[:-1:5], stroke[-1]] for stroke in first[digit]], **where)
        right.append(answer(page) == str(digit))
    assert sum(right) >= 3
    for size, (across, down) in ((1.0, (0.0, 0.0)), corner.values()):
        read = page.evaluate(
            """([all, size, across, down]) => all.map((strokes) => {
              const placed = ([x, y]) => [across + size * x, down + size * y];
              multilayer.useStrokes(strokes.map((stroke) => stroke.map(placed)));
              return multilayer.network.best(multilayer.network.forward(multilayer.x));
            })""",
            [[one["strokes"] for one in recorded], size, across, down],
        )
        assert np.mean(np.array(read) == [one["digit"] for one in recorded]) >= 0.9


def test_the_page_has_the_weights_that_python_has(visit, trained):
    server, training = trained
    page = visit(server.address)
    wait_for(page, "document.querySelector('.training-state')?.textContent.startsWith('Trained')")
    x = np.random.default_rng(0).random((5, 784)).astype(np.float32)
    page.wait_for_timeout(300)  # for the exact weights, which come after those in 16 bits
    got = page.evaluate("(rows) => rows.map((row) => Array.from(multilayer.network.forward(row).output))", x.tolist())
    np.testing.assert_allclose(got, training.model.predict(x, verbose=0), atol=1e-5)


def test_one_draws_while_it_learns(visit, training, recorded):
    strokes = next(one["strokes"] for one in recorded if one["digit"] == 1)
    with served(make_app()) as server:
        page = visit(server.address)
        wait_for(page, "document.querySelector('.training-state')?.textContent.startsWith('Training')")
        page.evaluate("(strokes) => multilayer.useStrokes(strokes)", strokes)
        page.evaluate("globalThis.shown = new Set()")
        # With other weights it is another answer.
        wait_for(page, "multilayer.pass && shown.add(multilayer.pass.answers[1]).size > 3")


def test_a_picture_is_opened_while_it_learns_and_not_sent(visit, training):
    ink = np.zeros((60, 80), np.uint8)
    ink[10:50, 38:43] = 255
    file = io.BytesIO()
    Image.fromarray(ink).save(file, "PNG")
    with served(make_app()) as server:
        page = visit(server.address)
        wait_for(page, "document.querySelector('.training-state')?.textContent.startsWith('Training')")
        sent = []
        page.on("request", lambda request: sent.append(request.url) if request.method == "POST" else None)
        page.locator("input[type=file]").set_input_files(
            {"name": "one.png", "mimeType": "image/png", "buffer": file.getvalue()}
        )
        page.evaluate("globalThis.shown = new Set()")
        wait_for(page, "multilayer.found && multilayer.pass && shown.add(multilayer.pass.answers[1]).size > 3")
        assert sent == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1366])
def test_the_training_is_whole_and_without_serious_faults(visit, trained, width, scheme):
    server, _ = trained
    page = visit(server.address, viewport={"width": width, "height": 800}, color_scheme=scheme)
    wait_for(page, "document.querySelector('.training-state')?.textContent.startsWith('Trained')")
    settled(page)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert serious_faults(page) == []


def test_it_speaks_korean(visit, trained):
    server, _ = trained
    page = visit(server.address, locale="ko-KR")
    wait_for(page, "document.querySelector('.training-state')?.textContent.startsWith('학습 완료')")
    assert button(page, "처음부터 다시").is_visible()
    texts = page.evaluate("Object.fromEntries(Object.entries(multilayer.texts).map(([k, v]) => [k, Object.keys(v)]))")
    assert sorted(texts["en"]) == sorted(texts["ko"])


def test_a_network_that_the_page_cannot_show_is_said(visit):
    model = Sequential([layers.Input((3, 4)), layers.Dense(2)])
    with served(make_app(model)) as server:
        page = visit(server.address)
        wait_for(page, "document.getElementById('nothing').textContent.includes('POST /predict')")


# --- Tables -----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def table():
    """A server of a classifier: whoever is older than 50, and no member, leaves."""
    rng = np.random.default_rng(0)
    n = 300
    income = np.exp(rng.normal(10, 1, n))
    income[::7] = np.nan
    x = {
        "age": rng.integers(18, 90, n).astype(float),
        "income": income,
        "city": rng.choice([f"city {i}" for i in range(12)], n).tolist(),
        "member": rng.random(n) < 0.4,
        "since": np.datetime64("2020-01-01") + rng.integers(0, 1000, n).astype("timedelta64[D]"),
    }
    y = np.where((x["age"] > 50) & ~x["member"], "leaves", "stays")
    estimator = tabular.TabularClassifier(members=2, budget=3, random_state=0).fit(x, y)
    with served(make_app(estimator, target="churn")) as server:
        yield server, estimator


def ready(page):
    wait_for(page, "document.querySelectorAll('.card').length && document.querySelector('.verdict strong').textContent")
    settled(page)


@pytest.mark.filterwarnings("ignore")
def test_a_row_is_set_and_its_prediction_follows(visit, table):
    server, estimator = table
    page = visit(server.address)
    ready(page)
    assert page.locator("h1").text_content() == "What does it predict?"
    page.get_by_role("spinbutton", name="age").fill("80")
    page.get_by_role("radio", name=re.compile("^no")).first.check()
    wait_for(page, "document.querySelector('.verdict strong').textContent === 'leaves'")
    page.get_by_role("radio", name=re.compile("^yes")).first.check()
    wait_for(page, "document.querySelector('.verdict strong').textContent === 'stays'")
    wait_for(page, "document.getElementById('spoken').textContent.startsWith('churn: stays')")
    row = {
        one["name"]: one["typical"] for one in server.request("GET", "/columns")[1]["columns"]
    } | {"age": 80, "member": True}  # fmt: skip
    sure = float(page.locator(".answer.best .bar-value").text_content().rstrip("%")) / 100
    assert sure == pytest.approx(estimator.predict_proba([row]).max(), abs=0.02)


@pytest.mark.filterwarnings("ignore")
def test_each_column_tells_how_the_prediction_changes_along_it(visit, table):
    server, _ = table
    page = visit(server.address)
    ready(page)
    page.get_by_role("button", name=re.compile("^leaves")).click()
    page.get_by_role("radio", name=re.compile("^no")).first.check()
    along = page.get_by_role("img", name=re.compile("^leaves along age"))
    wait_for(page, "document.querySelector('.effect').getAttribute('aria-label').startsWith('leaves')")
    said = re.search(r"from (\d+)% to (\d+)% between 18 and 89", along.get_attribute("aria-label"))
    assert int(said[1]) < 20 < 80 < int(said[2])


def test_a_slider_moves_with_the_keyboard_and_a_missing_value_can_be_said(visit, table):
    server, _ = table
    page = visit(server.address)
    ready(page)
    slider = page.get_by_role("slider", name="age")
    slider.focus()
    page.keyboard.press("Home")
    settled(page)
    assert page.get_by_role("spinbutton", name="age").input_value() == "18"
    page.get_by_role("checkbox", name="not known").first.check()
    settled(page)
    assert page.get_by_role("spinbutton", name="income").input_value() == ""
    assert "not known" in page.get_by_role("img", name=re.compile("along income")).get_attribute("aria-label")
    page.get_by_role("button", name="Typical values").click()
    settled(page)
    assert page.get_by_role("spinbutton", name="income").input_value() != ""


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1366])
def test_the_form_is_whole_and_without_serious_faults(visit, table, width, scheme):
    server, _ = table
    page = visit(server.address, viewport={"width": width, "height": 800}, color_scheme=scheme)
    ready(page)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert serious_faults(page) == []
