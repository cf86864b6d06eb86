"""The service: what it answers."""

import io
import json
import tracemalloc
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from PIL import Image

import multilayer as ml
from helpers.pictures import on_canvas
from multilayer import tabular
from multilayer.datasets import synthetic_digits

pytest.importorskip("starlette", reason="the extra `serve` is not installed")
pytest.importorskip("uvicorn", reason="the extra `serve` is not installed")
pytest.importorskip("httptools", reason="the extra `serve` is not installed")
pytest.importorskip("prometheus_client", reason="the extra `serve` is not installed")

from helpers.serving import served
from multilayer.serve import Limits, make_app
from multilayer.serve.bodies import Bodies
from multilayer.serve.predictors import OfNumbers

DIGIT = on_canvas(synthetic_digits.load_data(1, 1, seed=0)[0][0][0], factor=2, column=30)


def png(pixels=DIGIT, form="PNG"):
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, form)
    return file.getvalue()


@pytest.fixture(scope="module")
def network():
    return ml.Sequential([ml.Input((784,)), ml.layers.Dense(10, activation="softmax")])


@pytest.fixture(scope="module")
def digits(network):
    with served(network) as client:
        yield client


@pytest.fixture(scope="module")
def classifier():
    table = {"age": [22.0, 35.0, 58.0, None] * 10, "city": ["Seoul", "Busan", "Seoul", "Busan"] * 10}
    return tabular.TabularClassifier(random_state=0, members=2, budget=1).fit(table, ["no", "yes", "no", "yes"] * 10)


@pytest.fixture(scope="module")
def table(classifier):
    with served(classifier) as client:
        yield client


# --- Numbers ---


def test_rows_of_json_are_answered_as_the_model_answers_them(digits, network):
    rows = np.random.default_rng(0).random((5, 784)).round(3)
    status, answer = digits.rows(rows.tolist())
    assert status == 200
    said = network.predict(rows, verbose=0)
    assert answer["labels"] == list(range(10))
    assert answer["predictions"] == said.argmax(axis=1).tolist()
    assert np.allclose(answer["probabilities"], said, atol=1e-6)


def test_rows_of_csv_have_names_or_not(digits):
    row = ",".join(["0.5"] * 784)
    names = ",".join(f"pixel{i}" for i in range(784))
    answers = [digits.predict(text, "text/csv; charset=utf-8") for text in (row, f"{names}\n{row}\n")]
    assert answers[0][0] == 200
    assert answers[0] == answers[1]


@pytest.fixture(scope="module")
def sums():
    with served(ml.Sequential([ml.Input((3,)), ml.layers.Dense(1, kernel_initializer="ones")])) as client:
        yield client


@pytest.mark.parametrize(
    "text",
    [
        "1.5,2,3\n4,5,6\n",
        "1.5;2;3\n4;5;6\n",
        "1,5;2;3\r\n4;5;6\r\n",
        "1.5\t2\t3\n4\t5\t6",
        "\ufeff1,5;2;3\n4;5;6",
        "a;b;c\n1,5;2;3\n\n4;5;6\n",
        "\ufeffa,b,c\n1.5, 2,3\n4,5,6\n",
        '"1.5","2","3"\n4,5,6\n',
    ],
)
def test_csv_of_numbers_is_read_as_spreadsheets_write_it(text, sums):
    assert sums.predict(text.encode(), "text/csv") == (200, {"predictions": [6.5, 15.0]})


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a,b,c\n1,2,3\n4,x,6", "Line 3 has 'x'. Expected 3 numbers."),
        ("1,2,3\n4,,6", "Line 2 has nothing. Expected 3 numbers."),
        (",,\n4,5,6", "Line 1 has nothing. Expected 3 numbers."),  # no names
        ("1_0,2,3", "Line 1 has '1_0'. Expected 3 numbers."),
        ("1,2\n4,5", "Row 0 has 2 values. Expected 3 numbers."),
        ("a,b,c\n", "There are no rows. Expected at least one."),
    ],
)
def test_csv_that_does_not_fit_is_refused_with_its_line(text, words, sums):
    status, answer = sums.predict(text, "text/csv")
    assert status == 422
    assert answer["detail"] == words


def test_a_model_of_numbers_predicts_numbers():
    model = ml.Sequential([ml.Input((2, 2)), ml.layers.Flatten(), ml.layers.Dense(1, kernel_initializer="ones")])
    with served(model) as client:
        assert client.rows([[[1, 2], [3, 4]], [[0, 0], [0, 0.5]]]) == (200, {"predictions": [10.0, 0.5]})
        assert client.rows([[1, 2, 3, 4]]) == (200, {"predictions": [10.0]})  # flat is as good
        assert client.predict(png(), "image/png")[0] == 415


def test_one_probability_is_that_of_the_second_class():
    model = ml.Sequential([ml.Input((1,)), ml.layers.Dense(1, activation="sigmoid", kernel_initializer="ones")])
    with served(model, labels=["no", "yes"]) as client:
        answer = client.rows([[2], [-2]])[1]
    assert answer["predictions"] == ["yes", "no"]
    assert np.allclose(answer["probabilities"], [[0.1192, 0.8808], [0.8808, 0.1192]], atol=1e-4)


