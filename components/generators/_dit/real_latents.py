"""The latents of a data set's training images, encoded once."""

from __future__ import annotations

import fcntl
import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from ddbench import Context, TrainingData
from ddbench.toolkit import (
    Checkpoint,
    KeptPart,
    KeptParts,
    enough_memory,
    environment,
    in_pieces,
    sha256_json,
    tensor_digest,
    write_whole,
)

from .checks import check_latents
from .prior import LatentDitPrior

# Images and mirror images in one batch of the encoder; fewer if memory runs out. The size of a batch can change the
# order of additions. Latents then differ by rounding, most of which half precision hides.
_TOGETHER = 20
_UNOBSERVED = Context()


@dataclass(frozen=True)
class RealLatents:
    """Means and standard deviations of the latents of real images, in half precision.

    Attributes:
        mean: means, ``[2, N, C, H, W]`` of images and mirror images; ``[1, N, C, H, W]`` without mirror images.
        deviation: standard deviations, of the same shape.
        labels: classes of the data set, ``[N]``.
    """

    mean: Tensor
    deviation: Tensor
    labels: Tensor

    @classmethod
    @torch.no_grad()
    def of(
        cls,
        data: TrainingData,
        prior: LatentDitPrior,
        *,
        ctx: Context = _UNOBSERVED,
        mirrored: bool = True,
    ) -> RealLatents:
        """Encode the training images. Stopped work repeats only the last batches.

        Args:
            data: the training images.
            prior: the VAE and the transformer.
            ctx: the context of the work. Its progress gets the numbers of encoded and of all images.
            mirrored: true to encode mirror images too.

        Raises:
            ComponentError: images differ in size from the prior's, or memory is too small for one of them.
        """
        device, size = prior.network.device, int(prior.network.config.sample_size)
        views, kept = 1 + mirrored, KeptParts(ctx, Checkpoint.seconds)

        def encode(span: slice) -> Tensor:
            name = f"latents-{span.start}-{span.stop}"
            part = kept.get(name, lambda: KeptPart({"latents": encode_now(span)}))
            ctx.progress(min(span.stop, len(data.train)), len(data.train))
            return part.tensors["latents"].to(device)

        def encode_now(span: slice) -> Tensor:
            images = data.train.images[span].to(device).float() / 255
            latents = torch.stack(prior.posterior(torch.cat([images, images.flip(-1)][:views])))
            check_latents(data.image_size, latents.shape[-1], size)
            return latents.reshape(2, views, len(images), *latents.shape[2:]).half()

        one = f"encoding an image of {data.image_size} px{' and its mirror image' if mirrored else ''}"
        encoded = in_pieces(one, len(data.train), _TOGETHER // views, encode)
        with enough_memory(f"the latents of {len(data.train):,} images"):
            mean, deviation = torch.cat(encoded, dim=2)
        return cls(mean, deviation, data.train.labels.to(device))

    @classmethod
    def shared(cls, data: TrainingData, prior: LatentDitPrior, ctx: Context, *, mirrored: bool = True) -> RealLatents:
        """Read the latents that another fit left in ``ctx.cache``, or encode them and leave them there.

        Encoding can take longer than fine-tuning. Its result is the same for every fit of one data set and VAE.
        """
        if ctx.cache is None:
            return cls.of(data, prior, ctx=ctx, mirrored=mirrored)
        path = ctx.cache / f"latents-{_cache_key(data, prior, ctx, mirrored)}.safetensors"
        ctx.cache.mkdir(exist_ok=True)
        with path.with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # another fit may be encoding
            kept = _read(path)
            if kept is None:
                made = cls.of(data, prior, ctx=ctx, mirrored=mirrored)
                kept = {"mean": made.mean, "deviation": made.deviation}
                write_whole(path, save(kept, {"digests": _digests(kept)}))
        check_latents(data.image_size, kept["mean"].shape[-1], int(prior.network.config.sample_size))
        device = prior.network.device
        return cls(kept["mean"].to(device), kept["deviation"].to(device), data.train.labels.to(device))

    def __len__(self) -> int:
        return len(self.labels)

    def draw(self, chosen: Tensor, mirrored: Tensor, noise: Tensor) -> Tensor:
        """Return latents of the images ``chosen [n]``: mean + deviation · ``noise``, float32 ``[n, C, H, W]``."""
        which = mirrored.long()
        return self.mean[which, chosen].float() + self.deviation[which, chosen].float() * noise


def _cache_key(data: TrainingData, prior: LatentDitPrior, ctx: Context, mirrored: bool) -> str:
    """Return a digest of everything that determines the latents."""
    vae = prior.vae.state_dict()
    config = {name: value for name, value in prior.vae.config.items() if not name.startswith("_")}
    content = {
        "images": tensor_digest(data.train.images),
        "vae": {name: tensor_digest(value) for name, value in vae.items()},
        "config": json.dumps(config, sort_keys=True, default=str),
        "mirrored": mirrored,
        "environment": environment(ctx.device, ctx.threads),
    }
    return sha256_json(content)[:32]


def _read(path: Path) -> dict[str, Tensor] | None:
    """Return the latents in a file, or None if it is missing or damaged."""
    with suppress(OSError, SafetensorError), safe_open(path, framework="pt") as file:
        found = {name: file.get_tensor(name) for name in ("mean", "deviation")}
        if file.metadata()["digests"] == _digests(found):
            return found
    return None


def _digests(tensors: Mapping[str, Tensor]) -> str:
    return " ".join(tensor_digest(tensor) for tensor in tensors.values())
