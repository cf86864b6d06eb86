"""Archives: unpacked whole or not at all, within their folder, whatever they say."""

import bz2
import contextlib
import gzip
import io
import lzma
import os
import stat
import struct
import tarfile
import zipfile

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from multilayer.utils import extraction
from multilayer.utils.extraction import extract_archive

FILES = {"one.txt": b"1", "deep/er/two": bytes(100_000), "./deep/three": b"3"}
FOUND = {"one.txt": b"1", "deep/er/two": bytes(100_000), "deep/three": b"3"}


def a_tar(*members):
    """A tar archive of members `(name, content)`, or of `TarInfo`s."""
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        for member in members:
            info, content = (
                (member, b"") if isinstance(member, tarfile.TarInfo) else (tarfile.TarInfo(member[0]), member[1])
            )
            info.size = info.size or len(content)
            archive.addfile(info, io.BytesIO(content))
    return file.getvalue()


def a_zip(*members):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return file.getvalue()


def a_link(name, target, kind=tarfile.SYMTYPE):
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info


def files_in(folder):
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def extract(tmp_path):
    """Extracts bytes, and says whether they were an archive and what is there afterwards, the archive aside."""

    def extract(content, **arguments):
        path = tmp_path / "archive"
        path.write_bytes(content)
        done = extract_archive(path, tmp_path / "in" / "folder", **arguments)
        return done, files_in(tmp_path / "in" / "folder")

    yield extract
    assert not any(path.is_symlink() for path in tmp_path.rglob("*"))
    assert {path.name for path in tmp_path.iterdir()} <= {"archive", "in"}
    assert {path.name for path in (tmp_path / "in").glob("*")} <= {"folder"}  # nothing is left beside it


@pytest.mark.parametrize(
    "content",
    [
        a_zip(*FILES.items()),
        a_tar(*FILES.items()),
        gzip.compress(a_tar(*FILES.items())),
        bz2.compress(a_tar(*FILES.items())),
        lzma.compress(a_tar(*FILES.items())),
    ],
    ids=["zip", "tar", "gzip", "bzip2", "xz"],
)
def test_every_format_is_unpacked(extract, content):
    assert extract(content) == (True, FOUND)
    assert extract(content) == (True, FOUND)  # and again, over itself


def test_folders_without_files_are_there_too(extract, tmp_path):
    folder = tarfile.TarInfo("empty/er")
    folder.type = tarfile.DIRTYPE
    assert extract(a_tar(folder)) == (True, {})
    assert (tmp_path / "in" / "folder" / "empty" / "er").is_dir()


@pytest.mark.parametrize(
    "content", [b"", b"text", gzip.compress(b"text"), bytes(100)], ids=["empty", "text", "gzip", "zeros"]
)
def test_what_is_no_archive_is_left(extract, content):
    assert extract(content) == (False, {})


def test_only_the_formats_that_are_asked_for_are_unpacked(extract):
    assert extract(a_zip(*FILES.items()), formats=["tar"]) == (False, {})
    assert extract(a_tar(*FILES.items()), formats=["zip"]) == (False, {})
    assert extract(a_tar(*FILES.items()), formats=[]) == (False, {})


ELSEWHERE = [
    "../evil",
    "/evil",
    "deep/../../evil",
    "..",
    "\\evil",
    "..\\evil",
    "C:\\evil",
    "C:evil",
    "deep\\..\\..\\evil",
]


@pytest.mark.parametrize("make", [a_tar, a_zip])
@pytest.mark.parametrize("name", ELSEWHERE)
def test_a_name_that_leads_elsewhere_is_refused_and_nothing_is_kept(extract, tmp_path, make, name):
    with pytest.raises(ValueError, match="was not extracted, and nothing of it was kept: its member .* leads out of"):
        extract(make(("one", b"1"), (name, b"2")))
    assert files_in(tmp_path).keys() == {"archive"}


def test_what_was_there_stays_where_an_archive_is_refused(extract, tmp_path):
    extract(a_zip(("one", b"1")))
    with pytest.raises(ValueError, match="leads out of the folder"):
        extract(a_zip(("one", b"another"), ("../evil", b"2")))
    assert files_in(tmp_path / "in") == {"folder/one": b"1"}


@pytest.mark.parametrize(
    "link",
    [
        a_link("deep/link", "er/two"),
        a_link("deep/link", "../deep/er/two"),
        a_link("deep/link", "./er/../er/two"),
        a_link("deep/link", "deep/er/two", tarfile.LNKTYPE),
    ],
    ids=["beside", "up and down", "round", "hard"],
)
def test_links_within_become_copies(extract, link):
    assert extract(a_tar(link, *FILES.items())) == (True, FOUND | {"deep/link": FOUND["deep/er/two"]})


@pytest.mark.parametrize(
    ("link", "message"),
    [
        (a_link("link", "/etc/passwd"), "the link 'link' to '/etc/passwd' leads out of the folder"),
        (a_link("deep/link", "../../evil"), "the link 'deep/link' to '../evil' leads out of the folder"),
        (a_link("link", "/etc/passwd", tarfile.LNKTYPE), "leads out of the folder"),
        (a_link("link", "../evil", tarfile.LNKTYPE), "leads out of the folder"),
        (a_link("link", "nothing"), "'link' is a link to 'nothing', which is no file in it"),
        (a_link("link", "deep"), "is a link to 'deep', which is no file in it"),
        (a_link("link", "."), "is a link to '.', which is no file in it"),
        (a_link("link", "link"), "is a link to 'link', which is no file in it"),
        (a_link("device", "", tarfile.CHRTYPE), "its member 'device' is a device or a pipe"),
        (a_link("pipe", "", tarfile.FIFOTYPE), "its member 'pipe' is a device or a pipe"),
    ],
)
def test_links_elsewhere_and_devices_are_refused(extract, tmp_path, link, message):
    with pytest.raises(ValueError, match=f"nothing of it was kept: .*{message}"):
        extract(a_tar(*FILES.items(), link))
    assert files_in(tmp_path).keys() == {"archive"}