def test_several_inputs_and_outputs_go_by_name():
    a, b = ml.Input((1,), name="a"), ml.Input((2,), name="b")
    both = ml.layers.Concatenate()([a, b])
    total = ml.layers.Dense(1, kernel_initializer="ones", name="total")(both)
    model = ml.Model([a, b], [total, ml.layers.Dense(2, kernel_initializer="zeros", name="nothing")(both)])
    with served(model) as client:
        answer = client.rows([{"a": [1], "b": [2, 3]}])[1]
        assert answer["predictions"] == [{"total": [6.0], "nothing": [0.0, 0.0]}]
        assert "each input: 'a', 'b'" in client.rows([{"a": [1]}])[1]["detail"]


# --- Pictures ---


@pytest.mark.parametrize("form", ["PNG", "JPEG"])
def test_a_picture_is_prepared_and_read(form, digits):
    status, answer = digits.predict(png(form=form), f"image/{form.lower()}")
    assert status == 200
    assert len(answer["probabilities"][0]) == 10
    (picture,) = answer["pictures"]
    assert picture["prepared"] == ["cropped to the ink, scaled into 20 x 20 pixels, centred by mass"]
    assert picture["doubt"] is None


def test_several_digits_in_a_picture_are_read_one_by_one(digits):
    status, answer = digits.predict(png(np.hstack([DIGIT[:, 20:90]] * 3)), "image/png")
    assert (status, len(answer["predictions"]), len(answer["pictures"])) == (200, 3, 3)
    lefts = [picture["box"][0] for picture in answer["pictures"]]
    assert lefts == sorted(lefts)
    assert len(set(answer["predictions"])) == 1


def test_pictures_of_other_things_are_resized_alone(network):
    with served(network, as_digits=False) as client:
        assert client.predict(png(), "image/png")[1]["pictures"] == [{"prepared": [], "doubt": None, "box": None}]


# --- Tables ---


def test_rows_of_a_table_go_by_the_columns_names(table, classifier):
    rows = [{"age": 22, "city": "Seoul"}, {"city": "Busan", "age": None}]
    status, answer = table.rows(rows)
    assert status == 200
    said = classifier.predict_proba(rows)
    assert answer["labels"] == ["no", "yes"]
    assert answer["predictions"] == classifier.predict(rows).tolist()
    assert np.allclose(answer["probabilities"], said, atol=1e-6)
    assert table.rows([[22, "Seoul"], [None, "Busan"]])[1] == answer
    assert table.predict("city,age\nSeoul,22\nBusan,\n", "text/csv")[1] == answer


def test_what_training_did_not_have_is_said(table):
    answer = table.rows([{"age": "40", "city": "Paris", "colour": "red"}])[1]
    assert answer["notes"] == [
        "`city` holds 'Paris', which training did not have.",
        "Columns that are not predicted from are ignored: 'colour'.",
    ]


@pytest.mark.parametrize(
    ("rows", "detail"),
    [
        ([{"age": 3}], "Row 0 lacks 'city'"),
        ([[3]], "Row 0 has 1 values. Expected an object with 'age', 'city'"),
        ([{"age": [3], "city": "Seoul"}], "Row 0 has a list as `age`"),
        ([{"age": "old", "city": "Seoul"}], "age"),
        ([{"age": 1e999, "city": "Seoul"}], "JSON has not"),
        ([3], "Row 0 has no list and no object"),
        ([], "There are no rows"),
    ],
)
def test_rows_that_do_not_fit_a_table_are_told_apart(rows, detail, table):
    status, answer = table.rows(rows)
    assert status in (400, 422)
    assert detail in answer["detail"]


def test_a_table_that_lacks_a_column_is_refused(table):
    assert "The first line lacks 'city'" in table.predict("age\n3\n", "text/csv")[1]["detail"]
    assert "line 2" in table.predict("age,city\n3\n", "text/csv")[1]["detail"]


# --- Together ---


def test_requests_that_arrive_together_are_one_prediction(network, monkeypatch):
    """Those that come while the network is busy are its next batch; each gets its own answer."""
    sizes = []
    predict = type(network).predict

    def slowly(self, x, **options):
        import time

        sizes.append(len(x))
        time.sleep(0.3 if len(sizes) == 1 else 0)
        return predict(self, x, **options)

    monkeypatch.setattr(type(network), "predict", slowly)
    rows = np.random.default_rng(1).random((12, 784)).round(3)
    with served(network) as client, ThreadPoolExecutor(12) as pool:
        answers = [one.result()[1] for one in [pool.submit(client.rows, [row]) for row in rows.tolist()]]
        text = client.ask("GET", "/metrics")[2].decode()
    assert sum(sizes) == 12
    assert len(sizes) <= 3
    assert f"multilayer_batch_requests_count {float(len(sizes))}" in text
    assert "multilayer_rows_total 12.0" in text
    said = predict(network, rows, verbose=0)
    assert np.allclose([one["probabilities"][0] for one in answers], said, atol=1e-6)


