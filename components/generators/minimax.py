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

    The loss adds two terms to the error of the predicted noise. Representativeness pulls the predicted clean latent
    towards the least similar real latent of its class. Diversity pushes it away from the most similar earlier
    prediction of its class. Each class keeps the last ``memory`` latents of both kinds. With both weights 0, training
    is plain fine-tuning, bit for bit.

    Biases, the label table and new scales are trained (DiffFit, arXiv:2304.06648), and averaged. Defaults follow the
    released code. Its checkpoint for ImageWoof comes after 12,000 of 12,448 steps: ``stop_after: 12000``. The data set
    resizes real images once; that code halves them with a box filter and then resizes bicubically.

    ``checkpoint`` imports a file saved by the released code instead of training. Sampling is that of ``dit-xl2``.
    """

    class Params(FineTunedParams):
        representativeness: float = Field(0.002, ge=0, description="weight λᵣ; the published value")
        diversity: float = Field(0.008, ge=0, description="weight λ_d; the published value")
        memory: int = Field(64, ge=1, description="real and predicted latents that are kept for each class")

    params: Params

    def term(self, classes: int, latent: int) -> LossTerm:
        """Return both terms."""
        from ._finetune.minimax_terms import MinimaxTerms

        return MinimaxTerms(classes, latent, self.params.memory, self.params.representativeness, self.params.diversity)
