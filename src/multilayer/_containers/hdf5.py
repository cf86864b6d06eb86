"""HDF5 files from strangers: groups, the arrays in them, and texts, read from the bytes themselves.

The HDF5 library is not asked to read them. It is written in C for files that are trusted: flip a bit in a file of Keras
and one time in a few thousand it ends the process, or never comes back (1.14.6). What Keras writes is a small part of
the format; everything else is refused by name, above all what leads out of the file. h5py writes files here, and the
tests hold this reader against it.

Source: The HDF Group, "HDF5 File Format Specification", version 3.0.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator
from typing import Any, BinaryIO, NamedTuple

import numpy as np

from multilayer._containers.stored import Stored, declared
from multilayer.functional import Array

# A network of a thousand layers with its optimizer's state has about ten thousand groups and arrays, six deep.
_MOST_OBJECTS, _DEEPEST, _MOST_BLOCKS = 20_000, 60, 1000
_MOST_PARTS = 200_000  # messages, names and texts: each takes some time and memory, however few its bytes are
_SIGNATURE = b"\x89HDF\r\n\x1a\n"
_DATASPACE, _LINK_INFO, _DATATYPE, _EXTERNAL, _LINK, _LAYOUT = 0x1, 0x2, 0x3, 0x7, 0x6, 0x8
_ATTRIBUTE, _CONTINUATION, _SYMBOL_TABLE, _ATTRIBUTE_INFO = 0xC, 0x10, 0x11, 0x15
_NOWHERE = 2**64 - 1
# What the header of a float says where it is one of IEEE 754: precision, exponent and mantissa as (place, size), bias.
_FLOATS = {
    2: (0, 16, 10, 5, 0, 10, 15),
    4: (0, 32, 23, 8, 0, 23, 127),
    8: (0, 64, 52, 11, 0, 52, 1023),
}


class Group:
    """A group: what is in it by name, and what is written on it.

    Attributes:
        path: Where it is, '' for the root.
        groups: The groups in it.
        arrays: The arrays in it.
    """

    def __init__(self, file: _File, path: str, attributes: dict[str, _Attribute]) -> None:
        self.path = path
        self.groups: dict[str, Group] = {}
        self.arrays: dict[str, Stored] = {}
        self._file = file
        self._attributes = attributes

    def group(self, path: str) -> Group | None:
        """The group at 'a/b/c' within it; None where there is none."""
        found: Group | None = self
        for name in path.split("/") if path else ():
            found = found.groups.get(name) if found is not None else None
        return found

    def array(self, path: str) -> Stored | None:
        """The array at 'a/b/c' within it; None where there is none."""
        *folders, name = path.split("/")
        group = self.group("/".join(folders))
        return None if group is None else group.arrays.get(name)

    def text(self, name: str) -> str | None:
        """The text that is written on it under this name; None where there is none."""
        found = self._texts(name)
        if found is not None and len(found) != 1:
            raise ValueError(f"{_shown(self.path)} has {len(found)} texts under {name!r}, where there should be one.")
        return None if found is None else found[0]

    def texts(self, name: str) -> list[str] | None:
        """The list of texts under this name, or, as Keras does with a long one, under name0, name1 and so on."""
        found = self._texts(name)
        if found is None and f"{name}0" in self._attributes:
            found, number = [], 0
            while f"{name}{number}" in self._attributes:
                found += self._texts(f"{name}{number}") or []
                number += 1
        return found

    def _texts(self, name: str) -> list[str] | None:
        attribute = self._attributes.get(name)
        return None if attribute is None else attribute.texts(self._file, f"{name!r} of {_shown(self.path)}")

    def walk(self) -> Iterator[Group]:
        """It and all groups within."""
        yield self
        for group in self.groups.values():
            yield from group.walk()


def empty(beside: Group) -> Group:
    """A group with nothing in it, for where a file has none."""
    return Group(beside._file, beside.path, {})


def tree(file: BinaryIO, size: int) -> Group:
    """What is in an HDF5 file; the arrays' numbers are not read yet.

    Args:
        file: The file, which must stay open for as long as arrays are read.
        size: The number of its bytes.

    Raises:
        ValueError: It is damaged, or holds something that Keras does not write.
    """
    return _Reader(_File(file, size)).root()


def _shown(path: str) -> str:
    return f"{path[:100]!r} in it" if path else "it"


class _File:
    """A file whose bytes are asked for by place, and whose structure is read about once and no more."""

    def __init__(self, file: BinaryIO, size: int) -> None:
        self.size = size
        self._file = file
        self._left = 4 * size + 2**16
        self._parts = 0
        self._taken: list[tuple[int, int, str]] = []
        self.heaps: dict[int, dict[int, bytes]] = {}

    def at(self, place: int, length: int) -> bytes:
        """Bytes of its structure."""
        self._left -= length
        if self._left < 0:
            raise ValueError("its parts are said to lie over one another.")
        return self.values(place, length)

    def part(self, length: int = 0) -> None:
        """Counts one more of what its structure is made of, of so many bytes that have been read before."""
        self._parts += 1
        self._left -= length
        if self._parts > _MOST_PARTS or self._left < 0:
            raise ValueError("it is made of more parts than any model's.")

    def take(self, place: int, length: int, path: str) -> None:
        """Notes where the numbers of an array lie; raises ValueError where they cannot lie there."""
        if place + length > self.size:
            raise ValueError(f"an array of {length:,} bytes in it lies beyond its end: it is cut off.")
        self._taken.append((place, place + length, path))

    def require_apart(self) -> None:
        """Raises ValueError where two arrays share bytes: a small file would hold weights without end."""
        end, before = 0, ""
        for start, stop, path in sorted(self._taken):
            if start < end:
                raise ValueError(f"{_shown(before)} and {_shown(path)} are said to lie over one another.")
            end, before = stop, path

    def values(self, place: int, length: int) -> bytes:
        """Bytes of an array."""
        if place + length > self.size:
            raise ValueError(
                f"it ends at byte {self.size:,}, and says that something lies at {place:,}: it is cut off."
            )
        self._file.seek(place)
        found = self._file.read(length)
        if len(found) != length:
            raise ValueError("it was cut off while it was read.")
        return found


class _Message(NamedTuple):
    """A part of an object's header."""

    kind: int
    flags: int
    body: bytes


