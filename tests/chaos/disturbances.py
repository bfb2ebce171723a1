"""Disturbances of one run: signals, damage while it works, and a full disk."""

from __future__ import annotations

import random
import subprocess
import time
from dataclasses import dataclass
from typing import Final

from tests.chaos import processes
from tests.chaos.disk import Disk
from tests.chaos.faults import Faults
from tests.chaos.report import Report
from tests.run.kills import kill_driver, kill_group, workers_of

Process = subprocess.Popen[str]
Codes = tuple[int, ...]

# Mean seconds before the next disturbance. A run needs some seconds to start.
_MEAN_S: Final = 6.0
_MOST: Final = 6
_SPARE: Final = (0, 4096, 1 << 16, 1 << 20)
_KILLS: Final = {
    "driver killed": kill_driver,
    "driver and workers killed": kill_group,
    "interrupted (SIGINT)": processes.interrupt,
    "terminated (SIGTERM)": processes.terminate,
}


@dataclass
class Disturbances:
    """Disturbances. Each takes a running driver, and returns the exit codes that it allows.

    Attributes:
        disk: the disk of the store.
        faults: damages the store.
        rng: draws everything.
        report: counts what is done.
    """

    disk: Disk
    faults: Faults
    rng: random.Random
    report: Report

    def none(self, process: Process) -> Codes:
        """Leave the run alone."""
        return (0,)

    def kill(self, process: Process) -> Codes:
        """End the driver, or the driver and its workers."""
        name = self.rng.choice(list(_KILLS))
        if self._sleep(process) and self._sleep(process):
            _KILLS[name](process)
            self.report.count("signals", name)
        # A signal that comes while Python starts or ends has its usual effect.
        return (0, 130, -9, -2, -15)

    def kill_workers(self, process: Process) -> Codes:
        """Kill single workers, or stop a process for some seconds."""
        kills = 0
        for _ in range(self.rng.randint(1, _MOST)):
            if not self._sleep(process):
                break
            if self.rng.random() < 0.4:
                processes.pause(process, self.rng)
                self.report.count("signals", "stopped for seconds")
            elif processes.kill_worker(process, self.rng):
                self.report.count("signals", "worker killed")
                kills += 1
        return (0, 1) if kills >= 3 else (0,)  # a node whose worker dies three times has failed

    def damage(self, process: Process) -> Codes:
        """Damage the store."""
        for _ in range(self.rng.randint(1, _MOST)):
            if not self._sleep(process):
                break
            self.report.count("faults", self.faults.any())
        return (0, 1, 2)

    def fill(self, process: Process) -> Codes:
        """Fill the disk."""
        if self._sleep(process):
            self.disk.fill(self.rng.choice(_SPARE), [process.pid, *workers_of(process.pid)])
            self.report.count("faults", "full disk")
        return (0, 2)

    def _sleep(self, process: Process) -> bool:
        """Wait a random time; return False if the run has ended."""
        ends = time.monotonic() + self.rng.expovariate(1 / _MEAN_S)
        while process.poll() is None and time.monotonic() < ends:
            time.sleep(0.02)
        return process.poll() is None
