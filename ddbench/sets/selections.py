"""Read what a selector chose, together with the pool that it chose from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import groupby
from typing import TYPE_CHECKING, Any

from ddbench.api import Pool
from ddbench.plan import Shard, State
from ddbench.plan.inputs import Shards
from ddbench.run.pools import build_pool
from ddbench.sets.chosen import ChosenSet, open_output
from ddbench.store import Artifact
from ddbench.suite import ResolvedSuite

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, eq=False)
class StoredSelection:
    """The choice of a selector.

    Attributes:
        key: the recipe key of the selection. Rows that share a selection have the same key.
        pool_key: equal for selections from the same pool.
        pool: the pool, in its order. It has the fields of every scorer that scored all of it.
        shards: the stored shard of each sample of the pool.
        per_class: positions in the pool by class, in the order of the selector.
        scores: the selector's score of each chosen sample, as ``per_class``; None if it has none.
        info: further values of the selector.
    """

    key: str
    pool_key: tuple[Any, ...]
    pool: Pool
    shards: tuple[Artifact, ...]
    per_class: tuple[tuple[int, ...], ...]
    scores: tuple[tuple[float, ...], ...] | None
    info: Mapping[str, Any]

    @property
    def positions(self) -> tuple[int, ...]:
        """All chosen positions, one class after another."""
        return tuple(position for own in self.per_class for position in own)

    def images(self, positions: Sequence[int]) -> Tensor:
        """Read some images of the pool. The memory is that of one shard more, while ``pool.images`` reads them all."""
        import torch

        found: dict[int, Tensor] = {}
        wanted = sorted(set(positions), key=lambda position: id(self.shards[position]))
        for _, own in groupby(wanted, key=lambda position: id(self.shards[position])):
            group = list(own)
            shard = self.shards[group[0]]
            images, ids = shard.tensor("images"), shard.content()["ids"]
            found |= {position: images[ids.index(self.pool.sample_ids[position])].clone() for position in group}
        return torch.stack([found[position] for position in positions])


def selection_key(state: State, chosen: ChosenSet) -> str:
    """Return the recipe key of the selection behind a distilled set, refined or not."""
    node = state.graph.nodes[chosen.distilled]
    while node.inputs.selection is None:
        assert node.inputs.distilled is not None
        node = state.graph.nodes[node.inputs.distilled]
    return node.inputs.selection


class SelectionReader:
    """A reader of the stored selections of a suite.

    Args:
        suite: the suite.
        state: the state of its plan.
    """

    def __init__(self, suite: ResolvedSuite, state: State) -> None:
        self._suite = suite
        self._state = state

    def read(self, chosen: ChosenSet, *, with_fields: bool = True) -> StoredSelection:
        """Read the selection behind a distilled set.

        Args:
            chosen: the set.
            with_fields: read the scores of the pool and of the real images too.

        Raises:
            StoreError: the selection or its pool is not made yet, or their files were removed or are damaged.
        """
        state, key = self._state, selection_key(self._state, chosen)
        artifact, node = open_output(state, key), state.graph.nodes[key]
        count = node.settings.get("pool")
        inputs = replace(node.inputs, scores={}, real={})
        if with_fields:
            inputs = replace(inputs, scores=self._scores(inputs.samples), real=self._real(inputs.samples))
        opened = inputs.map(lambda one: open_output(state, one))
        pool, shards = build_pool(opened, count)
        by_name = opened.samples_by_name
        place = {name: position for position, name in enumerate(zip(shards, pool.sample_ids, strict=True))}
        content, info = artifact.content(), artifact.manifest.info
        per_class: list[list[int]] = [[] for _ in pool.class_names]
        for name in zip(content["shards"], content["ids"], strict=True):
            per_class[int(pool.labels[place[name]])].append(place[name])
        scores = info.get("scores")
        return StoredSelection(
            key=key,
            pool_key=(inputs.samples, count),
            pool=pool,
            shards=tuple(by_name[name] for name in shards),
            per_class=tuple(map(tuple, per_class)),
            scores=None if scores is None else tuple(map(tuple, scores)),
            info=info.get("info") or {},
        )

    def _scores(self, samples: Shards[str]) -> dict[str, Shards[str]]:
        """Return the scores of a pool by each role that scored all of it, for this row or for another."""
        return {
            role: tuple(shard.map(scored.__getitem__) for shard in samples)
            for role, scored in self._scored.items()
            if all(shard.output in scored for shard in samples)
        }

    def _real(self, samples: Shards[str]) -> dict[str, Shards[str]]:
        """Return the scores of the real training images by each role that scored those of all classes."""
        spans = sorted({shard.first_class for shard in samples})
        return {
            role: tuple(Shard(first, 0, scored[first]) for first in spans)
            for role, scored in self._scored.items()
            if all(first in scored for first in spans)
        }

    @cached_property
    def _scored(self) -> dict[str, dict[str | int, str]]:
        """By role, the stored scores of a shard by its key, and those of training images by their first class."""
        roles = {id(scorer.component): role for role, scorer in self._suite.scorers.items()}
        found: dict[str, dict[str | int, str]] = {}
        for key, node in self._state.graph.nodes.items():
            if node.stage == "score" and "split" not in node.settings and self._state.has_payload(key):
                role = roles[id(node.uses["scorer"].component)]
                place = node.settings["classes"][0] if node.inputs.shard is None else node.inputs.shard
                found.setdefault(role, {})[place] = key
        return found
