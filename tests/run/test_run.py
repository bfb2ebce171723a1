"""Whole runs of the example plug-in's suite: results, failures, damage, two runs at once."""

from __future__ import annotations

import io
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from rich.console import Console

from ddbench.record import unpack_predictions
from ddbench.run.progress import Lines
from tests.in_process import InProcessExecutor
from tests.run.runs import (
    assert_nothing_finished_ran_twice,
    events,
    flip_byte,
    outcome,
    run,
    run_in_process,
    start,
    state_of,
)

# Named by the fingerprint of an environment; beside them lie cells, "cell-" and more.
RECORDS = f"results/*/*/{'?' * 16}.json"


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, subprocess.CompletedProcess[str]]:
    """Return the example suite, its store and the ended run, which tests must not change."""
    from tests.conftest import EXAMPLE_SUITE

    folder = tmp_path_factory.mktemp("finished")
    suite = folder / "example.yaml"
    suite.write_text(EXAMPLE_SUITE)
    return suite, folder / "store", run(suite, folder / "store")


def test_a_run_ends_in_a_leaderboard(finished: tuple[Path, Path, subprocess.CompletedProcess[str]]) -> None:
    suite, store, ended = finished
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.startswith("# example\n")
    assert "| noise + k-center" in ended.stdout
    assert "40 of 40 cells have results" in ended.stderr
    state = state_of(suite, store)
    assert len(state.results) == len({key for _, key in state.graph.cells})
    record = next(iter(state.results.values()))[0]
    assert record.validation.size == 18
    assert (record.environment.device, record.environment.threads, record.environment.gpu) == ("cpu", 1, None)
    assert {"python", "torch", "numba"} <= record.environment.versions.keys()
    assert {s.stage for s in record.stages} >= {"dataset", "generate", "select", "distill", "evaluate"}
    assert all(s.wall_s is not None and s.peak_memory_mib for s in record.stages)
    found = unpack_predictions(state.store.predictions(record) or b"")
    assert (found.shape, found.dtype, set(found) <= {0, 1, 2}) == ((18,), "uint8", True)
    kinds = [known.kind for known in record.lineage]
    assert set(kinds) >= {"dataset", "generator", "selector", "evaluator", "student"}
    assert {known.package for known in record.lineage} <= {"ddbench", "ddbench-example"}
    assert all(known.code_hash and known.params is not None and known.version for known in record.lineage)
    assert [p.name for p in (store / "tmp").iterdir()] == []


def test_equal_selections_train_once(finished: tuple[Path, Path, subprocess.CompletedProcess[str]]) -> None:
    suite, store, _ = finished
    state = state_of(suite, store)
    trainings = {state.action_keys[key] for _, key in state.graph.cells}
    assert len(trainings) < len(state.graph.cells), "k-center and herding start with the same sample"
    ran = [e for e in events(store, "start") if e["stage"] == "evaluate"]
    assert len(ran) == len(trainings)


def test_running_again_computes_nothing_and_imports_no_torch(
    finished: tuple[Path, Path, subprocess.CompletedProcess[str]],
) -> None:
    suite, store, first = finished
    before = len(events(store, "start"))
    code = (
        "import sys\nfrom ddbench.cli import app\n"
        f"try:\n    app(['run', {str(suite)!r}, '--store', {str(store)!r}])\n"
        "except SystemExit as end:\n    assert not end.code\n"
        "assert 'torch' not in sys.modules, 'torch was imported'"
    )
    again = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert again.returncode == 0, again.stderr
    assert "ran nothing" in again.stderr
    assert again.stdout == first.stdout
    assert len(events(store, "start")) == before


def test_any_number_of_workers_gives_the_same_bits(
    finished: tuple[Path, Path, subprocess.CompletedProcess[str]], tmp_path: Path
) -> None:
    suite, store, _ = finished
    assert run(suite, tmp_path / "other", "--workers", "1").returncode == 0
    assert outcome(suite, tmp_path / "other") == outcome(suite, store)


def variant(tmp_path: Path, *replacements: tuple[str, str]) -> Path:
    from tests.conftest import EXAMPLE_SUITE

    text = EXAMPLE_SUITE.replace("[first, random, k-center, herding, brightest]", "[first]")
    for old, new in replacements:
        assert old in text
        text = text.replace(old, new)
    path = tmp_path / "variant.yaml"
    path.write_text(text)
    return path


def test_a_validation_image_in_a_pool_stops_the_run(tmp_path: Path) -> None:
    leaky = "generators: {leaky: {use: noise, leak: true}}\nscorers:"
    suite = variant(tmp_path, ("[real, noise]", "[real, leaky]"), ("scorers:", leaky))
    ended = run_in_process(suite, tmp_path / "store")
    assert ended.returncode == 2
    error = [line for line in ended.stderr.splitlines() if line.startswith("error: ")]
    assert len(error) == 1
    assert "'0/0' of generator 'noise' is a validation image of data set 'dots'" in error[0]
    assert "Traceback" not in ended.stderr


