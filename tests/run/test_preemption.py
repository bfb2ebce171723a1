"""Killed by SIGKILL within its stages, a run ends as a quiet one, and repeats only what was not kept."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from ddbench.store import Store
from ddbench.toolkit import kept_parts
from ddbench.toolkit.kept_parts import Pace
from tests.run.kills import kill_group, wait_for_work
from tests.run.plugins import install_plugin
from tests.run.runs import events, run, run_in_process, start

PLUGIN = '''
import json, os, signal, time
from pathlib import Path
import ddbench
from ddbench import Generator, Samples, Student, component, hookimpl

FOLDER = Path(os.environ["MORTAL"])


def begin(what):
    """Log that a piece of work begins. Kill this process, or its driver too, if its turn has come."""
    log = FOLDER / "log"
    with log.open("a") as file:
        file.write(what + "\\n")
    turn = log.read_text().split().count(what)
    plan = json.loads((FOLDER / "kills.json").read_text())
    if turn in plan.get(what, []):
        if plan["driver"]:
            os.kill(os.getppid(), signal.SIGKILL)
            time.sleep(60)
        os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(plan["seconds"].get(what, 0))


@component("generator", "mortal", version=1)
class Mortal(Generator):
    """Noise around means that are trained."""

    seeded = True
    block = 20

    def fit(self, data, out_dir, ctx):
        import torch
        from safetensors.torch import save_file
        from ddbench.toolkit import Checkpoint

        model = torch.nn.Linear(3, 3)
        torch.nn.init.ones_(model.weight)
        torch.nn.init.zeros_(model.bias)
        optimizer = torch.optim.Adam(model.parameters(), 0.1)
        checkpoint = Checkpoint.of(ctx, json.loads((FOLDER / "kills.json").read_text())["checkpoint_seconds"])
        done, _ = checkpoint.restore(model, optimizer)
        for step in range(done, 30):
            begin("fit")
            loss = model(torch.randn(5, 3, generator=ctx.torch_rng("step", step))).square().mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            checkpoint.offer(step + 1, loss.item(), model, optimizer)
        save_file(model.state_dict(), out_dir / "weights.safetensors")

    def load(self, fitted, data, ctx):
        from safetensors.torch import load_file

        self.bias = load_file(fitted / "weights.safetensors")["bias"]

    def sample_block(self, class_index, block, ctx):
        import torch

        begin("generate")
        latents = torch.randn(20, 3, 8, 8, generator=ctx.torch_rng(class_index, block)) + self.bias[:, None, None]
        images = (latents * 40 + 128).clamp(0, 255).to(torch.uint8)
        return Samples(images, tuple(f"{class_index}/{block}/{i}" for i in range(20)), latents, ("noise",))


@component("student", "mortal", version=1)
class MortalStudent(Student):
    """A linear classifier with dropout."""

    def build(self, num_classes, image_size, channels=3):
        from torch import nn

        model = nn.Sequential(nn.Flatten(), nn.Dropout(0.5), nn.Linear(channels * image_size**2, num_classes))
        model.register_forward_pre_hook(lambda module, inputs: begin("train") if module.training else None)
        return model


@hookimpl
def ddbench_components():
    return [Mortal, MortalStudent]
'''
SUITE = """\
suite: preemption
dataset: dots
protocol: smoke@1
evaluator: {{use: student, checkpoint_seconds: {checkpoint_seconds}}}
ipc: [20]
students: [mortal]
methods: {{A: {{generator: mortal, selector: first}}}}
"""
# The turns of each kind of work in which it is killed. Generation dies three times, more often than a node may without
# progress.
KILLS = {"fit": [3], "generate": [2, 3, 5], "train": [2]}


@pytest.fixture
def suite(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    install_plugin("mortal", PLUGIN, tmp_path, monkeypatch)
    return tmp_path / "suite.yaml"


def prepare(suite: Path, folder: Path, monkeypatch: pytest.MonkeyPatch, **plan: Any) -> Path:
    """Plan the kills of a run and the seconds of each step; return the folder of its store.

    A block is kept at most once a second, and a training here after every step.
    """
    folder.mkdir()
    plan = {"driver": False, "checkpoint_seconds": 0, "seconds": {"generate": 1.02}, **plan}
    (folder / "kills.json").write_text(json.dumps(plan))
    suite.write_text(SUITE.format_map(plan))
    monkeypatch.setenv("MORTAL", str(folder))
    return folder / "store"


def began(folder: Path) -> Counter[str]:
    """Return how often each kind of work began."""
    return Counter((folder / "log").read_text().split())


def numbers(root: Path) -> dict[str, Any]:
    """Return the digest of each artifact in a store, and what each result says but for times."""
    store = Store(root)
    digests = {manifest.action_key: manifest.digest for manifest in store.manifests()}
    results = {record.action_key: record.result.model_dump() for record in store.all_results()}
    for result in results.values():
        del result["details"]["seconds"], result["details"]["resumed_after"]
    return {"digests": digests, "results": results}


@pytest.mark.parametrize("driver", [False, pytest.param(True, marks=pytest.mark.chaos)])
def test_killed_within_its_stages_it_ends_as_a_quiet_run(
    suite: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, driver: bool
) -> None:
    quiet, killed = tmp_path / "quiet", tmp_path / "killed"
    store = prepare(suite, quiet, monkeypatch)
    assert run(suite, store).returncode == 0
    expected = numbers(store)

    store = prepare(suite, killed, monkeypatch, driver=driver, **KILLS)
    codes = [run(suite, store, "--workers", "1").returncode for _ in range(1 + driver * sum(map(len, KILLS.values())))]
    assert codes == [*[-9] * (len(codes) - 1), 0]
    assert numbers(store) == expected
    assert len(expected["results"]) == 1
    deaths = Counter({what: len(turns) for what, turns in KILLS.items()})
    assert began(killed) == began(quiet) + deaths, "only what died begins again"
    assert list((store / "unfinished").iterdir()) == [], "nothing is kept of finished work"
    (record,) = Store(store).all_results()
    assert {stage.stage for stage in record.stages if stage.resumed} == {"fit", "generate", "evaluate"}


LIFE_S, WORK_S, LIVES = 20, 12, 30


@pytest.mark.chaos
def test_killed_every_20_seconds_it_ends_as_a_quiet_run(
    suite: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Fit, generation and training take longer than a life. On a loaded machine, a life has 12 seconds of work."""
    store = prepare(suite, tmp_path / "quiet", monkeypatch, seconds={})
    assert run(suite, store).returncode == 0
    expected = numbers(store)

    seconds = {"fit": 0.9, "generate": 8, "train": 0.7}
    store = prepare(suite, tmp_path / "killed", monkeypatch, checkpoint_seconds=15, seconds=seconds)
    codes: list[int] = []
    while 0 not in codes and len(codes) < LIVES:
        begun, nodes = time.monotonic(), len(events(store, "start"))
        process = start(suite, store, own_group=True)
        wait_for_work(process, store, nodes)
        with suppress(subprocess.TimeoutExpired):
            process.wait(max(WORK_S, begun + LIFE_S - time.monotonic()))
        if process.poll() is None:
            kill_group(process)
        process.communicate()
        codes.append(process.returncode)
    assert codes[-1] == 0
    assert codes.count(-9) >= 3, "each of three stages takes longer than a life"
    assert numbers(store) == expected
    assert list((store / "unfinished").iterdir()) == []


def test_a_full_disk_stops_no_work_and_is_told_once(
    example_suite: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(path: Path, data: bytes) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Pace, "due", True)
    monkeypatch.setattr(kept_parts, "write_whole", full)
    ended = run_in_process(example_suite, tmp_path / "store")
    assert ended.returncode == 0, ended.stderr
    said = [line for line in ended.stderr.splitlines() if "unfinished work is not kept (No space left" in line]
    assert len(said) == 1, "all nodes say the same"
    assert said[0].endswith("unfinished work is not kept (No space left on device): a stopped run repeats it")
