"""Any CLIP model of open_clip."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field, model_validator

from ddbench import ClassInfo, Context, TrainingData, component
from ddbench.api.cost import Cost, Score, Work

from .._weights import Published, given_weights, published_weights
from ._pretrained_scorer import PretrainedScorer, lacking, unknown_place
from ._pretrained_specs import OPEN_CLIP, OPEN_CLIP_WEIGHTS

if TYPE_CHECKING:
    from torch import Tensor


@component("scorer", "open-clip", version=1, paper="arXiv:2103.00020")
class OpenClip(PretrainedScorer):
    """A CLIP model of open_clip: the embedding of each image, and of a prompt for each class.

    Both are of unit length, so that their inner product is the cosine of the angle between them. Images are prepared
    by the weights' own transform (Pillow's resize to the model's size, crop, normalisation), and the activation is the
    one that the weights were trained with: QuickGELU for OpenAI's. A prompt is ``template`` with the class's name in
    it. Which name that is differs between papers and is seldom stated: by default it is what stands before the first
    comma of a list of synonyms, as in WordNet's; underscores become spaces.

    The weights are those of the file ``weights``, known by its content; else those that the tag ``pretrained`` names,
    known by that name: ``open_clip_model.safetensors`` or ``open_clip_pytorch_model.bin`` in ``weights/<repository>``
    in the data folder, else in the Hugging Face cache. Only `ddbench fetch` downloads them.
    """

    class Params(PretrainedScorer.Params):
        model: str = Field("ViT-B-32", pattern=r"^[\w-]+$", description="open_clip's name of the architecture")
        pretrained: str | None = Field(
            "openai",
            pattern=r"^[\w-]+$",
            description="tag of the weights; of those of a file, what they were trained with, null for the model's own",
        )
        template: str = Field("A photo of a {classname}", pattern=r"\{classname\}")
        classname: Literal["first", "name"] = Field(
            "first", description="the name's first synonym, before the first comma, or the whole name"
        )

        @model_validator(mode="after")
        def _weights_are_named(self) -> OpenClip.Params:
            if self.weights is None and self.pretrained is None:
                raise ValueError("no weights are named; give their tag as 'pretrained', or a file as 'weights'")
            return self

    @classmethod
    def example(cls, data: TrainingData, scratch: Path) -> dict[str, Any]:
        """open_clip's smallest architecture, with random weights in ``scratch``."""
        import open_clip
        import torch
        from safetensors.torch import save_file

        from ._pretrained import unseeded

        path = scratch / "vit-s-32-alt.safetensors"
        with unseeded():
            torch.manual_seed(0)
            model = open_clip.create_model("ViT-S-32-alt", precision="fp16")
        save_file(model.state_dict(), path)
        return {"model": "ViT-S-32-alt", "pretrained": None, "weights": path, "block": 4}

    params: Params
    provides = ("image",)
    provides_per_class = ("text",)

    _model: Any
    _transform: Any
    _tokenizer: Any

    def missing(self) -> str | None:
        """Whether the weights are there, where it is known without open_clip where they would be."""
        if self.params.weights is not None:
            return None
        if self._known is None:
            return unknown_place(f"{self.params.model} ({self.params.pretrained})", self.label())
        return lacking(self._known, self.label())

    @property
    def _known(self) -> Published | None:
        """Where the weights are, where that is known without open_clip."""
        return OPEN_CLIP_WEIGHTS.get((self.params.model, self.params.pretrained))

    def published(self) -> Published:
        """Where the tag's weights are."""
        if self._known is not None:
            return self._known
        from ._clip import known, published

        name, tag = self.params.model, self.params.pretrained
        return published(f"{name} ({tag})", known(name, tag, self.label()), self.label())

    def cost(self, work: Work) -> Cost | None:
        """Return the cost of an image for the models that the literature uses; the few prompts do not count."""
        network = OPEN_CLIP.get(self.params.model)
        if not isinstance(work, Score) or network is None:
            return None
        return network.cost(network.embedding, half=self.params.precision == "mixed")

    def load(self, fitted: Path | None, data: TrainingData, ctx: Context) -> None:
        """Build the model with its weights. Raises ComponentError if they are missing, damaged or another model's."""
        import open_clip

        from .._memory import enough_memory
        from ._clip import build, known, published
        from ._pretrained import frozen

        name, tag, path = self.params.model, self.params.pretrained, self.params.weights
        config = known(name, tag, self.label())
        title = f"{name} ({tag})"
        file = given_weights(path) if path else published_weights(published(title, config, self.label()), self.label())
        model, self._transform = build(name, file, config)
        with enough_memory(f"the network of {self.label()}"):
            self._model = frozen(model, ctx.device)
        self._tokenizer = open_clip.get_tokenizer(name)

    def score_block(self, images: Tensor, ctx: Context) -> dict[str, Tensor]:
        """``image [n, D]``, of unit length."""
        from torch.nn.functional import normalize

        from .._memory import enough_memory
        from ._pretrained import network_input, scoring

        what = f"scoring {len(images)} images at once by {self.label()}"
        with enough_memory(what, "block", self.block), scoring(self.params.precision, ctx.device):
            embedding = self._model.encode_image(network_input(images, self._transform, ctx.device))
        return {"image": normalize(embedding.float(), dim=1)}

    def class_fields(self, data: TrainingData, ctx: Context) -> dict[str, Tensor]:
        """``text [C, D]``, of unit length."""
        import torch
        from torch.nn.functional import normalize

        from .._memory import enough_memory
        from ._pretrained import scoring

        tokens = self._tokenizer([self.prompt(c) for c in data.classes]).to(ctx.device)
        what = f"{min(len(tokens), self.block)} prompts at once of {self.label()}"
        with enough_memory(what, "block", min(len(tokens), self.block)), scoring(self.params.precision, ctx.device):
            embedding = torch.cat([self._model.encode_text(some) for some in tokens.split(self.block)])
        return {"text": normalize(embedding.float(), dim=1).cpu()}

    def prompt(self, c: ClassInfo) -> str:
        """What is said of a class."""
        name = c.name if self.params.classname == "name" else c.name.split(",")[0]
        return self.params.template.replace("{classname}", name.strip().replace("_", " "))
