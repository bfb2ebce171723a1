"""A DiT whose denoising was aligned with its inversion."""

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
    """Inversion matching (IM): DiT-XL/2, fine-tuned so that denoising follows the inversion of DDIM.

    Beside the error of the predicted noise, the loss holds λ (1 − cos) of an inverted latent and its counterpart.
    ``variant`` says which: ``paper`` inverts z₀ along a grid of timesteps and compares with z_t, the gradient going
    through the last ``gradient_steps`` of the inversion (our truncation: the paper states none, and without one through
    the inversion the term is constant); ``released`` is what the released code does, one step of 1/1000 from z₀ against
    the mean of the denoising step, over all pairs of a batch; ``trajectory`` is our reading of the abstract, one step
    of denoising compared with the inversion where both arrive. ``training.json`` says how large the gradient of the
    term is beside that of the error, so that a term which does nothing is seen.

    ``minimax: true`` adds the terms of ``minimax`` with its weights, as the released script does, which stops after
    8,000 steps on ImageWoof. At λ = 0 every variant is plain fine-tuning, bit for bit. Sampling is that of ``dit-xl2``.
    """

    shown = ("variant",)

    class Params(FineTunedParams):
        variant: Literal["paper", "released", "trajectory"] = "paper"
        weight: float = Field(0.002, ge=0, description="λ; the published value")
        inversion_steps: int = Field(10, ge=2, description="steps of the grid; the paper's number is not known")
        gradient_steps: int = Field(1, ge=1, description="last steps of the inversion that are learnt from, in `paper`")
        minimax: bool = Field(False, description="the terms of `minimax` too, at 0.002 and 0.008 with a memory of 64")

    params: Params

    def term_cost(self, size: PipelineCost) -> Cost:
        """Half of the inversion on average, and a way back for what is learnt from; `released` takes one step."""
        half = (self.params.inversion_steps + 1) // 2
        asked = {"paper": half + self.params.gradient_steps, "released": 1, "trajectory": half + 2}
        return size.ask(asked[self.params.variant])

    def term(self, classes: int, latent: int) -> LossTerm:
        """That of the variant, and with ``minimax`` its two."""
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
