"""Fixtures of all tests. The example plug-in is installed for the whole session, as a real distribution."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import settings

# A loaded machine is no reason for a failure: examples have no time limit.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")

ROOT = Path(__file__).parents[1]
EXAMPLE = ROOT / "tests" / "example_plugin"

# Beginnings of paths below this folder. Tests there get the marker `training`.
TRAINING = (
    "cli/fetch_weights/",
    "cli/test_cli.py",
    "cli/test_machine.py",
    "cli/test_without_libraries.py",
    "components/datasets/test_image_folder",
    "components/evaluators/",
    "components/generators/test_d",
    "components/generators/test_fine_tuning",
    "components/generators/test_inversion_matching.py",
    "components/generators/test_learnt",
    "components/generators/test_m",
    "components/generators/test_pipeline_cost.py",
    "components/observers/",
    "components/refiners/test_soft_label_latent",
    "components/scorers/",
    "components/selectors/test_greedy_selectors.py",
    "components/selectors/test_s",
    "components/students/test_students.py",
    "components/students/test_timm_student.py",
    "figures/test_stored.py",
    "gallery/test_gallery.py",
    "gallery/test_verb.py",
    "plan/estimate/test_verb.py",
    "plan/test_real_suites.py",
    "run/test_checkpoint.py",
    "run/test_devices.py",
    "run/test_edited_code.py",
    "run/test_finite.py",
    "run/test_float_pools.py",
    "run/test_kill.py",
    "run/test_labels.py",
    "run/test_local_protocol.py",
    "run/test_observers.py",
    "run/test_preemption.py",
    "run/test_run.py",
    "run/test_scheduler.py",
    "run/test_worker_faults.py",
    "sets/test_verb.py",
    "smoke/",
    "store/test_places.py",
    "store/test_verify_verb.py",
    "testing/",
    "toolkit/test_checkpoint.py",
    "toolkit/test_compilation.py",
    "train/test_augment",
    "train/test_float_images.py",
    "train/test_fused.py",
    "train/test_parts.py",
    "train/test_plain_loop.py",
    "train/test_soft_training.py",
    "train/test_trainer.py",
)

Cli = Callable[..., "subprocess.CompletedProcess[str]"]


def install_distribution(folder: Path, source: Path) -> None:
    """Write into ``folder`` the metadata that ``pip install --editable source`` would: name, version, entry points."""
    project = tomllib.loads((source / "pyproject.toml").read_text())["project"]
    info = folder / f"{project['name'].replace('-', '_')}-{project['version']}.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n")
    lines: list[str] = []
    for group, table in project["entry-points"].items():
        lines += [f"[{group}]", *(f"{name} = {value}" for name, value in table.items())]
    (info / "entry_points.txt").write_text("\n".join(lines) + "\n")


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("numprocesses", None):  # the processes of the tests share the cores already
        os.environ.setdefault("OMP_NUM_THREADS", "1")
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # the processes that tests start share what one has compiled
    sys.dont_write_bytecode = False
    folder = tempfile.TemporaryDirectory(prefix="ddbench-example-")
    config.add_cleanup(folder.cleanup)
    install_distribution(Path(folder.name), EXAMPLE)
    paths = [folder.name, str(EXAMPLE / "src")]
    sys.path[:0] = paths
    os.environ["PYTHONPATH"] = os.pathsep.join([*paths, os.environ.get("PYTHONPATH", "")]).rstrip(os.pathsep)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.relative_to(ROOT / "tests").as_posix().startswith(TRAINING):
            item.add_marker(pytest.mark.training)


@pytest.fixture
def cli(tmp_path: Path) -> Cli:
    """Run ``ddbench`` with arguments in an empty folder, in this process; its store is ``.ddbench`` there."""
    from tests.in_process import ddbench

    def run(*arguments: str, env_extra: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        env = {"DDBENCH_HOME": str(tmp_path / ".ddbench"), **(env_extra or {})}
        return ddbench(*arguments, folder=tmp_path, env=env)

    return run


@pytest.fixture
def cli_process(tmp_path: Path) -> Cli:
    """Do the same in a process of its own, forked from one that has not imported the optional libraries."""
    from tests.forked import command

    def run(*arguments: str, env_extra: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        env = {**os.environ, "DDBENCH_HOME": str(tmp_path / ".ddbench"), **(env_extra or {})}
        return subprocess.run(
            [*command(), *arguments], cwd=tmp_path, env=env, capture_output=True, text=True, timeout=300, check=False
        )

    return run


EXAMPLE_SUITE = """\
suite: example
dataset: dots
protocol: smoke@1
evaluator: nearest-mean
ipc: [1, 2]
students: [pixels]
seeds: {generation: [0], selection: [0], training: [0, 1]}
scorers:
  teacher: colour
matrix:
  generator: [real, noise]
  selector: [first, random, k-center, herding, brightest]
"""


@pytest.fixture
def example_suite(tmp_path: Path) -> Path:
    """Return a suite of the example plug-in's components that runs in seconds."""
    path = tmp_path / "example.yaml"
    path.write_text(EXAMPLE_SUITE)
    return path
