"""Any pretrained classifier of timm."""

from __future__ import annotations

from collections.abc import Sequence
from math import floor
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

from pydantic import Field, model_validator

from ddbench import ClassInfo, ComponentError, Context, TrainingData, component
from ddbench.api.cost import Cost, Score, Work

from .._weights import Published, given_weights, published_weights
from ._pretrained_scorer import PretrainedScorer, lacking, unknown_place
from ._pretrained_specs import TIMM, timm_weights

if TYPE_CHECKING:
    from torch import Tensor

IMAGENET_CLASSES: Final = 1000
Positive = Annotated[float, Field(gt=0)]


@component("scorer", "timm", version=1)
class Timm(PretrainedScorer):
    """A classifier of timm, pretrained or from a file: its logits, and the embedding before its last layer.

    Images are prepared by the model's own evaluation transform: Pillow resizes the shorter side to
    ``input_size / crop_pct`` with the model's filter (smaller images are enlarged), the centre is cropped, and pixels
    are normalised. ``class_logits`` does the same to float images, which are taken to be square, with torch's
    antialiased filter, and always in float32: its gradients would vanish in float16.

    The weights are those of the file ``weights``, known by its content; else those that the tag in ``model`` names,
    known by that name: ``model.safetensors`` or ``pytorch_model.bin`` in ``weights/<repository>`` in the data folder,
    else in the Hugging Face cache. Only `ddbench fetch` downloads them.
    """

    class Params(PretrainedScorer.Params):
        model: str = Field(
            pattern=r"^\w+(\.[\w.-]+)?$",
            description="timm's name with the tag of its weights: resnet50.tv_in1k; optional beside `weights`",
        )
        classes: Literal["imagenet", "dataset"] = Field(
            "imagenet", description="what the outputs are: the 1000 of ImageNet-1k, or the data set's classes in order"
        )
        input_size: int | None = Field(None, ge=1, description="in pixels; by default the model's own")
        crop_pct: float | None = Field(
            None, gt=0, le=1, description="the input's share of the resized image; by default the model's own"
        )
        mean: tuple[float, float, float] | None = Field(
            None, description="subtracted from pixels in [0, 1]; by default the model's own"
        )
        std: tuple[Positive, Positive, Positive] | None = Field(
            None, description="divides what is left; by default the model's own"
        )

        @model_validator(mode="after")
        def _weights_are_named(self) -> Timm.Params:
            if self.weights is None and "." not in self.model:
                raise ValueError(
                    f"model '{self.model}' names no weights; add their tag, as in 'resnet50.tv_in1k', or give 'weights'"
                )
            return self

    @classmethod
    def example(cls, data: TrainingData, scratch: Path) -> dict[str, Any]:
        """timm's smallest convolutional network, with random weights in ``scratch``."""
        import timm
        import torch
        from safetensors.torch import save_file

        from ._pretrained import unseeded

        path = scratch / "test_efficientnet.safetensors"
        with unseeded():
            torch.manual_seed(0)
            model = timm.create_model("test_efficientnet", num_classes=len(data.classes))
        save_file(model.state_dict(), path)
        return {"model": "test_efficientnet", "weights": path, "classes": "dataset", "block": 8}

    params: Params
    provides = ("logits", "embedding")
    provides_per_class = ("column",)
    teaches = True

    _model: Any
    _input: dict[str, Any]
    _transform: Any
    _columns: Tensor

    def missing(self) -> str | None:
        """Whether the weights are where timm's own are; of others only timm knows where, and it is not asked here."""
        name = self.params.model
        gap = None if self.params.weights else lacking(timm_weights(name), self.label())
        return unknown_place(name, self.label()) if gap and name not in TIMM else gap

    def published(self) -> Published:
        """Where the model's weights are."""
        name = self.params.model
        if name in TIMM:
            return timm_weights(name)
        from ._timm_classifier import known, published

        return published(name, known(name, self.label()), self.label())

    def cost(self, work: Work) -> Cost | None:
        """Return the cost of an image for the models that the literature uses, at their own input size."""
        network = TIMM.get(self.params.model)
        if not isinstance(work, Score) or network is None or self.params.input_size not in (None, network.input_size):
            return None
        outputs = len(work.dataset.classes) if self.params.classes == "dataset" else IMAGENET_CLASSES
        return network.cost(outputs + network.embedding, half=self.params.precision == "mixed")

    def check_classes(self, classes: Sequence[ClassInfo]) -> None:
        """With the outputs of ImageNet-1k, each class must have its place there."""
        if self.params.classes == "dataset":
            return
        for c in classes:
            if c.imagenet_index not in range(IMAGENET_CLASSES):
                raise ComponentError(
                    f"{self.label()}: class '{c.name}' has no index in ImageNet-1k, whose classes the model scores",
                    hint="give a model of the data set's own classes, with `classes: dataset`",
                )

    def load(self, fitted: Path | None, data: TrainingData, ctx: Context) -> None:
        """Build the model with its weights. Raises ComponentError if they are missing, damaged or another model's."""
        import timm

        from .._memory import enough_memory
        from ._pretrained import frozen
        from ._timm_classifier import build, known, published

        self.check_classes(data.classes)
        name, path = self.params.model, self.params.weights
        config = known(name, self.label())
        file = given_weights(path) if path else published_weights(published(name, config, self.label()), self.label())
        outputs = len(data.classes) if self.params.classes == "dataset" else IMAGENET_CLASSES
        with enough_memory(f"the network of {self.label()}"):
            self._model = frozen(build(name, file, outputs, self._settings()), ctx.device)
        self._input = timm.data.resolve_model_data_config(self._model)
        self._transform = timm.data.create_transform(**self._input)
        self._columns = self.class_fields(data, ctx)["column"].to(ctx.device)

    def score_block(self, images: Tensor, ctx: Context) -> dict[str, Tensor]:
        """``logits [n, L]`` of all L outputs and ``embedding [n, D]``."""
        from .._memory import enough_memory
        from ._pretrained import network_input, scoring

        what = f"scoring {len(images)} images at once by {self.label()}"
        with enough_memory(what, "block", self.block), scoring(self.params.precision, ctx.device):
            features = self._model.forward_features(network_input(images, self._transform, ctx.device))
            logits = self._model.forward_head(features)
            embedding = self._model.forward_head(features, pre_logits=True)
        return {"logits": logits.float(), "embedding": embedding.flatten(1).float()}

    def class_fields(self, data: TrainingData, ctx: Context) -> dict[str, Tensor]:
        """Each class's index in ImageNet-1k, or in the data set."""
        import torch

        own = self.params.classes == "dataset"
        return {"column": torch.tensor([i if own else c.imagenet_index for i, c in enumerate(data.classes)])}

    def class_logits(self, images: Tensor) -> Tensor:
        """Resized, cropped and normalised in float32 as the model wants it; overshoot of the filter is clipped."""
        from torchvision.transforms.v2 import InterpolationMode
        from torchvision.transforms.v2 import functional as F

        size = self._input["input_size"][-1]
        resized = F.resize(
            images.to(self._columns.device),
            [floor(size / self._input["crop_pct"])],
            interpolation=InterpolationMode(self._input["interpolation"]),
            antialias=True,
        )
        pixels = F.center_crop(resized.clamp(0, 1), [size, size])
        logits: Tensor = self._model(F.normalize(pixels, list(self._input["mean"]), list(self._input["std"])))
        return logits[:, self._columns]

    def _settings(self) -> dict[str, Any]:
        """What the user wants otherwise than timm's configuration of the model has it."""
        size = self.params.input_size
        wanted = {
            "input_size": (3, size, size) if size else None,
            "crop_pct": self.params.crop_pct,
            "mean": self.params.mean,
            "std": self.params.std,
        }
        return {name: value for name, value in wanted.items() if value is not None}
