"""Imported pools in a run: soft labels of a file, and latents for the prior of another generator."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, cast

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

import ddbench
from ddbench import ComponentError, Context, DataError, Dataset, DistilledSet, Generator
from ddbench.plan import State
from ddbench.run.imported import check_stored_labels, with_latents
from ddbench.store import Artifact
from tests.run.runs import run_in_process, state_of

# Soft labels of red, green and blue images in the file's order, which is blue, red, green.
NAMES = ["blue", "red", "green"]
SUITE = """\
suite: imported
dataset: dots
protocol: smoke@1
evaluator: nearest-mean
ipc: [2]
students: [pixels]
scorers: {{teacher: colour}}
generators:
  theirs: {{use: pool-file, path: {pool}}}
  plain: {{use: pool-file, path: {plain}}}
methods:
  hard: {{generator: theirs, selector: first}}
  plain: {{generator: plain, selector: first}}
  stored: {{generator: theirs, selector: first, labels: {{use: stored, tau: 1.5}}, protocol: psr-kd@1}}
  doubted: {{generator: theirs, selector: first, refiner: doubt, labels: {{use: stored, tau: 1.5}}, protocol: psr-kd@1}}
"""


def write_pool(path: Path, *, soft: bool, order: tuple[int, ...] = (0, 1, 2)) -> Path:
    """Save four images of each class, some pixels beyond [0, 1], with logits 0, 2 and 1 that favour their class."""
    images = torch.rand(12, 3, 8, 8, generator=torch.Generator().manual_seed(0)) * 1.2 - 0.1
    labels = torch.arange(12) % 3
    logits = torch.stack([torch.eye(3)[label] * 4 + torch.tensor([0, 0.2, 0.1]) for label in labels.tolist()])
    tensors = {"images": images, "labels": labels, **({"soft_logits": logits[:, list(order)]} if soft else {})}
    told = {"classes": NAMES, "mean": [0, 0, 0], "std": [1, 1, 1], "teacher": "Ada"}
    save_file({name: t.contiguous() for name, t in tensors.items()}, path, {k: json.dumps(v) for k, v in told.items()})
    return path


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> State:
    folder = tmp_path_factory.mktemp("imported")
    pools = {name: write_pool(folder / f"{name}.safetensors", soft=name == "pool") for name in ("pool", "plain")}
    suite = folder / "suite.yaml"
    suite.write_text(SUITE.format(**pools))
    ended = run_in_process(suite, folder / "store")
    assert ended.returncode == 0, ended.stderr
    return state_of(suite, folder / "store")


def evaluation(state: State, row: str) -> str:
    (key,) = (key for cell, key in state.graph.cells if cell.row.name == row)
    return key


def details(state: State, row: str) -> dict[str, Any]:
    return state.results[evaluation(state, row)][0].result.details


def distilled(state: State, row: str) -> Artifact:
    key = state.graph.nodes[evaluation(state, row)].inputs.distilled
    assert key is not None
    return state.store.artifact(state.action_keys[key])


def test_students_learn_from_the_labels_of_the_file(state: State) -> None:
    """Columns become those of the data set: red, green, blue."""
    tau, logits = details(state, "stored")["soft"]
    assert tau == 1.5
    favoured = torch.eye(3).repeat_interleave(2, dim=0) * 4
    torch.testing.assert_close(torch.tensor(logits), favoured + torch.tensor([0.2, 0.1, 0.0]))
    assert details(state, "doubted")["soft"] == [tau, logits]
    assert details(state, "hard")["soft"] is None


def test_a_refiner_gets_the_labels_of_the_file(state: State) -> None:
    images = distilled(state, "hard").tensor("images")
    sure = (torch.tensor([4.2, 0.1, 0.0]) / 1.5).softmax(0)[0], (torch.tensor([0.2, 4.1, 0.0]) / 1.5).softmax(0)[1]
    refined = distilled(state, "doubted").tensor("images")
    torch.testing.assert_close(refined[0], images[0] * sure[0])
    torch.testing.assert_close(refined[2], images[2] * sure[1])


def test_stored_labels_do_not_change_the_set(state: State) -> None:
    """Hard students share their training with those of the same images without soft labels in the file."""
    assert distilled(state, "hard").manifest.digest == distilled(state, "plain").manifest.digest
    assert "soft_logits" not in distilled(state, "stored").tensor_names


def test_a_record_says_where_labels_are_from(state: State) -> None:
    record = state.results[evaluation(state, "stored")][0]
    assert record.soft_labels is not None
    notes = {stage.stage: stage.notes for stage in record.stages}
    assert notes["generate"][0] == "soft labels of Ada"
    assert "soft labels of Ada" not in notes["generate"][1:]
    assert notes["label"] == ["the stored soft labels are right on 6 of 6 images (chance is 33.3 %)"]
    assert record.teacher is None


def test_labels_in_another_order_are_no_better_than_chance(tmp_path: Path) -> None:
    pool = write_pool(tmp_path / "pool.safetensors", soft=True, order=(1, 2, 0))
    suite = tmp_path / "suite.yaml"
    suite.write_text(SUITE.format(pool=pool, plain=pool).replace("ipc: [2]", "ipc: [4]"))
    ended = run_in_process(suite, tmp_path / "store")
    assert ended.returncode == 2, "the data is at fault"
    assert "2 of 4 cells have results" in ended.stderr, "other rows go on"
    assert "the stored soft labels are no better than chance: right on 0 of 12 images (" in ended.stderr


def test_the_rank_of_the_right_class_counts_and_the_refusal_has_a_way_out() -> None:
    """Of ten images, four are right. In one case the right class is otherwise second or third, in the other last."""
    labels = list(range(10))
    near, far = (torch.zeros(10, 10) for _ in range(2))
    for i in labels:
        near[i] = torch.linspace(0, 0.9, 10)[(torch.arange(10) + i) % 10]
        near[i, i] = 2.0 if i < 4 else 0.85
        far[i, i] = 2.0 if i < 4 else -1.0
    assert check_stored_labels(near, labels) == "the stored soft labels are right on 4 of 10 images (chance is 10.0 %)"
    with pytest.raises(DataError, match=r"right on 4 of 10 .*; check the order .* choose a larger IPC") as caught:
        check_stored_labels(far, labels)
    assert "\n" not in str(caught.value)
    with pytest.raises(DataError, match="no better than chance"):
        check_stored_labels(torch.zeros(10, 10), labels)


@pytest.fixture(scope="module")
def lender() -> Generator:
    """Load the shipped pipeline."""
    generator = cast("Generator", ddbench.create("generator", "dit-nano", sampling_steps=3, block=2))
    generator.load(None, cast("Dataset", ddbench.create("dataset", "tiny-cifar")).training(), Context())
    return generator


@pytest.fixture(scope="module")
def real() -> DistilledSet:
    """Return a real image of each class, and one more, so that the last batch is padded."""
    split = cast("Dataset", ddbench.create("dataset", "tiny-cifar")).train()
    chosen = [*range(0, 1000, 100), 1]
    ids = tuple(split.ids[i] for i in chosen)
    return DistilledSet(split.images[chosen].contiguous(), split.labels[chosen], ids, ipc=1)


@pytest.fixture(scope="module")
def encoded(lender: Generator, real: DistilledSet) -> tuple[Tensor, str]:
    found, note = with_latents(real, lender, "encoded", "cpu")
    assert found.latents is not None
    return found.latents, note


def few(real: DistilledSet, latents: Tensor | None, count: int = 3) -> DistilledSet:
    """Return the first images with some latents."""
    return DistilledSet(real.images[:count], real.labels[:count], real.sample_ids[:count], latents, ipc=1)


def test_encoded_images_decode_to_themselves(
    lender: Generator, real: DistilledSet, encoded: tuple[Tensor, str]
) -> None:
    latents, note = encoded
    assert latents.shape == (11, 8, 8, 8)
    with torch.no_grad():
        error = cast("Any", lender.prior).decode(latents) - real.images.float() / 255
    assert -10 * error.square().mean().log10() > 25, "PSNR in dB; the card says 28.5"
    assert note == f"the encoded latents decode to the images with a mean error of {error.abs().mean():.3f}, " + (
        "where the range is 1"
    )
    assert 0.7 < latents.std() < 1.4, "the scale of the noise schedule"


def test_encoding_draws_nothing_and_is_of_each_image_alone(
    lender: Generator, real: DistilledSet, encoded: tuple[Tensor, str]
) -> None:
    alone = with_latents(few(real, None, 1), lender, "encoded", "cpu")[0].latents
    assert alone is not None
    torch.testing.assert_close(alone[0], encoded[0][0], atol=1e-5, rtol=0)


def test_stored_latents_must_decode_to_the_images(
    lender: Generator, real: DistilledSet, encoded: tuple[Tensor, str]
) -> None:
    latents = encoded[0][:3]
    found, note = with_latents(few(real, latents.half()), lender, "stored", "cpu")
    assert found.latents is not None
    assert found.latents.equal(latents.half())
    assert note.startswith("the stored latents decode to")
    for wrong in (latents * 5, latents.roll(1, 0)):
        with pytest.raises(DataError, match="they are not latents of the prior of generator 'dit-nano'; store latents"):
            with_latents(few(real, wrong), lender, "stored", "cpu")


def test_other_sizes_are_refused(lender: Generator, real: DistilledSet) -> None:
    large = DistilledSet(real.images[:1].repeat(1, 1, 2, 2), real.labels[:1], ("a",), ipc=1)
    problem = r"images of 64 px have encoded latents of shape \[8, 16, 16\], and the prior of generator 'dit-nano'"
    with pytest.raises(DataError, match=problem):
        with_latents(large, lender, "encoded", "cpu")
    problem = r"images of 32 px have stored latents of shape \[4, 8, 8\], and the prior of generator 'dit-nano' takes"
    with pytest.raises(DataError, match=problem):
        with_latents(few(real, torch.zeros(3, 4, 8, 8)), lender, "stored", "cpu")


def test_a_prior_that_cannot_encode_is_refused(real: DistilledSet) -> None:
    other = cast("Generator", ddbench.create("generator", "noise"))
    with pytest.raises(ComponentError, match="the prior of generator 'noise' cannot refine images that it did not"):
        with_latents(real, other, "encoded", "cpu")


REFINED = """\
suite: refined
dataset: tiny-cifar
protocol: smoke@1
evaluator: nearest-mean
ipc: [1]
students: [pixels]
generators:
  nano: {{use: dit-nano, sampling_steps: 2}}
  encoded: {{use: pool-file, path: {pool}, prior: nano, encode: true}}
  folder: {{use: folder, path: {folder}, prior: nano}}
  latent: {{use: pool-file, path: {latent}, prior: nano}}
