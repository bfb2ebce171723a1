"""Components that end, mute or garble their worker. The run ends by itself and says what happened."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from ddbench.run.executors.worker_process import parse_answer
from ddbench.store.lock import refuse, run_lock
from tests.run.plugins import install_plugin
from tests.run.runs import run

SUITE = """\
suite: faults
dataset: dots
protocol: smoke@1
evaluator: nearest-mean
ipc: [1]
students: [pixels]
time_limit: 20
methods:
  fine: {{generator: real, selector: first}}
  broken: {{generator: real, selector: {{use: faulty, how: {how}}}}}
"""
PLUGIN = '''
from typing import Literal
import os, signal, sys, time
import ddbench
from ddbench import Selector, component, hookimpl
from ddbench.toolkit import CorruptError

@component("selector", "faulty", version=1)
class Faulty(Selector):
    """Break in a chosen way."""

    class Params(ddbench.Params):
        how: str

    def select_class(self, pool, ipc, ctx):
        if self.params.how == "exit":
            exit()
        if self.params.how == "sys-exit":
            sys.exit("no faiss here")
        if self.params.how == "os-exit":
            print("faiss: cannot open shared object", file=sys.stderr, flush=True)
            os._exit(3)
        if self.params.how == "signal":
            os.kill(os.getpid(), signal.SIGSEGV)
        if self.params.how == "garbage":
            for name in os.listdir("/proc/self/fd"):
                try:
                    if int(name) > 2 and "pipe:" in os.readlink(f"/proc/self/fd/{name}"):
                        os.write(int(name), b"\\xff\\xfe half a line")
                except OSError:
                    pass
            os.kill(os.getpid(), signal.SIGKILL)
        if self.params.how == "corrupt":
            raise CorruptError("it never is whole")
        if self.params.how == "hang":
            time.sleep(600)
        if self.params.how == "prints":
            print("an answer? no")
            os.write(1, b"\\xff\\n")
            sys.stdin.read()
        return list(range(ipc))

@hookimpl
def ddbench_components():
    return [Faulty]
'''


@pytest.fixture
def plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Install a plug-in with a faulty selector for processes that this test starts."""
    install_plugin("faulty", PLUGIN, tmp_path, monkeypatch)


def outcome(folder: Path, how: str, limit: str = "20") -> subprocess.CompletedProcess[str]:
    suite = folder / "suite.yaml"
    suite.write_text(SUITE.format(how=how).replace("time_limit: 20", f"time_limit: {limit}"))
    return run(suite, folder / "store", "--workers", "1")


@pytest.mark.usefixtures("plugin")
@pytest.mark.parametrize(
    ("how", "said"),
    [
        pytest.param("exit", "it called exit() (faulty_plugin.py:17 in select_class)", marks=pytest.mark.chaos),
        ("os-exit", "its worker died 3 times: ended with exit code 3; last lines: faiss: cannot open shared object ("),
        pytest.param("signal", "its worker died 3 times: killed by SIGSEGV; l", marks=pytest.mark.chaos),
        ("garbage", "its worker died 3 times: its answer cannot be read: "),
        ("hang", "it was stopped at the suite's time limit of 2 s"),
        ("corrupt", "it read damaged files 3 times, and none of its inputs is damaged: it never is whole"),
    ],
)
def test_the_run_ends_and_says_why(tmp_path: Path, how: str, said: str) -> None:
    ended = outcome(tmp_path, how, "2s" if how == "hang" else "1m")
    assert ended.returncode == 1, ended.stderr
    (line,) = [line for line in ended.stderr.splitlines() if "failed: select broken" in line]
    assert said in line
    assert ("lost: " in ended.stderr) == ("died 3 times" in said)
    assert "1 of 2 cells have results" in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.usefixtures("plugin")
def test_what_a_component_prints_and_reads_is_not_the_drivers(tmp_path: Path) -> None:
    ended = outcome(tmp_path, "prints")
    assert ended.returncode == 0, ended.stderr


@pytest.mark.usefixtures("plugin")
def test_why_shows_the_traceback(tmp_path: Path) -> None:
    ended = outcome(tmp_path, "sys-exit")
    assert ended.returncode == 1
    assert "it called exit(): no faiss here (faulty_plugin.py:19 in select_class)" in ended.stderr
    assert "shows the tracebacks of failed nodes" in ended.stderr
    command = [sys.executable, "-m", "ddbench", "why", "suite.yaml", "select", "broken", "--store", "store"]
    shown = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    assert 'sys.exit("no faiss here")' in shown


def test_files_of_the_working_folder_replace_no_module(tmp_path: Path, example_suite: Path) -> None:
    for name in ("random.py", "numpy.py", "queue.py", "safetensors.py", "selectors.py"):
        (tmp_path / name).write_text(f"raise ImportError('{name} of the working folder is imported')\n")
    command = [sys.executable, "-P", "-m", "ddbench", "run", str(example_suite), "--store", str(tmp_path / "store")]
    ended = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr


@pytest.mark.parametrize(
    "line",
    [
        b"", b"\n", b"half", b"\xff\xfe\n", b"[]\n", b"3\n", b"null\n", b"{}\n", b'{"kind": "done"}\n', b"[" * 100_000,
        b'{"kind": "done", "action_key": 3, "usage": {}}\n', b'{"kind": "no-kind"}\n', b'{"kind": ["done"]}\n',
        b'{"kind": "progress", "action_key": "k", "done": "1", "total": 2}\n', b"9" * 5000 + b"\n",
    ],
)  # fmt: skip
def test_what_is_no_answer(line: bytes) -> None:
    assert parse_answer(line) is None


def test_an_answer() -> None:
    message = {"kind": "progress", "action_key": "k", "done": 1, "total": 2}
    assert parse_answer(json.dumps(message).encode() + b"\n") == message


FORKING = """
import os, sys, time
from pathlib import Path
from ddbench.run import worker
from ddbench.store.lock import hold_as_worker
lock = hold_as_worker(Path(sys.argv[1]))
send = worker._take_over_stdout()
worker._drop_in_forks(lock)
child = os.fork()
if child == 0:
    send({"kind": "of the child"})
    time.sleep(60)
    os._exit(0)
send({"child": child})
os._exit(9)
"""


def test_a_process_that_a_component_forked_keeps_neither_the_pipe_nor_the_lock(tmp_path: Path) -> None:
    """Otherwise the driver would wait for an end of the answers, and the next run for the lock, as long as it lives."""
    command = [sys.executable, "-c", FORKING, str(tmp_path)]
    ended = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=30, check=False)
    (line,) = ended.stdout.splitlines()
    child = json.loads(line)["child"]
    try:
        with run_lock(tmp_path, "next", refuse):
            os.kill(child, 0)  # it is still alive
    finally:
        os.kill(child, signal.SIGKILL)
