"""Protocols: what the published one prescribes, that none ever changes, and what a wrong file is told."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ddbench import ComponentError
from ddbench.api import sha256_json
from ddbench.protocol import Protocol, read_protocol
from ddbench.registry import catalogue

# A protocol that differs from what is written here needs a new version: results were filed under the old one.
PINNED = {
    "minimax-hard@1": "026579e2f75a3d3a1cd1d2c6bc89c06a9d6c0907d3e5bcecce9ec2d9f5628b0b",
    "smoke@1": "5e445389f9bbad471dcd886be7fc9e497cf9cc5f00aea1e5f2a552f310f439f6",
    "teacher@1": "ef019426890e6590325b91c716e9ee176b8c97c32dfa3ba12d9b8eb68265bdf5",
    "dc-cifar@1": "3c97517b740af2fd1550dcda98b06f0660a713ce92e4c67841d934257095a7c1",
    "hokkaido-hard@1": "fa82ad880c23199f63f9b91b2d3038c4680cdbb33a64440e7a70cd37ec612ba1",
    "dc-kd-cifar@1": "f626aa69c6dd135a5f7477ea3a4e16152aed80ebc4e79aa9297d62bb72ad9257",
    "idc-cifar@1": "1171104a2ae6b40cb5cf0cd565c2d4e2321c6b0a6ceaf427f96c2733e60285fc",
    "idc-cifar@2": "dde73871142261811d0e8d05946499a3bd856edea54c970bc8da2d0bc3fa476f",
    "igd-hard@1": "8f49832b3bde5a883893d1450823739349f446f2d68d0f7a3567c03a2146df70",
    "psr-kd@1": "c15c199a7c19694b18feec64e27f47b810ef8465b7c8220edd74c2b7b018f952",
    "rded-kd@1": "975053370ab65870806be85478b2f2906ea5976c1d6803813a40e1c33d34492d",
    "dc-plain-cifar@1": "3c3efb4d3ff8afe111e2c0a162351141bab3d2685734db6b99f527a14956fbd9",
    "minimax-cifar@1": "044d91b36d139ac2bbb94e666af17690f24fa443a2eb9eb5c540c703f6d77953",
    "smoke-kd@1": "a0f7c275cb3519ab3409e2bf9e31ae6c3d0443803cee5ea32a3ef401af549e09",
    "ims3-hard@1": "b70a98d335b184201644dcfec941cb03d9d6d91c2b3bfffa417e32f89b61d396",
    "rded-kd@2": "e17d6bc07df7cd1f8f15b864a9497a61b8b034d259b922a4fa9b3f503b87cb9c",
    "rded-kd-cifar@1": "13003889bd907b04c0e59341843d715bae9928e0bb323194e9124ff4278ddafd",
    "kd-cifar@1": "d4ccf6101acdb92849b9226bb0d5b1d8d2fa3ca25d8e9098034774854e55d11d",
    "full-cifar@1": "4047c9d8876b531a770e2a6d4154440d33e2780b2d29951e4c00978dac5875ff",
}
EPOCHS = {1: 3000, 2: 2000, 10: 2000, 11: 1500, 50: 1500, 51: 1000, 200: 1000, 201: 500, 500: 500, 501: 300, 5000: 300}
EPOCHS_AT_100_CLASSES = {1: 2000, 10: 1300, 50: 1000, 200: 600, 500: 300, 501: 200}
DISTILLATION = "distillation: {temperature: 2, scaled: true, labels: "


@pytest.fixture(scope="module")
def minimax() -> Protocol:
    return catalogue().protocol("minimax-hard@1")


@pytest.mark.parametrize("protocol_id", PINNED)
def test_published_protocols_never_change(protocol_id: str) -> None:
    assert sha256_json(catalogue().protocol(protocol_id).model_dump(mode="json")) == PINNED[protocol_id]


def test_every_built_in_protocol_is_pinned() -> None:
    folder = Path(__file__).parents[2] / "components" / "evaluators" / "protocols"
    assert {path.stem for path in folder.iterdir()} == set(PINNED)


@pytest.mark.parametrize("protocol_id", PINNED)
def test_a_protocol_survives_json_and_leaves_out_what_it_does_not_do(protocol_id: str) -> None:
    protocol = catalogue().protocol(protocol_id)
    values = protocol.model_dump(mode="json")
    assert Protocol.model_validate(values).model_dump(mode="json") == values
    assert "null" not in protocol.model_dump_json()
    assert protocol.summary
    assert not {"summary", "students"} & values.keys()


def test_minimax_hard_is_the_published_recipe(minimax: Protocol) -> None:
    assert minimax.max_input_size == 224
    assert minimax.batch_size == 64
    assert (minimax.optimizer.lr, minimax.optimizer.momentum, minimax.optimizer.weight_decay) == (0.01, 0.9, 5e-4)
    assert minimax.schedule.gamma == 0.2
    what = minimax.augmentation
    assert what.crop is not None
    assert what.color_jitter is not None
    assert what.cutmix is not None
    assert (what.crop.scale, what.crop.ratio) == ((0.5, 1.0), ("3/4", "4/3"))
    assert what.flip == 0.5
    assert (what.color_jitter.brightness, what.color_jitter.contrast, what.color_jitter.saturation) == (0.4, 0.4, 0.4)
    assert what.lighting == 0.1
    assert (what.cutmix.probability, what.cutmix.alpha) == (1.0, 1.0)


@pytest.mark.parametrize("ipc", EPOCHS)
@pytest.mark.parametrize("num_classes", [2, 10, 99, 101, 1000])
def test_epochs_by_ipc(minimax: Protocol, ipc: int, num_classes: int) -> None:
    assert minimax.epochs(ipc, num_classes) == EPOCHS[ipc]


@pytest.mark.parametrize("ipc", EPOCHS_AT_100_CLASSES)
def test_epochs_by_ipc_for_exactly_100_classes(minimax: Protocol, ipc: int) -> None:
    assert minimax.epochs(ipc, 100) == EPOCHS_AT_100_CLASSES[ipc]


@pytest.mark.parametrize("epochs", sorted({*EPOCHS.values(), *EPOCHS_AT_100_CLASSES.values()}))
def test_a_hundred_evaluations_evenly_and_the_last_at_the_end(minimax: Protocol, epochs: int) -> None:
    evaluated = minimax.evaluation_epochs(epochs)
    assert len(evaluated) == 100
    assert evaluated == tuple(epoch for epoch in range(1, epochs + 1) if epoch % (epochs // 100) == 0)
    assert evaluated[-1] == epochs


@given(epochs=st.integers(1, 5000), evaluations=st.integers(1, 200))
def test_any_training_is_evaluated_at_its_end(epochs: int, evaluations: int) -> None:
    protocol = catalogue().protocol("smoke@1").model_copy(update={"evaluations": evaluations})
    evaluated = protocol.evaluation_epochs(epochs)
    assert evaluated[-1] == epochs
    assert evaluated[0] >= 1
    assert len(evaluated) >= min(epochs, evaluations)
    assert list(evaluated) == sorted(set(evaluated))


@given(epochs=st.integers(1, 2000), evaluations=st.integers(1, 50), share=st.sampled_from(["1/2", "4/5", "99/100"]))
def test_evaluations_of_the_last_share_come_after_the_rest(epochs: int, evaluations: int, share: str) -> None:
    changes = {"evaluations": evaluations, "evaluations_after": share}
    evaluated = catalogue().protocol("smoke@1").model_copy(update=changes).evaluation_epochs(epochs)
    before = int(Fraction(share) * epochs)
    assert evaluated[0] > before
    assert evaluated[-1] == epochs
    assert len(evaluated) >= min(epochs - before, evaluations)


@settings(deadline=None)
@given(epochs=st.integers(1, 400))
def test_the_learning_rate_is_that_of_torchs_schedulers(epochs: int) -> None:
    parameter = torch.nn.Parameter(torch.zeros(1))
    for name in ("minimax-hard@1", "dc-cifar@1", "rded-kd@1"):
        protocol = catalogue().protocol(name)
        optimizer = torch.optim.SGD([parameter], protocol.optimizer.lr)
        scheduler: torch.optim.lr_scheduler.LRScheduler
        if name == "rded-kd@1":
            scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 2 * epochs)
        else:
            milestones, gamma = list(protocol.milestones(epochs)), protocol.schedule.gamma
            scheduler = torch.optim.lr_scheduler.MultiStepLR(optimizer, milestones, gamma)
        for epoch in range(1, epochs + 1):
            rate = protocol.learning_rate(epoch, epochs)
            # Bit for bit where steps are: results were filed that torch's scheduler was used for.
            assert rate == (pytest.approx(scheduler.get_last_lr()[0]) if "rded" in name else scheduler.get_last_lr()[0])
            optimizer.step()
            scheduler.step()


def test_smoke_is_evaluated_once() -> None:
    assert catalogue().protocol("smoke@1").evaluation_epochs(6) == (6,)


@given(epochs=st.integers(1, 10_000))
def test_milestones_are_whole_number_divisions(epochs: int) -> None:
    assert catalogue().protocol("minimax-hard@1").milestones(epochs) == (2 * epochs // 3, 5 * epochs // 6)


def test_more_than_100_classes_change_optimiser_and_batch(minimax: Protocol) -> None:
    assert minimax.for_classes(10) == minimax
    assert minimax.for_classes(100) == minimax
    many = minimax.for_classes(101)
    assert (many.optimizer.lr, many.optimizer.weight_decay, many.batch_size) == (0.1, 1e-4, 128)
    assert many.optimizer.momentum == 0.9
    assert minimax.model_copy(update={"batch_size": 256}).for_classes(1000).batch_size == 256


def test_batch_sizes_by_ipc_come_before_the_rule_for_many_classes(minimax: Protocol) -> None:
    table = {"up_to": {"1": 10, "10": 50}, "doubled_for": [20, 101], "not_for": [30]}
    small = Protocol.model_validate({**minimax.model_dump(mode="json"), "batch_size_by_ipc": table})
    assert [small.for_classes(10, ipc).batch_size for ipc in (1, 2, 10, 11)] == [10, 50, 50, 64]
    assert [small.for_classes(20, ipc).batch_size for ipc in (1, 2, 10, 11)] == [20, 100, 100, 128]
    assert [small.for_classes(30, ipc).batch_size for ipc in (1, 2, 10, 11)] == [64, 64, 64, 64]
    assert [small.for_classes(101, ipc).batch_size for ipc in (1, 2, 10, 11)] == [128, 128, 128, 128]
    assert small.for_classes(10).batch_size == 64


def test_only_larger_images_are_resized(minimax: Protocol) -> None:
    assert [minimax.input_size(size) for size in (32, 64, 224, 256, 500)] == [32, 64, 224, 224, 224]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (("batch_size: 10", "batch_size: many"), r"home@1\.yaml:5:1: the field 'batch_size' is 'many': .*integer"),
        (("batch_size: 10", "batch_size: 0"), r"home@1\.yaml:5:1: the field 'batch_size' is 0: .*greater than"),
        (("batch_size: 10", "batchsize: 10"), r"the field 'batchsize' is unknown; did you mean 'batch_size'"),
        (("flip: 0.5", "flop: 0.5"), r"home@1\.yaml:10:16: the field 'augmentation\.flop' is unknown"),
        (("gamma: 0.2", "gama: 0.2"), r"the field 'schedule\.gama' is unknown; did you mean 'gamma'"),
        (("2/3", "2/0"), r"the field 'schedule\.milestones\.0' is '2/0': should be a positive quotient"),
        (("2/3", "502"), r"the field 'schedule\.milestones\.0' is '?502'?: should be a share of the epochs, at most 1"),
        (("2/3", "-2/3"), r"the field 'schedule\.milestones\.0' is '-2/3': should be a positive quotient"),
        (("batch_size: 10", "id: other@1"), r"home@1\.yaml:5:1: unknown field 'id'; the file's name is the id"),
        (("batch_size: 10", "max_input_size: 3"), r"home@1\.yaml:5:1: duplicate key 'max_input_size'"),
        (("flip: 0.5", "crop: {scale: [0.5, 1], ratio: [2, 3]}"), r"the field 'augmentation\.crop' .*around 1"),
        (("batch_size: 10", "batch_size: ["), r"home@1\.yaml:\d+:\d+: not valid YAML"),
        (("lr: 0.0075", "lr: -1"), r"home@1\.yaml:8:13: the field 'optimizer\.lr' is -1: .*greater than 0"),
        (("lr: 0.0075", "name: adamw, lr: 1"), r"the field 'optimizer\.momentum' is unknown"),
        (("lr: 0.0075", "name: lion, lr: 1"), r"the field 'optimizer' .*its name should be 'adamw', or be left out"),
        (("milestones", "name: cosine, milestones"), r"the field 'schedule\.milestones' is unknown"),
        (("gamma", "name: cosine, stretch: 0.5, g"), r"the field 'schedule\.milestones' is unknown"),
        (("{flip: 0.5}", "{patch_shuffle: 1}"), r"the field 'augmentation\.patch_shuffle' is 1: .*2"),
        (("{flip: 0.5}", "{siamese: {one_of: {}}}"), r"'augmentation\.siamese\.one_of' .*at least one operation"),
        (("{flip: 0.5}", "{siamese: {always: {scale: 0.9}}}"), r"'augmentation\.siamese\.always\.scale' is 0\.9"),
        (
            ("batch_size: 10", f"{DISTILLATION}dynamic}}\nbatch_size: 10"),
            r"'distillation' .*name the role of their teacher",
        ),
        (
            ("batch_size: 10", f"{DISTILLATION}cached, teacher: kd}}\nbatch_size: 10"),
            r"'distillation' .*cached labels none",
        ),
    ],
)
def test_a_wrong_file_is_told_file_line_and_field(tmp_path: Path, change: tuple[str, str], told: str) -> None:
    smoke = Path(__file__).parents[2] / "components" / "evaluators" / "protocols" / "smoke@1.yaml"
    path = tmp_path / "home@1.yaml"
    path.write_text(smoke.read_text().replace(*change))
    with pytest.raises(ComponentError, match=told):
        read_protocol(path)


def test_the_file_name_is_the_id(tmp_path: Path) -> None:
    smoke = Path(__file__).parents[2] / "components" / "evaluators" / "protocols" / "smoke@1.yaml"
    for name, good in (("home@2", True), ("home", False), ("home@0", False), ("Home@1", False)):
        path = tmp_path / f"{name}.yaml"
        path.write_text(smoke.read_text())
        if good:
            assert read_protocol(path).id == name
        else:
            with pytest.raises(ComponentError, match="the field 'id'"):
                read_protocol(path)
