"""Canonical JSON, digests and seeds against hashlib and struct."""

from __future__ import annotations

import hashlib
import math
import os
import struct

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from ddbench.api import canonical_json, combine_digests, derive_seed, image_digests, sha256_json, tensor_digest

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


def reversed_keys(value: object) -> object:
    """Return the same JSON value with the keys of every object in reverse order."""
    if isinstance(value, dict):
        return {key: reversed_keys(value[key]) for key in reversed(value)}
    return [reversed_keys(item) for item in value] if isinstance(value, list) else value


def test_canonical_json_by_hand() -> None:
    value = {"b": [1, 2.5, None, True], "a": {"é": "ü\n", "": 1e-5}}
    assert canonical_json(value) == '{"a":{"":1e-05,"é":"ü\\n"},"b":[1,2.5,null,true]}'


@given(JSON)
def test_canonical_json_does_not_depend_on_the_order_of_keys(value: object) -> None:
    assert canonical_json(value) == canonical_json(reversed_keys(value))


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, [math.nan], {"a": math.inf}])
def test_what_is_no_number_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        canonical_json(value)


def test_sha256_json_by_hand() -> None:
    assert sha256_json({"b": "é", "a": 1}) == hashlib.sha256('{"a":1,"b":"é"}'.encode()).hexdigest()


def test_derived_seeds_by_hand() -> None:
    expected = int.from_bytes(hashlib.sha256(b'["pool",0,3]').digest()[:8], "big") >> 1
    assert derive_seed("pool", 0, 3) == expected
    assert expected.bit_length() <= 63


@given(st.lists(st.integers(0, 99) | st.text(max_size=3), max_size=3), st.integers(0, 99))
def test_a_longer_key_is_another_seed(parts: list[int | str], more: int) -> None:
    assert derive_seed(*parts) != derive_seed(*parts, more)


def test_the_digest_of_a_tensor_by_hand() -> None:
    header = hashlib.sha256(b"float32[2, 3]" + struct.pack("<6f", *range(6))).hexdigest()
    assert tensor_digest(torch.arange(6).float().reshape(2, 3)) == header
    assert tensor_digest(torch.tensor(7)) == hashlib.sha256(b"int64[]" + struct.pack("<q", 7)).hexdigest()
    assert tensor_digest(torch.zeros(0, 2)) == hashlib.sha256(b"float32[0, 2]").hexdigest()
    bits = torch.tensor([1.0, -2.0], dtype=torch.bfloat16)
    assert tensor_digest(bits) == hashlib.sha256(b"bfloat16[2]" + bytes.fromhex("803f00c0")).hexdigest()
    assert tensor_digest(torch.tensor([True, False])) == hashlib.sha256(b"bool[2]\x01\x00").hexdigest()


def test_the_digest_of_a_tensor_is_over_its_values_not_its_memory() -> None:
    whole = torch.arange(24, dtype=torch.uint8).reshape(4, 6)
    digest = tensor_digest(whole)
    assert tensor_digest(whole.t().contiguous().t()) == digest
    assert tensor_digest(torch.cat([whole, whole])[4:]) == digest
    assert tensor_digest(whole.clone().requires_grad_(False)) == digest
    assert tensor_digest(whole.float().requires_grad_()) == tensor_digest(whole.float())
    assert len({digest, tensor_digest(whole.t()), tensor_digest(whole.reshape(-1)), tensor_digest(whole.int())}) == 4


def test_the_digest_of_an_image_depends_on_that_image_alone() -> None:
    images = torch.randint(0, 256, (5, 3, 4, 4), dtype=torch.uint8)
    by_hand = [hashlib.sha256(b"uint8[3, 4, 4]" + bytes(image.flatten().tolist())).hexdigest() for image in images]
    assert image_digests(images) == by_hand
    assert image_digests(images[2:4]) == by_hand[2:4]


def test_combined_digests_by_hand() -> None:
    expected = hashlib.sha256(b'{"images":"aa","labels":"bb"}').hexdigest()
    assert combine_digests({"labels": "bb", "images": "aa"}) == expected
    assert combine_digests({"labels": "aa", "images": "bb"}) != expected


def test_a_name_that_is_no_utf_8_counts_as_its_bytes() -> None:
    name = os.fsdecode(b"caf\xe9")
    assert sha256_json([name, "café"]) == hashlib.sha256(b'["caf\xe9","caf\xc3\xa9"]').hexdigest()
