"""A DiT that is led to the modes of each class."""

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
    """Mode guidance (MGD³): samples of DiT-XL/2, each led to one of the modes of its class.

    The modes of a class are the centres that k-means (scikit-learn's, from k-means++ of seed 0) finds among the latents
    of its real training images. After each step but the last ones, ``strength`` · σ · (mode − ẑ₀) is added to the
    latents, where ẑ₀ is what the transformer takes for the clean latents (eq. 5) and σ the deviation of the step's
    posterior; no step is steered of which no more than ``stop`` follow. Equation 6 writes the term beside the predicted
    noise and does not say which σ it means: where it is added, and σ, are those of code that descends from the
    authors', the posterior's deviation in place of the learned one ours. That code mirrors half of the images before
    k-means; here none is. Published is sampling by ``ddpm``: under ``ddim`` the same is added, which is ours. Sample i
    is led to mode i mod k.

    As published there are as many modes as images are kept, which makes one pool for each IPC: ``modes: ipc``. A number
    of modes gives one pool for all. Sampling is else that of ``dit-xl2``. Values are those of the published scripts, as
    they are known through code that descends from them.
    """

    class Params(LatentDitParams):
        modes: Literal["ipc"] | Annotated[int, Field(ge=1, strict=True)] = Field(
            "ipc", description="k, of each class; `ipc` is as many as images are kept"
        )
        strength: float = Field(0.1, ge=0, description="the scripts' value")
        stop: int = Field(25, ge=0, description="of 50 steps, the scripts leave these last ones alone")

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
        """A tiny pipeline with random weights in ``scratch``, two modes a class, both steps steered."""
        return {**super().example(data, scratch), "modes": 2, "stop": 0}

    def for_ipc(self, ipc: int) -> Generator:
        """With ``modes: ipc`` another one for each IPC."""
        if self.params.modes != "ipc":
            return self
        return type(self)(self.params.model_copy(update={"modes": ipc}))

    @property
    def count(self) -> int:
        """Modes of each class. Raises ComponentError while that depends on the IPC."""
        if self.params.modes == "ipc":
            raise ComponentError(
                f"{self.label()} has as many modes as images are kept, and has not been told how many",
                hint="give the parameter 'modes' a number, or ask for_ipc()",
            )
        return self.params.modes

    def check(self, dataset: Dataset) -> None:
        """What is asked of every pipeline; and images with modes."""
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
        """Return the cost of the fit, which encodes each image (k-means is small), else that of any pipeline."""
        if not isinstance(work, Fit):
            return super().cost(work)
        counts = work.dataset.train_counts
        if self.size is None or counts is None or self.params.modes == "ipc":
            return None
        latent = self.size.dit.channels * self.size.dit.side**2
        stored = FLOAT * latent * self.params.modes * len(work.dataset.classes)
        return replace(self.size.encode(sum(counts)), disk_bytes=stored)

    def for_fit(self) -> Self:
        """However it is sampled, and steered."""
        return self.without(*SAMPLING, "precision", "strength", "stop")

    def fit(self, data: TrainingData, out_dir: Path, ctx: Context) -> None:
        """Find the modes; write them, float32 ``[C, k, C', H, W]``. Raises ComponentError where images are too few."""
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
        """Each sample to its own mode."""
        modes = self._modes[class_index, [i % self.count for i in indices]]

        def towards_mode(step: Step) -> Tensor:
            if step.left <= self.params.stop:
                return step.latents
            return step.latents + self.params.strength * step.deviation * (modes - step.clean)

        return towards_mode
