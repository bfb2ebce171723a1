"""Components as records name them."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from ddbench.record.part import Part


class ComponentUse(Part):
    """A component with all its parameters: enough to build it again."""

    kind: str
    name: str
    params: dict[str, Any]


class Provenance(Part):
    """The origin of a component: its declaration and the code behind it.

    Attributes:
        version: the declared version; None in records of format 1 where it was not kept.
        params: the parameters that enter keys.
        code_hash: SHA-256 of the code.
        package: the distribution that registered the component.
        commit: the Git commit of the package's source tree; None where the package is no checkout.
        dirty: whether that tree differed from the commit.
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
