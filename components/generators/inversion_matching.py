"""A DiT that is fine-tuned to align denoising with inversion."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from ddbench import Cost, component

from ._dit.pipeline_cost import PipelineCost
from ._finetune.fine_tuned import FineTuned
from ._finetune.params import FineTunedParams

if TYPE_CHECKING:
    from ._finetune.noised_batch import LossTerm


@component("generator", "inversion-matching", version=2, paper="arXiv:2603.13960")
class InversionMatching(FineTuned):
    """Inversion matching (IM): DiT-XL/2, fine-tuned so that denoising follows DDIM inversion.

    The loss is the error of the predicted noise plus λ (1 − cos) of an inverted latent and its counterpart. ``variant``
    defines the pair:

    - ``paper`` inverts z₀ along a grid of timesteps and compares the result with z_t. The gradient flows through the
      last ``gradient_steps`` of the inversion. This truncation is ours: the paper states none. Without a gradient
      through the inversion, the term is constant.
    - ``released`` follows the released code. It compares one step of 1/1000 from z₀ with the mean of the denoising
      step, over all pairs of a batch.
    - ``trajectory`` is our reading of the abstract. It compares one denoising step with the inversion at the timestep
      where both end.

    ``training.json`` reports the ratio of the term's gradient to that of the noise error, which shows terms without
    effect.

    ``minimax: true`` adds the terms of ``minimax`` with its weights, as the released script does. That script stops
    after 8,000 steps on ImageWoof. At λ = 0 every variant is plain fine-tuning, bit for bit. Sampling is that of
    ``dit-xl2``.
    """

    shown = ("variant",)

    class Params(FineTunedParams):
        variant: Literal["paper", "released", "trajectory"] = Field("paper", description="the pair that is compared")
        weight: float = Field(0.002, ge=0, description="λ; the published value")
        inversion_steps: int = Field(10, ge=2, description="steps of the grid; the paper does not state a number")
        gradient_steps: int = Field(1, ge=1, description="last inversion steps with a gradient, for `paper`")
        minimax: bool = Field(False, description="add the terms of `minimax`, at 0.002 and 0.008 with a memory of 64")

    params: Params

    def term_cost(self, size: PipelineCost) -> Cost:
        """Return the cost of half of the inversion, the mean, and of the steps with a gradient; one for `released`."""
        half = (self.params.inversion_steps + 1) // 2
        passes = {"paper": half + self.params.gradient_steps, "released": 1, "trajectory": half + 2}
        return size.predict(passes[self.params.variant])

    def term(self, classes: int, latent: int) -> LossTerm:
        """Return the term of the variant; with ``minimax``, its two terms too."""
        from ._finetune.inversion_terms import PaperInversion, ReleasedInversion, TrajectoryInversion
        from ._finetune.minimax_terms import MinimaxTerms
        from ._finetune.noised_batch import LossTerms

        weight, steps = self.params.weight, self.params.inversion_steps
        made: LossTerm
        if self.params.variant == "paper":
            made = PaperInversion(weight, steps, self.params.gradient_steps)
        elif self.params.variant == "released":
            made = ReleasedInversion(weight, steps)
        else:
            made = TrajectoryInversion(weight, steps)
        return LossTerms([made, MinimaxTerms(classes, latent, 64, 0.002, 0.008)]) if self.params.minimax else made