def _numbers(form: str, data: bytes, start: int = 0) -> tuple[int, ...]:
    """Whole numbers, little-endian, from bytes that may be too few."""
    try:
        return struct.unpack_from("<" + form, data, start)
    except struct.error as error:
        raise ValueError("a header in it is cut short.") from error


class _Reader:
    def __init__(self, file: _File) -> None:
        self._file = file
        self._seen: set[int] = set()

    def root(self) -> Group:
        start = self._file.at(0, min(96, self._file.size))
        if not start.startswith(_SIGNATURE):
            raise ValueError("it is no HDF5 file.")
        (version,) = _numbers("B", start, 8)
        if version in (0, 1):
            sizes, base = _numbers("BB", start, 13), 24 + 4 * version
            (address,) = _numbers("Q", start, base + 40)
        elif version in (2, 3):
            sizes, base = _numbers("BB", start, 9), 12
            (address,) = _numbers("Q", start, 36)
        else:
            raise ValueError(f"it is an HDF5 file of version {version}; up to 3 is read.")
        if sizes != (8, 8) or _numbers("Q", start, base) != (0,):
            raise ValueError("it is an HDF5 file of a kind that Keras does not write: its addresses have another form.")
        found = self._object(address, "", 0)
        if not isinstance(found, Group):
            raise ValueError("it is an HDF5 file without groups.")
        self._file.require_apart()
        return found

    def _object(self, address: int, path: str, depth: int) -> Group | Stored:
        if address in self._seen:
            raise ValueError(f"{_shown(path)} is also somewhere else in it.")
        self._seen.add(address)
        if len(self._seen) > _MOST_OBJECTS or depth > _DEEPEST:
            raise ValueError(f"it has more than {_MOST_OBJECTS:,} groups and arrays, or they are {_DEEPEST} deep.")
        messages = list(self._messages(address, path))
        by_kind = {message.kind: message for message in messages}
        if _EXTERNAL in by_kind:
            raise ValueError(f"{_shown(path)} has its numbers in another file, and no other file is opened.")
        if not {_SYMBOL_TABLE, _LINK_INFO, _LINK}.isdisjoint(by_kind):
            return self._group(messages, by_kind, path, depth)
        if _LAYOUT in by_kind and _DATASPACE in by_kind and _DATATYPE in by_kind:
            return self._array(by_kind, path)
        raise ValueError(f"{_shown(path)} is neither a group nor an array.")

    # --- Headers ---

    def _messages(self, address: int, path: str) -> Iterator[_Message]:
        start = self._file.at(address, min(32, max(self._file.size - address, 0)))
        if start[:4] == b"OHDR":
            flags = _numbers("BB", start, 4)[1]
            place = 6 + (16 if flags & 0x20 else 0) + (4 if flags & 0x10 else 0)
            (size,) = _numbers("BHIQ"[flags & 3], start, place)
            block, form = (address + place + 2 ** (flags & 3), size), "BHB"
            padding = 2 if flags & 0x04 else 0
        elif start[:1] == b"\x01":
            (size,) = _numbers("I", start, 8)
            block, form, padding = (address + 16, size), "HHB", 3
        else:
            raise ValueError(f"{_shown(path)} has a header that is none.")
        blocks = [block]
        for number in range(_MOST_BLOCKS):
            if number == len(blocks):
                return
            data = self._file.at(*blocks[number])
            if form == "BHB" and number:
                if data[:4] != b"OCHK":
                    raise ValueError(f"{_shown(path)} has a header that breaks off.")
                data = data[4:-4]  # without signature and checksum
            place, head = 0, struct.calcsize("<" + form) + padding
            while place + head <= len(data):
                self._file.part()
                kind, size, flags = _numbers(form, data, place)
                body = data[place + head : place + head + size]
                if len(body) < size:
                    raise ValueError(f"{_shown(path)} has a header that is cut short.")
                place += head + size
                if kind == _CONTINUATION:
                    address, length = _numbers("QQ", body)
                    blocks.append((address, length))
                else:
                    yield _Message(kind, flags, body)
        raise ValueError(f"{_shown(path)} has a header in more than {_MOST_BLOCKS:,} pieces.")

    # --- Groups ---

    def _group(self, messages: list[_Message], by_kind: dict[int, _Message], path: str, depth: int) -> Group:
        info = by_kind.get(_ATTRIBUTE_INFO)
        if info is not None and _numbers("Q", info.body, 4 if info.body[1:2] == b"\x01" else 2) != (_NOWHERE,):
            raise ValueError(f"{_shown(path)} has more written on it than Keras writes.")
        attributes = dict(_attribute(message, path) for message in messages if message.kind == _ATTRIBUTE)
        group = Group(self._file, path, attributes)
        members: dict[str, int] = {}
        for name, address in self._links(messages, by_kind, path):
            if name in members or name in ("", ".", "..") or "/" in name or "\0" in name:
                raise ValueError(f"{_shown(path)} holds something under the name {name[:100]!r} that cannot have it.")
            members[name] = address
        for name, address in members.items():
            found = self._object(address, f"{path}/{name}" if path else name, depth + 1)
            if isinstance(found, Group):
                group.groups[name] = found
            else:
                group.arrays[name] = found
        return group

    def _links(self, messages: list[_Message], by_kind: dict[int, _Message], path: str) -> Iterator[tuple[str, int]]:
        if _SYMBOL_TABLE in by_kind:
            tree, heap = _numbers("QQ", by_kind[_SYMBOL_TABLE].body)
            yield from self._symbols(tree, self._heap(heap, path), path)
        if _LINK_INFO in by_kind:
            body = by_kind[_LINK_INFO].body
            if _numbers("Q", body, 10 if body[1:2] in (b"\x01", b"\x03") else 2) != (_NOWHERE,):
                raise ValueError(
                    f"{_shown(path)} is kept in the form of HDF5 that Keras does not write. Write the file anew with "
                    "h5py's own defaults."
                )
        for message in messages:
            if message.kind == _LINK:
                yield _link(message.body, path)

    def _heap(self, address: int, path: str) -> bytes:
        """The names of a group's members."""
        head = self._file.at(address, 32)
        if head[:4] != b"HEAP":
            raise ValueError(f"{_shown(path)} has no names for what it holds.")
        size, _, place = _numbers("QQQ", head, 8)
        return self._file.at(place, size)

    def _symbols(self, address: int, names: bytes, path: str) -> Iterator[tuple[str, int]]:
        """What a group holds: the entries of a tree, whose leaves lie in one level after another."""
        nodes = [address]
        for node in nodes:  # it grows on the way
            head = self._file.at(node, 24)
            if head[:4] != b"TREE" or head[4]:
                raise ValueError(f"{_shown(path)} has no list of what it holds.")
            level, used = _numbers("BH", head, 5)
            children = _numbers(f"{2 * used + 1}Q", self._file.at(node + 24, 16 * used + 8))[1::2]
            if len(nodes) > _MOST_OBJECTS:
                raise ValueError(f"{_shown(path)} has a list of what it holds without an end.")
            if level:
                nodes.extend(children)
                continue
            for leaf in children:
                yield from self._leaf(leaf, names, path)

    def _leaf(self, address: int, names: bytes, path: str) -> Iterator[tuple[str, int]]:
        head = self._file.at(address, 8)
        if head[:4] != b"SNOD":
            raise ValueError(f"{_shown(path)} has no list of what it holds.")
        (count,) = _numbers("H", head, 6)
        entries = self._file.at(address + 8, 40 * count)
        for number in range(count):
            self._file.part()
            at_name, place, kind = _numbers("QQI", entries, 40 * number)
            name = _decoded(names[at_name : at_name + 2000].split(b"\0", 1)[0])
            if kind == 2:
                raise _leads_away(path, name)
            yield name, place

    # --- Arrays ---

    def _array(self, by_kind: dict[int, _Message], path: str) -> Stored:
        if any(by_kind[kind].flags & 2 for kind in (_DATASPACE, _DATATYPE, _LAYOUT)):
            raise ValueError(f"{_shown(path)} has its type somewhere else.")
        shape, dtype = _shape(by_kind[_DATASPACE].body, path), _dtype(by_kind[_DATATYPE].body, path)
        body = by_kind[_LAYOUT].body
        version, storage = _numbers("BB", body)
        if version not in (3, 4) or storage not in (0, 1):
            what = {2: "in compressed pieces", 3: "in other files"}.get(storage, "in a way of its own")
            raise ValueError(
                f"{_shown(path)} is kept {what}, as Keras does not write arrays. Write the file anew with Keras."
            )
        if storage == 0:
            (size,) = _numbers("H", body, 2)
            data = body[4 : 4 + size]
            lengths = declared(shape, dtype, len(data), _shown(path))
            return _stored(lengths, dtype, data)
        place, size = _numbers("QQ", body, 2)
        lengths = declared(shape, dtype, min(size, self._file.size), _shown(path))
        if math.prod(lengths):  # else it has no place
            self._file.take(place, math.prod(lengths) * dtype.itemsize, path)
        return _stored(lengths, dtype, self._file, place)


