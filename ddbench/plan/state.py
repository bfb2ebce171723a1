"""How far a plan has come: which nodes a store holds, and which must run. Reads the store, changes nothing."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from pathlib import Path

from ddbench.plan.earlier import earlier_results
from ddbench.plan.graph import Graph, build_graph
from ddbench.plan.stages import STAGES
from ddbench.record import RunRecord
from ddbench.store import CorruptError, Manifest, Store
from ddbench.suite import ResolvedSuite, load_suite


class State:
    """What is known of each node, in terms of recipe keys.

    A node's action key is known once its inputs' digests are; its digest once it has been run, here or earlier.

    Attributes:
        action_keys: where outputs are or will be stored.
        digests: of the outputs of finished nodes; for evaluations a mere mark.
        manifests: of finished nodes other than evaluations.
        results: the records of finished evaluations.
        corrupt: nodes whose manifest or result is damaged, and what the store says of it.
    """

    def __init__(self, graph: Graph, store: Store) -> None:
        self.graph = graph
        self.store = store
        self.action_keys: dict[str, str] = {}
        self.digests: dict[str, str] = {}
        self.manifests: dict[str, Manifest] = {}
        self.results: dict[str, list[RunRecord]] = {}
        self.corrupt: dict[str, str] = {}

    def resolve_all(self) -> State:
        """Look every node up, as far as their keys can be known; return self."""
        for key in self.graph.nodes:
            self.resolve(key)
        return self

    def resolve(self, key: str) -> bool:
        """Look one node up; return whether it is finished."""
        if key in self.digests:
            return True
        node = self.graph.nodes[key]
        if any(parent not in self.digests for parent in node.inputs.values()):
            return False
        if key not in self.action_keys:
            self.action_keys[key] = node.action_key(node.inputs.map(self.digests.__getitem__))
        try:
            return self._look_up(key, node.stage)
        except CorruptError as error:
            self.corrupt[key] = str(error)
            return False

    def _look_up(self, key: str, stage: str) -> bool:
        if STAGES[stage].makes_result:
            records = self.store.results(self.action_keys[key])
            if records:
                self.results[key] = records
                self.digests[key] = self.action_keys[key]
            return bool(records)
        manifest = self.store.manifest(self.action_keys[key])
        if manifest is not None:
            self.manifests[key] = manifest
            self.digests[key] = manifest.digest
        return manifest is not None

    @cached_property
    def earlier(self) -> dict[str, list[RunRecord]]:
        """The records of key format 1 for evaluations that have no other; a run makes these anew. Looked up once."""
        lacking = {key for _, key in self.graph.cells} - self.results.keys()
        return earlier_results(self.graph, lacking, self.store) if lacking and self.store.may_hold_earlier else {}

    def has_payload(self, key: str) -> bool:
        """Whether the node's output can be read now."""
        return key in self.manifests and self.store.has_payload(self.manifests[key])

    def forget(self, keys: Iterable[str]) -> None:
        """Take back what was known of some nodes, so that they are looked up again."""
        for key in keys:
            for known in (self.action_keys, self.digests, self.manifests, self.results, self.corrupt):
                known.pop(key, None)

    def to_run(self) -> set[str]:
        """The nodes that a run would execute, as far as can be known now.

        Where an input has yet to be made, everything after it counts as to be run, though equal bytes may yet spare it.
        """
        wanted: set[str] = set()
        waiting = [key for _, key in self.graph.cells if key not in self.digests]
        while waiting:
            key = waiting.pop()
            if key in wanted:
                continue
            wanted.add(key)
            for parent in self.graph.nodes[key].inputs.values():
                known = key in self.action_keys
                if parent not in self.digests or (known and not self.has_payload(parent)):
                    waiting.append(parent)
        return wanted


def plan_suite(suite_file: Path | str, store_root: Path) -> tuple[ResolvedSuite, State]:
    """Load a suite by its path or shipped name, plan it, and look up every node. The store need not exist.

    Raises:
        SuiteError: there is no such suite, or it is wrong.
    """
    suite = load_suite(suite_file)
    return suite, State(build_graph(suite), Store(store_root)).resolve_all()
