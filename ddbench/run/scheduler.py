"""Schedule nodes: find missing inputs of the wanted results, and continue as outputs arrive."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Set

from ddbench.plan import STAGES, Graph, State


class Scheduler:
    """A scheduler that returns runnable nodes, earlier stages first.

    Two nodes with the same action key are one piece of work: the second waits for the first and uses its output.

    Attributes:
        graph: the plan.
        state: the state of the plan.
        failed: nodes that failed in this run.
        blocked: nodes that cannot run because an ancestor failed.
    """

    def __init__(self, graph: Graph, state: State) -> None:
        self.graph = graph
        self.state = state
        self.failed: set[str] = set()
        self.blocked: set[str] = set()
        self._dependents = graph.dependents()
        self._rank = {key: i for i, key in enumerate(graph.nodes)}
        self._ready: list[tuple[int, int, str]] = []
        self._queued: set[str] = set()
        self._running: dict[str, list[str]] = {}
        self._wants_payload: set[str] = set()
        self._wanted: set[str] = set()
        self.want(graph.wanted)

    # wanted nodes

    def want(self, keys: Iterable[str]) -> None:
        """Request the outputs of nodes and of the ancestors that they need."""
        waiting = list(keys)
        while waiting:
            key = waiting.pop()
            if not self._satisfied(key):
                if not self._is_lost(key):
                    self._wanted.add(key)
                    waiting.extend(self._advance(key))
            elif key in self._wanted:
                self._wanted.discard(key)
                waiting.extend(k for k in self._dependents[key] if k in self._wanted)

    def _advance(self, key: str) -> list[str]:
        """Queue a wanted node if it can run; return the inputs that it still needs."""
        if key in self._queued:
            return []
        parents, inputs = self.graph.nodes[key].parents, set(self.graph.nodes[key].inputs.values())
        if any(map(self._is_lost, parents)):
            self._block(key)
            return []
        unknown = [p for p in parents if not self.state.resolve(p)]
        if unknown:
            return [p for p in unknown if p not in self._wanted]
        if self._satisfied(key):
            return []
        self._wants_payload |= inputs
        absent = [p for p in inputs if not self._has_payload(p)]
        if not absent:
            self._enqueue(key)
        return [p for p in absent if p not in self._wanted]

    def _is_lost(self, key: str) -> bool:
        """Return True if a node cannot be made in this run."""
        return key in self.failed or key in self.blocked

    def _satisfied(self, key: str) -> bool:
        """Return True if a node's digest is known and its payload exists, if another node reads it."""
        return self.state.resolve(key) and (key not in self._wants_payload or self._has_payload(key))

    def _has_payload(self, key: str) -> bool:
        return STAGES[self.graph.nodes[key].stage].makes_result or self.state.has_payload(key)

    def _enqueue(self, key: str) -> None:
        self._queued.add(key)
        sharing = self._running.get(self.state.action_keys[key])
        if sharing is not None:
            sharing.append(key)
            return
        stage = STAGES[self.graph.nodes[key].stage].order
        heapq.heappush(self._ready, (stage, self._rank[key], key))

    def _block(self, key: str) -> None:
        waiting = [key]
        while waiting:
            blocked = waiting.pop()
            if blocked not in self.blocked:
                self.blocked.add(blocked)
                self._wanted.discard(blocked)
                waiting.extend(k for k in self._dependents[blocked] if k in self._wanted)

    # runnable nodes

    @property
    def done(self) -> bool:
        """True if no node is running and no node can be run."""
        return not self._running and not self._ready

    @property
    def wanted(self) -> Set[str]:
        """Wanted nodes that may still run. Equal work among them is found only later."""
        return self._wanted

    def peek(self) -> str | None:
        """Return the node that :meth:`take` would return; None if no node can run now."""
        while self._ready:
            key = self._ready[0][2]
            sharing = self._running.get(self.state.action_keys[key])
            if sharing is None and not self._satisfied(key):
                return key
            heapq.heappop(self._ready)
            if sharing is not None:
                sharing.append(key)
            else:
                self._settle([key])
        return None

    def take(self) -> str:
        """Return the node of the last :meth:`peek` and mark it as running."""
        key = heapq.heappop(self._ready)[2]
        self._running[self.state.action_keys[key]] = [key]
        return key

    # ended nodes

    def finished(self, action_key: str) -> list[str]:
        """Mark the nodes with ``action_key``, whose output is stored now, as finished; return them."""
        keys = self._running.pop(action_key)
        for key in keys:
            self.state.digests.pop(key, None)
        self._settle(keys)
        return keys

    def _settle(self, keys: list[str]) -> None:
        """Remove stored nodes from the queue, and advance the nodes that waited for them."""
        self._queued.difference_update(keys)
        self.want(keys)

    def fail(self, action_key: str) -> list[str]:
        """Mark the nodes with ``action_key`` as failed; return them."""
        keys = self._running.pop(action_key)
        self.failed.update(keys)
        self._wanted.difference_update(keys)
        for key in keys:
            self._queued.discard(key)
            for dependent in self._dependents[key]:
                if dependent in self._wanted:
                    self._block(dependent)
        return keys

    def put_back(self, action_key: str) -> None:
        """Queue the nodes with ``action_key`` again, because their worker died."""
        for key in self._running.pop(action_key):
            self._queued.discard(key)
            self.want([key])

    def damaged(self, action_key: str, lost: Iterable[str]) -> list[str]:
        """Schedule damaged inputs of a job again, and discard the state of their descendants.

        Args:
            action_key: the key of the job.
            lost: action keys of the damaged inputs.

        Returns:
            The nodes whose outputs were lost.
        """
        self._queued.difference_update(self._running.pop(action_key))
        gone = set(lost)
        keys = [key for key, stored_under in self.state.action_keys.items() if stored_under in gone]
        running = {key for sharing in self._running.values() for key in sharing}
        affected: set[str] = set()
        waiting = list(keys)
        while waiting:
            key = waiting.pop()
            if key not in affected and key not in running:
                affected.add(key)
                waiting.extend(self._dependents[key])
        self._ready = [entry for entry in self._ready if entry[2] not in affected]
        heapq.heapify(self._ready)
        self._queued -= affected
        self._wanted -= affected
        self.state.forget(affected)
        self.want(self.graph.wanted)
        return keys
