"""The routes of the page: what they tell, what they refuse, and that somebody's slowness is nobody else's."""

import asyncio
import json
import socket
import time
import tracemalloc
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

pytest.importorskip("starlette", reason="the extra `serve` is not installed")
pytest.importorskip("uvicorn", reason="the extra `serve` is not installed")

from starlette.applications import Starlette

from helpers.live_server import served
from multilayer import Sequential, layers, tabular
from multilayer.serve import live, make_app
from multilayer.serve.columns import describe_table
from multilayer.serve.digits import Digits
from multilayer.serve.training import LiveTraining


def data(report):
    x = np.random.default_rng(0).random((96, 5)).astype(np.float32)
    return Digits("dice", (x, (x[:, 0] > 0.5).astype(int)), (x[:20], (x[:20, 0] > 0.5).astype(int)))


def small():
    model = Sequential([layers.Input((5,)), layers.Dense(4, "sigmoid"), layers.Dense(2, "softmax")])
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


@pytest.fixture
def training():
    made = LiveTraining(data, small, epochs=100, pace=lambda step: 0.005)
    yield made
    made.close()


@pytest.fixture(scope="module")
def idle():
    return LiveTraining(data, small)


@pytest.fixture(scope="module")
def client_of_idle(idle):
    with served(Starlette(routes=live.routes_of_training(idle))) as made:
        yield made


@pytest.fixture
def client(training):
    with served(Starlette(routes=live.routes_of_training(training))) as made:
        yield made


def test_a_training_is_directed(client, training):
    status, started = client.request("POST", "/training", {"action": "start", "learning_rate": 0.01})
    assert status == 200
    assert started["state"] in ("preparing", "training")
    assert started["learning_rate"] == 0.01
    assert client.request("POST", "/training", {"learning_rate": 0.02})[1]["learning_rate"] == 0.02
    while training.state != "training":
        time.sleep(0.01)
    for action, state in (("pause", "paused"), ("resume", "training"), ("stop", "stopped")):
        assert client.request("POST", "/training", {"action": action})[1]["state"] == state


@pytest.mark.parametrize(
    ("status", "content", "kind"),
    [
        (400, b"{", "application/json"),
        (400, b"[" * 900, "application/json"),
        (400, b"\xff", "application/json"),
        (400, b"[]", "application/json"),
        (400, b"{}", "application/json"),
        (400, b'{"action": "explode"}', "application/json"),
        (400, b'{"action": "start", "epochs": 1000000}', "application/json"),
        (400, b'{"learning_rate": NaN}', "application/json"),
        (400, b'{"learning_rate": [1]}', "application/json"),
        (409, b'{"action": "resume"}', "application/json; charset=utf-8"),
        (413, b'{"action": "start"' + b" " * 2000 + b"}", "application/json"),
        (415, b'{"action": "start"}', "text/plain"),  # what any page may send to localhost
        (415, b"action=start", "application/x-www-form-urlencoded"),
    ],
)
def test_what_makes_no_sense_is_refused_and_changes_nothing(client_of_idle, idle, status, content, kind):
    refused, answer = client_of_idle.request("POST", "/training", content, kind)
    assert refused == status
    assert answer["detail"]
    assert idle.state == "idle"


