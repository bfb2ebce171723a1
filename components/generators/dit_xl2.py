"""The pretrained DiT of the distillation literature."""

from __future__ import annotations

from ddbench import component

from ._dit.latent_dit import LatentDit
from ._dit.params import LatentDitParams


@component("generator", "dit-xl2", version=1, paper="arXiv:2212.09748")
class DitXl2(LatentDit):
    """DiT-XL/2, pretrained on ImageNet at 256 pixels, sampled with classifier-free guidance.

    Defaults follow the sampler of Minimax diffusion (arXiv:2311.15529), which the papers that build on it share: 50
    DDPM steps spread evenly over the 1000 of training, first and last included, with the variance that the transformer
    learned, and guidance 4 on the first three of four latent channels, as in DiT's own code. ``scheduler: ddim`` with
    ``guided_channels: all`` is what diffusers' ``DiTPipeline`` does. A class is named to the transformer by its index
    in ImageNet-1k. The transformer is diffusers', whose embedding of timesteps spaces its frequencies by 1/127 of their
    range, as its pipeline does, where DiT's own code, with which the published weights were trained, has 1/128: that is
    ``frequencies: dit``, as the suites that ship have it. At late timesteps the two are far apart.

    A sample depends on (seed, class, index): its starting noise and the noise of its steps are one stream of its own.
    Latents are rounded to half precision before they are decoded, and kept, so that images are what they decode to.

    The parts are laid out as diffusers saves a ``DiTPipeline``, in folders ``transformer``, ``vae`` and ``scheduler``;
    weights are safetensors, or a state dict saved by torch. A part that is given by its name on the Hugging Face Hub is
    known by the name; it is looked for in ``weights/<owner>/<name>`` in the data folder, then in the Hugging Face
    cache; only `ddbench fetch` downloads it. A part in a folder is known by its content, which planning reads whole.
    """

    class Params(LatentDitParams):
        """Of DiT-XL/2."""

    params: Params
