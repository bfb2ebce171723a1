"""Any CLIP model of open_clip."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field, model_validator

from ddbench import ClassInfo, Context, TrainingData, component
from ddbench.cost import Cost, Score, Work

from .._weights import Published
from ._pretrained_scorer import PretrainedScorer
from ._pretrained_specs import OPEN_CLIP, OPEN_CLIP_WEIGHTS

if TYPE_CHECKING:
    from torch import Tensor


@component("scorer", "open-clip", version=1, paper="arXiv:2103.00020")
class OpenClip(PretrainedScorer):
    """A CLIP model of open_clip: the embedding of each image, and of a prompt for each class.

    Both have unit length, so their inner product is the cosine of the angle between them. Images go through the
    transform of the weights: Pillow's resize to the model's size, crop, normalisation. The activation is that of the
    weights' training: QuickGELU for OpenAI's.

    A prompt is ``template`` with the class's name in it. Papers use different names, and seldom state them. By default
    the name ends before the first comma, as in WordNet's lists of synonyms. Underscores become spaces.

    The weights come from the file ``weights``, which is identified by its content. Without that file, the tag
    ``pretrained`` names and identifies them. They are looked up as ``open_clip_model.safetensors`` or
    ``open_clip_pytorch_model.bin``, in ``weights/<repository>`` in the data folder, then in the Hugging Face cache.
    Only `ddbench fetch` downloads them.
    """

    class Params(PretrainedScorer.Params):
        model: str = Field("ViT-B-32", pattern=r"^[\w-]+$", description="open_clip's name of the architecture")
        pretrained: str | None = Field(
            "openai",
            pattern=r"^[\w-]+$",
            description="tag of the weights; with a file, the tag of its activation and transform, or null for the "
            "model's own",
        )
        template: str = Field("A photo of a {classname}", pattern=r"\{classname\}", description="the prompt of a class")
        classname: Literal["first", "name"] = Field(
            "first", description="the class name up to the first comma, or the whole name"
        )

        @model_validator(mode="after")
        def _weights_are_named(self) -> OpenClip.Params:
            if self.weights is None and self.pretrained is None:
                raise ValueError("no weights are named; give their tag as 'pretrained', or a file as 'weights'")
            return self

    @classmethod
    def example(cls, data: TrainingData, scratch: Path) -> dict[str, Any]:
        """Save random weights of open_clip's smallest architecture in ``scratch``."""
        import open_clip

        from ._pretrained import save_random_weights

        path = scratch / "vit-s-32-alt.safetensors"
        save_random_weights(lambda: open_clip.create_model("ViT-S-32-alt", precision="fp16"), path)
        return {"model": "ViT-S-32-alt", "pretrained": None, "weights": path, "block": 4}

    params: Params
    provides = ("image",)
    provides_per_class = ("text",)

    _tokenizer: Any

    @property
    def weights_name(self) -> str:
        """Return the model with its tag."""
        return f"{self.params.model} ({self.params.pretrained})"

    @property
    def known_place(self) -> Published | None:
        """Return the place of OpenAI's weights; None for others."""
        return OPEN_CLIP_WEIGHTS.get((self.params.model, self.params.pretrained))

    def look_up_place(self) -> Published:
        """Ask open_clip for the place of the tag's weights."""
        from ._clip import published, tag_config

        config = tag_config(self.params.model, self.params.pretrained, self.label())
        return published(self.weights_name, config, self.label())

    def cost(self, work: Work) -> Cost | None:
        """Return the cost of an image for the models of the literature; the few prompts are not counted."""
        network = OPEN_CLIP.get(self.params.model)
        if not isinstance(work, Score) or network is None:
            return None
        return network.cost(network.embedding, half=self.params.precision == "mixed")

    def build(self, data: TrainingData) -> tuple[Any, Callable[..., Tensor]]:
        """Return the model with the activation and the transform of its weights' training."""
        import open_clip

        from ._clip import build, tag_config

        config = tag_config(self.params.model, self.params.pretrained, self.label())
        self._tokenizer = open_clip.get_tokenizer(self.params.model)
        return build(self.params.model, self.weights_file(), config)

    def predict(self, pixels: Tensor) -> dict[str, Tensor]:
        """Return ``image [n, D]``."""
        return {"image": self._model.encode_image(pixels)}

    def score_block(self, images: Tensor, ctx: Context) -> dict[str, Tensor]:
        """Return ``image [n, D]``, of unit length."""
        from torch.nn.functional import normalize

        return {name: normalize(values, dim=1) for name, values in super().score_block(images, ctx).items()}

    def class_fields(self, data: TrainingData, ctx: Context) -> dict[str, Tensor]:
        """Return ``text [C, D]``, of unit length."""
        import torch
        from torch.nn.functional import normalize

        tokens = self._tokenizer([self.prompt(c) for c in data.classes]).to(ctx.device)
        together = min(len(tokens), self.block)
        with self.scoring(f"{together} prompts at once of", together, ctx):
            embedding = torch.cat([self._model.encode_text(some) for some in tokens.split(self.block)])
        return {"text": normalize(embedding.float(), dim=1).cpu()}

    def prompt(self, c: ClassInfo) -> str:
        """Return the prompt of a class."""
        name = c.name if self.params.classname == "name" else c.name.split(",")[0]
        return self.params.template.replace("{classname}", name.strip().replace("_", " "))