def within(seconds, function):
    """What a coroutine comes to in so many seconds; in a thread, as a browser may have a loop in this one."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(lambda: asyncio.run(asyncio.wait_for(function(), seconds))).result()


def as_events(texts):
    for text in texts:
        if not text.startswith(":"):
            name, about = text.rstrip().split("\n")
            yield name.removeprefix("event: "), json.loads(about.removeprefix("data: "))


def test_events_tell_the_run_from_its_first_step_to_its_end(training, monkeypatch):
    monkeypatch.setattr(live, "_TICK", 0.01)
    training._epochs, training._pace = 3, None

    async def listen():
        texts = []
        async for text in live._told(training.listen()):
            texts.append(text)
            if text.startswith("event: weights"):
                break
        return texts

    training.direct("start")
    training.join()
    training.direct("start")  # and what comes late begins at the first step as well
    training.join()
    events = list(as_events(within(10, listen)))
    assert [name for name, _ in events] == ["state", "steps", "epoch", "epoch", "epoch", "weights"]
    assert events[0][1]["state"] == "done"
    assert events[0][1]["steps"] == len(events[1][1]["loss"]) == events[-1][1]["step"] == 9


def test_silence_is_broken_by_signs_of_life(training, monkeypatch):
    monkeypatch.setattr(live, "_TICK", 0.01)
    monkeypatch.setattr(live, "_HEARTBEAT", 0.05)

    async def listen():
        async for text in live._told(training.listen()):
            if text.startswith(":"):
                return text
        return ""

    assert within(10, listen) == ": still here\n\n"


@pytest.fixture(scope="module")
def table():
    rng = np.random.default_rng(0)
    n = 200
    income = np.exp(rng.normal(10, 1, n))
    income[::7] = np.nan
    x = {
        "age": rng.integers(18, 90, n).astype(float),
        "income": income,
        "city": rng.choice(["Seoul", "Busan", "Daegu"], n, p=[0.6, 0.3, 0.1]).tolist(),
        "member": rng.random(n) < 0.4,
        "flag": (rng.random(n) < 0.3).astype(float),
        "since": np.datetime64("2020-01-01") + rng.integers(0, 1000, n).astype("timedelta64[D]"),
    }
    return x, np.where(x["age"] > 50, "yes", "no")


@pytest.fixture(scope="module")
def classifier(table):
    return tabular.TabularClassifier(members=2, budget=1, random_state=0).fit(*table)


@pytest.mark.filterwarnings("ignore")
def test_the_columns_of_a_table_are_told(classifier, table):
    x, _ = table
    with served(Starlette(routes=live.routes_of_table(classifier, "churn"))) as client:
        _, told = client.request("GET", "/columns")
    assert (told["target"], told["classes"]) == ("churn", ["no", "yes"])
    columns = {one["name"]: one for one in told["columns"]}
    assert list(columns) == list(x)
    ages = sorted(x["age"])
    assert columns["age"] == {
        "name": "age", "kind": "number", "missing": False, "whole": float(np.median(ages)).is_integer(),
        "low": ages[0], "high": ages[-1], "typical": np.median(ages),
    }  # fmt: skip
    assert columns["income"]["missing"]
    assert columns["income"]["low"] < columns["income"]["typical"] < columns["income"]["high"]
    assert columns["city"]["values"] == ["Seoul", "Busan", "Daegu"]
    assert columns["city"]["typical"] == "Seoul"
    assert (columns["member"]["kind"], columns["member"]["values"]) == ("boolean", [False, True])
    assert columns["flag"]["values"] == [0, 1]
    assert columns["since"]["low"] == str(x["since"].min())
    assert columns["since"]["low"] < columns["since"]["typical"] < columns["since"]["high"] == str(x["since"].max())


def test_a_row_of_typical_values_is_predicted(classifier):
    told = describe_table(classifier, "churn")
    typical = {one["name"]: one["typical"] for one in told["columns"]}
    rows = [{**typical, "flag": value} for value in (0, 1)] + [dict.fromkeys(typical)]
    assert classifier.predict_proba(rows).shape == (3, 2)


def test_what_no_sentence_tells_is_told_by_quartiles(classifier):
    class Silent:
        columns_ = ()
        preprocessing_ = classifier.preprocessing_

    columns = {one["name"]: one for one in describe_table(Silent(), "price")["columns"]}
    assert columns["age"]["low"] < 18 < 90 < columns["age"]["high"]
    assert columns["since"]["low"] < "2020-06" < "2022-06" < columns["since"]["high"]
    assert describe_table(Silent(), "price")["classes"] is None


def test_no_more_listen_than_may_and_who_leaves_makes_room(idle):
    with served(Starlette(routes=live.routes_of_training(idle, most=2))) as client:
        listening = [socket.create_connection(("127.0.0.1", client.port)) for _ in range(2)]
        for one in listening:
            one.sendall(b"GET /training HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert one.recv(12) == b"HTTP/1.1 200"
        assert client.request("GET", "/training")[0] == 503
        listening[0].close()
        with socket.create_connection(("127.0.0.1", client.port), 5) as one:
            began = b""
            while not began:
                one.sendall(b"GET /training HTTP/1.1\r\nHost: localhost\r\n\r\n")
                began = one.recv(12)
                if began.endswith(b"503"):
                    while not one.recv(4096).endswith(b"}"):
                        pass
                    began = b""
                    time.sleep(0.1)
            assert began == b"HTTP/1.1 200"
        listening[1].close()


def test_who_asks_for_the_head_of_the_events_does_not_wait(client_of_idle):
    with socket.create_connection(("127.0.0.1", client_of_idle.port), 5) as one:
        one.sendall(b"HEAD /training HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        parts = []
        while part := one.recv(4096):
            parts.append(part)
    assert b"".join(parts).startswith(b"HTTP/1.1 200")


def test_all_who_fetch_a_network_share_it():
    """However slow they are, and however many."""
    model = Sequential([layers.Input((64,)), layers.Dense(20_000, "relu"), layers.Dense(2, "softmax")])
    with served(make_app(model)) as client:
        status, network = client.request("GET", "/network")  # seven megabytes
        assert (status, network["live"]) == (200, "network")
        tracemalloc.start()
        slow = [socket.create_connection(("127.0.0.1", client.port)) for _ in range(20)]
        for one in slow:
            one.sendall(b"GET /network HTTP/1.1\r\nHost: localhost\r\n\r\n")
        for one in slow:
            assert one.recv(12) == b"HTTP/1.1 200"
        assert tracemalloc.get_traced_memory()[0] < 40_000_000
        tracemalloc.stop()
        for one in slow:
            one.close()
