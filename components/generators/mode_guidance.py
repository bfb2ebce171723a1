"""A DiT whose samples are guided to the modes of each class."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, Self

from pydantic import Field, model_validator

from ddbench import ComponentError, Context, Dataset, Generator, TrainingData, component
from ddbench.cost import FLOAT, Cost, Fit, Work

from ._dit.latent_dit import LatentDit
from ._dit.params import SAMPLING, LatentDitParams

if TYPE_CHECKING:
    from torch import Tensor

    from ._dit.sampler import Steer, Step

MODES: Final = "modes.safetensors"


@component("generator", "mode-guidance", version=1, paper="arXiv:2505.18963")
class ModeGuidance(LatentDit):
    """Mode guidance (MGD³): samples of DiT-XL/2, each guided to one mode of its class.

    The modes of a class are the k-means centres of the latents of its real training images (scikit-learn, k-means++
    with seed 0). Sample i is guided to mode i mod k. After a step, ``strength`` · σ · (mode − ẑ₀) is added to the
    latents. Here ẑ₀ is the predicted clean latent (eq. 5), and σ is the standard deviation of the step's posterior.
    Steps followed by ``stop`` steps or fewer are not guided.

    Equation 6 adds the term to the predicted noise and does not define σ. We follow code derived from the authors'. It
    adds the term to the latents, with the learned deviation as σ; using the posterior's deviation is our choice. That
    code mirrors half of the images before k-means; here none are mirrored. The published sampler is ``ddpm``. Adding
    the same term under ``ddim`` is our choice.

    As published, there are as many modes as selected images, so each IPC has its own pool: ``modes: ipc``. A fixed
    number of modes gives one pool for all. Otherwise sampling is that of ``dit-xl2``. Default values are those of the
    published scripts, read from code derived from them.
    """

    class Params(LatentDitParams):
        modes: Literal["ipc"] | Annotated[int, Field(ge=1, strict=True)] = Field(
            "ipc", description="modes of each class, k; `ipc` is the number of selected images"
        )
        strength: float = Field(0.1, ge=0, description="scale of the guidance; the scripts' value")
        stop: int = Field(25, ge=0, description="steps at the end without guidance; the scripts' value, of 50 steps")

        @model_validator(mode="after")
        def _steers(self) -> Self:
            if self.strength and self.stop >= self.sampling_steps - 1:
                raise ValueError(
                    f"of {self.sampling_steps} sampling_steps none is steered, as stop leaves the last {self.stop + 1} "
                    "alone; lower stop"
                )
            return self

    params: Params
    _modes: Tensor

    @classmethod
    def example(cls, data: TrainingData, scratch: Path) -> dict[str, Any]:
        """Save a tiny pipeline with random weights in ``scratch``; guide both steps to two modes for each class."""
        return {**super().example(data, scratch), "modes": 2, "stop": 0}

    def for_ipc(self, ipc: int) -> Generator:
        """Return this generator, or with ``modes: ipc`` the one for this IPC."""
        if self.params.modes != "ipc":
            return self
        return type(self)(self.params.model_copy(update={"modes": ipc}))

    @property
    def count(self) -> int:
        """Return the number of modes of each class. Raise ComponentError if it depends on the IPC."""
        if self.params.modes == "ipc":
            raise ComponentError(
                f"{self.label()} has `modes: ipc`, and the IPC is not known",
                hint="give the parameter 'modes' a number, or call for_ipc() first",
            )
        return self.params.modes

    def check(self, dataset: Dataset) -> None:
        """Raise ComponentError if the pipeline does not fit the data set, or a class has fewer images than modes."""
        super().check(dataset)
        self.check_encoding(dataset)
        if dataset.train_counts is not None:
            self._check_count_of_modes(dataset.train_counts)

    def _check_count_of_modes(self, images: Sequence[int]) -> None:
        if self.params.modes != "ipc" and self.params.modes > min(images):
            raise ComponentError(
                f"{self.label()} cannot find {self.params.modes} modes among {min(images)} images of a class",
                hint="lower its parameter 'modes', or the IPC",
            )

    def cost(self, work: Work) -> Cost | None:
        """Return the cost of the work. A fit encodes each image; its k-means is not counted."""
        if not isinstance(work, Fit):
            return super().cost(work)
        counts = work.dataset.train_counts
        if self.size is None or counts is None or self.params.modes == "ipc":
            return None
        latent = self.size.dit.channels * self.size.dit.side**2
        stored = FLOAT * latent * self.params.modes * len(work.dataset.classes)
        return replace(self.size.encode(sum(counts)), disk_bytes=stored)

    def for_fit(self) -> Self:
        """Return the generator without the parameters of sampling and guidance."""
        return self.without(*SAMPLING, "precision", "strength", "stop")

    def fit(self, data: TrainingData, out_dir: Path, ctx: Context) -> None:
        """Find the modes and write them, float32 ``[C, k, C', H, W]``. Raise ComponentError if images are too few."""
        import torch
        from safetensors.torch import save_file

        from ._dit.modes import find_modes
        from ._dit.real_latents import RealLatents

        self._check_count_of_modes(torch.bincount(data.train.labels, minlength=len(data.classes)).tolist())
        latents = RealLatents.shared(data, self.open(data, "float32", ctx), ctx, mirrored=False)
        save_file({"modes": find_modes(latents, len(data.classes), self.count, ctx)}, out_dir / MODES)

    def load(self, fitted: Path | None, data: TrainingData, ctx: Context) -> None:
        """Read the pipeline and the modes."""
        from safetensors.torch import load_file

        assert fitted is not None
        super().load(fitted, data, ctx)
        self._modes = load_file(fitted / MODES)["modes"].to(ctx.device)

    def steer(self, class_index: int, indices: Sequence[int]) -> Steer:
        """Return a function that guides each sample to its mode."""
        modes = self._modes[class_index, [i % self.count for i in indices]]

        def towards_mode(step: Step) -> Tensor:
            if step.left <= self.params.stop:
                return step.latents
            return step.latents + self.params.strength * step.deviation * (modes - step.clean)

        return towards_mode
