"""The two classifiers of the recipe: a teacher of the autoencoder and a judge of samples."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import load_file, save
from torch import Tensor

import ddbench
from ddbench import Context, Dataset, Student
from ddbench.protocol import Protocol
from ddbench.toolkit import write_whole
from ddbench.train import ResidentImages, train

# Classifiers, like the autoencoder, take images in [−1, 1].
_CENTRE = _REACH = (0.5, 0.5, 0.5)


@dataclass(frozen=True)
class Classifier:
    """A student with batch norms that is trained on all training images.

    Attributes:
        student: the student's name.
        epochs: epochs of training.
    """

    student: str
    epochs: int

    def get(self, dataset: Dataset, path: Path, ctx: Context) -> torch.nn.Module:
        """Return the frozen network from a safetensors file; train and save it first if the file does not exist."""
        student = ddbench.create("student", self.student, norm="batch")
        assert isinstance(student, Student)
        classes, size = len(dataset.classes), dataset.image_size
        if not path.exists():
            real = dataset.train()
            images = resident(real.images, real.labels, ctx)
            trained = train(lambda: student.build(classes, size), images, self._protocol(size), self.epochs, ctx)
            weights = {name: value.cpu().contiguous() for name, value in trained.model.state_dict().items()}
            write_whole(path, save(weights))
        network = student.build(classes, size)
        network.load_state_dict(load_file(path))
        network.to(memory_format=torch.channels_last)
        return network.to(ctx.device).eval().requires_grad_(False)

    def _protocol(self, size: int) -> Protocol:
        return Protocol.model_validate(
            {
                "id": "recipe@1",
                "max_input_size": size,
                "batch_size": 128,
                "epochs_by_ipc": {"beyond": self.epochs},
                "evaluations": 1,
                "optimizer": {"lr": 0.05, "momentum": 0.9, "weight_decay": 5e-4},
                "schedule": {"name": "cosine", "stretch": 1.0},
                "augmentation": {"crop": {"scale": [0.6, 1.0], "ratio": ["3/4", "4/3"]}, "flip": 0.5},
            }
        )


def resident(images: Tensor, labels: Tensor, ctx: Context) -> ResidentImages:
    """Return images as a classifier of the recipe takes them."""
    return ResidentImages.put(images, labels, size=images.shape[-1], mean=_CENTRE, std=_REACH, device=ctx.device)
