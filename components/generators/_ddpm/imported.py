"""A DDPM trained elsewhere: its files, its digest, and the checks that it fits the data set."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from ddbench import ComponentError, TrainingData
from ddbench.toolkit import sha256_json

from ..._class_names import class_places
from .._files.content import content_digest
from .params import DdpmParams

if TYPE_CHECKING:
    from .prior import DdpmPrior

_FILES: Final = ("unet/config.json", "unet/diffusion_pytorch_model.safetensors", "scheduler/scheduler_config.json")


def model_digest(folder: Path) -> str:
    """Return the hex SHA-256 of a model's files. Raise ComponentError if the folder lacks one of them."""
    folder = folder.expanduser()
    for name in _FILES:
        if not (folder / name).is_file():
            raise ComponentError(
                f"generator 'ddpm' finds no {name}" if folder.is_dir() else "there is no such folder",
                where=str(folder),
                hint="give the parameter 'model' a folder written by diffusers' save_pretrained, as safetensors",
            )
    return sha256_json({name: content_digest(folder / name) for name in _FILES})


def import_model(data: TrainingData, params: DdpmParams, out_dir: Path) -> None:
    """Write ``params.model`` as a training would, with its labels in the order of the data set's classes.

    Raises:
        ComponentError: it does not fit the data set.
        DataError: a class has no label, or there are no names and the order of the classes is in doubt.
    """
    from .prior import DdpmPrior

    assert params.model is not None
    folder = params.model.expanduser()
    prior = DdpmPrior.from_folder(folder, "cpu")
    places = class_places(params.classes, data, str(folder), "labels")
    labels = len(params.classes or places)
    problem = _misfit(prior, data, params, labels)
    if problem is None and places != list(range(labels)) and not prior.has_table:
        problem = (
            "the U-Net embeds its labels without a table, so they cannot be reordered",
            "train one in this order",
        )
    if problem is not None:
        raise ComponentError(f"generator 'ddpm': {problem[0]}", where=str(folder), hint=problem[1])
    if places != list(range(labels)):
        prior.reorder(places, labels)
    prior.save(out_dir)


def _misfit(prior: DdpmPrior, data: TrainingData, params: DdpmParams, classes: int) -> tuple[str, str] | None:
    """Return how the model does not fit the data set or the other parameters, with a hint; None if it fits.

    Args:
        prior: the model.
        data: the data set.
        params: the parameters.
        classes: the number of classes that the model must know.
    """
    unet, schedule = prior.network.config, prior.scheduler.config
    if (unet.in_channels, unet.out_channels) != (3, 3):
        return f"the U-Net maps {unet.in_channels} channels to {unet.out_channels}, not 3 to 3", "train one on pixels"
    if unet.sample_size != data.image_size:
        return f"the U-Net is for images of {unet.sample_size} px, not {data.image_size} px", "train one on this size"
    if unet.class_embed_type not in (None, "timestep") or unet.num_class_embeds not in (classes, classes + 1):
        return (
            f"the U-Net knows {unet.num_class_embeds or 'no'} labels, and '{data.name}' has {classes} classes"
            if params.classes is None
            else f"the U-Net knows {unet.num_class_embeds or 'no'} labels, and 'classes' names {classes}",
            "give one with a label for each class, in their order, and at most one more for no class",
        )
    if params.guidance != 1 and unet.num_class_embeds == classes:
        return "the U-Net has no label for no class, which guidance needs", "set `guidance: 1`"
    if schedule.prediction_type not in ("epsilon", "sample"):
        return f"the scheduler has prediction type '{schedule.prediction_type}'", "known: epsilon, sample"
    if params.sampling_steps > schedule.num_train_timesteps:
        return (
            f"{params.sampling_steps} sampling steps are more than the scheduler's {schedule.num_train_timesteps}",
            "lower 'sampling_steps'",
        )
    return None
