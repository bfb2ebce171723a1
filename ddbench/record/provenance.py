"""Components in records: their parameters and their origin."""

from __future__ import annotations

from typing import Any

from pydantic import Field, SerializerFunctionWrapHandler, model_serializer

from ddbench.record.part import Part


class ComponentUse(Part):
    """A component with all its parameters, from which it can be built again.

    Attributes:
        kind: one of the seven kinds.
        name: the component's name.
        params: all parameter values.
    """

    kind: str
    name: str
    params: dict[str, Any]


class Provenance(Part):
    """The origin of a component: its declaration and the code behind it.

    Attributes:
        kind: one of the seven kinds.
        name: the component's name.
        version: the declared version; None if a record of format 1 does not have it.
        params: the parameters that enter keys.
        code_hash: SHA-256 of the code.
        package: the distribution that registered the component.
        package_version: the version of that distribution.
        commit: the Git commit of the package's source tree; None if the package is not in a Git repository.
        dirty: True if that tree differed from the commit.
        accepted_drift: code hashes of earlier outputs of this version that the user accepted; None if there are none.
    """

    kind: str
    name: str
    version: int | None = Field(ge=1)
    params: dict[str, Any] | None
    code_hash: str | None
    package: str | None
    package_version: str | None
    commit: str | None
    dirty: bool | None
    accepted_drift: list[str] | None = None

    @model_serializer(mode="wrap")
    def _without_default(self, dump: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Leave out ``accepted_drift`` if there is none, so that records stay as they were."""
        values: dict[str, Any] = dump(self)
        if self.accepted_drift is None:
            del values["accepted_drift"]
        return values
