"""Observers of runs: what they receive, and that nothing they do changes a run."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from ddbench import DdbenchError, LeakError, ObservedNode, ObservedRun, Observer, RunSummary, StoreError, __version__
from ddbench.plan.state import plan_suite
from ddbench.run import observation
from ddbench.run.executors.base import Answer
from ddbench.suite import load_suite
from tests.conftest import Cli
from tests.in_process import InProcessExecutor
from tests.run.runs import outcome
from tests.run.watching import STAGES, Followed, Recorder


@pytest.fixture
def followed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Followed:
    return Followed(tmp_path, monkeypatch)


@pytest.fixture(scope="module")
def calm(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], list[tuple[Any, ...]]]:
    """Return the outcome of a run without a faulty observer, and what it told another."""
    with pytest.MonkeyPatch.context() as patch:
        made = Followed(tmp_path_factory.mktemp("calm"), patch)
        made.run(Recorder)
        return outcome(made.suite, made.store), Recorder.last.told


def test_an_observer_is_told_of_each_step_in_order(followed: Followed) -> None:
    followed.run(Recorder)
    told = Recorder.last.told
    (name,) = (path.name for path in (followed.store / "runs").iterdir())
    about = {"suite": "watched", "dataset": "dots", "store": str(followed.store), "version": __version__}
    assert told[0] == ("run_started", ObservedRun(name=name, **about, nodes=10, cells=4))
    order = [stage for stage, count in STAGES.items() for _ in range(count)]
    steps = [f"{call} {stage}" for stage in order for call in ("node_started", "node_done")]
    assert Recorder.last.calls == ["run_started", *steps, "run_ended"]
    assert all(start[1] == end[1] for start, end in zip(told[1:-1:2], told[2:-1:2], strict=True))
    summary = told[-1][1]
    assert summary == RunSummary("ended", "", summary.seconds, STAGES, ())
    assert 0 < summary.seconds < 60


def test_a_training_has_its_cells_and_its_record(followed: Followed) -> None:
    followed.run(Recorder)
    done = [told for told in Recorder.last.told if told[0] == "node_done"]
    for _, node, record in done:
        folder = "results/??/{}/????????????????.json" if node.stage == "evaluate" else "artifacts/??/{}/manifest.json"
        (file,) = followed.store.glob(folder.format(node.action_key))
        kept = json.loads(file.read_text())
        assert {key: kept[key] for key in record} == record
        assert len(record) >= len(kept) - 1, "the store adds a checksum"
    for node in (node for _, node, _ in done if node.stage != "evaluate"):
        assert node.cells == ()
    cells = [[(cell["method"], cell["selector"], cell["seeds"]["training"]) for cell in d[1].cells] for d in done[-2:]]
    assert cells == [[("First", "first", seed), ("Random", "random", seed)] for seed in (0, 1)]


def test_stored_results_are_not_told_again(followed: Followed) -> None:
    followed.run()
    followed.run(Recorder)
    assert Recorder.last.calls == ["run_started", "run_ended"]
    assert Recorder.last.told[-1][1].ran == {}


class UnsayableError(Exception):
    """An error whose text fails too."""

    def __str__(self) -> str:
        raise ValueError


class Faulty(Observer):
    """Do something bad in each call."""

    name = "faulty"
    deed = staticmethod(lambda *values: None)

    def run_started(self, run: ObservedRun) -> None:
        self.deed(run)

    def node_started(self, node: ObservedNode) -> None:
        self.deed(node)

    def node_done(self, node: ObservedNode, record: dict[str, Any]) -> None:
        self.deed(node, record)

    def run_ended(self, summary: RunSummary) -> None:
        self.deed(summary)


def raising(error: BaseException) -> Any:
    def deed(*values: Any) -> None:
        raise error

    return staticmethod(deed)


def changing(*values: Any) -> None:
    for value in values:
        if isinstance(value, dict):
            value.clear()
            continue
        for field, content in vars(value).items():
            if field == "cells" and isinstance(content, tuple):
                for cell in content:
                    cell["seeds"].clear()
                    cell.clear()
            if isinstance(content, dict):
                content.clear()
            object.__setattr__(value, field, "changed")


@pytest.mark.parametrize(
    ("deed", "told"),
    [
        (raising(ValueError("two\nlines")), r"test_observers\.py:\d+: ValueError: two lines"),
        (raising(SystemExit(3)), r"test_observers\.py:\d+: SystemExit: 3"),
        (raising(StoreError("full")), r"test_observers\.py:\d+: StoreError: full"),
        (raising(UnsayableError()), "UnsayableError"),
        (staticmethod(changing), None),
        (staticmethod(lambda *values: print("noise")), None),
    ],
    ids=["raises", "exits", "raises an error of ddbench", "raises without a text", "changes its values", "prints"],
)
def test_a_faulty_observer_changes_no_run(
    deed: Any, told: str | None, followed: Followed, calm: Any, capfd: pytest.CaptureFixture[str]
) -> None:
    bad = type("Bad", (Faulty,), {"deed": deed})
    end = followed.run(bad, Recorder)
    assert (end.exit_code, end.failures, dict(end.ran)) == (0, [], STAGES)
    assert outcome(followed.suite, followed.store) == calm[0]
    assert [said[:2] for said in Recorder.last.told[1:-1]] == [said[:2] for said in calm[1][1:-1]]
    assert Recorder.last.told[-1][1].ran == STAGES
    assert capfd.readouterr().out == ""
    lines = re.findall(r"^ *\d+\.\ds (observer 'faulty' .* failed .*)$", followed.lines, re.MULTILINE)
    if told is None:
        assert lines == []
    else:
        where = r"observer 'faulty' \(tests 1\) failed in Bad\.run_started: "
        assert len(lines) == 1
        assert re.fullmatch(f"{where}{told}; the run continues without it", lines[0])


@pytest.mark.parametrize(
    ("spent", "run", "told"),
    [(0.05, 10, False), (0.2, 10, True), (0.9, 95, False), (1.1, 1000, True)],
)
def test_the_time_of_a_slow_observer_is_told(
    spent: float, run: float, told: bool, followed: Followed, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 0.0

    def wait(seconds: float) -> None:
        nonlocal now
        now += seconds

    class Slow(Faulty):
        name = "slow"
        deed = staticmethod(lambda summary: wait(spent / 2))  # at the start and at the end

    monkeypatch.setattr(observation, "time", SimpleNamespace(monotonic=lambda: now))
    lines: list[str] = []
    chosen = [observation.Chosen("observer 'slow' (tests 1)", Slow(), 0.0)]
    _, state = plan_suite(followed.suite, followed.store)
    with observation.Observation(chosen, "now", load_suite(followed.suite), state, lines.append):
        wait(run - spent)
    assert lines == [f"observer 'slow' (tests 1) took {spent:.2f} s; the run took {run:.2f} s"] * told


def test_the_start_of_an_observer_counts(followed: Followed) -> None:
    class Heavy(Observer):
        name = "heavy"

        def __init__(self, target: str = "") -> None:
            import time

            time.sleep(0.1)

    followed.run(Heavy)
    assert re.search(r"observer 'heavy' \(tests 1\) took 0\.1\d s; the run took \d", followed.lines)


class Interrupted(InProcessExecutor):
    """An executor in which the user presses Ctrl-C after four nodes."""

    left = 4

    def wait(self, timeout_s: float) -> list[Answer]:
        self.left -= 1
        if self.left < 0:
            raise KeyboardInterrupt
        return super().wait(timeout_s)


def test_an_interrupted_run_is_told_and_its_second_part_too(
    followed: Followed, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("ddbench.run.start.LocalExecutor", Interrupted)
        with pytest.raises(KeyboardInterrupt):
            followed.run(Recorder)
    first = Recorder.last.told
    assert (first[-1][1].how, first[-1][1].message) == ("interrupted", "")
    assert Recorder.last.calls[-2:] == ["node_started distill", "run_ended"]
    followed.run(Recorder)
    ran = [Counter(told[1].stage for told in part if told[0] == "node_done") for part in (first, Recorder.last.told)]
    unheard = {"distill": 1}  # it ended while the run was interrupted
    assert ran[0] + ran[1] + Counter(unheard) == STAGES
    assert Recorder.last.told[0][1].name > first[0][1].name


def test_an_interrupt_while_an_observer_works_ends_the_run(followed: Followed) -> None:
    class Slow(Faulty):
        name = "slow"
        deed = raising(KeyboardInterrupt())

    with pytest.raises(KeyboardInterrupt):
        followed.run(Slow, Recorder)


def test_a_failed_node_is_told_with_its_message(followed: Followed) -> None:
    followed.edit("{use: nearest-mean}", "{use: nearest-mean, fail_seed: 1}")
    assert followed.run(Recorder).exit_code == 1
    told, both = Recorder.last.told, "node_started evaluate, node_done evaluate, node_started evaluate"
    assert ", ".join(Recorder.last.calls[-5:]) == f"{both}, node_failed evaluate, run_ended"
    node, message = told[-2][1:]
    assert [cell["method"] for cell in node.cells] == ["First", "Random"]
    assert "\n" not in message
    assert told[-1][1].failures == ((f"evaluate {node.label}", message),)
    assert told[-1][1].how == "ended"


def test_a_run_that_an_error_stops_is_told(followed: Followed) -> None:
    followed.edit("methods:\n", "generators: {leaky: {use: noise, leak: true}}\nmethods:\n")
    followed.edit("First: {generator: real", "First: {generator: leaky")
    with pytest.raises(DdbenchError) as caught:
        followed.run(Recorder)
    summary = Recorder.last.told[-1][1]
    assert (summary.how, summary.message) == ("stopped", str(caught.value))
    assert Recorder.last.calls[-2] == "node_failed generate"
    assert not isinstance(caught.value, LeakError), "it came from a worker"


MINE = """\
from ddbench import Observer

