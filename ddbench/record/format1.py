"""Convert records and manifests of format 1, written by ddbench 0.1, to format 2."""

from __future__ import annotations

from typing import Any

from ddbench.text import counted
from ddbench.toolkit.files import CorruptError

_SHAPE = (KeyError, TypeError, AttributeError, ValueError, IndexError)
# Roles of format 1 that differ from the names of kinds.
_KINDS = {"teacher": "scorer"}


def earlier_note(count: int) -> str:
    """Return a note on the number of results of this format."""
    were = "was" if count == 1 else "were"
    return f"{counted(count, 'result')} {were} made by an earlier version of ddbench (key format 1)."


def upgrade_record(value: Any, where: str | None = None) -> Any:
    """Convert a record of format 1; return any other record unchanged. Values missing in format 1 are None.

    Args:
        value: the JSON value.
        where: the file, for messages.

    Raises:
        CorruptError: the value has the structure of neither format.
    """
    if isinstance(value, dict) and "format" in value:
        return {**value, "format": None} if value["format"] == 1 else value
    try:
        return _record(value)
    except _SHAPE:
        raise CorruptError("the file is not the record of a training", where=where) from None


def _record(value: dict[str, Any]) -> dict[str, Any]:
    uses = {role: value.get(role) for role in ("evaluator", "student", "dataset", "teacher")}
    return {
        "format": 1,
        **{name: value[name] for name in ("action_key", "fingerprint", "result")},
        **uses,
        "settings": _settings(value),
        "protocol": value.get("protocol"),
        "validation": {"standard_error": None, **value["validation"]},
        "distilled": _distilled(value),
        "soft_labels": _soft(value),
        "lineage": _lineage(value, {role: use for role, use in uses.items() if use is not None}),
        "environment": {"cpu_capability": None, "threads": None, "os": None, "gpu": None, **value["environment"]},
        "stages": value["stages"],
        "created": value.get("created"),
    }


def _settings(value: dict[str, Any]) -> dict[str, Any]:
    """Derive the settings from the result: only ``evaluate: papers`` measures more than once."""
    papers = {"evaluate": "papers"} if value["result"]["evaluations"] > 1 else {}
    numerics = value["environment"]["numerics"].partition(",")[0]
    return {"seed": value.get("training_seed"), "evaluation": {"numerics": numerics, **papers}}


def _distilled(value: dict[str, Any]) -> dict[str, Any] | None:
    digest = value.get("distilled")
    return None if digest is None else {"digest": digest, "size": value.get("distilled_size"), "ipc": None}


def _soft(value: dict[str, Any]) -> dict[str, Any] | None:
    digest = value.get("soft_labels")
    return None if digest is None else {"digest": digest, "tau": value.get("temperature")}


def _lineage(value: dict[str, Any], uses: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the known provenance: versions for components of earlier stages, code hashes for those of the training."""
    hashes = value.get("sources") or {}
    found = {
        (_KINDS.get(role, role), name): provenance(role, name, version)
        for stage in value["stages"]
        for role, (name, version) in stage.get("uses", {}).items()
    }
    for role, use in uses.items():
        origin = found.get((use["kind"], use["name"]), provenance(role, use["name"], None))
        found[use["kind"], use["name"]] = {**origin, "params": use["params"], "code_hash": hashes.get(role)}
    return list(found.values())


def provenance(
    role: str, name: Any, version: Any, *, params: Any = None, code_hash: str | None = None
) -> dict[str, Any]:
    """Return the provenance of a component of format 1, with None for all values that format 1 does not have."""
    unknown = dict.fromkeys(("package", "package_version", "commit", "dirty"))
    known = {"kind": _KINDS.get(role, role), "name": name, "version": version}
    return {**known, "params": params, "code_hash": code_hash, **unknown}


def upgrade_manifest(value: Any, where: str | None = None) -> Any:
    """Convert a manifest of format 1; return any other manifest unchanged.

    Args:
        value: the JSON value.
        where: the file, for messages.

    Raises:
        CorruptError: the value has the structure of neither format.
    """
    if isinstance(value, dict) and "format" in value:
        return {**value, "format": None} if value["format"] == 1 else value
    try:
        uses, hashes = value["recipe"]["uses"], value["sources"]
        origins = {
            role: provenance(role, use["name"], use["version"], params=use["params"], code_hash=hashes.get(role))
            for role, use in uses.items()
        }
        return {**value, "format": 1, "provenance": origins}
    except _SHAPE:
        raise CorruptError("the file is not a manifest", where=where) from None
