"""Small objects for checking components: a data set, a pool, a prior, a teacher, a student and a protocol."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from ddbench.api import ClassInfo, Context, Dataset, LabeledImages, Pool, Scorer, Student, TrainingData, component

if TYPE_CHECKING:
    from torch import Tensor, nn

    from ddbench.protocol.protocol import Protocol

SIZE: Final = 32
TRAIN, VALIDATION = 12, 6
FEATURES: Final = 8


@component("dataset", "specimen", version=1)
class Specimen(Dataset):
    """Three classes of tinted noise at 32 px: 12 training and 6 validation images each."""

    classes = (ClassInfo("red"), ClassInfo("green"), ClassInfo("blue"))
    image_size = SIZE
    mean = (0.5, 0.5, 0.5)
    std = (0.25, 0.25, 0.25)
    train_counts = (TRAIN,) * 3

    def train(self) -> LabeledImages:
        """Return 36 images; neighbours have different classes."""
        return self._split("train", TRAIN)

    def validation(self) -> LabeledImages:
        """Return 18 images; neighbours have different classes."""
        return self._split("validation", VALIDATION)

    def _split(self, name: str, per_class: int) -> LabeledImages:
        import torch

        count = per_class * len(self.classes)
        labels = torch.arange(count) % len(self.classes)
        images = torch.randint(0, 200, (count, 3, SIZE, SIZE), generator=Context().torch_rng(name))
        images[torch.arange(count), labels] += 50
        return LabeledImages(images.to(torch.uint8), labels, tuple(f"{name}-{i:02d}" for i in range(count)))


def specimen_pool(
    needs: Iterable[str] = (),
    per_class: int = 20,
    classes: int = 3,
    *,
    needs_class: Iterable[str] = (),
    needs_real: Iterable[str] = (),
) -> Pool:
    """Return a pool of noise. Neighbours have different classes, and samples do not depend on ``per_class``.

    Args:
        needs: fields, as ``ROLE.name``; ``logits`` are ``[N, classes]``, all others ``[N, 8]``.
        per_class: samples per class.
        classes: number of classes.
        needs_class: class fields; a ``column`` is ``[C]``, counted from 0, all others are ``[C, 8]``.
        needs_real: fields of ``real``, which has 10 samples per class; without them ``real`` is None.
    """
    import torch

    count, ctx = per_class * classes, Context()

    def rows(name: str, *shape: int, count: int = count) -> Tensor:
        return torch.stack([torch.rand(shape, generator=ctx.torch_rng(name, i)) for i in range(count)])

    def fields(names: Iterable[str], prefix: str, count: int) -> dict[str, Tensor]:
        width = {name: classes if name.endswith(".logits") else FEATURES for name in names}
        return {name: rows(f"{prefix}{name}", w, count=count) for name, w in width.items()}

    real, needs_real = None, tuple(needs_real)
    if needs_real:
        real = Pool.from_arrays(
            labels=[i % classes for i in range(10 * classes)],
            class_names=[f"class {c}" for c in range(classes)],
            fields=fields(needs_real, "real.", 10 * classes),
        )
    return Pool.from_arrays(
        labels=[i % classes for i in range(count)],
        class_names=[f"class {c}" for c in range(classes)],
        # Not in pool order, to detect selectors that sort by id.
        sample_ids=[f"{i * 7919 % 10007:05d}" for i in range(count)],
        fields=fields(needs, "", count),
        class_fields={
            name: torch.arange(classes) if name.endswith(".column") else rows(name, FEATURES, count=classes)
            for name in needs_class
        },
        real=real,
        images=(rows("images", 3, SIZE, SIZE) * 256).to(torch.uint8),
    )


class SpecimenPrior:
    """A prior whose latents are images in [0, 1] and whose predicted noise is 0."""

    timesteps = 10

    def decode(self, latents: Tensor) -> Tensor:
        """Return latents, clamped to [0, 1]."""
        return latents.clamp(0, 1)

    def loss(self, latents: Tensor, t: Tensor, noise: Tensor, class_index: Tensor) -> Tensor:
        """Return the mean square of latents plus noise, ``[n]``."""
        return (latents + noise).square().flatten(1).mean(1)


@component("scorer", "specimen", version=1)
class SpecimenTeacher(Scorer):
    """A teacher that recognises the classes of the specimen data set by their tint."""

    provides = ("logits",)
    provides_per_class = ("column",)
    teaches = True

    def score_block(self, images: Tensor, ctx: Context) -> dict[str, Tensor]:
        """Return ``logits [n, 3]``, the amounts of red, green and blue."""
        return {"logits": self.class_logits(images.float() / 255)}

    def class_fields(self, data: TrainingData, ctx: Context) -> dict[str, Tensor]:
        """Return the column of each class."""
        import torch

        return {"column": torch.arange(len(data.classes))}

    def class_logits(self, images: Tensor) -> Tensor:
        """Return ten times the mean colour."""
        return 10 * images.mean(dim=(2, 3))


@component("student", "specimen", version=1)
class SpecimenStudent(Student):
    """One linear layer on the pixels."""

    def build(self, num_classes: int, image_size: int, channels: int = 3) -> nn.Module:
        """Return a network for any image size."""
        from torch import nn

        return nn.Sequential(nn.Flatten(), nn.Linear(channels * image_size**2, num_classes))


def specimen_protocol() -> Protocol:
    """Return a protocol of two epochs and one evaluation."""
    from ddbench.protocol.protocol import Protocol

    return Protocol.model_validate(
        {
            "id": "specimen@1",
            "max_input_size": SIZE,
            "batch_size": 4,
            "epochs_by_ipc": {"beyond": 2},
            "evaluations": 1,
            "optimizer": {"lr": 0.01, "momentum": 0.9, "weight_decay": 0.0},
            "schedule": {"milestones": ["1/2"], "gamma": 0.2},
            "augmentation": {"flip": 0.5},
        }
    )
