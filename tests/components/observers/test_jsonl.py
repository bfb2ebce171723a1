"""The observer that writes events to a file: its keys are those of the guide, and no other file is changed."""

from __future__ import annotations

import json
import os
import re
from collections import Counter
from pathlib import Path

import pytest
from ddbench_components.observers.jsonl import JsonLines

from ddbench import DdbenchError, ObservedNode, ObservedRun, RunSummary
from ddbench.record import RunRecord
from tests.conftest import Cli
from tests.docs.pages import DOCS
from tests.run.watching import STAGES, SUITE

GUIDE = (DOCS / "guides" / "observers.md").read_text(encoding="utf-8")
RUN = ObservedRun("run-1", "watched", "dots", "store", 10, 4, "1.0")
NODE = ObservedNode("ab", "evaluate", "a training", ({"method": "First"},))
END = RunSummary("ended", "", 1.5, {"evaluate": 1}, (("evaluate a training", "too hot"),))


def documented(table: str) -> dict[str, set[str]]:
    """Return the keys that the guide's table of events gives for each event."""
    rows = re.findall(r"^\| `(\w+)` \| (.*) \|$", table, re.MULTILINE)
    return {name: set(re.findall(r"`(\w+)`", keys)) for name, keys in rows}


def test_a_run_is_written_with_the_keys_of_the_guide(tmp_path: Path, cli: Cli) -> None:
    (tmp_path / "watched.yaml").write_text(SUITE.replace("nearest-mean", "nearest-mean, fail_seed: 1"))
    assert cli("run", "watched.yaml", "--observer", "jsonl=events.jsonl").returncode == 1
    events = [json.loads(line) for line in (tmp_path / "events.jsonl").read_text().splitlines()]
    (run,) = (path.name for path in (tmp_path / ".ddbench" / "runs").iterdir())
    assert {(event.pop("format"), event.pop("run")) for event in events} == {(1, run)}
    times = [event.pop("time") for event in events]
    assert times == sorted(times)
    common, own = (documented(part) for part in GUIDE.split("An event adds keys of its own")[:2])
    assert {"format", "time", "event", "run"} <= common.keys()
    events_of_nodes = {name for name in own if "node_" in name}
    assert {event["event"] for event in events} == {"run_started", "run_ended", *events_of_nodes}
    assert len(events_of_nodes) == 3
    for event in events:
        name = event.pop("event")
        node = event.get("node", {"stage": ""})
        training = name == "node_done" and node["stage"] == "evaluate"
        assert event.keys() == own[name] - (set() if training else {"record"})
        if training:
            assert RunRecord.parse(event["record"]).action_key == node["action_key"]
            assert [cell["method"] for cell in node["cells"]] == ["First", "Random"]
    done = Counter(event["node"]["stage"] for event in events if "node" in event and "message" not in event)
    assert done == {stage: 2 * count - (stage == "evaluate") for stage, count in STAGES.items()}
    assert events[-1]["failures"] == [[f"evaluate {events[-2]['node']['label']}", events[-2]["message"]]]


def written(path: Path) -> list[str]:
    """Write three events of one run; return the events in the file."""
    observer = JsonLines(str(path))
    observer.run_started(RUN)
    observer.node_failed(NODE, "too hot")
    observer.run_ended(END)
    return [json.loads(line)["event"] for line in path.read_text().splitlines()]


def test_runs_follow_each_other_in_one_file(tmp_path: Path) -> None:
    path, names = tmp_path / "events.jsonl", ["run_started", "node_failed", "run_ended"]
    assert written(path) == names
    assert written(path) == 2 * names
    path.write_text(path.read_text()[:-20])  # the machine lost power
    JsonLines(str(path)).run_started(RUN)
    lines = path.read_text().splitlines()
    assert json.loads(lines[-1])["event"] == "run_started"
    assert len(lines) == 7


@pytest.mark.parametrize("text", ["suite: mine\n", "[]", '{"format": 2, "time": 1}\n', "\n"])
def test_a_file_with_other_content_is_left_as_it_is(text: str, tmp_path: Path) -> None:
    path = tmp_path / "other"
    path.write_text(text)
    with pytest.raises(DdbenchError, match=r"other: has other content than events of a run; name another file"):
        JsonLines(str(path))
    assert path.read_text() == text


def test_a_file_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    with pytest.raises(DdbenchError, match=r"nowhere/events: cannot be opened: No such file or directory"):
        JsonLines(str(tmp_path / "nowhere" / "events"))
    with pytest.raises(DdbenchError, match="cannot be opened: Is a directory"):
        JsonLines(str(tmp_path))


def test_a_pipe_is_written(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    reader = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    JsonLines(str(tmp_path / "pipe")).run_ended(END)
    assert json.loads(os.read(reader, 10_000))["how"] == "ended"
    os.close(reader)
