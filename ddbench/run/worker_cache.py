"""What a worker keeps between jobs: data sets, loaded components, opened artifacts."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

from ddbench.api import Component, Context, Dataset, EvaluationSettings, TrainingData, canonical_json
from ddbench.errors import DataError
from ddbench.plan import STAGES, ComponentRef, Inputs
from ddbench.registry import catalogue
from ddbench.run.job import Job
from ddbench.store import Artifact, Store
from ddbench.toolkit.environment import environment, fingerprint

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

    def inputs(self, job: Job) -> Inputs[Artifact]:
        """Open the inputs of the job. Raise CorruptError if one is missing."""
        return job.inputs.map(self._artifact)

    def _artifact(self, key: str) -> Artifact:
        """Open an artifact, or return it as it is kept: each of its files is checked once."""
        return self.lru.get(("artifact", key), lambda: self.store.artifact(key))

    def component(self, job: Job, part: str, context: Context) -> Component:
        """Return a component of the job, loaded with what was fitted for it."""
        address, fitted = job.uses[part], job.inputs.fitted.get(part)

        def make() -> Component:
            component = self.bare(job, part)
            folder = self._artifact(fitted).files() if fitted else None
            component.load(folder, self.training(job), context)
            return component

        return self.lru.get(("component", canonical_json(address), fitted), make)

    def bare(self, job: Job, part: str) -> Component:
        """Return a component of the job as configured, not loaded.

        Raises DataError if it is no longer what was planned: a folder's images have changed, a plug-in was upgraded.
        """
        component = _build(job.uses[part])
        if canonical_json(ComponentRef(component).keyed) != canonical_json(job.recipe["uses"][part]):
            raise DataError(f"{component.label()} has changed since the run was planned", hint="run it again")
        return component

    @contextmanager
    def context(self, job: Job, progress: Callable[[int, int], None]) -> Iterator[Context]:
        """The surroundings of one job, with a scratch folder of its own."""
        with self.store.scratch() as scratch:
            mark = fingerprint(environment(self.device, job.threads))
            kept = self.store.checkpoint_file(job.action_key, mark) if STAGES[job.stage].resumable else None
            ctx = Context(
                seed=job.settings.get("seed", 0),
                device=self.device,
                threads=job.threads,
                checkpoint_file=kept,
                cache=self.store.cache,
                scratch=scratch,
                progress=progress,
            )
            if "evaluation" in job.settings:
                ctx = replace(ctx, evaluation=EvaluationSettings.model_validate(job.settings["evaluation"]))
            yield ctx


def _build(address: Mapping[str, Any]) -> Component:
    return catalogue().create(address["kind"], address["name"], address["params"])


def new_worker_cache(root: Path, device: str) -> WorkerCache:
    """The workshop of a worker that has just started."""
    return WorkerCache(Store(root), device, LruCache())
