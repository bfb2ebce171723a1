"""Students that a protocol was not made with are named in the plan and in the table."""

from __future__ import annotations

from pathlib import Path

import pytest

from ddbench.plan.state import plan_suite
from ddbench.report.leaderboard import leaderboard_of
from ddbench.report.markdown import to_markdown
from ddbench.report.results import results_of
from ddbench.suite import load_suite
from ddbench.suite.made_with import other_students
from tests.in_process import ddbench

SUITE = """\
suite: others
dataset: tiny-cifar
protocol: {protocol}
ipc: [1]
students: [{students}]
scorers: {{kd: trained-teacher}}
methods:
  Random: {{generator: real, selector: random}}
"""
RDED = (
    "convnet3 (norm=batch) at 32 px, convnet4 (norm=batch) at 64 px, resnet18 (norm=batch, variant=small) at 32 px "
    "or resnet18 (norm=batch, variant=small) at 64 px"
)


def write(folder: Path, protocol: str, students: str) -> Path:
    path = folder / "suite.yaml"
    path.write_text(SUITE.format(protocol=protocol, students=students))
    return path


@pytest.mark.parametrize(
    ("protocol", "students", "others"),
    [
        ("rded-kd-cifar@1", "{use: convnet3, norm: batch}, {use: resnet18, norm: batch, variant: small}", None),
        ("rded-kd-cifar@1", "{use: resnet18, norm: batch}", "resnet18 (norm=batch) at 32 px"),
        ("rded-kd-cifar@1", "{use: convnet3, norm: batch}, convnet3", "convnet3 at 32 px"),
        ("rded-kd-cifar@1", "resnet18, resnetap10", "resnet18 at 32 px or resnetap10 at 32 px"),
        ("smoke@1", "resnetap10", None),
    ],
)
def test_norm_variant_and_size_must_all_be_those_of_the_protocol(
    protocol: str, students: str, others: str | None, tmp_path: Path
) -> None:
    suite = load_suite(write(tmp_path, protocol, students))
    expected = {} if others is None else {protocol: f"Made with {RDED}, not with {others}."}
    assert other_students(suite.cells, suite.dataset.component) == expected


def test_defaults_may_be_written_out_and_another_size_counts(tmp_path: Path) -> None:
    written = load_suite(write(tmp_path, "dc-cifar@1", "{use: convnet3, norm: instance}"))
    assert other_students(written.cells, written.dataset.component) == {}
    small = load_suite(write(tmp_path, "minimax-hard@1", "resnet18"))
    (sentence,) = other_students(small.cells, small.dataset.component).values()
    assert sentence.endswith("not with resnet18 at 32 px.")


def test_plan_and_table_have_one_line(tmp_path: Path) -> None:
    path, store = write(tmp_path, "rded-kd-cifar@1", "resnet18"), tmp_path / "store"
    line = f"Made with {RDED}, not with resnet18 at 32 px."
    planned = ddbench("plan", str(path), "--store", str(store), folder=tmp_path)
    assert f"protocol rded-kd-cifar@1: {line} " in " ".join(planned.stdout.split())
    page = to_markdown(leaderboard_of(results_of(*plan_suite(path, store))))
    assert page.count(line) == 1
