"""Those who mean no good, or are in no hurry: each gets its refusal, or is cut off."""

import io
import json
import os
import struct
import time
import zlib
from contextlib import suppress

import pytest

import multilayer as ml

pytest.importorskip("starlette", reason="the extra `serve` is not installed")
pytest.importorskip("uvicorn", reason="the extra `serve` is not installed")
pytest.importorskip("httptools", reason="the extra `serve` is not installed")
pytest.importorskip("prometheus_client", reason="the extra `serve` is not installed")

from helpers.serving import everything, served
from multilayer.serve import Limits

ABOUT_A_PICTURE = b"POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Type: image/png\r\n"
GIGABYTE = ABOUT_A_PICTURE + b"Content-Length: 1073741824\r\n"
HASTY = Limits(header_seconds=0.4, body_seconds=0.4, idle_seconds=1, header_bytes=4096, picture_bytes=300_000)


@pytest.fixture(scope="module")
def client():
    with served(ml.Sequential([ml.Input((784,)), ml.layers.Dense(10, activation="softmax")]), HASTY) as made:
        yield made


@pytest.fixture(scope="module")
def four():
    with served(ml.Sequential([ml.Input((4,)), ml.layers.Dense(2)]), HASTY) as made:
        yield made


def answered(client, head, *parts):
    """What comes back of bytes that are sent."""
    with client.connected() as connection:
        connection.sendall(head)
        for part in parts:
            connection.sendall(part)
        return everything(connection).decode()


def refused(text):
    """Status and detail of an answer with a problem."""
    head, _, body = text.partition("\r\n\r\n")
    assert "application/problem+json" in head
    problem = json.loads(body)
    assert head.split()[1] == str(problem["status"])
    return problem["status"], problem["detail"]


def png_that_declares(width, height):
    def chunk(kind, content):
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(100_000)))


# --- Bodies ---


def test_a_body_that_declares_a_gigabyte_is_refused_unread(client):
    text = answered(
        client,
        b"POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Type: image/png\r\nContent-Length: 1073741824\r\n\r\n",
    )
    assert refused(text) == (413, "The body has more than 300,000 bytes, and is not read. Send less at once.")


def test_who_waits_to_be_told_to_go_on_is_not(client):
    """As curl does before it sends much."""
    assert answered(client, GIGABYTE + b"Expect: 100-continue\r\n\r\n").startswith("HTTP/1.1 413")


def test_a_body_that_grows_beyond_all_bounds_is_cut_off(client):
    part = b"10000\r\n" + bytes(0x10000) + b"\r\n"
    sent = 0
    with client.connected() as connection, suppress(OSError):
        connection.sendall(ABOUT_A_PICTURE + b"Transfer-Encoding: chunked\r\n\r\n")
        while sent < 100_000_000:  # of which the system's buffers hold a few
            connection.sendall(part)
            sent += len(part)
    assert sent < 20_000_000
    assert client.ask("GET", "/healthz")[0] == 200


def test_whoever_sends_too_much_finds_the_answer_all_the_same(client):
    status, answer = client.predict(bytes(2_000_000), "image/png")
    assert (status, answer["status"]) == (413, 413)


def test_bodies_that_are_held_at_once_are_bounded():
    from multilayer.serve.bodies import Bodies
    from multilayer.serve.problems import ProblemError

    class Request:
        headers = {}  # noqa: RUF012

        async def stream(self):
            for _ in range(3):
                yield bytes(600)

    import asyncio

    bodies = Bodies(Limits(waiting_bytes=2_000))
    body = asyncio.run(bodies.read(Request(), 10_000))
    assert bodies.held == 1_800
    with pytest.raises(ProblemError) as problem:
        asyncio.run(bodies.read(Request(), 10_000))
    assert problem.value.status == 503
    bodies.release(len(body))
    assert bodies.held == 0


# --- What bodies hold ---


def test_a_picture_that_declares_too_many_pixels_is_refused_before_it_is_unpacked(client):
    status, answer = client.predict(png_that_declares(65_000, 65_000), "image/png")
    assert status == 413
    assert "more than 16 million pixels, and is not unpacked" in answer["detail"]


