"""Files from the network: whole, with the right digest, under the names that Keras gives them, or not at all."""

import hashlib
import io
import os
import socket
import tarfile
import zipfile
from pathlib import Path

import pytest

from multilayer.utils import get_file

CONTENT = b"seven lean years"
SHA256 = hashlib.sha256(CONTENT).hexdigest()
MD5 = hashlib.md5(CONTENT).hexdigest()


def zipped(**files):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return file.getvalue()


def tarred(mode="w", **files):
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode=mode) as archive:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return file.getvalue()


@pytest.fixture
def mirror(serve):
    texts = {"/years.txt": CONTENT, "/years.txt?version=2": CONTENT}
    return serve({**texts, "/a.zip": zipped(one=b"1"), "/a.tgz": tarred("w:gz", one=b"1")})


@pytest.fixture
def cache(tmp_path):
    return tmp_path / "multilayer" / "datasets"


def test_a_file_is_downloaded_once(mirror, cache):
    for _ in range(2):
        found = get_file(origin=f"{mirror.url}years.txt?version=2")
        assert found == str(cache / "years.txt")
        assert Path(found).read_bytes() == CONTENT
    assert len(mirror.gets) == 1
    get_file(origin=f"{mirror.url}years.txt", force_download=True)
    assert len(mirror.gets) == 2


@pytest.mark.parametrize(
    "arguments",
    [
        {"file_hash": SHA256},
        {"file_hash": SHA256.upper(), "hash_algorithm": "sha256"},
        {"file_hash": MD5},
        {"md5_hash": MD5},
        {"file_hash": SHA256, "md5_hash": "0" * 32},
    ],
)
def test_a_file_with_the_right_digest_is_kept(mirror, arguments):
    for _ in range(2):
        assert Path(get_file(origin=f"{mirror.url}years.txt", **arguments)).read_bytes() == CONTENT
    assert len(mirror.gets) == 1


def test_a_file_with_another_digest_is_not(mirror, cache):
    with pytest.raises(ValueError, match=f"file hash of what came from .*years.txt is {SHA256}, and does not match"):
        get_file(origin=f"{mirror.url}years.txt", file_hash="0" * 64)
    assert list(cache.iterdir()) == []


def test_a_file_in_the_cache_with_another_digest_is_downloaded_anew(mirror, cache, capsys):
    cache.mkdir(parents=True)
    (cache / "years.txt").write_bytes(b"fat ones")
    assert Path(get_file(origin=f"{mirror.url}years.txt", file_hash=MD5)).read_bytes() == CONTENT
    assert (
        "A local file was found, but it seems to be incomplete or outdated because the md5" in capsys.readouterr().out
    )


def test_where_the_file_goes(mirror, tmp_path, cache):
    origin = f"{mirror.url}years.txt"
    assert get_file("mine.txt", origin) == str(cache / "mine.txt")
    assert get_file(Path("mine.txt"), origin, cache_subdir="mine") == str(cache.parent / "mine" / "mine.txt")
    assert get_file("mine.txt", origin, cache_dir=tmp_path / "there") == str(tmp_path / "there/datasets/mine.txt")
    assert get_file("mine.txt", origin, cache_subdir=str(tmp_path / "x")) == str(tmp_path / "x/mine.txt")


@pytest.mark.parametrize(
    ("fname", "path", "arguments", "archive", "folder"),
    [
        (None, "a.zip", {}, "a.zip_archive", "a.zip"),
        ("b.zip", "a.zip", {"archive_format": "zip"}, "b.zip", "b_extracted"),
        ("b.tar.gz", "a.tgz", {"archive_format": ["tar"]}, "b.tar.gz", "b_extracted"),
        ("b", "a.tgz", {}, "b_archive", "b"),
        ("b", "a.tgz", {"untar": True, "extract": False, "archive_format": None}, "b_archive", "b"),
    ],
)
def test_an_archive_is_extracted_under_the_names_that_keras_gives(
    mirror, cache, fname, path, arguments, archive, folder
):
    found = get_file(fname, f"{mirror.url}{path}", **{"extract": True} | arguments)
    assert found == str(cache / folder)
    assert {path.name for path in cache.iterdir()} == {archive, folder}
    assert (cache / folder / "one").read_bytes() == b"1"


def test_what_was_changed_is_extracted_again_and_what_was_added_stays(mirror, cache):
    folder = Path(get_file(origin=f"{mirror.url}a.zip", extract=True))
    (folder / "one").write_bytes(b"changed")
    (folder / "two").write_bytes(b"2")
    get_file(origin=f"{mirror.url}a.zip", extract=True)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == {"one": b"1", "two": b"2"}
    assert len(mirror.gets) == 1


