"""The state of a plan: the nodes that a store holds, and the nodes that must run. The store is only read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from pathlib import Path

from ddbench.plan.dag import Graph
from ddbench.plan.earlier import earlier_results
from ddbench.plan.exports import Exports
from ddbench.plan.graph import build_graph
from ddbench.plan.stages import STAGES
from ddbench.record import Measurement, RunRecord, Shared
from ddbench.store import CorruptError, Failure, Manifest, Store
from ddbench.suite import ResolvedSuite, load_suite
from ddbench.toolkit.lazy import LazyMapping


class State:
    """The state of each node of a plan, by recipe key.

    A node's action key is known when the digests of its inputs are known. Its digest is known when it has been run.

    Attributes:
        graph: the plan.
        store: the store that is searched.
        action_keys: the keys under which outputs are or will be stored.
        digests: the digests of finished nodes' outputs; for evaluations, the action key.
        manifests: the manifests of finished nodes other than evaluations.
        measured: the measurements of finished evaluations, one for each environment.
        corrupt: the store's messages about damaged manifests, results and failures.
        exports: results outside the store.
        borrowed: evaluations whose only results are outside the store.
    """

    def __init__(self, graph: Graph, store: Store, exports: Exports | None = None) -> None:
        self.graph = graph
        self.store = store
        self.exports = exports or Exports()
        self.borrowed: set[str] = set()
        self.action_keys: dict[str, str] = {}
        self.digests: dict[str, str] = {}
        self.manifests: dict[str, Manifest] = {}
        self.measured: dict[str, list[Measurement]] = {}
        self.corrupt: dict[str, str] = {}
        self._shared = Shared()

    def resolve_all(self) -> State:
        """Look up every node whose action key can be known, and return self."""
        for key in self.graph.nodes:
            self.resolve(key)
        return self

    def resolve(self, key: str) -> bool:
        """Look up one node; return True if it is finished."""
        if key in self.digests:
            return True
        found = self._read(key) if self._has_action_key(key) else None
        return self._note(key, found) or self._borrow(key)

    def _has_action_key(self, key: str) -> bool:
        """Compute the action key of a node; return False if the digest of an input is not known."""
        inputs = self.graph.nodes[key].inputs
        if any(parent not in self.digests for parent in inputs.values()):
            return False
        if key not in self.action_keys:
            self.action_keys[key] = self.graph.nodes[key].action_key(inputs.map(self.digests.__getitem__))
        return True

    def _read(self, key: str) -> list[Measurement] | Manifest | CorruptError | None:
        """Return what the store has of a node, or the error of a damaged file."""
        try:
            if not STAGES[self.graph.nodes[key].stage].makes_result:
                return self.store.manifest(self.action_keys[key])
            records = self.store.results(self.action_keys[key])
        except CorruptError as error:
            return error
        return [Measurement.of(record, self._shared) for record in records]

    def _note(self, key: str, found: list[Measurement] | Manifest | CorruptError | None) -> bool:
        """Keep what was read of a node; return True if it is finished."""
        if isinstance(found, CorruptError):
            self.corrupt[key] = str(found)
        elif isinstance(found, Manifest):
            self.manifests[key] = found
            self.digests[key] = found.digest
        elif found:
            self.measured[key] = self.exports.joined(key, found)
            self.digests[key] = self.action_keys[key]
        return key in self.digests

    def _borrow(self, key: str) -> bool:
        """Use results from outside the store, if there are any; return True if the node is finished."""
        found = self.exports.measured.get(key)
        if found:
            self.borrowed.add(key)
            self.measured[key], self.digests[key] = found, found[0].action_key
        return key in self.digests

    @property
    def results(self) -> Mapping[str, list[RunRecord]]:
        """The complete records of finished evaluations. They are read again at each access."""
        return LazyMapping({key: key for key in self.measured}, self.records)

    def records(self, key: str) -> list[RunRecord]:
        """Return the complete records of an evaluation that has results, also earlier ones."""
        if key in self.borrowed:
            return self.exports.records[key]
        if key not in self.measured:
            return self.store.results(self.earlier[key][0].action_key)
        own = self.store.results(self.action_keys[key])
        known = {record.fingerprint for record in own}
        return own + [record for record in self.exports.records.get(key, ()) if record.fingerprint not in known]

    def sources(self) -> list[str]:
        """Return lines on how many results are in the store and how many outside; nothing without exports."""
        trainings = {key for _, key in self.graph.cells}
        done = len(trainings & self.measured.keys())
        return self.exports.summary(self.borrowed, done - len(self.borrowed), len(trainings) - done)

    def all_measured(self) -> Iterator[Measurement]:
        """Yield the measurements of the whole store, of this plan and of others."""
        for found in self.measured.values():
            yield from found
        for record in self.store.all_results(set(map(self.digests.__getitem__, self.measured))):
            yield Measurement.of(record, self._shared)

    @cached_property
    def earlier(self) -> dict[str, list[Measurement]]:
        """The results of key format 1 for evaluations without a newer one. A run repeats these evaluations."""
        missing = {key for _, key in self.graph.cells} - self.measured.keys()
        if not missing or not self.store.may_hold_earlier:
            return {}
        found = earlier_results(self.graph, missing, self.store)
        return {key: [Measurement.of(record, self._shared) for record in records] for key, records in found.items()}

    def has_payload(self, key: str) -> bool:
        """Return True if the files of the node's output exist."""
        return key in self.manifests and self.store.has_payload(self.manifests[key])

    def failure(self, key: str) -> Failure | None:
        """Return the last failure of a node that is not finished; None if it has none. Note damaged files."""
        if key in self.digests:
            return None
        try:
            return self.store.failure(key)
        except CorruptError as error:
            self.corrupt.setdefault(key, str(error))
            return None

    def forget(self, keys: Iterable[str]) -> None:
        """Discard the state of some nodes, so that they are looked up again."""
        for key in keys:
            for table in (self.action_keys, self.digests, self.manifests, self.measured, self.corrupt):
                table.pop(key, None)
            self.borrowed.discard(key)

    def to_run(self) -> set[str]:
        """Return the nodes that a run would execute, as far as known.

        A node whose input is not made yet counts as to run. It may still be skipped, if the input turns out the same as
        before.
        """
        wanted: set[str] = set()
        waiting = [key for key in self.graph.wanted if key not in self.digests]
        while waiting:
            key = waiting.pop()
            if key in wanted:
                continue
            wanted.add(key)
            node = self.graph.nodes[key]
            waiting += [check for check in node.checks if check not in self.digests]
            for parent in node.inputs.values():
                runs_now = key in self.action_keys
                if parent not in self.digests or (runs_now and not self.has_payload(parent)):
                    waiting.append(parent)
        return wanted


def plan_suite(
    suite_file: Path | str, store_root: Path, *, quick: bool = False, exports: Exports | None = None
) -> tuple[ResolvedSuite, State]:
    """Load a suite, plan it, and look up every node.

    Args:
        suite_file: the path of the suite or its shipped name.
        store_root: the store's folder, which need not exist.
        quick: True for the first seed of each axis only.
        exports: results outside the store.

    Raises:
        SuiteError: the suite does not exist or has a mistake.
    """
    suite = load_suite(suite_file, quick=quick)
    return suite, State(build_graph(suite), Store(store_root), exports).resolve_all()
