"""Refinement of latents under a teacher's soft labels."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ddbench import ComponentError, Context, DistilledSet, Prior, Refiner, component
from ddbench.cost import Cost, Decode, Loss, Refine, Score, Work
from ddbench.toolkit import enough_memory

from ._soft_label_params import SoftLabelLatentParams

if TYPE_CHECKING:
    from ddbench import Scorer


@component("refiner", "soft-label-latent", version=1, paper="Pool-Select-Refine (Li, Sakai, Zhao, Hasegawa)")
class SoftLabelLatent(Refiner):
    """Descend each latent on its denoising loss and, at the end, on the divergence from its cached soft label.

    Stage II of Pool-Select-Refine. The latent z that an image was decoded from is moved for ``steps`` steps on
    L_LDM(z) + w · KL(q ‖ p(Dec(z))) (Eq. 9), where q is the image's soft label as it was cached before refinement and p
    what the teacher says of the decoded latent, both at the labels' temperature. The divergence takes part in the last
    ``kl_steps`` steps only; before, nothing is decoded. The weight (Eq. 10) is w = weight · (w_min + (1 − q_c) ·
    (w_max − w_min)) with q_c the cached probability of the image's class: doubtful images are corrected more. Generator
    and teacher stay as they are.

    L_LDM is the mean squared error of the predicted noise, given the class and without guidance, at one timestep a
    step, uniform over the generator's, under noise of its own: both depend on (selection seed, sample id, step) alone,
    so an image's refinement depends on no other image. The paper leaves the timesteps, the conditioning and the
    reduction open; these are our choice. It writes a plain gradient step and names no optimiser: ``optimizer:
    gradient`` is that step, and the default is Adam, see the parameter.
    """

    needs_latents = True
    needs_soft = True

    class Params(SoftLabelLatentParams):
        """Of the descent."""

    params: Params

    @property
    def seeded(self) -> bool:
        """Timesteps and noise are drawn."""
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
        """The set with refined latents and what they decode to.

        Raises:
            ComponentError: the set has no latents or no soft labels, there is no generator or teacher, a latent became
                infinite or not a number, or memory ran out.
        """
        import torch

        from ._latent_descent import descend

        missing = {
            "latents": distilled.latents is None,
            "soft labels": distilled.soft is None,
            "a generator with a prior": prior is None,
            "a teacher": teacher is None,
        }
        if any(missing.values()):
            lacking = next(what for what, absent in missing.items() if absent)
            raise ComponentError(f"{self.label()} needs {lacking}", hint="see `ddbench describe soft-label-latent`")
        assert prior is not None
        assert teacher is not None
        parts, together = [], self.params.batch
        for start in range(0, len(distilled), together):
            rows = list(range(start, min(start + together, len(distilled))))
            # The last batch is padded: networks round otherwise in batches of another size.
            padding = rows[-1:] * (together - len(rows))
            with enough_memory(f"refining {together} images at once by {self.label()}", "batch", together):
                refined = descend(distilled, rows + padding, prior, teacher, self.params, ctx)
            parts.append(tuple(values[: len(rows)] for values in refined))
            ctx.progress(rows[-1] + 1, len(distilled))
        images, latents = (torch.cat(values) for values in zip(*parts, strict=True))
        return replace(distilled, images=images, latents=latents)