def test_what_is_missing_is_said_before_anything_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And not when its turn comes, or when all is done."""
    from ddbench.registry import catalogue
    from ddbench.run import run_suite
    from ddbench.suite import load_suite

    monkeypatch.setattr("ddbench.run.start.LocalExecutor", InProcessExecutor)
    monkeypatch.setattr(catalogue().get("generator", "noise"), "missing", lambda self: "no weights of noise are here")
    suite, said = load_suite(variant(tmp_path)), io.StringIO()
    for _ in range(2):
        assert run_suite(suite, tmp_path / "store", Lines(Console(file=said))).exit_code == 0
    told = [line.split("s ", 1)[1] for line in said.getvalue().splitlines()]
    assert [i for i, line in enumerate(told) if line == "to fetch: no weights of noise are here"] == [0]
    assert told[1].endswith(" nodes to run")


def test_a_selector_that_breaks_its_contract_is_named_and_the_rest_goes_on(tmp_path: Path) -> None:
    suite = variant(tmp_path, ("selector: [first]", "selector: [first, careless]"), ("ipc: [1, 2]", "ipc: [2]"))
    ended = run_in_process(suite, tmp_path / "store")
    assert ended.returncode == 2
    assert "selector 'careless' chose the same sample twice for class 'red'" in ended.stderr
    assert "Traceback" not in ended.stderr
    state = state_of(suite, tmp_path / "store")
    rows = {cell.row.name: key in state.results for cell, key in state.graph.cells}
    assert rows == {"real + first": True, "real + careless": False, "noise + first": True, "noise + careless": False}


def test_a_failed_cell_is_recorded_and_tried_again(tmp_path: Path) -> None:
    suite = variant(tmp_path, ("evaluator: nearest-mean", "evaluator: {use: nearest-mean, fail_seed: 1}"))
    for _ in range(2):
        ended = run_in_process(suite, tmp_path / "store")
        assert ended.returncode == 1
        assert "RuntimeError: this seed always fails" in ended.stderr
        assert "(1 of 2)" in ended.stdout
    assert len([e for e in events(tmp_path / "store", "start") if e["stage"] == "evaluate"]) == 8 + 4
    failure = json.loads(next((tmp_path / "store" / "failures").glob("*.json")).read_text())
    assert "Traceback" in failure["trace"]


def test_a_worker_that_always_dies_is_given_up(tmp_path: Path) -> None:
    suite = variant(
        tmp_path,
        ("evaluator: nearest-mean", "evaluator: {use: nearest-mean, die_seed: 1}"),
        ("ipc: [1, 2]", "ipc: [1]"),
        ("[real, noise]", "[real]"),
    )
    ended = run(suite, tmp_path / "store", "--workers", "1")
    assert ended.returncode == 1
    assert "its worker died 3 times: ended with exit code 9" in ended.stderr
    assert len(state_of(suite, tmp_path / "store").results) == 1


def test_a_flipped_byte_in_an_input_is_noticed_and_made_again(tmp_path: Path) -> None:
    suite, store = variant(tmp_path), tmp_path / "store"
    assert run_in_process(suite, store).returncode == 0
    before = outcome(suite, store)
    state = state_of(suite, store)
    for key, node in state.graph.nodes.items():
        if node.stage == "distill":
            folder = store / "artifacts" / state.action_keys[key][:2] / state.action_keys[key]
            flip_byte(folder / "tensors" / "images.safetensors", -7)
    for result in (store / "results").glob("*/*/*.json"):
        result.unlink()
    ended = run_in_process(suite, store)
    assert ended.returncode == 0, ended.stderr
    assert "images.safetensors: the file is damaged" in ended.stderr
    assert outcome(suite, store) == before
    assert len(events(store, "corrupt")) == 4
    assert len(list((store / "quarantine").iterdir())) == 4


@pytest.mark.parametrize("what", ["artifacts/*/*/manifest.json", RECORDS])
def test_a_flipped_byte_in_a_manifest_or_result_is_noticed_and_made_again(tmp_path: Path, what: str) -> None:
    suite, store = variant(tmp_path, ("ipc: [1, 2]", "ipc: [1]"), ("[real, noise]", "[noise]")), tmp_path / "store"
    assert run_in_process(suite, store).returncode == 0
    before = outcome(suite, store)
    flip_byte(sorted(store.glob(what))[0], 40)
    ended = run_in_process(suite, store)
    assert ended.returncode == 0, ended.stderr
    assert "the file is damaged; moved to" in ended.stderr
    assert outcome(suite, store) == before
    assert "ran nothing" in run_in_process(suite, store).stderr


def test_damage_that_is_found_only_during_the_run_is_mended(tmp_path: Path) -> None:
    """With the data set's node gone nothing can be looked up while planning: the damaged result is met later."""
    suite, store = variant(tmp_path, ("ipc: [1, 2]", "ipc: [1]"), ("[real, noise]", "[noise]")), tmp_path / "store"
    assert run_in_process(suite, store).returncode == 0
    before = outcome(suite, store)
    dataset = next(m for m in state_of(suite, store).manifests.values() if m.stage == "dataset")
    shutil.rmtree(store / "artifacts" / dataset.action_key[:2] / dataset.action_key)
    flip_byte(sorted(store.glob(RECORDS))[0], 40)
    ended = run_in_process(suite, store)
    assert ended.returncode == 0, ended.stderr
    assert "the file is damaged; moved to" in ended.stderr
    assert "ran 1 dataset, 1 evaluate;" in ended.stderr
    assert outcome(suite, store) == before