def _stored(lengths: tuple[int, ...], dtype: np.dtype[Any], source: _File | bytes, place: int = 0) -> Stored:
    nbytes = math.prod(lengths) * dtype.itemsize

    def read() -> Array:
        data = source if isinstance(source, bytes) else source.values(place if nbytes else 0, nbytes)
        array: Array = np.frombuffer(data[:nbytes], dtype).reshape(lengths)
        return array.astype(dtype.newbyteorder("="))

    return Stored(lengths, dtype, read)


def _link(body: bytes, path: str) -> tuple[str, int]:
    """A member of a group, from a message of its own."""
    _, flags = _numbers("BB", body)
    place = 2
    kind = 0
    if flags & 0x08:
        (kind,) = _numbers("B", body, place)
        place += 1
    place += (8 if flags & 0x04 else 0) + (1 if flags & 0x10 else 0)
    (length,) = _numbers("BHIQ"[flags & 3], body, place)
    place += 2 ** (flags & 3)
    name = _decoded(body[place : place + length])
    if kind:
        raise _leads_away(path, name)
    return name, _numbers("Q", body, place + length)[0]


def _leads_away(path: str, name: str) -> ValueError:
    return ValueError(f"{name[:100]!r} in {_shown(path)} is a link that leads elsewhere, and none is followed.")


