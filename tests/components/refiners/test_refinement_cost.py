"""Declared costs of refinement, against torch's count of a refinement."""

from __future__ import annotations

from typing import Any, cast

import pytest
import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

import ddbench
from ddbench import Context, Cost, Dataset, DistilledSet, Generator, Refiner, Scorer, SoftLabels
from ddbench.api.cost import Work
from ddbench.api.work import Decode, Loss, Refine, Score

IMAGES, CLASSES, SIZE = 6, 3, 8


def network(*layers: nn.Module) -> nn.Module:
    return nn.Sequential(*layers).requires_grad_(False)


class Networks:
    """A prior and a teacher of a few layers each."""

    timesteps = 10

    def __init__(self) -> None:
        self.denoiser = network(nn.Conv2d(3, 5, 3, padding=1), nn.SiLU(), nn.Conv2d(5, 3, 3, padding=1))
        self.decoder = network(nn.Conv2d(3, 4, 3, padding=1), nn.Tanh(), nn.Conv2d(4, 3, 1), nn.Sigmoid())
        self.classifier = network(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(4 * (SIZE - 2) ** 2, CLASSES))

    def loss(self, latents: Tensor, t: Tensor, noise: Tensor, class_index: Tensor) -> Tensor:
        return (cast("Tensor", self.denoiser(latents + noise)) - noise).square().flatten(1).mean(1)

    def decode(self, latents: Tensor) -> Tensor:
        # Not the leaf itself: torch cannot count what a module does to one.
        return cast("Tensor", self.decoder(latents * 1))

    def class_logits(self, images: Tensor) -> Tensor:
        return cast("Tensor", self.classifier(images))

    def flops(self, of: str) -> int:
        counter = FlopCounterMode(display=False)
        with counter:
            getattr(self, of)(torch.zeros(1, 3, SIZE, SIZE))
        return counter.get_total_flops()

    # As a generator and a scorer tell it.

    def cost(self, work: Work) -> Cost | None:
        return Cost(self.flops({Loss: "denoiser", Decode: "decoder", Score: "classifier"}[type(work)]))


def declared(networks: Networks, **params: Any) -> Cost:
    refiner = cast("Refiner", ddbench.create("refiner", "soft-label-latent", **params))
    cost = refiner.cost(Refine(cast("Dataset", None), cast("Generator", networks), cast("Scorer", networks)))
    assert cost is not None
    return cost


@pytest.mark.parametrize(("steps", "kl_steps"), [(4, 0), (4, 1), (5, 3), (3, 3), (2, 4)])
def test_operations_are_those_that_torch_counts(steps: int, kl_steps: int) -> None:
    networks = Networks()
    params = {"steps": steps, "kl_steps": kl_steps, "batch": 2}
    refiner = cast("Refiner", ddbench.create("refiner", "soft-label-latent", **params))
    latents = torch.randn(IMAGES, 3, SIZE, SIZE)
    distilled = DistilledSet(
        images=torch.zeros(IMAGES, 3, SIZE, SIZE, dtype=torch.uint8),
        labels=torch.arange(IMAGES) % CLASSES,
        sample_ids=tuple(map(str, range(IMAGES))),
        latents=latents,
        soft=SoftLabels(torch.randn(IMAGES, CLASSES), 1.5),
        ipc=IMAGES // CLASSES,
    )
    counter = FlopCounterMode(display=False)
    with counter:
        refiner.refine(distilled, networks, cast("Scorer", networks), Context(seed=0))
    assert (declared(networks, **params) * IMAGES).flops == counter.get_total_flops()


def test_half_precision_is_that_of_the_descent() -> None:
    networks = Networks()
    cost = declared(networks, precision="bf16")
    assert cost.flops is not None
    assert cost.flops - cost.half_flops == networks.flops("decoder"), "the last decoding is in float32"
    assert declared(networks).half_flops == 0


def test_what_a_generator_or_teacher_does_not_tell_is_not_known() -> None:
    class Silent(Networks):
        def cost(self, work: Work) -> Cost | None:
            return None if isinstance(work, Decode) else super().cost(work)

    refiner = cast("Refiner", ddbench.create("refiner", "soft-label-latent"))
    networks, dataset = Networks(), cast("Dataset", None)
    assert refiner.cost(Refine(dataset, cast("Generator", Silent()), cast("Scorer", networks))) is None
    assert refiner.cost(Refine(dataset, cast("Generator", networks), None)) is None


def test_operations_are_those_of_the_layers() -> None:
    """By hand: kernel² × channels in × channels out × pixels, doubled; 8 px everywhere but in the classifier, 6 px."""
    denoiser = 2 * (9 * 3 * 5 + 9 * 5 * 3) * 64
    decoder = 2 * (9 * 3 * 4 + 4 * 3) * 64
    classifier = 2 * (9 * 3 * 4 * 36 + 4 * 36 * CLASSES)
    cost = declared(Networks(), steps=5, kl_steps=3)
    assert cost.flops == 5 * 2 * denoiser + 3 * 2 * (decoder + classifier) + decoder
