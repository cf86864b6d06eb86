"""Who may ask: not every page that is open in the same browser."""

import pytest

import multilayer as ml

pytest.importorskip("starlette", reason="the extra `serve` is not installed")
pytest.importorskip("uvicorn", reason="the extra `serve` is not installed")
pytest.importorskip("httptools", reason="the extra `serve` is not installed")
pytest.importorskip("prometheus_client", reason="the extra `serve` is not installed")

from helpers.serving import served


@pytest.fixture(scope="module")
def client():
    model = ml.Sequential([ml.Input((1,)), ml.layers.Dense(1)])
    with served(model, hosts=["digits.example"]) as made:
        yield made


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost", 200),
        ("LOCALHOST:8000", 200),
        ("127.0.0.1:8000", 200),
        ("[::1]:8000", 200),
        ("192.168.1.7", 200),  # whoever can name an address did not need to rebind a name
        ("digits.example", 200),
        ("digits.example.:443", 200),
        ("evil.example", 421),
        ("localhost.evil.example", 421),
        ("localhost@evil.example", 421),
        ("127.0.0.1.nip.example", 421),
        ("localhost:x", 421),
        ("", 421),
    ],
)
def test_the_name_in_the_host_header_is_one_that_is_served(host, status, client):
    assert client.ask("GET", "/healthz", headers={"Host": host})[0] == status


@pytest.mark.parametrize(
    ("origin", "host", "status"),
    [
        (None, "localhost:8000", 200),  # no browser
        ("http://localhost:8000", "localhost:8000", 200),
        ("https://digits.example", "digits.example", 200),  # a proxy has ended TLS
        ("https://digits.example", "digits.example:443", 200),
        ("http://localhost:8001", "localhost:8000", 403),
        ("http://127.0.0.1:8000", "localhost:8000", 403),
        ("https://evil.example", "localhost:8000", 403),
        ("null", "localhost:8000", 403),
        ("file://", "localhost:8000", 403),
    ],
)
def test_what_a_page_of_another_origin_sends_is_refused(origin, host, status, client):
    headers = {"Host": host} if origin is None else {"Host": host, "Origin": origin}
    assert client.predict('{"rows": [[1]]}', **headers)[0] == status


def test_what_a_browser_says_of_where_a_request_comes_from_is_heeded(client):
    for site, status in (("same-origin", 200), ("none", 200), ("cross-site", 403), ("same-site", 403)):
        assert client.predict('{"rows": [[1]]}', **{"Sec-Fetch-Site": site})[0] == status


def test_no_other_origin_may_read_an_answer(client):
    headers = client.ask("GET", "/healthz", headers={"Origin": "https://evil.example"})[1]
    assert not [name for name in headers if name.lower().startswith("access-control")]
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert client.ask("OPTIONS", "/predict", headers={"Origin": "https://evil.example"})[0] == 405
