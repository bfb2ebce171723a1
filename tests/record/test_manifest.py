"""The manifest of an artifact: both formats are read, and damage is one line."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from ddbench.errors import StoreError
from ddbench.store import Manifest
from tests.record.mutations import mutated
from tests.record.records import KEY, LINEAGE

MANIFEST = {
    "format": 2,
    "action_key": KEY,
    "recipe_key": "b" * 64,
    "stage": "select",
    "recipe": {"uses": {"selector": {"name": "k-center", "version": 2, "params": {}}}, "settings": {}, "inputs": {}},
    "inputs": {"samples": "c" * 64},
    "digest": "d" * 64,
    "files": {"content.json": ["e" * 64, 12]},
    "provenance": {"selector": LINEAGE},
    "info": {"usage": {"wall_s": 1.0}},
}
OLD_MANIFEST = {
    **{name: value for name, value in MANIFEST.items() if name not in ("format", "provenance")},
    "sources": {"selector": "c" * 64},
}


@settings(deadline=None, max_examples=200)
@given(st.sampled_from([MANIFEST, OLD_MANIFEST]).flatmap(mutated))
def test_a_mutated_manifest_is_read_or_refused(value: Any) -> None:
    complaint = ""
    try:
        assert Manifest.parse(value).size >= 0
    except StoreError as error:
        complaint = str(error)
    assert "\n" not in complaint


def test_manifests_of_both_formats_are_read() -> None:
    new, old = Manifest.parse({**MANIFEST, "later": 1}), Manifest.parse(OLD_MANIFEST)
    assert new.to_json() == MANIFEST
    assert (new.format, old.format) == (2, 1)
    assert new.provenance["selector"].code_hash == old.provenance["selector"].code_hash == "c" * 64
    assert new.files == old.files == {"content.json": ("e" * 64, 12)}
    assert old.provenance["selector"].version == 2
