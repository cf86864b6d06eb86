"""Numbers of 64 bits that stand for texts, those of TensorFlow, so that hashed categories land in Keras' bins.

All texts are hashed at once: their bytes lie end to end, and each step of a formula is one step for all texts of a
class of lengths. Arithmetic is modulo 2**64, as NumPy's on `uint64` is.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from multilayer.functional import Array

_K0, _K1, _K2 = (np.uint64(k) for k in (0xC3A5C85C97CB3127, 0xB492B66FBE98F273, 0x9AE16A3B2F90404F))
_CAT = np.uint64(0xC6A4A7935BD1E995)
_CROSS_KEY = np.uint64(0xDECAFCAFFE)  # what TensorFlow starts a cross with
_SIPHASH_START = (0x736F6D6570736575, 0x646F72616E646F6D, 0x6C7967656E657261, 0x7465646279746573)
_Pair = tuple[Array, Array]


class _Bytes:
    """Texts end to end, from which 4 or 8 bytes are taken anywhere, at a position for each text."""

    def __init__(self, texts: Sequence[bytes]) -> None:
        self.lengths = np.fromiter(map(len, texts), np.int64, len(texts))
        self.starts = np.cumsum(self.lengths) - self.lengths
        self._buffer = b"".join(texts) + bytes(8)  # so that whoever reads beyond the last byte finds some
        self._octets = np.frombuffer(self._buffer, np.uint8)

    def octet(self, at: Array) -> Array:
        """The byte at each of these positions."""
        octets: Array = self._octets[at].astype(np.uint64)
        return octets

    def four(self, at: Array) -> Array:
        """The four bytes from there on, the first the lowest."""
        low: Array = self.eight(at) & np.uint64(0xFFFFFFFF)
        return low

    def eight(self, at: Array) -> Array:
        """The eight bytes from there on."""
        # A view in which a word begins at every byte.
        words: Array = np.ndarray((len(self._buffer) - 7,), "<u8", self._buffer, strides=(1,))
        return words[at].astype(np.uint64, copy=False)


def fingerprint64(texts: Sequence[bytes]) -> Array:
    """FarmHash's `Fingerprint64` of each text, which never changes between its versions.

    Source: Pike and Alakuijala, "FarmHash", 2014, `farmhashna::Hash64`.

    Example:
        >>> fingerprint64([b"", b"red"]).tolist()
        [11160318154034397263, 991092756973969910]
    """
    found = np.full(len(texts), _K2, np.uint64)
    data = _Bytes(texts)
    for low, high, formula in _CLASSES:
        chosen = np.flatnonzero((data.lengths >= low) & (data.lengths <= high))
        if chosen.size:
            found[chosen] = formula(data, data.starts[chosen], data.lengths[chosen])
    longest = int(data.lengths.max(initial=0))
    if longest > 64:
        turns = (data.lengths - 1) // 64
        for number in np.unique(turns[turns > 0]):
            chosen = np.flatnonzero(turns == number)
            found[chosen] = _beyond_64(data, data.starts[chosen], data.lengths[chosen], int(number))
    return found


def _rotate(x: Array, bits: int) -> Array:
    rotated: Array = (x >> np.uint64(bits)) | (x << np.uint64(64 - bits))
    return rotated


def _mix(x: Array) -> Array:
    mixed: Array = x ^ (x >> np.uint64(47))
    return mixed


def _hash_16(u: Array, v: Array, mul: Array) -> Array:
    mixed: Array = _mix((v ^ _mix((u ^ v) * mul)) * mul) * mul
    return mixed


def _multiplier(length: Array) -> Array:
    multiplier: Array = _K2 + length.astype(np.uint64) * np.uint64(2)
    return multiplier


def _to_3(data: _Bytes, s: Array, n: Array) -> Array:
    y = data.octet(s) + (data.octet(s + (n >> 1)) << np.uint64(8))
    z = n.astype(np.uint64) + (data.octet(s + n - 1) << np.uint64(2))
    mixed: Array = _mix(y * _K2 ^ z * _K0) * _K2
    return mixed


def _to_7(data: _Bytes, s: Array, n: Array) -> Array:
    first = n.astype(np.uint64) + (data.four(s) << np.uint64(3))
    return _hash_16(first, data.four(s + n - 4), _multiplier(n))


def _to_16(data: _Bytes, s: Array, n: Array) -> Array:
    mul = _multiplier(n)
    a, b = data.eight(s) + _K2, data.eight(s + n - 8)
    return _hash_16(_rotate(b, 37) * mul + a, (_rotate(a, 25) + b) * mul, mul)


def _to_32(data: _Bytes, s: Array, n: Array) -> Array:
    mul = _multiplier(n)
    a, b = data.eight(s) * _K1, data.eight(s + 8)
    c, d = data.eight(s + n - 8) * mul, data.eight(s + n - 16) * _K2
    return _hash_16(_rotate(a + b, 43) + _rotate(c, 30) + d, a + _rotate(b + _K2, 18) + c, mul)


def _to_64(data: _Bytes, s: Array, n: Array) -> Array:
    mul = _multiplier(n)
    a, b = data.eight(s) * _K2, data.eight(s + 8)
    c, d = data.eight(s + n - 8) * mul, data.eight(s + n - 16) * _K2
    y = _rotate(a + b, 43) + _rotate(c, 30) + d
    z = _hash_16(y, a + _rotate(b + _K2, 18) + c, mul)
    e, f = data.eight(s + 16) * mul, data.eight(s + 24)
    g, h = (y + data.eight(s + n - 32)) * mul, (z + data.eight(s + n - 24)) * mul
    return _hash_16(_rotate(e + f, 43) + _rotate(g, 30) + h, e + _rotate(f + a, 18) + g, mul)


_CLASSES = ((1, 3, _to_3), (4, 7, _to_7), (8, 16, _to_16), (17, 32, _to_32), (33, 64, _to_64))


def _weak_32(data: _Bytes, s: Array, a: Array, b: Array) -> _Pair:
    """Thirty-two bytes and two seeds to two numbers."""
    w, x, y, z = (data.eight(s + place) for place in (0, 8, 16, 24))
    a = a + w
    b = _rotate(b + a + z, 21)
    c = a
    a = a + x + y
    return a + z, b + _rotate(a, 44) + c


def _beyond_64(data: _Bytes, s: Array, n: Array, turns: int) -> Array:
    """Texts of more than 64 bytes, which all take so many turns of 64, and the last 64 bytes once more."""
    y = np.full(len(s), (81 * int(_K1) + 113) % 2**64, np.uint64)
    z = _mix(y * _K2 + np.uint64(113)) * _K2
    x = np.full(len(s), 81 * int(_K2) % 2**64, np.uint64) + data.eight(s)
    v: _Pair = (np.zeros_like(x), np.zeros_like(x))
    w: _Pair = v
    last = s + n - 64
    for _ in range(turns):
        x, y, z, v, w = _turn(data, s, x, y, z, v, w, _K1, np.uint64(1))
        s = s + 64
    mul = _K1 + ((z & np.uint64(0xFF)) << np.uint64(1))
    w_first = w[0] + ((n - 1) & 63).astype(np.uint64)
    v_first = v[0] + w_first
    v, w = (v_first, v[1]), (w_first + v_first, w[1])
    x, y, z, v, w = _turn(data, last, x, y, z, v, w, mul, np.uint64(9))
    return _hash_16(
        _hash_16(v[0], w[0], mul) + _mix(y) * _K0 + z,
        _hash_16(v[1], w[1], mul) + x,
        mul,
    )


def _turn(
    data: _Bytes, s: Array, x: Array, y: Array, z: Array, v: _Pair, w: _Pair, mul: Array, nine: Array
) -> tuple[Array, Array, Array, _Pair, _Pair]:
    x = _rotate(x + y + v[0] + data.eight(s + 8), 37) * mul
    y = _rotate(y + v[1] + data.eight(s + 48), 42) * mul
    x = x ^ (w[1] * nine)
    y = y + v[0] * nine + data.eight(s + 40)
    z = _rotate(z + w[0], 33) * mul
    v = _weak_32(data, s, v[1] * mul, x + w[0])
    w = _weak_32(data, s + 32, z + w[1], y + data.eight(s + 16))
    return z, y, x, v, w


def splitmix64(numbers: Array, seed: int = 0) -> Array:
    """SplitMix64's output for each whole number: as good as drawn by chance, different for each, and always the same.

    Source: Steele, Lea and Flood, "Fast Splittable Pseudorandom Number Generators", 2014.

    Example:
        >>> splitmix64(np.array([0, 1])).tolist()
        [16294208416658607535, 10451216379200822465]
    """
    with np.errstate(over="ignore"):
        z = numbers.astype(np.uint64) + np.uint64(seed % 2**32 + 1) * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        found: Array = z ^ (z >> np.uint64(31))
    return found


def siphash64(texts: Sequence[bytes], key: Sequence[int]) -> Array:
    """SipHash-2-4 of each text, which nobody foresees who does not know the key: two numbers of 64 bits.

    Source: Aumasson and Bernstein, "SipHash: a fast short-input PRF", 2012.

    Example:
        >>> siphash64([b"red"], (133, 137)).tolist()
        [13154906038712765484]
    """
    data = _Bytes(texts)
    start = [int(key[i % 2]) % 2**64 ^ one for i, one in enumerate(_SIPHASH_START)]
    found = np.empty(len(texts), np.uint64)
    words = data.lengths // 8
    for number in np.unique(words):
        chosen = np.flatnonzero(words == number)
        s, n = data.starts[chosen], data.lengths[chosen]
        v = [np.full(len(chosen), one, np.uint64) for one in start]
        for place in range(int(number)):
            _take(v, data.eight(s + 8 * place))
        rest = (n % 8).astype(np.uint64)  # the last word: the bytes that are left, and the length
        kept = data.eight(s + n - n % 8) & ((np.uint64(1) << (rest * np.uint64(8))) - np.uint64(1))
        _take(v, kept | (n.astype(np.uint64) << np.uint64(56)))
        v[2] ^= np.uint64(0xFF)
        for _ in range(4):
            _round(v)
        found[chosen] = v[0] ^ v[1] ^ v[2] ^ v[3]
    return found


def _take(v: list[Array], word: Array) -> None:
    v[3] ^= word
    _round(v)
    _round(v)
    v[0] ^= word


def _round(v: list[Array]) -> None:
    v[0] = v[0] + v[1]
    v[2] = v[2] + v[3]
    v[1] = _rotate(v[1], 64 - 13) ^ v[0]
    v[3] = _rotate(v[3], 64 - 16) ^ v[2]
    v[0] = _rotate(v[0], 32)
    v[2] = v[2] + v[1]
    v[0] = v[0] + v[3]
    v[1] = _rotate(v[1], 64 - 17) ^ v[2]
    v[3] = _rotate(v[3], 64 - 21) ^ v[0]
    v[2] = _rotate(v[2], 32)


def crossed(columns: Sequence[Array]) -> Array:
    """One number for the values of several columns side by side, of their fingerprints or whole numbers.

    Example:
        >>> (crossed([fingerprint64([b"A"]), np.array([101])]) % np.uint64(5)).tolist()
        [1]
    """
    found = np.full(columns[0].shape, _CROSS_KEY, np.uint64)
    for column in columns:
        found = found ^ _CAT
        found = found ^ (_mix(column.astype(np.uint64) * _CAT) * _CAT)
        found = found * _CAT
        found = _mix(_mix(found) * _CAT)
    return found
