"""Files that appear whole or not at all: what is left where writing fails, at each of its steps."""

import errno
import os
import socket
import stat
import threading
from pathlib import Path

import pytest

from multilayer._system.atomic import replaced


def write(path, content):
    with replaced(path) as file:
        file.write(content)


def test_a_file_is_written_replaced_and_nothing_else_is_left(tmp_path):
    path = tmp_path / "file"
    for content in (b"old", b"new"):
        write(path, content)
        assert path.read_bytes() == content
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("error", [RuntimeError("no"), KeyboardInterrupt(), OSError(errno.EIO, "Input/output error")])
def test_an_error_while_writing_leaves_the_old_file_and_no_other(tmp_path, error):
    path = tmp_path / "file"
    write(path, b"old")

    def fail():
        with replaced(path) as file:
            file.write(b"half")
            raise error

    with pytest.raises(type(error)):
        fail()
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("step", ["fsync", "replace"])
@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO, errno.EACCES])
def test_an_error_of_the_disk_names_the_file_and_says_that_it_is_intact(tmp_path, monkeypatch, step, number):
    path = tmp_path / "file"
    write(path, b"old")

    def failing(*args):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, step, failing)
    with pytest.raises(OSError, match="what was there is as it was") as caught:
        write(path, b"new")
    monkeypatch.undo()
    assert (caught.value.errno, caught.value.filename) == (number, str(path))
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_that_is_missing_is_an_error_that_names_the_file(tmp_path):
    with pytest.raises(FileNotFoundError, match="nowhere/file"):
        write(tmp_path / "nowhere" / "file", b"new")


def test_content_reaches_the_disk_before_the_name_and_the_name_before_the_end(tmp_path, monkeypatch):
    """The order without which a power cut can leave an empty file under the right name."""
    steps = []

    def noting(name):
        original = getattr(os, name)
        monkeypatch.setattr(os, name, lambda *args: (steps.append(name), original(*args))[1])

    noting("fsync")
    noting("replace")
    write(tmp_path / "file", b"new")
    assert steps == ["fsync", "replace", "fsync"]


def test_two_that_write_at_once_do_not_mix(tmp_path):
    path = tmp_path / "file"
    with replaced(path) as first:
        first.write(b"first ")
        write(path, b"second")
        assert path.read_bytes() == b"second"
        first.write(b"first")
    assert path.read_bytes() == b"first first"
    assert list(tmp_path.iterdir()) == [path]


def test_a_link_is_followed(tmp_path):
    write(tmp_path / "file", b"old")
    (tmp_path / "link").symlink_to("file")
    write(tmp_path / "link", b"new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "file").read_bytes() == b"new"


# --- What is in the place ---

posix = pytest.mark.skipif(os.name != "posix", reason="modes and devices are POSIX's")


def make_device(path, kind=stat.S_IFCHR, number=(1, 3)):
    """A node in a folder of the test's own: never one of the system's."""
    try:
        os.mknod(path, kind | 0o666, os.makedev(*number))
    except PermissionError:
        pytest.skip("the system's own user alone makes devices")


def make_socket(path):
    with socket.socket(socket.AF_UNIX) as end:
        end.bind(str(path))


SPECIAL = {
    "a pipe": os.mkfifo if hasattr(os, "mkfifo") else None,
    "a device": make_device,
    "a socket": make_socket,
}


@posix
@pytest.mark.parametrize("through_a_link", [False, True])
@pytest.mark.parametrize("kind", SPECIAL)
def test_what_is_no_ordinary_file_keeps_its_place(tmp_path, monkeypatch, kind, through_a_link):
    monkeypatch.chdir(tmp_path)  # a socket's name must be short
    SPECIAL[kind]("node")
    before = os.lstat("node")
    if through_a_link:
        Path("link").symlink_to("node")
    path = "link" if through_a_link else "node"
    with pytest.raises(
        OSError, match=f"It is {kind}, and no file is put in its place: write to another name: '{path}'"
    ):
        write(path, b"new")
    assert os.lstat("node") == before
    assert len(list(Path().iterdir())) == 1 + through_a_link


@posix
def test_a_disk_is_not_written_over(tmp_path):
    make_device(tmp_path / "disk", stat.S_IFBLK, (7, 199))
    with pytest.raises(OSError, match="It is a device"):
        write(tmp_path / "disk", b"new")


@posix
@pytest.mark.parametrize("mode", [0o600, 0o640, 0o644, 0o666, 0o200])
def test_the_new_file_has_the_mode_of_the_old_one(tmp_path, mode):
    path = tmp_path / "file"
    write(path, b"old")
    path.chmod(mode)
    with replaced(path) as file:
        (partial,) = (one for one in tmp_path.iterdir() if one != path)
        assert stat.S_IMODE(partial.stat().st_mode) == mode, "also before there is a byte in it"
        file.write(b"new")
    assert stat.S_IMODE(path.stat().st_mode) == mode
    path.chmod(0o600)
    assert path.read_bytes() == b"new"


@posix
@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() != 0, reason="the system's own user alone gives files away"
)
def test_the_new_file_has_the_owner_of_the_old_one(tmp_path):
    path = tmp_path / "file"
    write(path, b"old")
    os.chown(path, 12345, 23456)
    path.chmod(0o600)
    write(path, b"new")
    found = path.stat()
    assert (found.st_uid, found.st_gid, stat.S_IMODE(found.st_mode)) == (12345, 23456, 0o600)


@posix
def test_a_new_file_has_the_mode_that_files_have_here(tmp_path):
    write(tmp_path / "file", b"new")
    (tmp_path / "other").write_bytes(b"")
    assert (tmp_path / "file").stat().st_mode == (tmp_path / "other").stat().st_mode


@pytest.mark.parametrize("mode", [0o444, 0o400])
def test_a_file_that_may_only_be_read_is_not_replaced(tmp_path, mode):
    path = tmp_path / "file"
    write(path, b"old")
    path.chmod(mode)
    with pytest.raises(PermissionError, match="It may only be read, and no other file is put in its place: make it"):
        write(path, b"new")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]
    path.chmod(0o644)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes with names here")
def test_a_refusal_of_a_pipe_waits_for_nobody(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    refused = threading.Event()

    def try_it():
        with pytest.raises(OSError, match="It is a pipe"):
            write(tmp_path / "pipe", b"new")
        refused.set()

    threading.Thread(target=try_it, daemon=True).start()
    assert refused.wait(20)
