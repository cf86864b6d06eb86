"""Hashes of texts; that they are TensorFlow's for every length is told by the golden programs `texts_hashed_*`."""

import numpy as np

from multilayer._core.hashes import crossed, fingerprint64, siphash64

# From FarmHash's and SipHash's own definitions: the empty text, and the test vector of SipHash's authors.
KEY = (0x0706050403020100, 0x0F0E0D0C0B0A0908)


def test_the_empty_text_and_no_text():
    assert fingerprint64([b""]).tolist() == [0x9AE16A3B2F90404F]
    assert fingerprint64([]).tolist() == siphash64([], KEY).tolist() == []


def test_siphash_gives_the_numbers_of_its_authors():
    assert siphash64([bytes(range(15)), b""], KEY).tolist() == [0xA129CA6149BE45E5, 0x726FDB47DD0E0E31]


def test_a_text_has_its_hash_whatever_stands_beside_it():
    texts = [b"x" * length for length in (300, 0, 64, 65, 3, 16, 8, 128, 129, 33)]
    for hashes in (fingerprint64, lambda some: siphash64(some, (1, -2))):
        together = hashes(texts)
        assert together.tolist() == [hashes([text])[0] for text in texts]
        assert together.dtype == np.uint64


def test_a_cross_heeds_the_order():
    a, b = fingerprint64([b"a"]), fingerprint64([b"b"])
    assert crossed([a, b]) != crossed([b, a])
