"""Learnt sets: stopped learning, seeds, IPCs, costs and mistakes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest
import torch
from ddbench_components.generators._learnt import distributions, gradients
from ddbench_components.generators._learnt.learner import Learner
from ddbench_components.generators._learnt.learnt_set import IMAGES, LearntSet
from safetensors.torch import load_file
from torch import Tensor

import ddbench
from ddbench import ComponentError, Context
from ddbench.cost import Fit, Sample
from ddbench.plan import Graph
from ddbench.testing import Specimen
from ddbench.toolkit.kept_parts import Pace
from tests.flop_counting import counting
from tests.plan.plans import plan

DATA = Specimen().training()
PARAMS: dict[str, dict[str, Any]] = {
    "dm": {"images": 1, "real_batch": 4, "steps": 4, "numerics": "reference"},
    "dc": {"images": 1, "real_batch": 4, "networks": 2, "updates": 2, "epochs": 1, "numerics": "reference"},
}


class KilledError(Exception):
    """The machine went away."""


def generator(name: str, **values: Any) -> LearntSet:
    return cast("LearntSet", ddbench.create("generator", name, **{**PARAMS[name], **values}))


def fitted(made: LearntSet, folder: Path, ctx: Context | None = None) -> Tensor:
    folder.mkdir()
    made.fit(DATA, folder, ctx or Context())
    return load_file(folder / IMAGES)["images"]


@pytest.mark.parametrize(("name", "killed_after"), [("dm", 2), ("dc", 3)])
def test_learning_that_is_killed_goes_on_with_the_same_bits(
    name: str, killed_after: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DC is killed between two updates with its second network."""
    whole = fitted(generator(name), tmp_path / "whole")
    monkeypatch.setattr(Pace, "due", True)

    def kill(done: int, total: int) -> None:
        if done == killed_after:
            raise KilledError

    kept, steps = tmp_path / "unfinished.safetensors", list[int]()
    with pytest.raises(KilledError):
        fitted(generator(name), tmp_path / "killed", Context(checkpoint_file=kept, progress=kill))
    again = Context(checkpoint_file=kept, progress=lambda done, total: steps.append(done))
    resumed = fitted(generator(name), tmp_path / "resumed", again)
    assert steps[0] == killed_after + 1
    assert resumed.equal(whole)
    assert (tmp_path / "whole" / "training.json").read_text() == (tmp_path / "resumed" / "training.json").read_text()


@pytest.mark.parametrize("name", ["dm", "dc"])
def test_each_seed_learns_another_set(name: str, tmp_path: Path) -> None:
    short = {"dm": {"steps": 1}, "dc": {"networks": 1, "updates": 1}}[name]
    sets = [fitted(generator(name, **short), tmp_path / str(seed), Context(seed=seed)) for seed in (0, 1)]
    assert not sets[0].equal(sets[1])


def test_learnt_images_are_floats_of_their_class(tmp_path: Path) -> None:
    made = generator("dc", images=2, networks=1, updates=1)
    images = fitted(made, tmp_path / "fit")
    made.load(tmp_path / "fit", DATA, Context())
    samples = made.sample_block(1, 0, Context())
    assert samples.images.equal(images[1])
    assert samples.images.dtype == torch.float32
    assert samples.ids == ("001-000000", "001-000001")
    noise = made.params.model_copy(update={"learning_rate": 1e-30})
    before = fitted(type(made)(noise), tmp_path / "before")
    spread = torch.tensor(DATA.std)[:, None, None]
    assert before.sub(torch.tensor(DATA.mean)[:, None, None]).div(spread).std().item() == pytest.approx(1, abs=0.05)


def seeds_of_fits(graph: Graph) -> list[int | None]:
    return [node.settings.get("seed") for node in graph.nodes.values() if node.stage == "fit"]


def test_only_a_learnt_set_has_a_fit_for_each_generation_seed(tmp_path: Path) -> None:
    def planned(name: str) -> Graph:
        values = {
            "suite": "seeds",
            "dataset": "tiny-cifar",
            "protocol": "smoke@1",
            "ipc": [1, 10],
            "students": ["convnet3"],
            "seeds": {"generation": [0, 7]},
            "methods": {"A": {"generator": name, "selector": "first"}},
        }
        return plan(tmp_path, values)

    assert sorted(map(str, seeds_of_fits(planned("dm")))) == ["0", "0", "7", "7"]
    assert seeds_of_fits(planned("ddpm")) == [None]
    fits = [node.uses["generator"].component for node in planned("dc").nodes.values() if node.stage == "fit"]
    assert {cast("LearntSet", fit).count for fit in fits} == {1, 10}


