"""A node of the plan: one piece of work, and the two keys of it.

A recipe is JSON, and its key the SHA-256 of its canonical form. Format 2 is::

    {
      "format": 2,
      "stage": "select",
      "uses": {PART: {"name": …, "version": …, "params": {…}, "fingerprint": …}},
      "settings": {"ipc": 10, "pool": 40, "seed": 0},
      "inputs": {"dataset": KEY, "samples": [{"first_class": 0, "block": 0, "output": KEY}], …}
    }

``uses`` holds the components by their part in the work. ``settings`` holds the other values that decide the output.
``inputs`` is the JSON of ``Inputs``. An optional setting does not appear if it is absent or at its default. An absent
input does not appear either. So a setting that is added later changes no key of a node that does not use it. An action
key is the SHA-256 of the same JSON with the content digests of the inputs in place of their recipe keys.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from ddbench.api import Component, sha256_json
from ddbench.plan.inputs import Inputs
from ddbench.registry.code_hash import code_hash
from ddbench.registry.provenance import provenance

# Raise it when recipes are written otherwise, or when the harness itself makes other outputs of the same recipes.
KEY_FORMAT = 2


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
        stage: the name of its stage, see ``ddbench.plan.stages``.
        uses: the components that do it, by their part in it.
        settings: JSON that decides the output besides them: seeds, sizes.
        inputs: recipe keys of the nodes whose outputs it needs.
        label: for people; enters no key.
        worker_args: JSON that workers need and that ``settings`` holds a digest of.
    """

    stage: str
    uses: Mapping[str, ComponentRef]
    settings: Mapping[str, Any]
    inputs: Inputs[str]
    label: str
    worker_args: Mapping[str, Any] = field(default_factory=dict)

    def _key(self, inputs: Inputs[str]) -> dict[str, Any]:
        return {
            "format": KEY_FORMAT,
            "stage": self.stage,
            "uses": {part: ref.keyed for part, ref in self.uses.items()},
            "settings": dict(self.settings),
            "inputs": inputs.to_json(),
        }

    @cached_property
    def recipe(self) -> dict[str, Any]:
        """What is asked for: known without running anything."""
        return self._key(self.inputs)

    @cached_property
    def recipe_key(self) -> str:
        """SHA-256 of the recipe."""
        return sha256_json(self.recipe)

    def action_key(self, digests: Inputs[str]) -> str:
        """Return the SHA-256 of the same over the inputs' content digests: the output is stored under it."""
        return sha256_json(self._key(digests))

    @property
    def threads(self) -> int:
        """CPU threads that it is run with: the most that one of its components declares."""
        return max(ref.component.threads for ref in self.uses.values()) if self.uses else 1
