"""A DiT that was fine-tuned to be representative and diverse."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from ddbench import component

from ._finetune.fine_tuned import FineTuned
from ._finetune.params import FineTunedParams

if TYPE_CHECKING:
    from ._finetune.noised_batch import LossTerm


@component("generator", "minimax", version=2, paper="arXiv:2311.15529")
class Minimax(FineTuned):
    """Minimax diffusion: DiT-XL/2, fine-tuned on the data set for representative and diverse samples.

    Beside the error of the predicted noise, what the network takes for the clean latents is drawn to the real latents
    of its class that it is least like (representativeness), and away from its own earlier guesses that it is most like
    (diversity); the last ``memory`` of both are remembered for each class. Biases, the table of labels
    and new scales are trained (DiffFit, arXiv:2304.06648), and averaged. Defaults are those of the released code, which
    takes its checkpoint for ImageWoof after 12,000 of 12,448 steps: ``stop_after: 12000``; real images are those of the
    data set, as it resizes them once, where that code halves them by boxes and then resizes bicubically. With both
    weights 0 it is plain fine-tuning, bit for bit.

    ``checkpoint`` imports what the released code has saved in place of training. Sampling is that of ``dit-xl2``.
    """

    class Params(FineTunedParams):
        representativeness: float = Field(0.002, ge=0, description="weight λᵣ; the published value")
        diversity: float = Field(0.008, ge=0, description="weight λ_d; the published value")
        memory: int = Field(64, ge=1, description="latents of each class that are remembered")

    params: Params

    def term(self, classes: int, latent: int) -> LossTerm:
        """Both terms."""
        from ._finetune.minimax_terms import MinimaxTerms

        return MinimaxTerms(classes, latent, self.params.memory, self.params.representativeness, self.params.diversity)
