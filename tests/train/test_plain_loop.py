"""The plain loop that benchmarks compare with is `minimax-hard@1`: against its text, and against ddbench's parts."""

from __future__ import annotations

import copy
from fractions import Fraction
from functools import partial
from itertools import permutations
from typing import cast

import numpy as np
import pytest
import torch
from PIL import Image
from scipy import stats
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset
from torchvision.transforms.functional import pil_to_tensor

import ddbench
from ddbench import Context, Student
from ddbench.registry import catalogue
from ddbench.train.augment import augment
from ddbench.train.color import LIGHTING_VALUES, LIGHTING_VECTORS, apply_map, jitter_map
from ddbench.train.cutmix import cutmix
from ddbench.train.evaluate import predict
from ddbench.train.images import ResidentImages, resize
from ddbench.train.trainer import train
from tests.benchmarks import plain_loop as plain
from tests.contexts import context
from tests.train.trainings import linear, protocol, random_images

MINIMAX = catalogue().protocol("minimax-hard@1")
MEAN, STD = (0.48, 0.45, 0.4), (0.2, 0.25, 0.3)
TABLE = (3000, 2000, 1500, 1000, 500, 300, 1300, 600, 200)


@pytest.fixture(autouse=True)
def seeded() -> None:
    """Seed the global random states, from which the plain loop draws."""
    plain.random.seed(0)
    np.random.seed(0)
    torch.manual_seed(0)


def pictures(pixels: Tensor) -> list[Image.Image]:
    return [Image.fromarray(image.permute(1, 2, 0).numpy()) for image in pixels]


def test_its_numbers_are_the_protocols() -> None:
    what = MINIMAX.augmentation
    assert what.crop is not None
    assert what.color_jitter is not None
    assert what.cutmix is not None
    assert MINIMAX.optimizer.model_dump() == {
        "lr": plain.LEARNING_RATE,
        "momentum": plain.MOMENTUM,
        "weight_decay": plain.WEIGHT_DECAY,
    }
    assert (MINIMAX.batch_size, MINIMAX.evaluations) == (plain.BATCH_SIZE, plain.EVALUATIONS)
    assert what.crop.scale == plain.SCALE
    assert set(what.color_jitter.model_dump().values()) == {plain.JITTER}
    assert (what.lighting, what.cutmix.alpha, what.cutmix.probability) == (plain.LIGHTING, plain.CUTMIX, 1.0)
    _, _, _, crop, flip, _, _, _ = plain.train_transform(32, MEAN, STD).transforms
    assert tuple(crop.ratio) == pytest.approx([float(Fraction(r)) for r in what.crop.ratio])
    assert flip.p == what.flip


@pytest.mark.parametrize("epochs", [*TABLE, 100, 7])
def test_the_rate_falls_where_the_protocols_does(epochs: int) -> None:
    optimizer = plain.make_optimizer(linear())
    scheduler = plain.make_scheduler(optimizer, epochs)
    rates = []
    for _ in range(epochs):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    assert rates == pytest.approx([MINIMAX.learning_rate(epoch, epochs) for epoch in range(1, epochs + 1)])


