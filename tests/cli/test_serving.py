"""`multilayer serve`: begins, answers, says why it cannot, ends."""

import json
import signal
import socket
import sys
import urllib.request

import pytest

import multilayer as ml
from helpers.commands import call, start

pytest.importorskip("starlette", reason="the extra `serve` is not installed")
pytest.importorskip("uvicorn", reason="the extra `serve` is not installed")
pytest.importorskip("httptools", reason="the extra `serve` is not installed")
pytest.importorskip("prometheus_client", reason="the extra `serve` is not installed")


@pytest.fixture(scope="module")
def model_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("run") / "model.npz"
    ml.Sequential([ml.Input((784,)), ml.layers.Dense(10, activation="softmax")]).save(path)
    return path


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGINT for a single process")
def test_it_serves_until_ctrl_c(model_file):
    with start("serve", model_file, "--port", "0", "--no-browser", "--json") as process:
        text = ""
        while not text.endswith("}\n"):
            text += process.stdout.readline()
        said = json.loads(text)
        assert said["model"] == str(model_file)
        assert said["url"].startswith("http://127.0.0.1:")
        question = urllib.request.Request(
            said["url"] + "predict",
            json.dumps({"rows": [[0] * 784]}).encode(),
            {"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(question) as answer:
            assert json.load(answer)["predictions"] == [0]
        process.send_signal(signal.SIGINT)
        process.send_signal(signal.SIGINT)  # as the impatient do
        assert process.wait(20) == 0
        assert process.stderr.read() == ""


def test_a_port_that_is_in_use_is_said(model_file):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        assert f"Port {port} of 127.0.0.1 is in use" in call("serve", model_file, "--port", port, code=1)[1]


def test_a_host_that_is_none_is_said(model_file):
    assert "There is no host" in call("serve", model_file, "--host", "no.such.host.invalid", code=1)[1]


def test_the_extra_is_named_where_it_is_not_installed(model_file, monkeypatch):
    for name in [name for name in sys.modules if name.startswith("multilayer.serve")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.delattr(ml, "serve", raising=False)
    monkeypatch.setitem(sys.modules, "starlette", None)
    assert 'pip install "multilayer[serve]"' in call("serve", model_file, code=1)[1]