def test_two_runs_on_one_store_take_turns(tmp_path: Path) -> None:
    suite = variant(tmp_path, ("evaluator: nearest-mean", "evaluator: {use: nearest-mean, seconds: 0.3}"))
    store = tmp_path / "store"
    first = start(suite, store, "--workers", "1")
    while not (store / "run.lock").exists() or "pid" not in (store / "run.lock").read_text():
        assert first.poll() is None
    second = run(suite, store)
    out, err = first.communicate(timeout=60)
    assert first.returncode == second.returncode == 0, err
    assert f"another run (suite 'example', process {first.pid}) is using the store" in second.stderr
    assert "ran nothing" in second.stderr
    assert second.stdout == out
    assert max(assert_nothing_finished_ran_twice(store).values()) == 1


def test_refiners_run_where_there_are_latents(tmp_path: Path) -> None:
    suite = variant(tmp_path, ("selector: [first]", "selector: [first]\n  refiner: [none, darken]"))
    ended = run_in_process(suite, tmp_path / "store")
    assert ended.returncode == 0, ended.stderr
    assert "skipped in the matrix: refiner 'darken' needs latents, but generator 'real' has none" in ended.stderr
    assert "noise + first + darken" in ended.stdout
    state = state_of(suite, tmp_path / "store")
    node = next(key for key, node in state.graph.nodes.items() if node.stage == "refine")
    refined = state.store.artifact(state.action_keys[node])
    plain = state.store.artifact(state.action_keys[state.graph.nodes[node].inputs.distilled])
    assert refined.tensor("images").equal((plain.tensor("images").float() * 0.5).to(plain.tensor("images").dtype))


def test_samples_beyond_the_prefix_change_no_selection(tmp_path: Path) -> None:
    """Blocks of 4 and pools of 6: the second shard holds two samples that no selector may see."""
    digests = []
    for odd in ("null", "6"):
        suite = variant(
            tmp_path,
            ("generator: [real, noise]", "generator: [odd]\n  pool: 6"),
            ("scorers:", f"generators: {{odd: {{use: noise, inverted_from: {odd}}}}}\nscorers:"),
            ("selector: [first]", "selector: [first, random, k-center, herding, brightest]"),
            ("ipc: [1, 2]", "ipc: [3]"),
        )
        store = tmp_path / f"store-{odd}"
        assert run_in_process(suite, store).returncode == 0
        state = state_of(suite, store)
        nodes = state.graph.nodes
        made = {key: manifest.digest for key, manifest in state.manifests.items()}
        digests.append({nodes[key].label: d for key, d in made.items() if nodes[key].stage == "select"})
        shards = {d for key, d in made.items() if nodes[key].stage == "generate"}
        digests[-1]["shards"] = str(sorted(shards))
    assert digests[0].pop("shards") != digests[1].pop("shards")
    assert len(digests[0]) == 5
    assert digests[0] == digests[1]


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Mount a file system of half a MiB."""
    folder = tmp_path / "small"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=512k", "tmpfs", str(folder)]
    if subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("mounting a file system needs root")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def test_a_full_disk_stops_the_run_and_loses_nothing(small_disk: Path, tmp_path: Path) -> None:
    suite = variant(tmp_path, ("generation: [0]", "generation: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]"))
    ended = run(suite, small_disk / "store", "--workers", "1")
    assert ended.returncode == 2
    errors = [line for line in ended.stderr.splitlines() if line.startswith("error: ")]
    assert len(errors) == 1
    assert "no space left for the store" in errors[0]
    assert "Traceback" not in ended.stderr
    done = {event["action_key"] for event in events(small_disk / "store", "done")}
    state = state_of(suite, small_disk / "store")
    assert len(done) > 5
    assert done <= {state.action_keys[key] for key in state.digests}
