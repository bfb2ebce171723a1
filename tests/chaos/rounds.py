"""Rounds of chaos: each damages the store, starts a run, disturbs it, and checks what it left."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Final

from tests.chaos import processes
from tests.chaos.checks import Checks, Seen
from tests.chaos.disk import Disk
from tests.chaos.disturbances import Codes, Disturbances, Process
from tests.chaos.faults import Faults, remove

_SLOWEST_S: Final = 3600


class Chaos:
    """Rounds on one store, which is complete at the beginning.

    Args:
        checks: checks the store.
        disk: the disk of the store.
        rng: draws everything.
    """

    def __init__(self, checks: Checks, disk: Disk, rng: random.Random) -> None:
        self._checks = checks
        self._disk = disk
        self._rng = rng
        self._report = checks.report
        self._account = checks.account
        self._store = checks.account.root
        self._faults = Faults(checks.account, rng)
        self._disturbances = Disturbances(disk, self._faults, rng, checks.report)
        self._next: list[str] = []
        self._is_complete = True

    def round(self) -> None:
        """Damage the store, run, disturb the run in one way, and check. Each way comes once before one comes again."""
        ways = self._disturbances
        moods = {
            "left alone": ways.none,
            "killed": ways.kill,
            "workers killed": ways.kill_workers,
            "damaged while running": ways.damage,
            "disk full": ways.fill,
        }
        self._next = self._next or self._rng.sample(list(moods), len(moods))
        mood = self._next.pop()
        self._damage_at_rest()
        self._run(mood, moods[mood])

    def end(self) -> None:
        """Run undisturbed, remove the damage that no run has read, run undisturbed again, and compare everything."""
        self._run("last", self._disturbances.none)
        self._checks.verify("--repair")
        for entry in self._account.entries().values():
            if entry.health == "missing":
                remove(entry.folder)
        self._checks.verify()
        self._run("last, after repair", self._disturbances.none)
        self._checks.everything_is_there()

    def _run(self, mood: str, disturb: Callable[[Process], Codes]) -> Seen:
        """Run once with a disturbance, and check what is left."""
        self._report.runs += 1
        before = self._account.entries()
        known = set((self._store / "runs").glob("*"))
        self._faults.touched.clear()
        with processes.running(self._checks.suite, self._store) as process:
            allowed = disturb(process)
            out, err = process.communicate(timeout=_SLOWEST_S)
        left = processes.orphans(self._store)
        self._disk.free()
        seen = Seen(process.returncode, out, err, sorted(set((self._store / "runs").glob("*")) - known))
        self._report.count("runs", mood)
        self._report.count("exits", f"with code {seen.code}")
        self._report.keep(f"{mood}: exit code {seen.code}\n\n{seen.err}\n{seen.out}")
        if seen.code not in allowed:
            self._report.complain(f"{mood}: exit code {seen.code}")
        if left:
            self._report.complain(f"{mood}: {len(left)} workers outlived the driver by {processes.ORPHAN_S:.0f} s")
        self._checks.run(mood, seen, before, self._faults.touched)
        self._is_complete = seen.code == 0
        return seen

    def _damage_at_rest(self) -> None:
        if self._is_complete:
            self._faults.wipe(self._rng.choice((0.1, 0.3, 0.6, 1)))
            self._report.count("faults", "wiped stores")
        for _ in range(self._rng.choice((0, 1, 2, 4, 8))):
            self._report.count("faults", self._faults.any())
        if self._rng.random() < 0.3:
            self._checks.verify()
        if self._rng.random() < 0.3:
            self._checks.look(self._rng.choice(("status", "report", "plan")))
        if self._rng.random() < 0.15:
            self._damage_control()

    def _damage_control(self) -> None:
        """Damage a file of the store as a whole. A run goes on, or names the file; then delete it, as the line says."""
        path = self._faults.control()
        self._report.count("faults", f"damage to {path.name}")
        seen = self._run("damaged control file", lambda _: (0, 2))
        if seen.code != 0:
            if str(path) not in seen.err:
                self._report.complain(f"{path} is damaged, and the run stopped without naming it")
            remove(path)
