"""Rounds of chaos: each damages the store, starts a run, disturbs it, and checks what it left."""

from __future__ import annotations

import json
import random
import re
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from ddbench.run.events import LOG_NAME
from tests.chaos import processes
from tests.chaos.account import Account, Entry, complaints, contents, made_again
from tests.chaos.disk import Disk
from tests.chaos.faults import Faults, remove
from tests.run.kills import workers_of

# Mean seconds before the next disturbance. A run needs some seconds to start.
_MEAN_S: Final = 6.0
_SLOWEST_S: Final = 900
_SPARE: Final = (0, 4096, 1 << 16, 1 << 20)
_RAW: Final = re.compile(r"Traceback|\b(?!Ddbench)[A-Z][A-Za-z]*(Error|Exception|Interrupt)\b")
_KILLS: Final = {
    "driver killed": processes.kill_driver,
    "driver and workers killed": processes.kill_group,
    "interrupted (SIGINT)": processes.interrupt,
    "terminated (SIGTERM)": processes.terminate,
}


@dataclass
class Seen:
    """The end of a run.

    Attributes:
        code: its exit code.
        out: its stdout.
        err: its stderr.
        runs: the folders of its logs.
    """

    code: int
    out: str
    err: str
    runs: list[Path]


@dataclass
class Chaos:
    """Rounds on one store.

    Attributes:
        suite: the suite.
        store: the store's folder.
        reference: what an undisturbed store holds, and the table that is printed from it.
        disk: the disk of the store.
        rng: draws everything.
        logs: the folder in which the output of each round is kept.
        counts: what happened, by kind.
        wrong: everything that went wrong.
    """

    suite: Path
    store: Path
    reference: tuple[dict[str, Any], str]
    disk: Disk
    rng: random.Random
    logs: Path
    counts: dict[str, Counter[str]] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.account = Account(self.store)
        self.faults = Faults(self.account, self.rng)
        self._rounds = 0
        self._whole = False

    def count(self, kind: str, what: str, number: int = 1) -> None:
        """Count something for the summary."""
        self.counts.setdefault(kind, Counter())[what] += number

    # one round

    def round(self) -> None:
        """Damage the store, run, disturb the run in one way, and check."""
        self._rounds += 1
        moods: dict[str, Callable[[Any], tuple[int, ...]]] = {
            "left alone": self._leave_alone,
            "killed": self._kill,
            "workers killed": self._kill_workers,
            "damaged while running": self._damage,
            "disk full": self._fill,
        }
        mood = self.rng.choice(list(moods))
        if self.store.exists():
            self._damage_at_rest()
        self.attempt(mood, moods[mood])

    def attempt(self, mood: str, disturb: Callable[[Any], tuple[int, ...]]) -> Seen:
        """Run once, with a disturbance that returns the exit codes that it allows, and check what is left."""
        before = self.account.entries() if self.store.exists() else {}
        self.faults.forget()
        known = set((self.store / "runs").glob("*"))
        with processes.running(self.suite, self.store) as process:
            allowed = disturb(process)
            out, err = process.communicate(timeout=_SLOWEST_S)
        left = processes.orphans(self.store)
        self.disk.free()
        seen = Seen(process.returncode, out, err, sorted(set((self.store / "runs").glob("*")) - known))
        self.count("rounds", mood)
        self.count("exit codes", str(seen.code))
        self._check(mood, seen, allowed, before)
        if left:
            self._complain(f"{len(left)} workers outlived the driver by {processes.ORPHAN_S:.0f} s")
        self._whole = seen.code == 0
        return seen

    def end(self) -> None:
        """Run undisturbed, remove the damage that no run has read, run undisturbed again, and compare everything."""
        self.attempt("last", self._leave_alone)
        self.inspect("--repair")
        for entry in self.account.entries().values():
            if entry.health == "missing":
                remove(entry.folder)
        self.inspect()
        self.attempt("last, after repair", self._leave_alone)
        missing = self.reference[0].keys() - contents(self.account.entries().values()).keys()
        if missing:
            self._complain(f"at the end, {len(missing)} entries are missing, such as {min(missing)}")
        left = list((self.store / "tmp").iterdir())
        if left:
            self._complain(f"at the end, files are left: {left}")

    def inspect(self, *arguments: str) -> None:
        """Complain unless ``ddbench verify`` finds exactly what is damaged."""
        must, may = self.account.to_find()
        ended = self._read("verify", "--store", str(self.store), "--json", *arguments)
        found = {Path(each["file"]) for each in json.loads(ended.stdout)["damage"]}
        self.count("checks", "damaged files found by verify", len(must))
        for path in must:
            if found.isdisjoint({path, *path.parents}):
                self._complain(f"{path} is damaged, and verify does not find it")
        for path in found:
            if not any(path in (each, *each.parents) for each in (*must, *may)):
                self._complain(f"verify takes {path} for damaged")

    def look(self) -> None:
        """Use a verb that only reads the store."""
        name = self.rng.choice(("status", "report", "plan"))
        self._read(name, str(self.suite), "--store", str(self.store))
        self.count("checks", f"readings by {name}")

    def _read(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "ddbench", *arguments]
        ended = subprocess.run(command, capture_output=True, text=True, timeout=_SLOWEST_S, check=False)
        self._check_text(arguments[0], ended.stderr)
        return ended

    def _check_text(self, mood: str, text: str) -> None:
        """Complain about each line that is not a message of ddbench."""
        for line in text.splitlines():
            if _RAW.search(line):
                self._complain(f"{mood}: not a message of ddbench: {line}")

    def _damage_at_rest(self) -> None:
        if self._whole:
            self.faults.wipe(self.rng.choice((0, 0.1, 0.3, 0.6)))
            self.count("faults", "wiped stores")
        for _ in range(self.rng.choice((0, 1, 2, 4, 8))):
            self.count("faults", self.faults.any())
        if self.rng.random() < 0.3:
            self.inspect()
        if self.rng.random() < 0.3:
            self.look()
        if self.rng.random() < 0.15:
            self._control()

    def _control(self) -> None:
        """Damage a file of the store as a whole. A run goes on, or names the file; then delete it, as the line says."""
        path = self.faults.control()
        self.count("faults", f"damage to {path.name}")
        seen = self.attempt("damaged control file", lambda _: (0, 2))
        if seen.code != 0:
            if str(path) not in seen.err:
                self._complain(f"{path} is damaged, and the run stopped without naming it")
            remove(path)

    # disturbances

    def _leave_alone(self, process: Any) -> tuple[int, ...]:
        return (0,)

    def _sleep(self, process: Any) -> bool:
        """Wait a random time; return False if the run has ended."""
        ends = time.monotonic() + self.rng.expovariate(1 / _MEAN_S)
        while process.poll() is None and time.monotonic() < ends:
            time.sleep(0.02)
        return process.poll() is None

    def _kill(self, process: Any) -> tuple[int, ...]:
        name = self.rng.choice(list(_KILLS))
        if self._sleep(process) and self._sleep(process):
            _KILLS[name](process, self.rng)
            self.count("signals", name)
        # A signal that comes while Python starts or ends has its usual effect.
        return (0, 130, -9, -2, -15)

    def _kill_workers(self, process: Any) -> tuple[int, ...]:
        kills = 0
        while self._sleep(process):
            if self.rng.random() < 0.4:
                processes.pause(process, self.rng)
                self.count("signals", "stopped for seconds")
            else:
                processes.kill_worker(process, self.rng)
                self.count("signals", "worker killed")
                kills += 1
        return (0, 1) if kills >= 3 else (0,)

    def _damage(self, process: Any) -> tuple[int, ...]:
        while self._sleep(process):
            self.count("faults", self.faults.any())
        return (0, 1, 2)

    def _fill(self, process: Any) -> tuple[int, ...]:
        if self._sleep(process):
            self.disk.fill(self.rng.choice(_SPARE), [process.pid, *workers_of(process.pid)])
            self.count("faults", "full disk")
        return (0, 2)

    # checks

    def _complain(self, what: str) -> None:
        line = f"round {self._rounds}: {what}"
        self.wrong.append(line)
        print(line, flush=True)

    def _check(self, mood: str, seen: Seen, allowed: tuple[int, ...], before: dict[Path, Entry]) -> None:
        name = f"{self._rounds:04}-{re.sub(r'[^a-z]+', '-', mood)}.txt"
        (self.logs / name).write_text(f"exit {seen.code}\n\n{seen.err}\n{seen.out}", encoding="utf-8")
        if seen.code not in allowed:
            self._complain(f"{mood}: exit code {seen.code}, see {name}")
        self._check_text(mood, seen.err)
        if seen.code == 0 and seen.out != self.reference[1]:
            self._complain(f"{mood}: another table, see {name}")
        after = self.account.entries()
        self._check_contents(after)
        told = {path.name.split("-")[0] for path in (self.store / "quarantine").glob("*")} if seen.code < 0 else set()
        keys = {entry.key for entry in before.values()}
        told = {key for key in keys if key[:16] in told or key[:16] in seen.err}
        found = complaints(
            before,
            after,
            touched=self.faults.touched,
            told=told,
            started=_started(seen.runs),
            finished=seen.code == 0,
        )
        for line in found:
            self._complain(f"{mood}: {line}, see {name}")
        again = [entry for entry in before.values() if made_again(entry, after)]
        self.count("entries", "made", len(after.keys() - before.keys()) + len(again))
        self.count("entries", "found whole and kept", sum(entry.health == "whole" for entry in before.values()))

    def _check_contents(self, after: dict[Path, Entry]) -> None:
        """Compare everything that is whole with the reference."""
        for name, value in contents(after.values()).items():
            if self.reference[0].get(name) != value:
                self._complain(f"{name} differs from that of an undisturbed run")


def _started(runs: list[Path]) -> list[str]:
    """Return the keys of the work that runs started, from those lines of their logs that can be read."""
    found = []
    for folder in runs:
        for line in (folder / LOG_NAME).read_bytes().splitlines() if (folder / LOG_NAME).is_file() else []:
            try:
                event = json.loads(line)
                if event["event"] == "start":
                    found.append(event["action_key"])
            except (ValueError, KeyError, TypeError):
                continue
    return found