methods:
  plain: {{generator: encoded, selector: first}}
  encoded: {{generator: encoded, selector: first, refiner: darken}}
  folder: {{generator: folder, selector: first, refiner: darken}}
  latent: {{generator: latent, selector: first, refiner: darken}}
"""


def test_imported_pools_are_refined(tmp_path: Path, real: DistilledSet, encoded: tuple[Tensor, str]) -> None:
    """A file with images alone, the same as a folder, and a file with latents."""
    from torchvision.utils import save_image

    classes = cast("Dataset", ddbench.create("dataset", "tiny-cifar")).classes
    tensors = {"images": real.images[:10], "labels": real.labels[:10]}
    latents = encoded[0][:10]
    names = {"classes": json.dumps([c.name for c in classes])}
    paths = {name: tmp_path / f"{name}.safetensors" for name in ("pool", "latent")}
    save_file(tensors, paths["pool"], names)
    save_file({**tensors, "latents": latents}, paths["latent"], names)
    for image, info in zip(tensors["images"], classes, strict=True):
        (tmp_path / "folder" / info.name).mkdir(parents=True)
        save_image(image / 255, tmp_path / "folder" / info.name / "0.png")
    suite = tmp_path / "suite.yaml"
    suite.write_text(REFINED.format(folder=tmp_path / "folder", **paths))
    ended = run_in_process(suite, tmp_path / "store")
    assert ended.returncode == 0, ended.stderr
    state = state_of(suite, tmp_path / "store")
    for row, kind in (("encoded", "encoded"), ("folder", "encoded"), ("latent", "stored")):
        refined = distilled(state, row)
        assert refined.tensor("images").equal((tensors["images"].float() * 0.5).byte())
        torch.testing.assert_close(refined.tensor("latents"), latents, atol=1e-5, rtol=0)
        assert refined.manifest.made.notes[0].startswith(f"the {kind} latents decode to the images with a mean error")
    assert "latents" not in distilled(state, "plain").tensor_names
    (shown,) = (cell.row.describe() for cell, _ in state.graph.cells if cell.row.name == "encoded")
    assert shown["refiner"] == "darken, prior of nano"
    lineage = state.results[evaluation(state, "encoded")][0].lineage
    assert {origin.name for origin in lineage if origin.kind == "generator"} == {"pool-file", "dit-nano"}
