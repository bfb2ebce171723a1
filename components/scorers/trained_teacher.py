"""A scorer trained here: any student, taught on the real training images."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, cast

from pydantic import Field

import ddbench
from ddbench import ComponentError, Context, Dataset, NetworkCost, Scorer, Student, TrainingData, catalogue, component
from ddbench.cost import COLOURS, FLOAT, Cost, Fit, Score, Work
from ddbench.toolkit import enough_memory

if TYPE_CHECKING:
    from torch import Tensor, nn

    from ddbench.protocol import Protocol
    from ddbench.toolkit import KeptPart
    from ddbench.train import Trained

WEIGHTS, MEANS, ABOUT = "weights.safetensors", "means.safetensors", "teacher.json"


def images_per_class(images: int, classes: int) -> int:
    """Return the IPC of a whole data set, for its protocol: the mean number of images per class, rounded down.

    The classes of a data set may differ in size.
    """
    return images // classes


@component("scorer", "trained-teacher", version=3)
class TrainedTeacher(Scorer):
    """A student trained on the real training images: its logits, and the embedding before its last layer.

    Its class field ``mean`` holds the mean embedding of each class's training images. The student's network must have
    ``embed`` and ``head``, as the built-in ones do. Each data set has one teacher, trained with the parameter ``seed``.
    It does not depend on the seeds of a suite.
    """

    class Params(ddbench.Params):
        student: str = Field("convnet3", description="the student that is trained")
        norm: Literal["instance", "batch"] | None = Field(
            None, description="the student's parameter `norm`; by default the student's own"
        )
        variant: Literal["cifar", "small", "mid", "large"] | None = Field(
            None, description="the student's parameter `variant`; by default the student's own"
        )
        protocol: str = Field("teacher@1", description="the protocol of the training")
        seed: int = Field(0, description="seed of the training")

        def keyed(self) -> dict[str, Any]:
            """Return the parameters without an absent ``variant``, which is younger than stored teachers."""
            absent = ("variant", None)
            return {name: value for name, value in super().keyed().items() if (name, value) != absent}

    params: Params
    provides = ("logits", "embedding")
    provides_per_class = ("column", "mean")
    teaches = True
    hashed_modules: ClassVar[tuple[str, ...]] = (
        *("ddbench.train", "ddbench.protocol"),
        *("ddbench.toolkit.checkpoint", "ddbench.toolkit.kept_parts"),
    )

    _model: Any
    _size: int
    _mean: Tensor
    _std: Tensor
    _class_means: Tensor

    def fingerprint(self) -> Any:
        """Return the current version and parameters of the student, and the current protocol."""
        student = self._student()
        return {
            "student": [student.info.version, student.params.keyed()],
            "protocol": self._protocol().model_dump(mode="json"),
        }

    def cost(self, work: Work) -> Cost | None:
        """Return the cost of one pass through the student, or of the fit."""
        if not isinstance(work, Score | Fit):
            return None
        dataset = work.dataset
        network = self._student().network_cost(len(dataset.classes), self._protocol().input_size(dataset.image_size))
        if network is None:
            return None
        if isinstance(work, Score):
            stored = FLOAT * (len(dataset.classes) + network.embedding)
            return replace(network.forward(1, self.block), disk_bytes=stored)
        return self._fit_cost(network, dataset)

    def _fit_cost(self, network: NetworkCost, dataset: Dataset) -> Cost | None:
        """Return the cost of the training, and of a forward pass of all training images for their means."""
        counts, classes = dataset.train_counts, len(dataset.classes)
        if counts is None:
            return None
        images, ipc = sum(counts), images_per_class(sum(counts), classes)
        protocol = self._protocol().for_classes(classes, ipc)
        training = network.training(images, protocol.epochs(ipc, classes), protocol.batch_size)
        held = (training.memory_bytes or 0) + COLOURS * protocol.input_size(dataset.image_size) ** 2 * images
        stored = FLOAT * (network.parameters + classes * network.embedding)
        return replace(training + network.forward(images, self.block), memory_bytes=held, disk_bytes=stored)

    def fit(self, data: TrainingData, out_dir: Path, ctx: Context) -> None:
        """Train the teacher; write its weights as safetensors, and a description as JSON.

        A stopped training resumes from ``ctx.checkpoint_file`` and ends with the same bits.
        """
        import torch
        from safetensors.torch import save_file

        from ddbench.toolkit import Checkpoint, KeptParts

        num_classes = len(data.classes)
        ipc = images_per_class(len(data.train), num_classes)
        protocol = self._protocol().for_classes(num_classes, ipc)
        epochs = protocol.epochs(ipc, num_classes)
        size = protocol.input_size(data.image_size)
        trained = self._trained(data, protocol, epochs, size, ctx)
        save_file(
            {name: value.cpu().contiguous() for name, value in trained.model.state_dict().items()}, out_dir / WEIGHTS
        )
        self._ready(trained.model, size, data, ctx)
        kept = KeptParts(ctx, Checkpoint.seconds)
        means = [
            kept.get(f"mean-{c}", partial(self._mean_embedding, data, c, ctx)).tensors["mean"]
            for c in range(num_classes)
        ]
        save_file({"mean": torch.stack(means)}, out_dir / MEANS)
        about = {
            **self.params.keyed(),
            "dataset": data.name,
            "num_classes": num_classes,
            "input_size": size,
            "epochs": epochs,
            "train_loss": trained.loss,
        }
        (out_dir / ABOUT).write_text(json.dumps(about, indent=2) + "\n")

    def _mean_embedding(self, data: TrainingData, class_index: int, ctx: Context) -> KeptPart:
        """Return the mean embedding of a class's training images."""
        from ddbench.toolkit import KeptPart

        embeddings = self.score(data.train.images[data.train.labels == class_index], ctx)["embedding"]
        return KeptPart({"mean": embeddings.mean(0)})

    def _trained(self, data: TrainingData, protocol: Protocol, epochs: int, size: int, ctx: Context) -> Trained:
        from ddbench.toolkit import Checkpoint
        from ddbench.train import ResidentImages, train

        seeded = ctx.with_seed(self.params.seed)
        checkpoint = Checkpoint.of(ctx)
        with enough_memory(f"training {self.label()}"):
            images = ResidentImages.put(
                data.train.images, data.train.labels, size=size, mean=data.mean, std=data.std, device=ctx.device
            )
            return train(
                lambda: self._build(len(data.classes), size), images, protocol, epochs, seeded, checkpoint=checkpoint
            )

    def load(self, fitted: Path | None, data: TrainingData, ctx: Context) -> None:
        """Build the student and load the weights that ``fit`` wrote."""
        import torch
        from safetensors.torch import load_file

        if fitted is None:
            raise ComponentError(
                f"{self.label()} has not been fitted", hint="call fit() and load() it from that folder"
            )
        about = json.loads((fitted / ABOUT).read_text())
        with torch.random.fork_rng(devices=[]):  # the weights drawn here are overwritten
            model = self._build(about["num_classes"], about["input_size"])
        model.load_state_dict(load_file(fitted / WEIGHTS))
        self._class_means = load_file(fitted / MEANS)["mean"]
        self._ready(model, about["input_size"], data, ctx)

    def _ready(self, model: nn.Module, size: int, data: TrainingData, ctx: Context) -> None:
        """Move a trained network to the device, in evaluation mode and frozen."""
        import torch

        self._model = model.to(ctx.device).eval().requires_grad_(False)
        self._size = size
        self._mean, self._std = (torch.tensor(values, device=ctx.device) for values in (data.mean, data.std))

    def score_block(self, images: Tensor, ctx: Context) -> dict[str, Tensor]:
        """Return ``logits [n, C]`` and ``embedding [n, D]``, always computed in float32."""
        import torch

        from ddbench.train import normalize, resize, unit

        pixels = resize(images, self._size)
        with enough_memory(f"scoring {len(images)} images at once by {self.label()}"), torch.no_grad():
            pixels = pixels.to(self._mean.device)
            embedding = self._model.embed(normalize(unit(pixels), self._mean, self._std))
            return {"logits": self._model.head(embedding), "embedding": embedding}

    def class_fields(self, data: TrainingData, ctx: Context) -> dict[str, Tensor]:
        """Return ``column [C]``, since outputs are the data set's classes in order, and ``mean [C, D]``."""
        import torch

        return {"column": torch.arange(len(data.classes)), "mean": self._class_means}

    def class_logits(self, images: Tensor) -> Tensor:
        """Return logits ``[n, C]`` of float images in [0, 1]; resize bilinearly with antialiasing if necessary."""
        from torch.nn import functional as F

        from ddbench.train import normalize

        if images.shape[-1] != self._size:
            images = F.interpolate(images, size=(self._size, self._size), mode="bilinear", antialias=True)
        logits: Tensor = self._model(normalize(images, self._mean, self._std))
        return logits

    def _student(self) -> Student:
        given = {"norm": self.params.norm, "variant": self.params.variant}
        params = {name: value for name, value in given.items() if value is not None}
        return cast("Student", ddbench.create("student", self.params.student, **params))

    def _protocol(self) -> Protocol:
        return catalogue().protocol(self.params.protocol)

    def _build(self, num_classes: int, size: int) -> nn.Module:
        model = self._student().build(num_classes, size)
        if not (hasattr(model, "embed") and hasattr(model, "head")):
            raise ComponentError(
                f"{self.label()} cannot use student '{self.params.student}': its network has no 'embed' and 'head'",
                hint="use a built-in student, or write forward as head(embed(images))",
            )
        return model