@pytest.mark.parametrize("arguments", [{}, {"archive_format": None}, {"archive_format": "zip"}])
def test_what_is_no_archive_is_told(mirror, cache, arguments):
    with pytest.warns(UserWarning, match="Could not extract archive. Expected .*years.txt_archive, from http"):
        get_file(origin=f"{mirror.url}years.txt", extract=True, **arguments)
    assert [path.name for path in cache.iterdir()] == ["years.txt_archive"]


def test_an_archive_that_leads_elsewhere_is_refused(serve, tmp_path):
    mirror = serve({"/a.zip": zipped(**{"one": b"1", "../../../evil": b"2"})})
    with pytest.raises(ValueError, match="nothing of it was kept: its member '../../../evil' leads out of the folder"):
        get_file(origin=f"{mirror.url}a.zip", extract=True)
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["a.zip_archive"]


def test_a_download_that_breaks_off_leaves_nothing(serve, cache):
    broken = serve({"/a.zip": bytes(1000)})
    broken.sent = 500
    with pytest.raises(OSError, match=f"URL fetch failure on {broken.url}a.zip: "):
        get_file(origin=f"{broken.url}a.zip")
    assert list(cache.iterdir()) == []


def test_an_address_that_has_nothing_says_so(mirror):
    with pytest.raises(OSError, match=r"URL fetch failure on .*nothing.txt: 404"):
        get_file(origin=f"{mirror.url}nothing.txt")


@pytest.mark.parametrize(
    ("origin", "message"),
    [
        ("http://example.org/a.txt", "is no https address; from there, give its `file_hash`"),
        ("ftp://example.org/a.txt", "is no https address$"),
        ("file:///etc/passwd", "is no https address$"),
    ],
)
def test_addresses_that_nothing_is_fetched_from(serve, origin, message):
    with pytest.raises(OSError, match=message):
        get_file(origin=origin)


def test_with_a_digest_the_way_need_not_be_trusted(mirror, serve, monkeypatch):
    """Plain http is asked then, also where it leads elsewhere."""
    leading = serve({"/years.txt": CONTENT})
    leading.status, leading.headers = 302, {"Location": f"{mirror.url}years.txt"}
    elsewhere = leading.url.replace("127.0.0.1", "plain.example")
    look_up = socket.getaddrinfo
    monkeypatch.setattr(socket, "getaddrinfo", lambda _, *others, **named: look_up("127.0.0.1", *others, **named))
    monkeypatch.setenv("NO_PROXY", "*")
    assert Path(get_file(origin=f"{elsewhere}years.txt", file_hash=SHA256)).read_bytes() == CONTENT
    with pytest.raises(OSError, match="is no https address; from there, give its `file_hash`"):
        get_file("again.txt", f"{elsewhere}years.txt")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, 'specify the "origin" argument'),
        ({"origin": "https://example.org/"}, "Can't parse the file name"),
        ({"origin": "https://example.org/.."}, "Can't parse the file name"),
        ({"origin": "https://example.org/a", "fname": "a/b"}, "Paths are no longer accepted"),
        ({"origin": "https://example.org/a", "fname": ".."}, "Paths are no longer accepted"),
        ({"origin": "https://example.org/a", "fname": "a\\b"}, "Paths are no longer accepted"),
        ({"origin": "https://example.org/a", "file_hash": "abc"}, "`file_hash` must be a SHA-256 or MD5 in hexad"),
        ({"origin": "https://example.org/a", "file_hash": MD5, "hash_algorithm": "sha256"}, "must be a SHA-256 in"),
        ({"origin": "https://example.org/a", "hash_algorithm": "crc"}, "must be 'auto', 'sha256' or 'md5'"),
        ({"origin": "https://example.org/a", "archive_format": "rar"}, "`archive_format` must be 'auto', 'tar'"),
        ({"origin": 5}, "`origin` must be text"),
    ],
)
def test_arguments_are_refused_before_anything_is_downloaded(serve, arguments, message):
    with pytest.raises(ValueError, match=message):
        get_file(**arguments)


@pytest.mark.skipif(os.name == "nt", reason="a folder on Windows has no such rights")
def test_a_cache_that_cannot_be_written_is_told(mirror, tmp_path):
    (tmp_path / "file").write_text("where a folder should be")
    with pytest.raises(OSError, match="cannot be written .*; pass `cache_dir`, or set MULTILAYER_HOME"):
        get_file(origin=f"{mirror.url}years.txt", cache_dir=tmp_path / "file")