def _decoded(text: bytes) -> str:
    try:
        return text.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ValueError(f"a name or text in it is not in UTF-8: {text[:50]!r}.") from error


def _shape(body: bytes, path: str) -> tuple[int, ...]:
    version, rank = _numbers("BB", body)
    if version not in (1, 2) or (version == 2 and body[3:4] == b"\x02"):
        raise ValueError(f"{_shown(path)} has no shape.")
    return _numbers(f"{rank}Q", body, 8 if version == 1 else 4)


def _dtype(body: bytes, path: str) -> np.dtype[Any]:
    """The type of an array of real numbers."""
    kind, bits, _, _, size = _numbers("BBBBI", body)
    order = ">" if bits & 1 else "<"
    if kind & 15 == 0 and size in (1, 2, 4, 8) and _numbers("HH", body, 8) == (0, 8 * size):
        return np.dtype(f"{order}{'i' if bits & 8 else 'u'}{size}")
    if kind & 15 == 1 and not bits & 0x40 and _numbers("HHBBBBI", body, 8) == _FLOATS.get(size):
        return np.dtype(f"{order}f{size}")
    what = {3: "text", 5: "bytes (bfloat16, perhaps)", 6: "records", 7: "references", 9: "lists"}.get(
        kind & 15, "something else"
    )
    raise ValueError(f"{_shown(path)} does not hold real numbers, but {what}.")


