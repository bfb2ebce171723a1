"""Refinement of latents by a teacher's soft labels."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from ddbench import ComponentError, Context, DistilledSet, Prior, Refiner, component
from ddbench.cost import Cost, Decode, Loss, Refine, Score, Work
from ddbench.toolkit import enough_memory

from ._soft_label_params import SoftLabelLatentParams

if TYPE_CHECKING:
    from ddbench import Scorer


@component("refiner", "soft-label-latent", version=1, paper="Pool-Select-Refine (Li, Sakai, Zhao, Hasegawa)")
class SoftLabelLatent(Refiner):
    """Minimise the denoising loss of each latent and, in the last steps, the divergence from its cached soft label.

    This is stage II of Pool-Select-Refine. The latent z of an image takes ``steps`` gradient steps on L_LDM(z) + w ·
    KL(q ‖ p(Dec(z))) (Eq. 9). Here q is the image's soft label, cached before refinement, and p the teacher's softmax
    for the decoded latent, both at the labels' temperature. The divergence is used in the last ``kl_steps`` steps only;
    earlier steps do not decode. Its weight (Eq. 10) is w = weight · (w_min + (1 − q_c) · (w_max − w_min)), where q_c is
    the cached probability of the image's class. Uncertain images are corrected more. Generator and teacher do not
    change.

    L_LDM is the mean squared error of the predicted noise, conditioned on the class, without guidance. Each step draws
    one uniform timestep and noise for each image. Both depend only on (selection seed, sample id, step), so an image's
    refinement does not depend on other images. The paper does not specify timesteps and conditioning; these are our
    choices.

    The paper writes a sum over the latent (Eq. 3) and a plain gradient step, and names no optimiser. That is
    ``reduction: sum`` with ``optimizer: gradient``. Our default is Adam on a mean. On dit-nano the default moves
    latents by about 0.15 (root mean square), and the printed step by 0.18. A plain step on the mean moves them by
    0.0005. With ``reduction: sum`` the divergence weighs less against L_LDM, by the number of values of a latent.

    With ``kl_steps: 0`` only the generator's prior refines. This is the control of the divergence.
    """

    needs_latents = True
    needs_soft = True

    class Params(SoftLabelLatentParams):
        """The parameters of the descent."""

    params: Params

    @property
    def seeded(self) -> bool:
        """Return True, because timesteps and noise are drawn."""
        return True

    def cost(self, work: Work) -> Cost | None:
        """Return the cost of the passes through each network, back to the latent alone, and of the last decoding.

        A backward pass costs as much as a forward one, as weights have no gradients. Memory is not known.
        """
        if not isinstance(work, Refine):
            return None
        dataset, teacher = work.dataset, work.teacher
        loss, decoded = work.generator.cost(Loss(dataset)), work.generator.cost(Decode(dataset))
        asked = None if teacher is None else teacher.cost(Score(dataset))
        if loss is None or decoded is None or asked is None:
            return None
        steps, kl_steps = self.params.steps, min(self.params.kl_steps, self.params.steps)
        loss = replace(loss, launches=loss.launches / self.params.batch)
        descent = loss * (2 * steps) + (decoded + asked) * (2 * kl_steps)
        if self.params.precision == "bf16":
            descent = descent.in_half_precision()
        return replace(descent + decoded, memory_bytes=None, disk_bytes=None)

    def refine(
        self, distilled: DistilledSet, prior: Prior | None, teacher: Scorer | None, ctx: Context
    ) -> DistilledSet:
        """Return the set with refined latents and their decoded images.

        Raises:
            ComponentError: latents, soft labels, generator or teacher are missing, a latent became infinite or not a
                number, or memory ran out.
        """
        import torch

        from ddbench.toolkit import KeptParts

        from ._latent_descent import descend

        missing = {
            "latents": distilled.latents is None,
            "soft labels": distilled.soft is None,
            "a generator with a prior": prior is None,
            "a teacher": teacher is None,
        }
        if any(missing.values()):
            needed = next(what for what, absent in missing.items() if absent)
            raise ComponentError(f"{self.label()} needs {needed}", hint="see `ddbench describe soft-label-latent`")
        assert prior is not None
        assert teacher is not None
        parts, together, kept = [], self.params.batch, KeptParts(ctx)
        for start in range(0, len(distilled), together):
            rows = list(range(start, min(start + together, len(distilled))))
            # The last batch is padded, because networks round differently at other batch sizes.
            padding = rows[-1:] * (together - len(rows))
            refine = partial(descend, distilled, rows + padding, prior, teacher, self.params, ctx)
            with enough_memory(f"refining {together} images at once by {self.label()}", "batch", together):
                refined = kept.get(str(start), refine).tensors
            parts.append([refined[name][: len(rows)] for name in ("images", "latents")])
            ctx.progress(rows[-1] + 1, len(distilled))
        images, latents = (torch.cat(values) for values in zip(*parts, strict=True))
        return replace(distilled, images=images, latents=latents)
