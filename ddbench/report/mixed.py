"""Find exported results of one component whose code differs under one version."""

from __future__ import annotations

from collections.abc import Iterable

from ddbench.record import Measurement, Provenance

_SHOWN = 12
_OWN = "ddbench"


def mixed_code(measured: Iterable[Measurement]) -> str | None:
    """Return a clause about a component of a plug-in with two codes under one version; None if there is none.

    A run in one store refuses this. Exports of several stores can bring such results together, under equal keys. The
    codes of ddbench's own components may differ, since its record of code hashes says that their outputs are equal.
    """
    codes: dict[tuple[str, str, int], set[str]] = {}
    accepted: dict[tuple[str, str, int], set[str]] = {}
    for origin in _origins(measured):
        component = origin.kind, origin.name, origin.version or 0
        if origin.package != _OWN and origin.code_hash is not None:
            codes.setdefault(component, set()).add(origin.code_hash)
            accepted.setdefault(component, set()).update(origin.accepted_drift or ())
    for component, found in sorted(codes.items()):
        if len(found - accepted[component]) > 1:
            kind, name, version = component
            one, other, *_ = sorted(found - accepted[component])
            return f"results of two codes of {kind} '{name}', version {version} ({one[:_SHOWN]} and {other[:_SHOWN]})"
    return None


def _origins(measured: Iterable[Measurement]) -> Iterable[Provenance]:
    """Return the origins of components, each list of them once. Formats before 2 hash code in another way."""
    lineages = {id(one.lineage): one.lineage for one in measured if one.format > 1}
    return (origin for lineage in lineages.values() for origin in lineage)
