"""Downloads: from the first mirror that gives the published bytes, whole or not at all."""

import dataclasses
import errno
import gzip
import json
import os
import re
import socket
import subprocess
import sys
import threading

import pytest

from multilayer.datasets import DatasetUnavailableError, download, fashion_mnist, files, mnist, transfer

IMAGES = "train-images-idx3-ubyte"


def load(tiny, *mirrors):
    return files.load(tiny.description(*mirrors), "tiny.npz")


def in_cache(places):
    return sorted(path.name for path in places.cache.iterdir())


@pytest.fixture
def good(serve, tiny):
    """A mirror that has everything."""
    return serve(tiny.packed())


def test_what_is_downloaded_is_read_from_the_cache_ever_after(tiny, places, good):
    tiny.check(load(tiny, good.url))
    assert in_cache(places) == sorted(tiny.contents)
    good.gets.clear()
    tiny.check(load(tiny, good.url))
    assert good.gets == []


def test_only_what_the_cache_lacks_is_downloaded(tiny, places, good):
    tiny.write_raw(places.cache)
    (places.cache / IMAGES).unlink()
    tiny.check(load(tiny, good.url))
    assert good.gets == [f"/{IMAGES}.gz"]


def test_nothing_is_asked_where_another_process_was_faster(tiny, places):
    tiny.write_raw(places.cache)
    download.fetch(tiny.description("http://127.0.0.1:1/"), places.cache)


def test_a_mirror_may_serve_the_bytes_packed_anew_or_unpacked(tiny, places, serve):
    bodies = {path: gzip.compress(gzip.decompress(body), 1) for path, body in tiny.packed().items()}
    bodies[f"/{IMAGES}.gz"] = tiny.contents[IMAGES]
    tiny.check(load(tiny, serve(bodies).url))


@pytest.mark.parametrize("status", [403, 404, 500])
def test_a_mirror_that_refuses_is_passed_over(tiny, places, serve, good, status):
    refusing = serve(tiny.packed())
    refusing.status = status
    tiny.check(load(tiny, refusing.url, good.url))
    assert refusing.gets == []


def test_a_mirror_that_lacks_one_file_is_passed_over_for_that_one(tiny, places, serve, good):
    bodies = tiny.packed()
    del bodies["/t10k-labels-idx1-ubyte.gz"]
    tiny.check(load(tiny, serve(bodies).url, good.url))
    assert good.gets == ["/t10k-labels-idx1-ubyte.gz"]


