"""Files that appear whole or not at all: what is left where writing fails, at each of its steps."""

import errno
import os

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