@pytest.mark.parametrize("epochs", [*TABLE, 12])
def test_it_validates_when_the_protocol_does_and_keeps_the_best(epochs: int, monkeypatch: pytest.MonkeyPatch) -> None:
    done, seen = 0, list[int]()

    def train_epoch(model: nn.Module, batches: object, optimizer: torch.optim.Optimizer) -> None:
        nonlocal done
        done += 1
        optimizer.step()

    def validate(*_: object) -> tuple[float, float, float]:
        seen.append(done)
        return 0.0, float(-abs(done - epochs // 2)), 0.0

    monkeypatch.setattr(plain, "train_epoch", train_epoch)
    monkeypatch.setattr(plain, "validate", validate)
    batches = DataLoader(TensorDataset(torch.zeros(1), torch.zeros(1)))
    found = plain.train_student(linear, batches, batches, epochs)
    assert tuple(seen) == MINIMAX.evaluation_epochs(epochs)
    assert (found.best, found.last) == (0.0, epochs // 2 - epochs)


def test_a_training_takes_ddbenchs_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """All images in one batch, nothing augmented nor mixed, the same first weights: the same last ones."""
    data, epochs = random_images(12), 6
    settings = {"lr": plain.LEARNING_RATE, "momentum": plain.MOMENTUM, "weight_decay": plain.WEIGHT_DECAY}
    ours = train(linear, data, protocol(batch_size=12, optimizer=settings), epochs, Context(seed=1))
    still = protocol(optimizer={"lr": 1e-30, "momentum": 0.0, "weight_decay": 0.0})
    model = train(linear, data, still, 1, Context(seed=1)).model
    start = copy.deepcopy(model)

    pixels = (data.pixels / 255 - 0.5) / 0.25
    training = plain.train_loader(TensorDataset(pixels, data.labels))
    monkeypatch.setattr(plain, "cutmix", lambda images, labels: (images, labels.flip(0), 1.0))
    plain.train_student(lambda: model, training, training, epochs)
    for theirs, first, mine in zip(model.parameters(), start.parameters(), ours.model.parameters(), strict=True):
        torch.testing.assert_close(theirs, mine, rtol=1e-4, atol=1e-6)
        assert float((theirs - first).detach().abs().max()) > 1e-3


# In fused layers a few activations round to the other side of a ReLU; float64 shows that torch's own do so as well.
@pytest.mark.parametrize(("numerics", "bound"), [("reference", 1e-3), ("fast", 0.05)])
@pytest.mark.parametrize(
    ("student", "norm"), [("convnet3", "instance"), ("resnetap10", "instance"), ("resnetap10", "batch")]
)
def test_a_whole_training_ends_at_ddbenchs_weights(
    student: str, norm: str, numerics: str, bound: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both get the same first weights, augmented batches and boxes; a full and a partial batch, and three rates."""
    monkeypatch.setattr("ddbench.train.numerics._has_fast_bfloat16", lambda device: False)
    data, epochs, ctx = random_images(100, 16), 6, context(numerics, seed=3)
    assert MINIMAX.augmentation.cutmix is not None
    built: list[nn.Module] = []

    def build() -> nn.Module:
        model = cast("Student", ddbench.create("student", student, norm=norm)).build(3, 16)
        built.append(copy.deepcopy(model))
        return model

    ours = train(build, data, MINIMAX, epochs, ctx).model.state_dict()
    (model,) = built
    start = copy.deepcopy(model.state_dict())
    optimizer = plain.make_optimizer(model)
    scheduler = plain.make_scheduler(optimizer, epochs)
    for epoch in range(1, epochs + 1):
        order = torch.from_numpy(ctx.rng("order", epoch).permutation(100)).split(plain.BATCH_SIZE)
        draws, mixing = ctx.torch_rng("augment", epoch), ctx.rng("cutmix", epoch)
        monkeypatch.setattr(plain, "cutmix", partial(cutmix, what=MINIMAX.augmentation.cutmix, rng=mixing))
        batches = ((augment(data, index, MINIMAX.augmentation, draws), data.labels[index]) for index in order)
        plain.train_epoch(model, cast("plain.Batches", batches), optimizer)
        scheduler.step()
    for name, theirs in model.state_dict().items():
        moved, apart = ((theirs - other[name]).double().norm() for other in (start, ours))
        assert moved > 0
        assert apart <= bound * moved, name


def test_the_loss_of_a_mixed_batch_weighs_both_labels_and_all_images_are_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """A model that always says class 0 of three with logit 1: losses known by hand."""

    class Saying(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weight = nn.Parameter(torch.zeros(()))
            self.seen: list[Tensor] = []

        def forward(self, x: Tensor) -> Tensor:
            self.seen.append(x.flatten(1)[:, 0].clone())
            return torch.tensor([1.0, 0.0, 0.0]).expand(len(x), 3) + self.weight

    images = torch.arange(100.0).reshape(100, 1, 1, 1).repeat(1, 3, 8, 8)
    loader = plain.train_loader(TensorDataset(images, torch.zeros(100).long()))
    monkeypatch.setattr(plain, "cutmix", lambda x, labels: (x, labels + 1, 0.75))
    model = Saying().eval()
    loss, top1, top5 = plain.train_epoch(model, loader, plain.make_optimizer(model))
    own = np.log(np.e + 2) - 1
    assert model.training
    assert loss == pytest.approx(0.75 * own + 0.25 * (own + 1), rel=1e-5)
    assert (top1, top5) == (100.0, 100.0)
    assert [len(batch) for batch in model.seen] == [64, 36]
    assert sorted(torch.cat(model.seen).tolist()) == list(range(100))
    assert torch.cat(model.seen).tolist() != list(range(100))


def test_cutmix_is_ddbenchs() -> None:
    """Own pixels are counted, and the shares are distributed alike."""
    labels = torch.arange(8)
    what, rng = MINIMAX.augmentation.cutmix, np.random.default_rng(0)
    assert what is not None
    shares: list[tuple[float, float]] = []
    for _ in range(1000):
        images = torch.arange(1.0, 9.0).reshape(8, 1, 1, 1).repeat(1, 3, 32, 32)
        mixed, other, kept = plain.cutmix(images.clone(), labels)
        own, moved = mixed == images, other != labels
        assert bool((own | (mixed == images[other])).all())
        assert bool(own[~moved].all())
        assert own[moved].float().mean(dim=(1, 2, 3)).tolist() == pytest.approx([kept] * int(moved.sum()))
        shares.append((kept, cutmix(images, labels, what, rng).kept))
    theirs, ours = zip(*shares, strict=True)
    assert stats.ks_2samp(theirs, ours).pvalue > 1e-3


def test_colours_change_as_ddbenchs_do(monkeypatch: pytest.MonkeyPatch) -> None:
    strengths = [0.3, -0.4, 0.2]
    image = torch.rand(3, 6, 6)
    changes = plain.ColorJitter()
    for order in permutations(range(3)):
        todo = [(changes.brightness, changes.contrast, changes.saturation)[i] for i in order]
        changed = image
        for change, i in zip(todo, order, strict=True):
            changed = change(changed, strengths[i])
        mapped = jitter_map(image.mean(dim=(1, 2))[None], torch.tensor([strengths]))
        torch.testing.assert_close(changed, apply_map(image[None], *mapped)[0], rtol=0, atol=1e-5)
    amounts = torch.tensor([1.0, -2.0, 3.0])
    monkeypatch.setattr(torch, "randn", lambda count: amounts)
    added = torch.tensor(LIGHTING_VECTORS) @ (0.1 * amounts * torch.tensor(LIGHTING_VALUES))
    torch.testing.assert_close(plain.Lighting()(image), image + added[:, None, None])


def test_augmented_pictures_are_distributed_as_ddbenchs() -> None:
    """One picture of 40 px at 24 px, often: means, spreads and corners of what a student is given."""
    draws = 500
    pixels = torch.randint(0, 256, (3, 5, 5), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    pixels = pixels.repeat_interleave(8, 1).repeat_interleave(8, 2)[None]
    put = partial(ResidentImages.put, labels=torch.zeros(1).long(), size=24, mean=MEAN, std=STD, device="cpu")
    what = MINIMAX.augmentation.model_copy(update={"cutmix": None})
    ours = augment(put(pixels), torch.zeros(draws).long(), what, torch.Generator().manual_seed(0))
    once = plain.Pictures(pictures(pixels), [0], plain.train_transform(24, MEAN, STD))
    theirs = torch.stack([once[0][0] for _ in range(draws)])
    assert theirs.shape == ours.shape
    for channel in range(3):
        for seen in (
            lambda x, c=channel: x[:, c].mean(dim=(1, 2)),
            lambda x, c=channel: x[:, c].flatten(1).std(dim=1),
            lambda x, c=channel: x[:, c, 0, 0],
            lambda x, c=channel: x[:, c, -1, 12],
        ):
            assert stats.ks_2samp(seen(theirs).numpy(), seen(ours).numpy()).pvalue > 1e-3
    jittered = torch.stack([plain.ColorJitter()(torch.full((3, 1, 1), 0.5))[0, 0, 0] for _ in range(draws)])
    assert stats.kstest(jittered.numpy(), stats.uniform(0.3, 0.4).cdf).pvalue > 1e-3


def test_validation_measures_what_ddbench_measures() -> None:
    """70 pictures of 12 px at 8 px, top-1 as ``predict`` finds it; top-5 of three classes is everything."""
    pixels = torch.randint(0, 256, (70, 3, 12, 12), dtype=torch.uint8)
    labels = torch.arange(70) % 3
    model = nn.Sequential(nn.Flatten(), nn.Dropout(0.9), nn.Linear(3 * 8 * 8, 3))
    validation = plain.Pictures(pictures(pixels), labels.tolist(), plain.validation_transform(8, MEAN, STD))
    loss, top1, top5 = plain.validate(model.train(), plain.validation_loader(validation))

    data = ResidentImages.put(pixels, labels, size=8, mean=MEAN, std=STD, device="cpu")
    assert top1 == pytest.approx(float((predict(model, data, Context()) == labels).float().mean() * 100))
    assert top5 == 100.0
    normalized = (resize(pixels, 8) / 255 - torch.tensor(MEAN)[:, None, None]) / torch.tensor(STD)[:, None, None]
    expected = nn.functional.cross_entropy(model(normalized), labels)
    assert loss == pytest.approx(float(expected.detach()), rel=1e-5)
    assert pil_to_tensor(validation.pictures[3]).equal(pixels[3])


def test_accuracies_worked_by_hand() -> None:
    logits = torch.tensor([[6.0, 5, 4, 3, 2, 1]] * 4)
    labels = torch.tensor([0, 1, 4, 5])
    assert float(plain.accuracy(logits, labels, 1)) == 25.0
    assert float(plain.accuracy(logits, labels, 5)) == 75.0


def test_repetitions_follow_each_other_in_one_stream_of_random_numbers() -> None:
    pixels, labels = torch.rand(10, 3, 8, 8), torch.arange(10) % 3
    batches = plain.train_loader(TensorDataset(pixels, labels))
    built: list[nn.Module] = []

    def build() -> nn.Module:
        built.append(linear())
        return built[-1]

    runs = [plain.train_students(build, batches, batches, 3, 2) for _ in range(2)]
    assert runs[0] == runs[1]
    first, second, again, _ = (next(model.parameters()) for model in built)
    assert torch.equal(first, again)
    assert not torch.equal(first, second)