WRONG = {
    "other bytes": lambda body: gzip.compress(gzip.decompress(body)[:-1] + b"\xff"),
    "a web page": lambda body: b"<!DOCTYPE html>",
    "a truncated stream": lambda body: body[:-9],
    "trailing bytes": lambda body: gzip.compress(gzip.decompress(body) + b"\0"),
    "a gzip bomb": lambda body: gzip.compress(bytes(10_000_000)),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_a_mirror_with_wrong_bytes_is_passed_over(tiny, places, serve, good, wrong):
    bad = serve({path: WRONG[wrong](body) for path, body in tiny.packed().items()})
    tiny.check(load(tiny, bad.url, good.url))
    assert len(bad.gets) == len(tiny.contents)


@pytest.mark.parametrize("wrong", WRONG)
def test_wrong_bytes_from_every_mirror_leave_nothing_behind(tiny, places, serve, wrong):
    bad = serve({path: WRONG[wrong](body) for path, body in tiny.packed().items()})
    with pytest.raises(DatasetUnavailableError, match=f"cannot be downloaded: {bad.url}{IMAGES}.gz: expected .* found"):
        load(tiny, bad.url)
    assert in_cache(places) == []


def test_a_body_without_end_is_not_received_to_its_end(tiny, places, serve):
    endless = serve({f"/{IMAGES}.gz": bytes(1_000_000)})
    with pytest.raises(DatasetUnavailableError, match="expected at most 65,588 bytes, found more"):
        load(tiny, endless.url)


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_mirror_that_is_overloaded_once_it_is_asked_for_bytes_is_passed_over(tiny, places, serve, good, status):
    busy = serve(tiny.packed())

    def refuse():
        busy.status = status

    busy.asked = refuse
    tiny.check(load(tiny, busy.url, good.url))
    assert len(busy.gets) == len(good.gets) == len(tiny.contents)


@pytest.mark.parametrize("status", [404, 429, 500])
def test_where_every_mirror_refuses_the_error_says_how(tiny, places, serve, status):
    busy = serve(tiny.packed())
    busy.status = status
    with pytest.raises(DatasetUnavailableError, match=f"{busy.url}: answers with status {status}"):
        load(tiny, busy.url)


@pytest.mark.parametrize("length", ["7", "100000000000"])
def test_a_lying_length_is_no_reason_to_believe_what_came(tiny, places, serve, good, length):
    lying = serve(tiny.packed())
    lying.headers = {"Content-Length": length}
    tiny.check(load(tiny, lying.url, good.url))
    assert lying.gets
    assert len(good.gets) == len(tiny.contents)


def test_a_stream_without_length_or_end_is_left_when_there_is_more_than_the_file_has(tiny, places, serve, good):
    endless = serve(tiny.packed())
    endless.headers, endless.endless = {"Content-Length": ""}, True
    tiny.check(load(tiny, endless.url, good.url))
    assert len(good.gets) == len(tiny.contents)


def test_bytes_that_trickle_are_not_waited_for_without_end(tiny, places, serve, good, monkeypatch, capsys):
    """A byte now and then is never silence: only a limit for the whole ends it."""
    over = threading.Event()
    monkeypatch.setattr(download, "_GRACE_SECONDS", 0.5)
    slow = serve(tiny.packed())
    slow.after_each_byte = lambda: over.wait(0.1)
    tiny.check(load(tiny, slow.url, good.url))
    over.set()
    assert len(slow.gets) == 1
    assert re.search(r" \d+ bytes in 0.5\d* seconds; trying", capsys.readouterr().err)


def test_a_body_packed_for_the_connection_is_refused_before_it_is_unpacked(tiny, places, serve, good):
    """Such a body can unpack to any size within one piece of it."""
    bomb = serve({path: gzip.compress(bytes(50_000_000)) for path in tiny.packed()})
    bomb.headers = {"Content-Encoding": "gzip"}
    with pytest.raises(DatasetUnavailableError, match="packed as 'gzip', which was not asked for"):
        load(tiny, bomb.url)
    tiny.check(load(tiny, bomb.url, good.url))


@pytest.mark.parametrize("target", ["https://127.0.0.1:1/", "ftp://127.0.0.1/", "file:///etc/", "http://example.org/"])
def test_a_redirect_to_another_scheme_or_off_https_is_not_followed(tiny, places, serve, good, target):
    leading = serve(tiny.packed())
    leading.status, leading.headers = 302, {"Location": target}
    with pytest.raises(DatasetUnavailableError, match="which is another scheme|is no https address"):
        load(tiny, leading.url)
    tiny.check(load(tiny, leading.url, good.url))


def test_a_redirect_within_the_scheme_is_followed(tiny, places, serve, good):
    leading = serve(tiny.packed())
    leading.status = 302
    leading.headers = {"Location": f"{good.url}{IMAGES}.gz"}
    only_images = dataclasses.replace(tiny.description(leading.url), files=tiny.description().files[:1])
    download.fetch(only_images, places.cache)
    assert good.gets == [f"/{IMAGES}.gz"]
    assert in_cache(places) == [IMAGES]


@pytest.mark.parametrize("mirror", ["http://example.org/", "ftp://example.org/", "file:///tmp/"])
def test_a_mirror_that_is_not_https_is_not_asked(tiny, places, mirror):
    with pytest.raises(DatasetUnavailableError, match=f"{mirror}{IMAGES}.gz is no https address"):
        load(tiny, mirror)


def test_a_cut_connection_is_tried_at_the_next_mirror(tiny, places, serve, good):
    cut = serve(tiny.packed())
    cut.sent = 20
    tiny.check(load(tiny, cut.url, good.url))
    assert cut.gets == good.gets


def test_a_cut_connection_is_tried_again(tiny, places, good):
    good.sent = 20

    def mend():
        good.sent = None

    good.half_way = mend
    tiny.check(load(tiny, good.url))
    assert good.gets.count(f"/{IMAGES}.gz") == 2


@pytest.fixture
def stalling(serve, tiny, monkeypatch):
    """Makes a mirror that says it has everything, and then falls silent `when` it is 'asked' or 'half_way'."""
    over = threading.Event()

    def start(when):
        mirror = serve(tiny.packed())
        setattr(mirror, when, over.wait)
        return mirror

    monkeypatch.setattr(transfer, "_SILENCE_SECONDS", 0.5)
    yield start
    over.set()


@pytest.mark.parametrize("when", ["asked", "half_way"])
def test_a_mirror_that_falls_silent_is_left_for_the_next_and_not_asked_again(
    tiny, places, good, stalling, when, capsys
):
    silent = stalling(when)
    tiny.check(load(tiny, silent.url, good.url))
    assert len(silent.gets) == 1
    assert len(good.gets) == len(tiny.contents)
    name = f"{IMAGES}.gz"
    expected = f"{silent.url}{name}: no bytes for 0.5 seconds; trying {good.url}{name}\n"
    assert capsys.readouterr() == ("", expected)


def test_when_every_mirror_falls_silent_each_costs_one_wait(tiny, places, stalling):
    mirrors = [stalling("half_way"), stalling("half_way")]
    with pytest.raises(DatasetUnavailableError) as caught:
        load(tiny, *(mirror.url for mirror in mirrors))
    for mirror in mirrors:
        assert f"{mirror.url}{IMAGES}.gz: no bytes for 0.5 seconds" in str(caught.value)
        assert len(mirror.gets) == 1
    assert in_cache(places) == []


def test_a_proxy_is_honoured(tiny, places, serve, monkeypatch):
    proxy = serve({f"http://localhost:1{path}": body for path, body in tiny.packed().items()})
    monkeypatch.setenv("HTTP_PROXY", proxy.url)
    tiny.check(load(tiny, "http://localhost:1/"))


@pytest.fixture
def silent():
    """The address of a server that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}/"


@pytest.fixture
def refusing():
    """An address where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    return f"http://127.0.0.1:{port}/"


def test_unreachable_mirrors_are_given_up_after_one_deadline_for_all(tiny, places, silent, refusing, monkeypatch):
    monkeypatch.setattr(download, "_PROBE_SECONDS", 0.2)
    with pytest.raises(DatasetUnavailableError) as caught:
        load(tiny, silent, refusing)
    assert f"{silent}: no answer within 0.2 seconds" in str(caught.value)
    assert f"{refusing}: ConnectionError" in str(caught.value)


def test_a_name_server_that_hangs_is_not_waited_for(tiny, places, monkeypatch):
    over, before = threading.Event(), set(threading.enumerate())

    def hang(*_, **__):
        over.wait()
        raise socket.gaierror

    monkeypatch.setattr(socket, "getaddrinfo", hang)
    monkeypatch.setattr(download, "_PROBE_SECONDS", 0.2)
    try:
        with pytest.raises(DatasetUnavailableError, match="https://mirror.invalid/: no answer within 0.2 seconds"):
            load(tiny, "https://mirror.invalid/")
        (waiting,) = set(threading.enumerate()) - before
        assert waiting.daemon  # the end of the program does not wait for it either
    finally:
        over.set()


def test_a_silent_mirror_does_not_keep_from_one_that_answers(tiny, places, silent, good, monkeypatch):
    monkeypatch.setattr(download, "_PROBE_SECONDS", 0.5)
    tiny.check(load(tiny, silent, good.url))


def test_a_cache_that_cannot_be_written_is_told_before_anything_is_downloaded(tiny, places, good):
    places.cache.parent.parent.mkdir()
    places.cache.parent.write_text("a file where the folder should be")
    with pytest.raises(DatasetUnavailableError, match="cannot be written .*; set MULTILAYER_HOME"):
        load(tiny, good.url)
    assert good.gets == []


def test_a_write_that_fails_leaves_nothing(tiny, places, good, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(DatasetUnavailableError, match="cannot be downloaded: .*No space left on device"):
        load(tiny, good.url)
    assert in_cache(places) == []


PROGRAM = """
import json, sys
from multilayer.datasets import files
from multilayer.datasets.description import Dataset, IdxFile

name, parts, mirrors = json.loads(sys.argv[1])
(x, y), _ = files.load(Dataset(name, tuple(IdxFile(n, tuple(s), d) for n, s, d in parts), tuple(mirrors)), "tiny.npz")
print(x.sum(), y.sum())
"""


def start(description):
    """Starts a process of its own that loads a data set and prints sums over it."""
    parts = [(file.name, file.shape, file.sha256) for file in description.files]
    argument = json.dumps([description.name, parts, description.mirrors])
    command = [sys.executable, "-c", PROGRAM, argument]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=os.environ.copy())


def test_eight_processes_at_once_make_one_valid_file(tiny, places, good):
    meeting = threading.Barrier(8, timeout=60)
    good.half_way = meeting.wait  # no download goes on before the other process is as far
    processes = [start(tiny.description(good.url)) for _ in range(8)]
    for process in processes:
        output, errors = process.communicate(timeout=60)
        assert (output, errors) == (f"{tiny.arrays[0].sum()} {tiny.arrays[1].sum()}\n", "")
    assert len(good.gets) == 8 * len(tiny.contents)
    assert {path.name: path.read_bytes() for path in places.cache.iterdir()} == tiny.contents


def test_a_killed_process_leaves_nothing(tiny, places, good):
    half_way, killed = threading.Event(), threading.Event()

    def stop():
        half_way.set()
        assert killed.wait(60)
        raise ConnectionResetError

    good.half_way = stop
    process = start(tiny.description(good.url))
    assert half_way.wait(60)
    process.kill()
    process.communicate()
    killed.set()
    assert in_cache(places) == []


def test_no_bars_are_drawn_where_stderr_is_no_terminal(tiny, places, good, capsys):
    load(tiny, good.url)
    assert capsys.readouterr() == ("", "")


def test_progress_is_drawn_on_a_terminal_on_stderr(tiny, places, good, capsys, monkeypatch):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setenv("TERM", "xterm")
    load(tiny, good.url)
    output, errors = capsys.readouterr()
    assert output == ""
    assert IMAGES in errors
    assert "bytes" in errors


@pytest.mark.parametrize("dataset", [mnist._MNIST, fashion_mnist._FASHION_MNIST], ids=lambda dataset: dataset.name)
def test_every_mirror_is_one_that_is_asked(dataset):
    assert dataset.mirrors
    assert all(mirror.startswith("https://") and mirror.endswith("/") for mirror in dataset.mirrors)
