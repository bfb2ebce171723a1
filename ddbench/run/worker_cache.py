"""What a worker keeps between jobs: data sets, loaded components, opened artifacts."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

from ddbench.api import Component, Context, Dataset, TrainingData, canonical_json
from ddbench.errors import DataError
from ddbench.plan import ComponentRef
from ddbench.registry import catalogue
from ddbench.run.environment import environment, fingerprint
from ddbench.run.job import Job
from ddbench.store import Artifact, Store

if TYPE_CHECKING:
    from collections.abc import Mapping

V = TypeVar("V")
_KEPT = 16


class LruCache:
    """The last few things that were expensive to make."""

    def __init__(self) -> None:
        self._things: OrderedDict[Hashable, Any] = OrderedDict()

    def get(self, key: Hashable, make: Callable[[], V]) -> V:
        """The thing under ``key``, made if it is not there."""
        if key not in self._things:
            self._things[key] = make()
            if len(self._things) > _KEPT:
                self._things.popitem(last=False)
        self._things.move_to_end(key)
        return cast("V", self._things[key])

    def clear(self) -> None:
        """Forget everything."""
        self._things.clear()


@dataclass
class WorkerCache:
    """Serves the stages of one worker."""

    store: Store
    device: str
    lru: LruCache

    def dataset(self, job: Job) -> Dataset:
        """The job's data set."""
        key = ("dataset", canonical_json(job.uses["dataset"]))
        return self.lru.get(key, lambda: cast("Dataset", self.bare(job, "dataset")))

    def training(self, job: Job) -> TrainingData:
        """The job's data set without its validation images."""
        dataset = self.dataset(job)
        return self.lru.get(("training", id(dataset)), dataset.training)

    def artifact(self, job: Job, role: str) -> Artifact:
        """An input of the job; kept, so that its files are checked once."""
        key = job.inputs[role]
        return self.lru.get(("artifact", key), lambda: self.store.artifact(key))

    def component(self, job: Job, role: str, context: Context) -> Component:
        """A component of the job, loaded with what was fitted for it."""
        address, fitted = job.uses[role], job.inputs.get(f"fitted/{role}")

        def make() -> Component:
            component = self.bare(job, role)
            folder = self.artifact(job, f"fitted/{role}").files() if fitted else None
            component.load(folder, self.training(job), context)
            return component

        return self.lru.get(("component", canonical_json(address), fitted), make)

    def bare(self, job: Job, role: str) -> Component:
        """A component of the job as configured, not loaded.

        Raises DataError if it is no longer what was planned: a folder's images have changed, a plug-in was upgraded.
        """
        component = _build(job.uses[role])
        if canonical_json(ComponentRef(component).keyed) != canonical_json(job.recipe["uses"][role]):
            raise DataError(f"{component.label()} has changed since the run was planned", hint="run it again")
        return component

    @contextmanager
    def context(self, job: Job, progress: Callable[[int, int], None]) -> Iterator[Context]:
        """The surroundings of one job, with a scratch folder of its own."""
        with self.store.scratch() as scratch:
            mark = fingerprint(environment(self.device, job.threads))
            kept = self.store.checkpoint_file(job.action_key, mark) if job.stage in ("evaluate", "fit") else None
            yield Context(
                seed=job.settings.get("seed", 0),
                device=self.device,
                threads=job.threads,
                numerics=job.settings.get("numerics", "reference"),
                cadence=job.settings.get("cadence", "last"),
                checkpoint_file=kept,
                cache=self.store.cache,
                scratch=scratch,
                progress=progress,
            )


def _build(address: Mapping[str, Any]) -> Component:
    return catalogue().create(address["kind"], address["name"], address["params"])


def new_worker_cache(root: Path, device: str) -> WorkerCache:
    """The workshop of a worker that has just started."""
    return WorkerCache(Store(root), device, LruCache())
