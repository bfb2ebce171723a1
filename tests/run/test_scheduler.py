"""The scheduler against an obvious reference: what must run, in an order that respects inputs, each once."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from ddbench.api import sha256_json
from ddbench.plan import Graph, Inputs, Node, Shard, State
from ddbench.run.scheduler import Scheduler
from ddbench.store import Manifest, Output, Store


def node(name: str, *parents: Node) -> Node:
    return Node("distill", {}, {"name": name}, of(*(parent.recipe_key for parent in parents)), name)


def of(*keys: str) -> Inputs[str]:
    return Inputs(samples=tuple(Shard(0, i, key) for i, key in enumerate(keys)))


def graph_of(nodes: list[Node], targets: list[Node]) -> Graph:
    return Graph({n.recipe_key: n for n in nodes}, tuple((None, t.recipe_key) for t in targets))  # type: ignore[misc]


class World:
    """Executes what a scheduler hands out: the content of an output is a function of the node's name."""

    def __init__(self, root: Path, graph: Graph, content: dict[str, str] | None = None) -> None:
        self.graph = graph
        self.store = Store.open(root)
        self.content = content or {}
        self.state = State(graph, self.store).resolve_all()
        self.scheduler = Scheduler(graph, self.state)
        self.ran: list[str] = []

    def store_output(self, key: str) -> str:
        n = self.graph.nodes[key]
        action_key = self.state.action_keys[key]
        inputs = dict(n.inputs.map(self.state.digests.__getitem__).named())
        unsigned = Manifest(
            action_key=action_key,
            recipe_key=key,
            stage=n.stage,
            recipe=n.recipe,
            inputs=inputs,
            digest="",
            files={},
            provenance={},
            info={},
        )
        self.store.put(Output(content=self.content.get(n.label, n.label)), unsigned)
        return action_key

    def step(self) -> bool:
        key = self.scheduler.peek()
        if key is None:
            return False
        assert self.scheduler.take() == key
        for parent in self.graph.nodes[key].inputs.values():
            assert self.state.has_payload(parent), "handed out before its inputs were there"
        self.ran.append(self.graph.nodes[key].label)
        self.scheduler.finished(self.store_output(key))
        return True

    def run(self) -> list[str]:
        while self.step():
            pass
        assert self.scheduler.done
        stuck = self.scheduler.failed | self.scheduler.blocked
        assert all(key in self.state.digests for _, key in self.graph.cells if key not in stuck)
        return self.ran


def diamond() -> tuple[list[Node], Graph]:
    a = node("a")
    b, c = node("b", a), node("c", a)
    d = node("d", b, c)
    return [a, b, c, d], graph_of([a, b, c, d], [d])


def test_everything_runs_once_in_order(tmp_path: Path) -> None:
    _, graph = diamond()
    assert World(tmp_path, graph).run() == ["a", "b", "c", "d"]
    assert World(tmp_path, graph).run() == []


def test_random_graphs(tmp_path: Path) -> None:
    rng = random.Random(0)
    for trial in range(30):
        nodes: list[Node] = []
        for i in range(rng.randint(1, 12)):
            parents = rng.sample(nodes, rng.randint(0, min(3, len(nodes))))
            nodes.append(node(f"{trial}.{i}", *parents))
        targets = rng.sample(nodes, rng.randint(1, len(nodes)))
        graph = graph_of(nodes, targets)
        needed = {t.recipe_key for t in targets}.union(*(graph.ancestors(t.recipe_key) for t in targets))
        ran = World(tmp_path / str(trial), graph).run()
        assert sorted(ran) == sorted(n.label for n in nodes if n.recipe_key in needed)
        assert World(tmp_path / str(trial), graph).run() == []


def test_equal_outputs_make_equal_work(tmp_path: Path) -> None:
    a = node("a")
    b, c = node("b", a), node("c", a)
    d = Node("distill", {}, {"name": "train"}, of(b.recipe_key), "after b")
    e = Node("distill", {}, {"name": "train"}, of(c.recipe_key), "after c")
    world = World(tmp_path, graph_of([a, b, c, d, e], [d, e]), {"b": "same", "c": "same"})
    ran = world.run()
    assert len(ran) == 4
    assert len({"after b", "after c"} & set(ran)) == 1
    assert world.state.action_keys[d.recipe_key] == world.state.action_keys[e.recipe_key]
    assert {d.recipe_key, e.recipe_key} <= set(world.state.digests)