def test_a_question_that_fails_leaves_the_others_their_answers(network, monkeypatch):
    predict = type(network).predict

    def particular(self, x, **options):
        if (x == 0.25).any():
            raise ValueError("no quarters")
        return predict(self, x, **options)

    monkeypatch.setattr(type(network), "predict", particular)
    with served(network) as client, ThreadPoolExecutor(6) as pool:
        rows = [[0.25 if i == 3 else 0.5] * 784 for i in range(6)]
        found = [one.result() for one in [pool.submit(client.rows, [row]) for row in rows]]
    assert [status for status, _ in found] == [200, 200, 200, 422, 200, 200]
    assert found[3][1]["detail"] == "no quarters"


# --- The rest ---


def test_it_says_that_it_is_there_and_what_it_has_done(digits):
    assert digits.ask("GET", "/healthz")[2] == {"status": "ok"}
    assert digits.ask("HEAD", "/healthz")[0] == 200
    digits.rows([[0] * 784])
    digits.ask("GET", "/a/path/that/somebody/made/up")
    text = digits.ask("GET", "/metrics")[2].decode()
    assert 'multilayer_requests_total{method="POST",path="/predict",status="200"}' in text
    assert 'path="other",status="404"' in text
    assert "made/up" not in text  # whoever asks could make any number of them
    assert "process_resident_memory_bytes" in text


@pytest.mark.parametrize("which", ["digits", "table"])
def test_the_description_is_valid_and_true(which, request):
    openapi = pytest.importorskip("openapi_spec_validator", reason="openapi-spec-validator is not installed")
    import jsonschema

    client = request.getfixturevalue(which)
    description = client.ask("GET", "/openapi.json")[2]
    openapi.validate(description)
    schemas = description["components"]["schemas"]
    rows = [[0.5] * 784] if which == "digits" else [{"age": 3, "city": "Seoul"}, [3, None]]
    jsonschema.validate({"rows": rows}, schemas["Question"])
    status, answer = client.rows(rows)
    assert status == 200
    jsonschema.validate(answer, schemas["Answer"])
    for wrong in ([[0.5] * 783] if which == "digits" else [{"age": 3}], []):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate({"rows": wrong}, schemas["Question"])
        status, answer = client.rows(wrong)
        assert str(status) in description["paths"]["/predict"]["post"]["responses"]
        jsonschema.validate(answer, schemas["Problem"])


def test_labels_fit_the_model(network):
    with pytest.raises(ValueError, match="There are 2 labels, and the model gives 10 probabilities"):
        make_app(network, labels=["a", "b"])


def test_every_path_is_described(digits, network):
    description = digits.ask("GET", "/openapi.json")[2]
    assert {route.path for route in make_app(network).routes} == set(description["paths"])


def test_a_long_text_among_many_numbers_takes_its_own_place_alone():
    """As an array, all would be as wide as the widest: gigabytes, of a body of a megabyte."""
    with served(ml.Sequential([ml.Input((4,)), ml.layers.Dense(1)])) as client:
        tracemalloc.start()
        status, answer = client.rows([["x" * 50_000, *[1] * 1_000]])
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert (status, answer["detail"][-19:]) == (422, "Expected 4 numbers.")
    assert peak < 20_000_000


def test_an_answer_does_not_repeat_what_was_sent():
    with served(ml.Sequential([ml.Input((4,)), ml.layers.Dense(1)])) as client:
        status, answer = client.predict("1,2,3," + "x" * 50_000, "text/csv")
    assert status == 422
    assert len(answer["detail"]) < 200


def test_rows_of_csv_are_not_all_taken_apart_before_they_are_too_many():
    with served(ml.Sequential([ml.Input((4,)), ml.layers.Dense(1)]), Limits(rows=10)) as client:
        status, answer = client.predict("1,2,3,4\n" * 11, "text/csv")
        assert (status, answer["detail"]) == (413, "There are more than 10 rows. Send them in parts.")
        assert client.predict("a,b,c,d\n" + "1,2,3,4\n" * 10, "text/csv")[0] == 200


def test_a_body_counts_until_it_is_answered(network, monkeypatch):
    """Its rows wait for the network, and take memory meanwhile."""
    held, bodies = [], []
    read, predict = Bodies.read, OfNumbers.predict

    async def reading(self, *arguments):
        bodies.append(self)
        return await read(self, *arguments)

    def predicting(self, batch):
        held.append(bodies[0].held)
        return predict(self, batch)

    monkeypatch.setattr(Bodies, "read", reading)
    monkeypatch.setattr(OfNumbers, "predict", predicting)
    body = json.dumps({"rows": [[0] * 784]})
    with served(network) as client:
        assert client.predict(body)[0] == 200
    assert (held, bodies[0].held) == ([len(body)], 0)