@pytest.mark.parametrize(
    ("content", "detail"),
    [
        (b"This is no picture.", "The picture is no picture. Expected PNG or JPEG."),
        (png_that_declares(100, 100)[:60], "The picture is broken"),
        (b"GIF89a" + bytes(100), "Expected PNG or JPEG"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n", "Expected PNG or JPEG"),
        (b"", "The body is empty"),
    ],
)
def test_what_is_no_picture_is_refused(content, detail, client):
    status, answer = client.predict(content, "image/png")
    assert status == 400
    assert detail in answer["detail"]


@pytest.mark.parametrize(
    ("body", "status", "detail"),
    [
        ('{"rows": [[1, 2, 3', 400, "The body is no JSON"),
        ('{"rows": [[1, 2, 3, NaN]]}', 400, "it has NaN, which JSON has not"),
        ('{"rows": [[1, 2, 3, -Infinity]]}', 400, "it has -Infinity"),
        (b'{"rows": [["\xff", 2, 3, 4]]}', 400, "no text in UTF-8"),
        ("[" * 100_000, 400, "nested too deeply"),
        ('{"rows": ' + "[" * 500 + "]" * 500 + "}", 422, "Row 0 has 1 values"),
        ("[]," * 300_000, 413, "more than 200,000 lists"),
        ("1" * 10_000, 400, "The body is no JSON"),
        ("null", 422, "another JSON than expected"),
        ('{"rows": 3}', 422, "another JSON than expected"),
        ('{"rows": [[1, 2, 3, 4]], "path": "/etc/passwd"}', 422, "another JSON than expected"),
        ('{"rows": []}', 422, "There are no rows"),
        ('{"rows": [[1, 2, 3, 4], [1, 2, 3]]}', 422, "Row 1 has 3 values. Expected 4 numbers."),
        ('{"rows": [[1, 2, 3, 4, 5]]}', 422, "Row 0 has 5 values. Expected 4 numbers."),
        ('{"rows": [[1, 2, 3, "4"]]}', 422, "Row 0 has '4'. Expected 4 numbers."),
        ('{"rows": [[1, 2, null, 4]]}', 422, "Row 0 has null. Expected 4 numbers."),
        ('{"rows": [[1, 2, 3, 1e999]]}', 422, "Row 0 has inf"),
        ('{"rows": [[1, 2, 3, 1e300]]}', 422, "Row 0 has 1e+300"),
        ('{"rows": [[1, 2, 3, ' + "1" * 400 + "]]}", 422, "not all of 4 numbers"),
        ('{"rows": [{"a": 1}]}', 422, "Row 0 is not an object with a value for each input"),
        ('{"rows": [1, 2]}', 422, "Row 0 has 1 values"),
        ('{"rows": [' + "[1,2,3,4]," * 10_000 + "[1,2,3,4]]}", 413, "There are more than 10,000 rows"),
    ],
)
@pytest.mark.parametrize("parser", ["orjson", "json"])
def test_json_that_is_no_question_is_refused(parser, body, status, detail, four, monkeypatch):
    if parser == "json":
        monkeypatch.setattr("multilayer.serve.bodies.orjson", None)
    found, answer = four.predict(body)
    assert found == status
    assert detail in answer["detail"]


@pytest.mark.parametrize(
    ("body", "status", "detail"),
    [
        ("1,2,3,four", 422, "Line 1 has 'four'"),
        ("1,2,3", 422, "Row 0 has 3 values"),
        ("a,b,c,d\n", 422, "no rows"),
        ('1,2,3,"4', 400, "no CSV"),
        ("1,2,3,nan", 422, "Row 0 has nan"),
        (b"\xff\xfe\x00", 400, "UTF-8"),
    ],
)
def test_csv_that_is_no_question_is_refused(body, status, detail, four):
    found, answer = four.predict(body, "text/csv")
    assert found == status
    assert detail in answer["detail"]


@pytest.mark.parametrize(
    "kind", ["", "text/plain", "multipart/form-data; boundary=x", "application/x-www-form-urlencoded"]
)
def test_bodies_of_other_types_are_refused(kind, client):
    status, headers, _ = client.ask("POST", "/predict", b"a=b", {"Content-Type": kind})
    assert status == 415
    assert headers["Accept-Post"] == "application/json, text/csv, image/png, image/jpeg"


def test_compressed_bodies_are_refused(client):
    assert client.predict(zlib.compress(b"{}"), **{"Content-Encoding": "gzip"})[0] == 415


# --- Those in no hurry ---


@pytest.mark.parametrize(
    "begun",
    [b"", b"POST /predict HTTP/1.1\r\nHost: localhost\r\n"],
    ids=["silence", "headers"],
)
def test_who_does_not_come_to_the_end_of_the_headers_is_cut_off(begun, client):
    start = time.monotonic()
    with client.connected() as connection:
        connection.sendall(begun)
        text = everything(connection).decode()
    assert 0.3 < time.monotonic() - start < 5
    assert refused(text)[0] == 408


def test_trailers_end_and_are_no_headers(four):
    """What follows a body is checked by nobody, and would be kept for as long as it comes."""
    row = b'{"rows": [[1, 2, 3, 4]]}'
    head = b"POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    body = b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%b\r\n0\r\n" % (len(row), row)
    text = answered(four, head + b"Connection: close\r\n" + body + b"Origin: http://evil.example\r\n\r\n")
    assert text.startswith("HTTP/1.1 200")
    assert refused(answered(four, head + body, b"Trailer: " + b"x" * 500_000))[0] == 431


def test_a_chunk_has_no_endless_head(four):
    head = b"POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    assert refused(answered(four, head + b"Transfer-Encoding: chunked\r\n\r\n", b"5;" + b"x" * 500_000))[0] == 431


def test_who_does_not_fetch_an_answer_does_not_get_it():
    """And what was kept for him is forgotten."""
    wide = ml.Sequential([ml.Input((1,)), ml.layers.Dense(1_000)])
    body = json.dumps({"rows": [[1]] * 1_000}).encode()
    head = "POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
    with served(wide, HASTY._replace(fetch_seconds=0.3)) as one, one.connected() as connection:
        connection.sendall((head % len(body)).encode() + body)
        assert connection.recv(1) == b"H"  # of twenty megabytes, more than a system keeps
        time.sleep(0.6)
        size = 0
        with suppress(ConnectionError):
            size = len(everything(connection))
        assert size < 15_000_000


def test_a_slow_loris_is_cut_off(client):
    """A byte now and then keeps no connection open."""
    start = time.monotonic()
    with client.connected() as connection, suppress(OSError):
        connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX: ")
        while time.monotonic() - start < 10:
            connection.sendall(b"y")
            time.sleep(0.05)
    assert time.monotonic() - start < 5


def test_who_does_not_come_to_the_end_of_the_body_is_refused(client):
    start = time.monotonic()
    head = (
        b"POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{"
    )
    assert refused(answered(client, head))[0] == 408
    assert time.monotonic() - start < 5


def test_who_asks_nothing_more_is_let_go(client):
    with client.connected() as connection:
        connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
        start = time.monotonic()
        assert everything(connection).startswith(b"HTTP/1.1 200")
    assert 0.5 < time.monotonic() - start < 5


def test_a_connection_answers_one_request_after_the_other(client):
    twice = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n" * 2
    assert answered(client, twice).count('{"status": "ok"}') == 2


def test_requests_before_the_first_is_answered_are_bounded(client):
    head = b"POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    head += b"Content-Length: 2\r\n\r\n{}"
    assert "Too many requests before the first is answered" in answered(client, head * 1_000)


def test_connections_are_bounded():
    model = ml.Sequential([ml.Input((4,)), ml.layers.Dense(2)])
    with served(model, Limits(connections=2)) as client, client.connected(), client.connected():
        time.sleep(0.2)
        assert refused(answered(client, b""))[0] == 503


# --- No HTTP ---


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"y" * 400_000 + b"\r\n\r\n", 431),
        (b"GET /" + b"y" * 400_000, 431),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n", 421),  # no Host
        (b"POST /predict HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: gzip\r\n\r\n", 400),
        (b"POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Length: x\r\n\r\n", 400),
        (b"POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", 400),
    ],
)
def test_what_is_no_http_is_refused(request_, status, client):
    assert refused(answered(client, request_))[0] == status


@pytest.mark.parametrize(
    "path", ["/../../etc/passwd", "/%2e%2e/%2e%2e/etc/passwd", "//etc/passwd", "/predict/..", "/%00"]
)
def test_no_path_reaches_the_disk(path, client):
    text = answered(client, f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
    assert refused(text)[0] in (404, 405)


def test_no_request_opens_a_file(client, monkeypatch):
    """What a picture is unpacked from is the bytes that came with it."""
    from PIL import Image

    picture = io.BytesIO()
    Image.new("L", (40, 40), 255).save(picture, "PNG")
    client.predict(picture.getvalue(), "image/png")  # Pillow is imported
    opened = []
    monkeypatch.setattr("builtins.open", lambda *arguments, **_: opened.append(arguments))
    monkeypatch.setattr(os, "open", lambda *arguments, **_: opened.append(arguments))
    assert client.predict(picture.getvalue(), "image/png")[0] == 200
    assert client.predict('{"rows": [[' + ",".join(["0"] * 784) + "]]}")[0] == 200
    assert opened == []
