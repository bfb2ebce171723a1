"""Find components whose code has changed since their outputs were stored."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ddbench.plan.stages import STAGES
from ddbench.plan.state import State
from ddbench.record import Provenance
from ddbench.registry.keyed_code import is_builtin

_SHOWN = 12
_BRIEF = 6


@dataclass(frozen=True)
class Drift:
    """A released component with other code than at the time when outputs were stored, under the same version.

    Attributes:
        kind: the component's kind.
        name: the component's name.
        version: its declared version.
        stored: the code hash that is stored with outputs.
        current: the hash of its code now.
    """

    kind: str
    name: str
    version: int
    stored: str
    current: str

    @property
    def problem(self) -> str:
        """The difference as one clause."""
        return (
            f"the code of {self.kind} '{self.name}' has changed since its version {self.version} made stored outputs "
            f"({self.stored[:_SHOWN]} then, {self.current[:_SHOWN]} now)"
        )

    @property
    def remedy(self) -> str:
        """The choices of the user."""
        return f"raise its version, or use the stored outputs with --accept-drift {self.name}"

    def is_named(self, names: Iterable[str]) -> bool:
        """Return whether the component is among ``names``, each a name or ``kind/name``."""
        return not {self.name, f"{self.kind}/{self.name}"}.isdisjoint(names)


def drifted(state: State) -> list[Drift]:
    """Return each drift of a plan's components once.

    Only released components can drift. The keys of others contain their code, or the record of built-in components
    says that their outputs are equal.
    """
    found: dict[Drift, None] = {}
    for key, node in state.graph.nodes.items():
        stored = list(_stored(state, key))
        for ref in node.uses.values():
            if "code" in ref.keyed or is_builtin(type(ref.component)):
                continue
            info = ref.component.info
            for origin in stored:
                same = (origin.kind, origin.name) == (info.kind, info.name)
                if same and origin.code_hash not in (None, ref.code_hash):
                    found[Drift(info.kind, info.name, info.version, str(origin.code_hash), ref.code_hash)] = None
    return list(found)


def _stored(state: State, key: str) -> Iterator[Provenance]:
    """Yield the origins that are stored with a node's output."""
    for measured in state.measured.get(key, []):
        yield from measured.lineage
    if key in state.manifests:
        yield from state.manifests[key].provenance.values()


def code_changes(state: State) -> list[str]:
    """Return a line for each component that was edited since the store has outputs of it, and that will run again."""
    wanted: dict[tuple[str, str], str] = {}
    for key in state.to_run():
        for ref in state.graph.nodes[key].uses.values():
            if "code" in ref.keyed:
                wanted[ref.component.info.kind, ref.component.info.name] = ref.code_hash
    if not wanted:
        return []
    found: dict[tuple[str, str], str] = {}
    for origins in _all_origins(state):
        for origin in origins:
            current = wanted.get((origin.kind, origin.name))
            if current is not None and origin.code_hash not in (None, current):
                found[origin.kind, origin.name] = str(origin.code_hash)
    return [
        f"code changed: {kind} '{name}' was edited ({stored[:_BRIEF]} → {wanted[kind, name][:_BRIEF]}), "
        f"so its outputs are made again: {_affected(state, kind, name)}"
        for (kind, name), stored in sorted(found.items())
    ]


def _affected(state: State, kind: str, name: str) -> str:
    """Return the number of nodes to run, by stage, that use a component or come after it."""
    users = {
        key
        for key, node in state.graph.nodes.items()
        if any((ref.component.info.kind, ref.component.info.name) == (kind, name) for ref in node.uses.values())
    }
    stages = Counter(
        state.graph.nodes[key].stage
        for key in state.to_run()
        if key in users or not users.isdisjoint(state.graph.ancestors(key))
    )
    return ", ".join(f"{stages[stage]} {stage}" for stage in STAGES if stages[stage])


def _all_origins(state: State) -> Iterator[Iterable[Provenance]]:
    for manifest in state.store.manifests():
        yield manifest.provenance.values()
    for measured in state.all_measured():
        yield measured.lineage
