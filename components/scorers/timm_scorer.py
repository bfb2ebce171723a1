"""Any pretrained classifier of timm."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import floor
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, cast

from pydantic import Field, model_validator

from ddbench import ClassInfo, ComponentError, Context, Dataset, TrainingData, component
from ddbench.cost import Cost, Score, Work

from .._class_names import ClassNames, class_places, given_names
from .._imagenet import IMAGENET_CLASSES
from .._weights import Published, given_weights
from ._pretrained_scorer import PretrainedScorer
from ._pretrained_specs import TIMM, timm_weights

if TYPE_CHECKING:
    from torch import Tensor

Positive = Annotated[float, Field(gt=0)]


@component("scorer", "timm", version=1)
class Timm(PretrainedScorer):
    """A classifier of timm, pretrained or from a file: its logits, and the embedding before its last layer.

    Images go through the model's own evaluation transform. Pillow resizes the shorter side to
    ``input_size / crop_pct`` with the model's filter (smaller images are enlarged). The centre is cropped, and pixels
    are normalised. ``class_logits`` does the same to square float images with torch's antialiased filter. It always
    computes in float32, since its gradients would vanish in float16.

    With ``classes: dataset``, the outputs are those that the file of weights names, in the metadata ``classes`` of
    safetensors: a JSON list. Without it, they are the data set's classes in order. Such weights are refused if this
    order is in doubt. The order is in doubt for folders of images, for Tiny ImageNet, and for labels that do not follow
    the WordNet ids. Names may be given as ``classes: [NAME, …]`` instead. They are class names, WordNet ids or
    ImageNet-1k indices.

    The weights come from the file ``weights``, which is identified by its content. Without that file, the tag in
    ``model`` names and identifies them. They are looked up as ``model.safetensors`` or ``pytorch_model.bin``, in
    ``weights/<repository>`` in the data folder, then in the Hugging Face cache. Only `ddbench fetch` downloads them.
    """

    class Params(PretrainedScorer.Params):
        model: str = Field(
            pattern=r"^\w+(\.[\w.-]+)?$",
            description="timm's name with the tag of its weights: resnet50.tv_in1k; a file needs no tag",
        )
        classes: Literal["imagenet", "dataset"] | ClassNames = Field(
            "imagenet",
            description="the outputs: the 1000 classes of ImageNet-1k, the data set's, or their names in order",
        )
        input_size: int | None = Field(None, ge=1, description="input size in pixels; by default the model's own")
        crop_pct: float | None = Field(
            None, gt=0, le=1, description="the input's share of the resized image; by default the model's own"
        )
        mean: tuple[float, float, float] | None = Field(
            None, description="mean of each channel for pixels in [0, 1]; by default the model's own"
        )
        std: tuple[Positive, Positive, Positive] | None = Field(
            None, description="standard deviation of each channel; by default the model's own"
        )

        @model_validator(mode="after")
        def _weights_are_named(self) -> Timm.Params:
            if self.weights is None and "." not in self.model:
                raise ValueError(
                    f"model '{self.model}' names no weights; add their tag, as in 'resnet50.tv_in1k', or give 'weights'"
                )
            return self

        def settings(self) -> dict[str, Any]:
            """Return the settings that replace those of timm's configuration of the model."""
            size = self.input_size
            wanted = {
                "input_size": (3, size, size) if size else None,
                "crop_pct": self.crop_pct,
                "mean": self.mean,
                "std": self.std,
            }
            return {name: value for name, value in wanted.items() if value is not None}

    @classmethod
    def example(cls, data: TrainingData, scratch: Path) -> dict[str, Any]:
        """Save random weights of timm's smallest convolutional network in ``scratch``."""
        import timm

        from ._pretrained import save_random_weights

        path = scratch / "test_efficientnet.safetensors"
        save_random_weights(lambda: timm.create_model("test_efficientnet", num_classes=len(data.classes)), path)
        return {"model": "test_efficientnet", "weights": path, "classes": "dataset", "block": 8}

    params: Params
    provides = ("logits", "embedding")
    provides_per_class = ("column",)
    teaches = True

    _input: dict[str, Any]
    _places: list[int]
    _columns: Tensor

    @property
    def weights_name(self) -> str:
        """Return the model with its tag."""
        return self.params.model

    @property
    def known_place(self) -> Published | None:
        """Return the place of the literature's models; None for others."""
        return self.likely_place if self.params.model in TIMM else None

    @property
    def likely_place(self) -> Published:
        """Return timm's own repository of that name."""
        return timm_weights(self.params.model)

    def look_up_place(self) -> Published:
        """Ask timm for the place of the model's weights."""
        from ._timm_classifier import model_config, published

        return published(self.params.model, model_config(self.params.model, self.label()), self.label())

    def cost(self, work: Work) -> Cost | None:
        """Return the cost of an image for the models of the literature, at their own input size."""
        network = TIMM.get(self.params.model)
        if not isinstance(work, Score) or network is None or self.params.input_size not in (None, network.input_size):
            return None
        outputs = self._outputs(self._listed, len(work.dataset.classes))
        return network.cost(outputs + network.embedding, half=self.params.precision == "mixed")

    @property
    def _listed(self) -> Sequence[str] | None:
        """Return the names of the outputs in the parameter ``classes``, or None."""
        return None if isinstance(self.params.classes, str) else self.params.classes

    def _outputs(self, names: Sequence[str] | None, classes: int) -> int:
        """Return the number of outputs.

        Args:
            names: the names of the outputs, if they have any.
            classes: the number of the data set's classes.
        """
        return IMAGENET_CLASSES if self.params.classes == "imagenet" else classes if names is None else len(names)

    def fingerprint(self) -> Any:
        """Return the digest of the file ``weights``, if it is given, and the names of its outputs, if it has them."""
        known, path = super().fingerprint(), self.params.weights
        names = given_names(path, None) if self.params.classes == "dataset" else None
        return known if names is None else {**known, "classes": list(names)}

    def check_classes(self, classes: Sequence[ClassInfo]) -> None:
        """Raise ComponentError if the outputs are ImageNet-1k's and a class has no index there."""
        if self.params.classes != "imagenet":
            return
        for c in classes:
            if c.imagenet_index not in range(IMAGENET_CLASSES):
                raise ComponentError(
                    f"{self.label()}: class '{c.name}' has no index in ImageNet-1k, whose classes the model scores",
                    hint="give a model of the data set's own classes, with `classes: dataset`",
                )

    def check_dataset(self, dataset: Dataset) -> None:
        """Raise ComponentError or DataError for a class without an output, or outputs whose order is in doubt.

        Weights that are identified by their name are checked when they are loaded.
        """
        super().check_dataset(dataset)
        if self.params.weights is not None or self._listed is not None:
            path = self.params.weights
            self._find_places(dataset, None if path is None else given_weights(path))

    def _find_places(self, data: Dataset | TrainingData, path: Path | None) -> Sequence[str] | None:
        """Find the output of each class, and return the names of all outputs if there are any."""
        if self.params.classes == "imagenet":
            self._places = [cast("int", c.imagenet_index) for c in data.classes]
            return None
        names = given_names(path, self._listed)
        self._places = class_places(names, data, self.label() if path is None else str(path), "outputs")
        return names

    def load(self, fitted: Path | None, data: TrainingData, ctx: Context) -> None:
        """Build the model with its weights. Raise ComponentError if they are missing, damaged or another model's."""
        super().load(fitted, data, ctx)
        self._columns = self.class_fields(data, ctx)["column"].to(ctx.device)

    def build(self, data: TrainingData) -> tuple[Any, Callable[..., Tensor]]:
        """Return the model, and timm's evaluation transform with the settings of the parameters."""
        import timm

        from ._timm_classifier import build, model_config

        model_config(self.params.model, self.label())
        path = self.weights_file()
        outputs = self._outputs(self._find_places(data, path), len(data.classes))
        network = build(self.params.model, path, outputs, self.params.settings())
        self._input = timm.data.resolve_model_data_config(network)
        return network, timm.data.create_transform(**self._input)

    def predict(self, pixels: Tensor) -> dict[str, Tensor]:
        """Return ``logits [n, L]`` of all L outputs and ``embedding [n, D]``."""
        features = self._model.forward_features(pixels)
        logits = self._model.forward_head(features)
        embedding = self._model.forward_head(features, pre_logits=True)
        return {"logits": logits, "embedding": embedding.flatten(1)}

    def class_fields(self, data: TrainingData, ctx: Context) -> dict[str, Tensor]:
        """Return ``column [C]``: the index of each class in the outputs."""
        import torch

        return {"column": torch.tensor(self._places)}

    def class_logits(self, images: Tensor) -> Tensor:
        """Return logits of resized, cropped and normalised images, in float32. The filter's overshoot is clipped."""
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
