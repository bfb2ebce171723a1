"""Checks that a pipeline, its parameters and a data set fit each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path

from ddbench import ClassInfo, ComponentError

from ..._imagenet import IMAGENET_CLASSES
from .params import LatentDitParams
from .weights import PIPELINE_INDEX, Part, class_names


def check_latents(image_size: int, made: int, taken: int) -> None:
    """Raise ComponentError if the latents of a data set's images differ in size from the transformer's input."""
    if made != taken:
        raise ComponentError(
            f"images of {image_size} px have latents of {made} px, and the transformer takes latents of {taken} px",
            hint="choose a data set whose images have the size of the pipeline's",
        )


@dataclass(frozen=True)
class PipelineChecks:
    """The checks of one generator's pipeline. Each raises ComponentError for a mismatch.

    Attributes:
        label: the generator's name in messages.
        params: the generator's parameters.
        transformer: the part with the transformer.
        scheduler: the part with the scheduler.
    """

    label: str
    params: LatentDitParams
    transformer: Part
    scheduler: Part

    def labels(self, classes: Sequence[ClassInfo], dataset: str) -> list[int]:
        """Return the transformer's label of each class of the data set."""
        if self.params.classes == "dataset":
            self._check_names([c.name for c in classes], dataset)
            return list(range(len(classes)))
        labels = []
        for c in classes:
            if c.imagenet_index is None:
                raise ComponentError(
                    f"{self.label}: class '{c.name}' has no index in ImageNet-1k, which `classes: imagenet` needs",
                    hint="give a transformer of the data set's own classes, with `classes: dataset`",
                )
            labels.append(c.imagenet_index)
        return labels

    def check_count(self, known: int, classes: int) -> None:
        """Check that the transformer has one label for each class."""
        own = self.params.classes == "dataset"
        if known != (classes if own else IMAGENET_CLASSES):
            expected = f"{classes} of the data set" if own else f"{IMAGENET_CLASSES} of ImageNet-1k"
            raise ComponentError(
                f"{self.label}: the transformer knows {known} classes, not the {expected}",
                where=_place(self.transformer),
                hint="set the parameter 'classes' to the classes that it was trained on",
            )

    def check_steps(self, timesteps: int) -> None:
        """Check that the scheduler has at least as many timesteps as sampling takes steps."""
        if self.params.sampling_steps > timesteps:
            raise ComponentError(
                f"{self.label} cannot sample in {self.params.sampling_steps} steps: the scheduler has {timesteps} "
                "timesteps",
                where=_place(self.scheduler),
                hint="lower the parameter 'sampling_steps'",
            )

    def check_channels(self, made: int, taken: int, vae: Path) -> None:
        """Check that the transformer takes latents of as many channels as the VAE makes."""
        if made != taken:
            raise ComponentError(
                f"{self.label}: the VAE has latents of {made} channels, and the transformer takes {taken}",
                where=str(vae),
                hint="name the VAE that the transformer was trained with in the parameter 'vae'",
            )

    def _check_names(self, own: Sequence[str], dataset: str) -> None:
        """Check that the class names of the pipeline, if it has any, are those of the data set."""
        found = self.transformer.look()
        if self.params.transformer is not None or not isinstance(found, Path):
            return
        index = found.parent / PIPELINE_INDEX
        named = class_names(index) if index.is_file() else []
        if named not in ([], own):
            where = next(i for i, pair in enumerate(zip_longest(named, own)) if pair[0] != pair[1])
            theirs, ours = ([*names, "none"][min(where, len(names))] for names in (named, own))
            raise ComponentError(
                f"{self.label} has other classes than {dataset}: class {where} is {theirs}, not {ours}",
                where=str(index),
                hint="name a pipeline of these classes in the parameter 'model'",
            )


def _place(part: Part) -> str | None:
    """Return the folder of a part as text, if the part is on this machine."""
    found = part.look()
    return str(found) if isinstance(found, Path) else None
