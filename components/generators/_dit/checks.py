"""Checks that a pipeline, its parameters and a data set fit each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ddbench import ClassInfo, ComponentError, Dataset, TrainingData

from ..._class_names import agreed_names, class_places
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
    """The checks of one generator's pipeline. Each raises an error for a mismatch.

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

    def labels(self, data: Dataset | TrainingData) -> tuple[list[int], int]:
        """Return the transformer's label of each class of the data set, and the number of labels that it must know.

        Raises:
            ComponentError: a class has no index in ImageNet-1k.
            DataError: a class has no label, or there are no names and the order of the classes is in doubt.
        """
        if self.params.classes == "imagenet":
            return self._imagenet_labels(data.classes), IMAGENET_CLASSES
        names, where = self._names()
        if names is None and where is None:  # the pipeline is not on this machine yet
            return list(range(len(data.classes))), len(data.classes)
        places = class_places(names, data, where or self.label, "labels")
        return places, len(places if names is None else names)

    def _imagenet_labels(self, classes: Sequence[ClassInfo]) -> list[int]:
        labels = []
        for c in classes:
            if c.imagenet_index is None:
                raise ComponentError(
                    f"{self.label}: class '{c.name}' has no index in ImageNet-1k, which `classes: imagenet` needs",
                    hint="give a transformer of the data set's own classes, with `classes: dataset`",
                )
            labels.append(c.imagenet_index)
        return labels

    def _names(self) -> tuple[Sequence[str] | None, str | None]:
        """Return the names of the labels if there are any, and the file or folder of the transformer if it is here."""
        listed = None if isinstance(self.params.classes, str) else self.params.classes
        found = self.transformer.look()
        if not isinstance(found, Path):
            return listed, None
        index = found.parent / PIPELINE_INDEX
        if self.params.transformer is not None or not index.is_file():
            return listed, str(found)
        return agreed_names(class_names(index) or None, listed, str(index)), str(index)

    def check_count(self, known: int, expected: int) -> None:
        """Check that the transformer knows the expected number of labels."""
        if known != expected:
            whose = f"{expected} of ImageNet-1k" if self.params.classes == "imagenet" else f"{expected} of the data set"
            raise ComponentError(
                f"{self.label}: the transformer knows {known} classes, not the {whose}",
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


def _place(part: Part) -> str | None:
    """Return the folder of a part as text, if the part is on this machine."""
    found = part.look()
    return str(found) if isinstance(found, Path) else None