@pytest.mark.parametrize(
    ("name", "values", "said"),
    [
        ("dm", {"images": 13}, "cannot start 13 images of a class from 12 real ones; .* or set `init: noise`"),
        (
            "dc",
            {"images": 7, "updates": "ipc"},
            "no published loops for 7 images of a class; it has them for 1, 10, 20, 30",
        ),
        ("dc", {"images": 7, "epochs": "ipc"}, "give its parameters 'updates' and 'epochs' numbers"),
        ("dm", {"student": "convnet6"}, "halves images 6 times: it needs at least 64 px, not 32; use 'convnet3'"),
    ],
)
def test_what_cannot_be_learnt_is_refused_before_the_run(name: str, values: dict[str, Any], said: str) -> None:
    with pytest.raises(ComponentError, match=said) as raised:
        generator(name, **values).check(Specimen())
    assert "\n" not in str(raised.value)


def test_a_network_with_batch_norms_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = generator("dm")
    batch = cast("Any", ddbench.create("student", "convnet3", norm="batch"))
    monkeypatch.setattr(type(made), "student", lambda self: batch)
    with pytest.raises(ComponentError, match="cannot use student 'convnet3': its network has batch norms"):
        fitted(made, tmp_path / "fit")


def test_learning_that_diverges_stops_at_its_step(tmp_path: Path) -> None:
    said = r"the loss of generator 'dm' is (nan|inf) in step [2-4] of 4; lower the parameter 'learning_rate'"
    with pytest.raises(ComponentError, match=said):
        fitted(generator("dm", learning_rate=1e30), tmp_path / "fit")


def test_the_published_loops() -> None:
    loops = {k: (made.updates, made.epochs) for k in (1, 10, 50) for made in [_ipc(k)]}
    assert loops == {1: (1, 1), 10: (10, 50), 50: (50, 10)}


def _ipc(ipc: int) -> Any:
    made = generator("dc", images="ipc", updates="ipc", epochs="ipc")
    with pytest.raises(ComponentError, match="has `images: ipc`, and the IPC is not known"):
        _ = made.count
    return made.for_ipc(ipc)


@pytest.mark.parametrize("name", ["dm", "dc"])
def test_the_cost_of_a_fit_is_what_torch_counts(name: str) -> None:
    """One update; the first layer needs no gradient of real pixels, which is less than a tenth."""
    short = {"dm": {"steps": 1}, "dc": {"networks": 1, "updates": 1}}[name]
    made = generator(name, images=2, **short)
    learner = Learner(made, DATA, Context())
    network = learner.network(0)
    with counting() as counter:
        if name == "dm":
            distributions.add_gradients(learner, network.requires_grad_(False), 0)
        else:
            gradients.set_gradient(learner, network, 0)
    cost = made.cost(Fit(Specimen()))
    assert cost is not None
    assert cost.flops is not None
    assert cost.flops == pytest.approx(counter.get_total_flops(), rel=0.1)
    assert cost.disk_bytes == 3 * 2 * 3 * 32 * 32 * 4
    sample = made.cost(Sample(Specimen()))
    assert sample is not None
    assert (sample.flops, sample.disk_bytes) == (0, 3 * 32 * 32 * 4)
    assert made.cost(cast("Any", None)) is None


def test_real_passes_count_as_half_precision_and_epochs_between_updates_count() -> None:
    one = generator("dc", images=1, networks=1, updates=1, epochs=5).cost(Fit(Specimen()))
    two = generator("dc", images=1, networks=1, updates=2, epochs=5).cost(Fit(Specimen()))
    fast = generator("dc", images=1, networks=1, updates=1, numerics="fast").cost(Fit(Specimen()))
    assert one is not None
    assert two is not None
    assert fast is not None
    network = generator("dc").student().network_cost(3, 32)
    assert network is not None
    assert two.flops == 2 * cast("int", one.flops) + 5 * 3 * 3 * network.flops
    assert (one.half_flops, fast.half_flops) == (0, 3 * network.flops * 4 * 3)


def test_fewer_real_images_than_learnt_ones_are_found_in_the_fit(tmp_path: Path) -> None:
    few = replace(DATA, train=replace(DATA.train, images=DATA.train.images[:3], labels=DATA.train.labels[:3]))
    with pytest.raises(ComponentError, match="cannot start 2 images of a class from 1 real ones"):
        generator("dm", images=2).fit(few, tmp_path, Context())
