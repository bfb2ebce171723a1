"""DM and DC take the steps of their equations, which are written once more in ``learnt_plainly``."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import numpy as np
import pytest
import torch
from ddbench_components.generators._learnt import distributions, gradients
from ddbench_components.generators._learnt.distances import gradient_distance, mean_distance
from ddbench_components.generators._learnt.learner import Learner
from ddbench_components.generators._learnt.learnt_set import IMAGES, LearntSet
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.func import grad

import ddbench
from ddbench import Context
from ddbench.protocol.augmentation import Siamese, SiameseOperations
from ddbench.testing import Specimen
from tests.components.generators import learnt_plainly as plain

DATA = Specimen().training()
SMALL = {"images": 2, "real_batch": 5, "numerics": "reference"}


def generator(name: str, **values: object) -> LearntSet:
    return cast("LearntSet", ddbench.create("generator", name, **{**SMALL, **values}))


def learnt(made: LearntSet, folder: Path, ctx: Context) -> Tensor:
    """Learn images; return them normalised, ``[C, k, 3, S, S]``."""
    made.fit(DATA, folder, ctx)
    mean, std = (torch.tensor(v)[:, None, None] for v in (DATA.mean, DATA.std))
    return (load_file(folder / IMAGES)["images"] - mean) / std


def start(learner: Learner) -> list[Tensor]:
    return [learner.learnt(c).detach().clone() for c in range(learner.classes)]


def test_the_distance_of_embeddings_by_hand() -> None:
    real, learnt = torch.tensor([[1.0, 2.0], [3.0, 0.0]]), torch.tensor([[0.0, 1.0], [1.0, 0.0], [2.0, 5.0]])
    assert mean_distance(real, learnt).item() == pytest.approx((2 - 1) ** 2 + (1 - 2) ** 2)
    rng = np.random.default_rng(0)
    arrays = [rng.normal(size=(count, 7)) for count in (5, 3)]
    found = mean_distance(*(torch.from_numpy(values) for values in arrays)).item()
    assert found == pytest.approx(plain.mean_distance(*arrays))


def test_the_distance_of_gradients_by_hand() -> None:
    real = [torch.tensor([[1.0, 0.0], [0.0, 2.0], [1.0, 1.0]]), torch.tensor([5.0, 5.0, 5.0])]
    learnt = [torch.tensor([[3.0, 0.0], [4.0, 0.0], [-1.0, -1.0]]), torch.tensor([-5.0, 0.0, 1.0])]
    # Parallel rows are at distance 0, orthogonal ones at 1, opposite ones at 2; the bias does not count.
    assert gradient_distance(real, learnt).item() == pytest.approx(0 + 1 + 2, abs=1e-5)
    rng = np.random.default_rng(0)
    shapes = [(4, 3, 3, 3), (4,), (2, 8), (2,)]
    arrays = [[rng.normal(size=shape) for shape in shapes] for _ in range(2)]
    found = gradient_distance(*([torch.from_numpy(values) for values in group] for group in arrays)).item()
    assert found == pytest.approx(plain.gradient_distance(*arrays))


def test_a_gradient_of_zeros_has_a_finite_distance() -> None:
    images = torch.zeros(2, 3, requires_grad=True)
    gradient_distance([torch.ones(2, 3)], [images * 0]).backward()
    assert images.grad is not None
    assert images.grad.isfinite().all()


def test_two_steps_of_dm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(distributions, "AUGMENTATION", Siamese(one_of=SiameseOperations(flip=1.0)))
    made, ctx = generator("dm", steps=2, learning_rate=0.3), Context(seed=4)
    learner = Learner(made, DATA, ctx)
    images = start(learner)
    speed = [torch.zeros_like(own) for own in images]
    own = plain.normalised(DATA)
    assert all(any(image.equal(real) for real in own[DATA.train.labels == c]) for c in range(3) for image in images[c])
    for step in range(2):
        network = learner.network(step)
        for c in range(3):
            real = learner.real(step, c).flip(-1)

            def loss(learnt: Tensor, real: Tensor = real, network: nn.Module = network) -> Tensor:
                embeddings = [network.embed(x) for x in (real, learnt.flip(-1))]  # type: ignore[operator]
                return ((embeddings[0].mean(0) - embeddings[1].mean(0)) ** 2).sum()

            speed[c] = 0.5 * speed[c] + grad(loss)(images[c])
        images = [image - 0.3 * v for image, v in zip(images, speed, strict=True)]
    found = learnt(made, tmp_path, ctx)
    torch.testing.assert_close(found, torch.stack(images), rtol=1e-3, atol=1e-4)
    assert (found - torch.stack(start(learner))).abs().max() > 1e-3


def test_two_networks_of_dc(tmp_path: Path) -> None:
    """Each has two updates of the images and, between them, an epoch in batches of four."""
    values = {"networks": 2, "updates": 2, "epochs": 1, "learning_rate": 0.1, "network_batch": 4}
    made, ctx = generator("dc", **values), Context(seed=4)
    learner = Learner(made, DATA, ctx)
    images = start(learner)
    speed = [torch.zeros_like(own) for own in images]
    for number in range(2):
        network = learner.network(number)
        weights, drift = plain.weights_of(network), {n: torch.zeros_like(p) for n, p in network.named_parameters()}
        for turn in range(2):
            step = 2 * number + turn
            for c in range(3):
                real = learner.real(step, c)
                slope = grad(lambda x, c=c, r=real, w=weights, n=network: plain.matching_loss(n, w, r, x, c))(images[c])
                speed[c] = 0.5 * speed[c] + slope
            images = [image - 0.1 * v for image, v in zip(images, speed, strict=True)]
            if turn == 0:
                order = torch.from_numpy(ctx.rng("order", step, 0).permutation(6))
                every, labels = torch.cat(images), torch.tensor([0, 0, 1, 1, 2, 2])
                for index in order.split(4):
                    parts = [plain.gradient(network, weights, every[i : i + 1], int(labels[i])) for i in index.tolist()]
                    for name in weights:
                        drift[name] = 0.5 * drift[name] + sum(part[name] for part in parts) / len(parts)
                        weights[name] = weights[name] - 0.01 * drift[name]
    found = learnt(made, tmp_path, ctx)
    torch.testing.assert_close(found, torch.stack(images), rtol=2e-3, atol=2e-4)


def test_real_batches_are_different_images_of_the_class() -> None:
    learner = Learner(generator("dm", real_batch=100), DATA, Context())
    own = plain.normalised(DATA)[DATA.train.labels == 1]
    batch = learner.real(0, 1)
    assert len(batch) == len(own) == 12
    assert all(sum(int(image.equal(real)) for real in own) == 1 for image in batch)
    few = Learner(generator("dm"), DATA, Context())
    assert few.real(0, 1).equal(few.real(0, 1))
    assert not few.real(0, 1).equal(few.real(1, 1))


@pytest.mark.parametrize("name", ["dm", "dc"])
def test_fast_numerics_change_the_gradient_little(name: str) -> None:
    """Rounding real images' passes to bfloat16 turns the gradient by far less than other real images do."""
    learn = {"dm": distributions.add_gradients, "dc": gradients.set_gradient}[name]

    def slope(numerics: str, step: int) -> Tensor:
        learner = Learner(generator(name, numerics=numerics), DATA, Context())
        learn(learner, learner.network(0), step)
        assert learner.images.grad is not None
        return learner.images.grad.flatten()

    reference, fast, other = slope("reference", 0), slope("fast", 0), slope("reference", 1)
    assert torch.cosine_similarity(reference, fast, dim=0) > 0.995
    assert torch.cosine_similarity(reference, other, dim=0) < 0.9
