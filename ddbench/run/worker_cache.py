"""The cache of a worker between jobs: data sets, loaded components and opened artifacts."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

from ddbench.api import (
    Component,
    Context,
    Dataset,
    EvaluationSettings,
    LabeledImages,
    TrainingData,
    canonical_json,
)
from ddbench.errors import DataError
from ddbench.plan import STAGES, ComponentRef, Inputs
from ddbench.registry import catalogue
from ddbench.run.job import Job
from ddbench.store import Artifact, Store
from ddbench.store.code import kept_code
from ddbench.toolkit.environment import environment, fingerprint

if TYPE_CHECKING:
    from collections.abc import Mapping

V = TypeVar("V")
_KEPT = 16


class LruCache:
    """A cache of the most recently used values."""

    def __init__(self) -> None:
        self._values: OrderedDict[Hashable, Any] = OrderedDict()

    def get(self, key: Hashable, make: Callable[[], V]) -> V:
        """Return the value of ``key``. Make it if it is not in the cache."""
        if key not in self._values:
            self._values[key] = make()
            if len(self._values) > _KEPT:
                self._values.popitem(last=False)
        self._values.move_to_end(key)
        return cast("V", self._values[key])

    def clear(self) -> None:
        """Remove all values."""
        self._values.clear()


@dataclass
class WorkerCache:
    """The objects that the stages of one worker share.

    Attributes:
        store: the store.
        device: the device to compute on.
        lru: the cached objects.
    """

    store: Store
    device: str
    lru: LruCache

    def dataset(self, job: Job) -> Dataset:
        """Return the job's data set."""
        key = ("dataset", canonical_json(job.uses["dataset"]))
        return self.lru.get(key, lambda: cast("Dataset", self.bare(job, "dataset")))

    def training(self, job: Job) -> TrainingData:
        """Return the job's data set without its validation images."""
        dataset = self.dataset(job)
        return self.lru.get(("training", id(dataset)), dataset.training)

    def validation(self, job: Job) -> LabeledImages:
        """Return the validation images of the job's data set."""
        dataset = self.dataset(job)
        return self.lru.get(("validation", id(dataset)), dataset.validation)

    def inputs(self, job: Job) -> Inputs[Artifact]:
        """Open the inputs of the job. Raise CorruptError if one is missing."""
        return job.inputs.map(self._artifact)

    def _artifact(self, key: str) -> Artifact:
        """Open an artifact, or return the cached one, whose files were checked already."""
        return self.lru.get(("artifact", key), lambda: self.store.artifact(key))

    def component(self, job: Job, part: str, context: Context) -> Component:
        """Return a component of the job after ``load``, with its fit."""
        address, fitted = job.uses[part], job.inputs.fitted.get(part)

        def make() -> Component:
            component = self.bare(job, part)
            with self._artifact(fitted).files() if fitted else nullcontext() as folder:
                component.load(folder, self.training(job), context)
            return component

        return self.lru.get(("component", canonical_json(address), fitted), make)

    def bare(self, job: Job, part: str) -> Component:
        """Return a component of the job with its parameters, without ``load``.

        Raises:
            DataError: the component has changed since planning; a plug-in was upgraded, or the images of a folder
                changed.
        """
        component = self._build(job.uses[part])
        if canonical_json(ComponentRef(component).keyed) != canonical_json(job.recipe["uses"][part]):
            raise DataError(f"{component.label()} has changed since the run was planned", hint="run it again")
        return component

    def _build(self, address: Mapping[str, Any]) -> Component:
        file = address.get("file")
        known = catalogue() if file is None else catalogue().with_files([kept_code(self.store, file)])
        return known.create(address["kind"], address["name"], address["params"])

    @contextmanager
    def context(self, job: Job, progress: Callable[[int, int], None], began: float) -> Iterator[Context]:
        """Make the context of one job that the worker received at ``began``, with its own scratch folder."""
        with self.store.scratch() as scratch:
            # A released component may have other code under the same key.
            codes = {part: origin["code_hash"] for part, origin in job.provenance.items()}
            mark = fingerprint({**environment(self.device, job.threads), "codes": codes})
            kept = self.store.checkpoint_file(job.action_key, mark) if STAGES[job.stage].resumable else None
            ctx = Context(
                seed=job.settings.get("seed", 0),
                device=self.device,
                threads=job.threads,
                checkpoint_file=kept,
                cache=self.store.cache,
                scratch=scratch,
                progress=progress,
                began=began,
            )
            if "evaluation" in job.settings:
                ctx = replace(ctx, evaluation=EvaluationSettings.model_validate(job.settings["evaluation"]))
            yield ctx


def new_worker_cache(root: Path, device: str) -> WorkerCache:
    """Return the empty cache of a new worker."""
    return WorkerCache(Store(root), device, LruCache())
