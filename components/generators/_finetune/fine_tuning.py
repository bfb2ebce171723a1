"""Fine-tuning of a DiT on the real training images of a data set."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from ddbench import ComponentError, Context
from ddbench.toolkit import Checkpoint

from .._dit.prior import LatentDitPrior
from .._dit.real_latents import RealLatents
from .adapter import ADAPTER
from .difffit import add_scales, tie_embeddings, trained_parameters
from .noised_batch import LossTerm, NoisedBatch
from .params import FineTunedParams
from .variance_bound import variance_bound

REPORT: Final = "training.json"
_CURVE_POINTS = 50


class _State(nn.Module):
    """The state of a training: the trained parameters, their average, and the buffers of the loss term."""

    def __init__(self, trained: Mapping[str, nn.Parameter], term: LossTerm | None) -> None:
        super().__init__()
        self.names = tuple(trained)
        self.trained = nn.ParameterList(trained.values())
        self.average = nn.ParameterList([p.detach().clone() for p in trained.values()]).requires_grad_(False)
        self.term = term

    @torch.no_grad()
    def follow(self, decay: float) -> None:
        """Move the average towards the trained parameters."""
        torch._foreach_lerp_(list(self.average), list(self.trained), 1 - decay)


@dataclass(frozen=True)
class FineTuning:
    """A training of a network with float32 weights.

    The loss of a step is the mean squared error of the predicted noise, plus ``term``. If the network predicts a
    variance, its variational bound is added. All random numbers are keyed by the step. A stopped training therefore
    resumes from ``ctx.checkpoint_file`` and ends with the same bits.

    Attributes:
        prior: the network with its noise schedule.
        latents: the latents of the training images.
        params: the parameters of the training.
        term: the term that is added to the loss, or None.
        ctx: the context of the fit.
        curve: the parts of the loss at about 50 steps.
    """

    prior: LatentDitPrior
    latents: RealLatents
    params: FineTunedParams
    term: LossTerm | None
    ctx: Context
    curve: list[dict[str, Any]] = field(default_factory=list)

    @cached_property
    def steps_an_epoch(self) -> int:
        """Return the number of batches of an epoch."""
        return self.planned // self.params.epochs

    @property
    def planned(self) -> int:
        """Return the number of steps of all epochs."""
        return self.params.planned(len(self.latents))

    @property
    def steps(self) -> int:
        """Return the number of steps before the training stops."""
        return self.params.stop_after or self.planned

    def run(self, out_dir: Path) -> None:
        """Train; write the averaged parameters and ``training.json`` into a folder."""
        tie_embeddings(self.prior.network)
        if self.params.trained == "difffit":
            add_scales(self.prior.network)
        state = _State(trained_parameters(self.prior.network, self.params.trained), self.term).to(self.ctx.device)
        optimizer = torch.optim.AdamW(list(state.trained), self.params.learning_rate, weight_decay=0.0, fused=True)
        checkpoint = Checkpoint.of(
            self.ctx, notes=lambda: {"curve": self.curve}, recall=lambda notes: self.curve.extend(notes["curve"])
        )
        done, _ = checkpoint.restore(state, optimizer)
        decay = self.params.decay(self.planned)
        for step in range(done, self.steps):
            loss = self._step(step, list(state.trained), optimizer)
            state.follow(decay)
            checkpoint.offer(step + 1, loss, state, optimizer)
            self.ctx.progress(step + 1, self.steps)
        kept = {name: p.detach().cpu().contiguous() for name, p in zip(state.names, state.average, strict=True)}
        save_file(kept, out_dir / ADAPTER)
        numbers = sum(p.numel() for p in kept.values())
        report = {"steps": self.steps, "trained_numbers": numbers, "ema": decay, "curve": self.curve}
        (out_dir / REPORT).write_text(json.dumps(report, indent=1), encoding="utf-8")

    def _step(self, step: int, trained: list[nn.Parameter], optimizer: torch.optim.Optimizer) -> float:
        """Train on one batch; return its loss. Raise ComponentError if the loss is not finite."""
        parts = self._losses(self._batch(step))
        loss = torch.stack(list(parts.values())).sum()
        if step % -(-self.steps // _CURVE_POINTS) == 0:
            self.curve.append({"step": step, **loss_report(parts, trained)})
        optimizer.zero_grad()
        torch.autograd.backward(loss)
        optimizer.step()
        if not math.isfinite(loss.item()):
            raise ComponentError(
                f"the loss of fine-tuning is {loss.item()} in step {step + 1} of {self.steps}",
                hint="lower the parameter 'learning_rate'",
            )
        return loss.item()

    def _losses(self, batch: NoisedBatch) -> dict[str, Tensor]:
        """Return the parts of the loss by name."""
        parts = {"noise": (batch.predicted - batch.noise).square().mean()}
        if self.prior.has_variance:
            bound = variance_bound(batch.alphas, batch.clean, batch.noisy, batch.t, batch.output)
            parts["variance"] = bound.mean()
        return parts if self.term is None else {**parts, **self.term(batch)}

    def _batch(self, step: int) -> NoisedBatch:
        """Return the noised latents of a step, half of them mirrored on average, with the network's output."""
        latents, device = self.latents, self.prior.network.device
        epoch, place = divmod(step, self.steps_an_epoch)
        order = self.ctx.rng("order", epoch).permutation(len(latents))
        size = self.params.batch_size
        chosen = torch.from_numpy(order[place * size : (place + 1) * size])
        rng, count = self.ctx.torch_rng("step", step), len(chosen)
        mirrored, dropped = torch.rand(2, count, generator=rng)
        t = torch.randint(self.prior.timesteps, (count,), generator=rng).to(device)
        off, noise = torch.randn(2, count, *latents.mean.shape[2:], generator=rng).to(device)
        chosen = chosen.to(device)
        clean = latents.draw(chosen, mirrored.to(device) < 0.5, off)
        noisy = self.prior.scheduler.add_noise(clean, noise, t)
        labels = latents.labels[chosen]
        without = (dropped < self.params.label_dropout).to(device)
        given = self.prior.labels[labels].masked_fill(without, self.prior.no_class)
        output = self.prior.output(noisy, t, given)
        rng = self.ctx.torch_rng("term", step)
        return NoisedBatch(self.prior, clean, noise, noisy, t, labels, output, rng)


def loss_report(parts: Mapping[str, Tensor], trained: list[nn.Parameter]) -> dict[str, float]:
    """Return the parts of a loss, and the ratio of each part's gradient norm to that of the noise error.

    A term with a ratio of a thousandth has almost no effect, even if its value is large.
    """
    norms = {name: _gradient_norm(part, trained) for name, part in parts.items()}
    shares = {f"gradient_of_{name}": norms[name] / norms["noise"] for name in parts if name != "noise"}
    return {**{name: part.item() for name, part in parts.items()}, **shares}


def _gradient_norm(part: Tensor, trained: list[nn.Parameter]) -> float:
    if not part.requires_grad:
        return 0.0
    found = torch.autograd.grad(part, trained, retain_graph=True, allow_unused=True)
    return math.sqrt(sum(g.square().sum().item() for g in found if g is not None))