def test_an_upstream_rerun_with_equal_bytes_spares_what_is_below(tmp_path: Path) -> None:
    _, graph = diamond()
    World(tmp_path, graph).run()
    world = World(tmp_path, graph)
    changed = [Node("distill", {}, {"name": "a", "more": 1}, of(), "a")]
    for old in list(graph.nodes.values())[1:]:
        renamed = {n.label: n.recipe_key for n in changed}
        inputs = old.inputs.map(lambda parent, renamed=renamed: renamed[graph.nodes[parent].label])
        changed.append(Node("distill", {}, dict(old.settings), inputs, old.label))
    again = World(tmp_path, graph_of(changed, [changed[-1]]))
    assert world.run() == []
    assert again.run() == ["a"]


def test_what_is_cached_is_found_when_its_inputs_become_known(tmp_path: Path) -> None:
    a = node("a")
    b = node("b", a)
    World(tmp_path, graph_of([a, b], [b])).run()
    a2 = Node("distill", {}, {"name": "a", "more": 1}, of(), "a")
    b2 = Node("distill", {}, {"name": "b"}, of(a2.recipe_key), "b")
    c = node("c", b2)
    assert World(tmp_path, graph_of([a2, b2, c], [c])).run() == ["a", "c"]


def test_a_missing_payload_is_made_again_only_where_it_is_read(tmp_path: Path) -> None:
    nodes, graph = diamond()
    world = World(tmp_path, graph)
    world.run()
    for n in nodes:
        world.store.drop_payload(world.state.manifests[n.recipe_key])
    assert World(tmp_path, graph).run() == []
    e = node("e", nodes[3])
    assert World(tmp_path, graph_of([*nodes, e], [e])).run() == ["a", "b", "c", "d", "e"]


def test_a_failure_blocks_what_needs_it_and_nothing_else(tmp_path: Path) -> None:
    a, x = node("a"), node("x")
    b, y = node("b", a), node("y", x)
    world = World(tmp_path, graph_of([a, x, b, y], [b, y]))
    assert world.graph.nodes[world.scheduler.take()].label == "a"
    assert world.scheduler.fail(world.state.action_keys[a.recipe_key]) == [a.recipe_key]
    assert world.run() == ["x", "y"]
    assert world.scheduler.failed == {a.recipe_key}
    assert world.scheduler.blocked == {b.recipe_key}


def test_lost_work_is_handed_out_again(tmp_path: Path) -> None:
    _, graph = diamond()
    world = World(tmp_path, graph)
    key = world.scheduler.take()
    assert world.scheduler.peek() is None
    world.scheduler.put_back(world.state.action_keys[key])
    assert world.run() == ["a", "b", "c", "d"]


@pytest.mark.parametrize("victim", ["a", "b"])
def test_a_damaged_input_is_made_again(tmp_path: Path, victim: str) -> None:
    nodes, graph = diamond()
    world = World(tmp_path, graph)
    for _ in range(3):
        world.step()
    key = world.scheduler.take()
    assert graph.nodes[key].label == "d"
    lost = world.state.action_keys[next(n.recipe_key for n in nodes if n.label == victim)]
    world.store.quarantine(lost)
    named = world.scheduler.damaged(world.state.action_keys[key], [lost])
    assert [graph.nodes[k].label for k in named] == [victim]
    world.ran.clear()
    assert world.run() == [victim, "d"]


def test_keys_differ_by_name() -> None:
    assert node("a").recipe_key != node("b").recipe_key
    assert node("a").recipe_key == sha256_json(node("a").recipe)


def test_what_may_still_run_is_wanted(tmp_path: Path) -> None:
    """Fail nodes at random: at each step, the count is that of all needed nodes without output and without a loss."""
    rng = random.Random(1)
    for trial in range(20):
        nodes: list[Node] = []
        for i in range(rng.randint(2, 12)):
            nodes.append(node(f"{trial}.{i}", *rng.sample(nodes, rng.randint(0, min(3, len(nodes))))))
        graph = graph_of(nodes, nodes[-1:])
        needed = graph.ancestors(nodes[-1].recipe_key) | {nodes[-1].recipe_key}
        world = World(tmp_path / str(trial), graph)
        failed: set[str] = set()
        while True:
            lost = {key for key in needed if key in failed or graph.ancestors(key) & failed}
            assert len(world.scheduler.wanted) == len(needed - lost - world.state.digests.keys())
            if world.scheduler.peek() is None:
                break
            key = world.scheduler.take()
            if rng.random() < 0.3:
                failed.add(key)
                world.scheduler.fail(world.state.action_keys[key])
            else:
                world.scheduler.finished(world.store_output(key))
