"""The device that an estimate is for."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from ddbench.errors import DdbenchError
from ddbench.plan.estimate.devices import choose_device, device_of
from ddbench.record import Machine
from ddbench.toolkit.hardware import cpu_model


@pytest.mark.parametrize(
    ("model", "name"),
    [
        ("NVIDIA H100 80GB HBM3", "h100"),
        ("NVIDIA H100 PCIe", "NVIDIA H100 PCIe"),
        ("NVIDIA H200", "h200"),
        ("NVIDIA A100-SXM4-80GB", "a100"),
        ("NVIDIA GeForce RTX 4090", "rtx-4090"),
        ("NVIDIA GeForce RTX 4090 Laptop GPU", "NVIDIA GeForce RTX 4090 Laptop GPU"),
        ("NVIDIA RTX A6000", "a6000"),
        ("NVIDIA RTX 6000 Ada Generation", "NVIDIA RTX 6000 Ada Generation"),
    ],
)
def test_a_device_goes_by_its_short_name(model: str, name: str) -> None:
    assert device_of(Machine(device="cuda", device_model=model)) == name


def test_only_this_machines_processor_is_cpu() -> None:
    assert device_of(Machine(device="cpu", device_model=cpu_model())) == "cpu"
    assert device_of(Machine(device="cpu", device_model="Abacus 3000")) == "Abacus 3000"
    assert choose_device("cpu", {}).name == "cpu"


@pytest.mark.parametrize(
    ("models", "name"),
    [
        ((), "cpu"),
        (("NVIDIA H200",), "h200"),
        (("NVIDIA A100-SXM4-80GB", "NVIDIA H200"), "a100"),
        (("Tesla T4", "NVIDIA A100-SXM4-80GB"), "a100"),
        (("Tesla T4",), "Tesla T4"),
    ],
)
def test_without_records_it_is_what_a_run_computes_on(
    with_gpus: Callable[..., None], models: tuple[str, ...], name: str
) -> None:
    with_gpus(*models)
    assert choose_device(None, {}).name == name
    assert choose_device(None, {"h100": 1.0}).name == "h100"
    assert choose_device("rtx-4090", {}).name == "rtx-4090"


def test_where_a_run_finds_no_gpu_it_is_the_processor(with_gpus: Callable[..., None]) -> None:
    with_gpus("NVIDIA H200", tools=False)
    assert choose_device(None, {}).name == "cpu"


def test_the_default_is_where_most_was_recorded() -> None:
    assert choose_device(None, {"h200": 5.0, "a100": 7.0}).name == "a100"
    assert choose_device("h200", {"a100": 7.0}).name == "h200"


def test_an_unknown_device_is_one_line_with_a_suggestion() -> None:
    with pytest.raises(DdbenchError, match=r"^unknown device 'h1000'; did you mean 'h100'[?]$"):
        choose_device("h1000", {})
    with pytest.raises(DdbenchError, match=r"^unknown device 'xyz'; known: .*Tesla T4.*cpu, h100, h200"):
        choose_device("xyz", {"Tesla T4": 1.0})