class Mine(Observer):
    '''Print the method of each training.'''

    name = "mine"

    def __init__(self, target=""):
        {start}

    def node_done(self, node, record):
        for cell in node.cells:
            print(cell["method"], record["result"]["last"])
"""


@pytest.mark.parametrize(
    ("options", "start", "error"),
    [
        (["--observer", "mien"], "pass", "error: there is no observer 'mien'; did you mean 'mine'?"),
        (["--observer", "mine"], "1 / 0", "mine.py:9: ZeroDivisionError: division by zero"),
        (["--observer", "mine"], "exit()", "error: observer 'mine' (mine.py (unregistered)) cannot start: "),
        (["--observer", "jsonl"], "pass", "error: the observer 'jsonl' needs a file; name it: --observer jsonl=FILE"),
    ],
)
def test_an_observer_that_cannot_start_is_told_before_anything_runs(
    options: list[str], start: str, error: str, followed: Followed, tmp_path: Path, cli: Cli
) -> None:
    (tmp_path / "mine.py").write_text(MINE.format(start=start))
    ended = cli("run", "watched.yaml", "--plugin", "mine.py", *options)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert len(ended.stderr.splitlines()) == 1
    assert error in ended.stderr
    assert not (tmp_path / ".ddbench").exists()


def test_an_observer_in_one_file_follows_a_run(followed: Followed, tmp_path: Path, cli: Cli) -> None:
    (tmp_path / "mine.py").write_text(MINE.format(start="pass"))
    ended = cli("run", "watched.yaml", "--plugin", "mine.py", "--observer", "mine")
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.startswith("# watched\n")
    assert len(re.findall(r"^First \d+\.\d+\nRandom \d+\.\d+$", ended.stderr, re.MULTILINE)) == 2