class _Attribute(NamedTuple):
    """What is written on an object under a name: its type, its shape, and its bytes."""

    dtype: bytes
    shape: bytes
    data: bytes

    def texts(self, file: _File, what: str) -> list[str]:
        shape = _shape(self.shape, what)
        count = math.prod(shape)
        if len(shape) > 1 or count > _MOST_OBJECTS:
            raise ValueError(f"{what} is no text.")
        if not count:
            return []
        kind, bits, _, _, size = _numbers("BBBBI", self.dtype)
        if size * count > len(self.data):
            raise ValueError(f"{what} is cut off.")
        pieces = [self.data[i * size : (i + 1) * size] for i in range(count)]
        for _ in pieces:
            file.part(size)
        if kind & 15 == 3:
            return [_decoded(piece.split(b"\0", 1)[0]) for piece in pieces]
        if kind & 15 == 9 and bits & 15 == 1 and size == 16:
            return [_decoded(_from_heap(file, *_numbers("IQI", piece))) for piece in pieces]
        raise ValueError(f"{what} is no text.")


def _attribute(message: _Message, path: str) -> tuple[str, _Attribute]:
    body = message.body
    version, flags, *sizes = _numbers("BBHHH", body)
    if version not in (1, 2, 3) or message.flags & 2 or (version > 1 and flags):
        raise ValueError(f"{_shown(path)} has something written on it in a way that Keras does not.")
    place = 9 if version == 3 else 8
    parts = []
    for size in sizes:
        parts.append(body[place : place + size])
        place += -(-size // 8) * 8 if version == 1 else size
    name, dtype, shape = parts
    return _decoded(name.split(b"\0", 1)[0]), _Attribute(dtype, shape, body[place:])


def _from_heap(file: _File, length: int, address: int, index: int) -> bytes:
    """A text of any length, which lies in a place that all such texts share."""
    if not length:
        return b""
    if address not in file.heaps:
        head = file.at(address, 16)
        if head[:4] != b"GCOL":
            raise ValueError("a text in it is missing.")
        (size,) = _numbers("Q", head, 8)
        data, place, found = file.at(address, size), 16, {}
        while place + 16 <= len(data):
            file.part()
            number, _, _, extent = _numbers("HHIQ", data, place)
            if not number:
                break  # the rest is free
            found[number] = data[place + 16 : place + 16 + extent]
            place += 16 + -(-extent // 8) * 8
        file.heaps[address] = found
    text = file.heaps[address].get(index, b"")
    if len(text) < length:
        raise ValueError("a text in it is missing.")
    file.part(length)  # many may say that they are one and the same
    return text[:length]