@pytest.mark.parametrize("target", ["/tmp", "..", "deep"])
def test_nothing_is_written_through_a_link(extract, tmp_path, target):
    """The link would lead to a folder, and the file behind it into that."""
    with pytest.raises((ValueError, OSError)):
        extract(a_tar(*FILES.items(), a_link("link", target), ("link/evil", b"evil")))
    assert files_in(tmp_path).keys() == {"archive"}


def test_links_in_zip_archives_are_refused(extract):
    info = zipfile.ZipInfo("link")
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    with pytest.raises(ValueError, match="its member 'link' is a link"):
        extract(a_zip((info, b"/etc/passwd")))


@pytest.mark.parametrize("packed", [gzip.compress, bz2.compress, lzma.compress])
def test_an_archive_that_unpacks_to_far_more_than_it_is_is_not_unpacked(extract, monkeypatch, packed):
    monkeypatch.setattr(extraction, "_MOST_UNPACKED", 1 << 14)
    with pytest.raises(ValueError, match="it unpacks to more than .* bytes, which is no archive of data of its size"):
        extract(packed(a_tar(("zeros", bytes(1 << 20)))))


def test_a_header_that_says_it_is_long_is_not_read(extract, monkeypatch):
    monkeypatch.setattr(extraction, "_MOST_UNPACKED", 1 << 14)
    info = tarfile.TarInfo("long")
    info.type, info.size = tarfile.XHDTYPE, 1 << 20
    with pytest.raises(ValueError, match="it unpacks to more than"):
        extract(gzip.compress(info.tobuf(tarfile.GNU_FORMAT) + bytes(1 << 20)))


def test_files_that_are_mostly_holes_count_by_what_they_unpack_to(extract, monkeypatch):
    monkeypatch.setattr(extraction, "_MOST_UNPACKED", 1 << 14)
    info = tarfile.TarInfo("holes")
    info.type = tarfile.GNUTYPE_SPARSE
    header = bytearray(info.tobuf(tarfile.GNU_FORMAT))
    header[386:398] = header[398:410] = b"00000000000\0"
    header[483:495] = b"77777777777\0"  # the size with its holes
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    with pytest.raises(ValueError, match="it unpacks to more than|was not extracted"):
        extract(bytes(header) + bytes(1024))


def test_zip_bombs_are_not_unpacked(extract, monkeypatch):
    monkeypatch.setattr(extraction, "_MOST_UNPACKED", 1 << 14)
    with pytest.raises(ValueError, match="it unpacks to more than"):
        extract(a_zip(("zeros", bytes(1 << 20))))
    many = a_zip(*((str(i), b"") for i in range(1000)))
    monkeypatch.setattr(extraction, "_MOST_PACKED", 1)
    with pytest.raises(ValueError, match="it unpacks to more than"):
        extract(many)


def test_a_zip_that_understates_a_member_unpacks_to_no_more_than_it_says(extract):
    content = bytearray(a_zip(("zeros", bytes(1000))))
    place = content.rindex(b"PK\1\2")
    content[place + 24 : place + 28] = struct.pack("<I", 10)  # the size in the directory
    with contextlib.suppress(ValueError):
        assert extract(bytes(content))[1] == {"zeros": bytes(10)}


def test_copies_of_links_count(extract, monkeypatch):
    monkeypatch.setattr(extraction, "_MOST_UNPACKED", 1 << 18)
    monkeypatch.setattr(extraction, "_MOST_PACKED", 1)
    links = [a_link(f"link{i}", "deep/er/two") for i in range(10)]
    with pytest.raises(ValueError, match="its links, as copies, take more than"):
        extract(a_tar(*FILES.items(), *links))


def test_a_folder_that_is_a_file_is_named(extract, tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "folder").write_text("a file")
    with pytest.raises(ValueError, match="folder is a file. Move it away"):
        extract(a_zip(("one", b"1")))


def test_an_encrypted_archive_is_refused(extract):
    content = bytearray(a_zip(("one", b"1")))
    for start, place in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        content[content.index(start) + place] |= 1
    with pytest.raises(ValueError, match="was not extracted, and nothing of it was kept: .*encrypted"):
        extract(bytes(content))


@pytest.mark.parametrize("packed", [bytes, gzip.compress, bz2.compress, lzma.compress])
def test_a_truncated_archive_is_refused(extract, packed):
    content = packed(a_tar(*((f"{i}", os.urandom(3000)) for i in range(20))))
    with pytest.raises(ValueError, match="was not extracted, and nothing of it was kept"):
        extract(content[: len(content) // 2])


@given(data=st.data())
@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_damaged_archive_raises_our_error_or_none(tmp_path, data):
    content = data.draw(st.sampled_from([a_zip(*FILES.items()), a_tar(*FILES.items())]))
    place, removed = data.draw(st.integers(0, len(content))), data.draw(st.integers(0, 4))
    path = tmp_path / "archive"
    path.write_bytes(content[:place] + data.draw(st.binary(max_size=4)) + content[place + removed :])
    with contextlib.suppress(ValueError, OSError):
        extract_archive(path, tmp_path / "folder")
    assert {one.name for one in tmp_path.iterdir()} <= {"archive", "folder"}
