"""A node of the plan: one piece of work, and the two keys of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from ddbench.api import Component, sha256_json
from ddbench.registry.code_hash import code_hash
from ddbench.registry.provenance import provenance

# Raised when the harness itself comes to make other outputs of the same recipes.
KEY_FORMAT = 2

STAGES = ("dataset", "fit", "generate", "score", "select", "distill", "label", "refine", "evaluate")


@dataclass(frozen=True, eq=False)
class ComponentRef:
    """A configured component, as keys and workers see it."""

    component: Component

    @cached_property
    def keyed(self) -> dict[str, Any]:
        """What of it enters keys: no path does."""
        info = self.component.info
        value = {"name": info.name, "version": info.version, "params": self.component.params.keyed()}
        fingerprint = self.component.fingerprinted
        return value if fingerprint is None else {**value, "fingerprint": fingerprint}

    @cached_property
    def address(self) -> dict[str, Any]:
        """What a worker builds it from."""
        info = self.component.info
        return {"kind": info.kind, "name": info.name, "params": self.component.params.model_dump(mode="json")}

    @property
    def code_hash(self) -> str:
        """The hash of its code: beside the key, not in it."""
        return code_hash(type(self.component))

    @cached_property
    def provenance(self) -> dict[str, Any]:
        """The origin of the component and of its code, as JSON for manifests and records."""
        made = provenance(type(self.component), self.keyed["params"], self.code_hash)
        return made.model_dump(mode="json")


@dataclass(frozen=True, eq=False)
class Node:
    """One piece of work.

    Attributes:
        uses: the components that do it, by role.
        settings: JSON that decides the output besides them: seeds, sizes.
        inputs: recipe keys of the nodes whose outputs it needs, by role.
        label: for people; enters no key.
        worker_args: JSON that workers need and that ``settings`` holds a digest of.
    """

    stage: str
    uses: Mapping[str, ComponentRef]
    settings: Mapping[str, Any]
    inputs: Mapping[str, str]
    label: str
    worker_args: Mapping[str, Any] = field(default_factory=dict)

    def _key(self, inputs: Mapping[str, str]) -> dict[str, Any]:
        return {
            "format": KEY_FORMAT,
            "stage": self.stage,
            "uses": {role: ref.keyed for role, ref in self.uses.items()},
            "settings": dict(self.settings),
            "inputs": dict(inputs),
        }

    @cached_property
    def recipe(self) -> dict[str, Any]:
        """What is asked for: known without running anything."""
        return self._key(self.inputs)

    @cached_property
    def recipe_key(self) -> str:
        """SHA-256 of the recipe."""
        return sha256_json(self.recipe)

    def action_key(self, digests: Mapping[str, str]) -> str:
        """SHA-256 of the same over the inputs' content digests: outputs are stored under it."""
        return sha256_json(self._key(digests))

    @property
    def threads(self) -> int:
        """CPU threads that it is run with: the most that one of its components declares."""
        return max(ref.component.threads for ref in self.uses.values()) if self.uses else 1
