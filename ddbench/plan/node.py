"""A node of the plan: one piece of work with two keys.

A recipe is JSON. The recipe key is the SHA-256 of its canonical form. Format 2 is::

    {
      "format": 2,
      "stage": "select",
      "uses": {PART: {"name": …, "version": …, "params": {…}, "fingerprint": …, "code": …}},
      "settings": {"ipc": 10, "pool": 40, "seed": 0},
      "inputs": {"dataset": KEY, "samples": [{"first_class": 0, "block": 0, "output": KEY}], …}
    }

``uses`` has the components by their part in the work. ``code`` is the code hash of a component that can be edited
under one version, see ``ddbench.registry.keyed_code``. ``settings`` has the other values that decide the output.
``inputs`` is the JSON of ``Inputs``. Absent inputs, and optional settings at their defaults, have no entry. So adding a
setting does not change the keys of nodes that do not use it. The action key is the SHA-256 of the same JSON with
content digests of the inputs in place of recipe keys.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from ddbench.api import Component, sha256_json
from ddbench.plan.inputs import Inputs
from ddbench.registry.code_hash import code_hash
from ddbench.registry.files import file_of
from ddbench.registry.keyed_code import keyed_code
from ddbench.registry.provenance import provenance

# Raise it if the structure of recipes changes, or if the harness itself makes other outputs from equal recipes.
KEY_FORMAT = 2


@dataclass(frozen=True, eq=False)
class ComponentRef:
    """A configured component, as keys and workers see it.

    Attributes:
        component: the component.
    """

    component: Component

    @cached_property
    def keyed(self) -> dict[str, Any]:
        """The JSON that enters keys, without paths."""
        info = self.component.info
        value = {"name": info.name, "version": info.version, "params": self.component.params.keyed()}
        optional = {"fingerprint": self.component.fingerprinted, "code": keyed_code(type(self.component))}
        return {**value, **{name: entry for name, entry in optional.items() if entry is not None}}

    @cached_property
    def address(self) -> dict[str, Any]:
        """The JSON from which a worker builds the component."""
        info, file = self.component.info, file_of(type(self.component))
        address = {"kind": info.kind, "name": info.name, "params": self.component.params.model_dump(mode="json")}
        return address if file is None else {**address, "file": file.address}

    @property
    def code_hash(self) -> str:
        """The hash of the component's code, for records."""
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
        uses: the components by their part in the work.
        settings: other JSON that decides the output: seeds and sizes.
        inputs: recipe keys of the nodes whose outputs it uses.
        label: a name for display; it enters no key.
        worker_args: JSON that workers need; ``settings`` contains its digest.
        checks: recipe keys of the checks that must succeed before it runs. They enter no key.
    """

    stage: str
    uses: Mapping[str, ComponentRef]
    settings: Mapping[str, Any]
    inputs: Inputs[str]
    label: str
    worker_args: Mapping[str, Any] = field(default_factory=dict)
    checks: frozenset[str] = frozenset()

    @cached_property
    def parents(self) -> frozenset[str]:
        """The recipe keys of all nodes that must be finished before it runs."""
        return self.checks.union(self.inputs.values())

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
        """The JSON description of the work, known before anything runs."""
        return self._key(self.inputs)

    @cached_property
    def recipe_key(self) -> str:
        """SHA-256 of the recipe."""
        return sha256_json(self.recipe)

    def action_key(self, digests: Inputs[str]) -> str:
        """Return the key of the stored output: the recipe's SHA-256 with content digests of the inputs."""
        return sha256_json(self._key(digests))

    @property
    def threads(self) -> int:
        """Number of CPU threads of its worker: the maximum that one of its components declares."""
        return max(ref.component.threads for ref in self.uses.values()) if self.uses else 1
