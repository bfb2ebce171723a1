"""The pretrained DiT of the distillation literature."""

from __future__ import annotations

from ddbench import component

from ._dit.latent_dit import LatentDit
from ._dit.params import LatentDitParams


@component("generator", "dit-xl2", version=1, paper="arXiv:2212.09748")
class DitXl2(LatentDit):
    """DiT-XL/2, pretrained on ImageNet at 256 pixels, sampled with classifier-free guidance.

    Defaults follow the sampler of Minimax diffusion (arXiv:2311.15529) and of the papers that build on it. It takes 50
    DDPM steps, spread evenly over the 1000 of training, first and last included, with the learned variance. As in DiT's
    own code, guidance 4 applies to the first three of four latent channels. ``scheduler: ddim`` with
    ``guided_channels: all`` is the sampling of diffusers' ``DiTPipeline``. The transformer's label of a class is its
    index in ImageNet-1k.

    diffusers spaces the frequencies of the timestep embedding by 1/127 of their range. DiT's own code, which trained
    the published weights, spaces them by 1/128. The shipped suites follow it with ``frequencies: dit``. The two
    embeddings differ strongly at late timesteps.

    A sample depends on (seed, class, index): one random stream gives its starting noise and the noise of its steps.
    Latents are rounded to half precision, decoded, and stored, so the stored latents decode to the images.

    The parts are laid out as diffusers saves a ``DiTPipeline``, in folders ``transformer``, ``vae`` and ``scheduler``.
    Weights are safetensors, or a state dict saved by torch. A part on the Hugging Face Hub is identified by its name.
    It is looked up in ``weights/<owner>/<name>`` in the data folder, then in the Hugging Face cache. Only `ddbench
    fetch` downloads it. A part in a folder is identified by its content, which planning reads completely.
    """

    class Params(LatentDitParams):
        """Parameters of DiT-XL/2."""

    params: Params
