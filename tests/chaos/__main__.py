"""The command line: ``python -m tests.chaos --minutes 30 --seed 7 --suite suites/smoke.yaml``."""

from __future__ import annotations

import argparse
import random
import shutil
import sys
import tempfile
import time
from pathlib import Path

from tests.chaos.account import Account, contents
from tests.chaos.checks import Checks
from tests.chaos.disk import LimitedFiles, MemoryDisk, enter_namespace
from tests.chaos.report import Report
from tests.chaos.rounds import Chaos
from tests.conftest import ROOT
from tests.run.runs import run


def main() -> int:
    """Run undisturbed, then in rounds, then undisturbed again; print a summary, and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description="Run a suite under kills and damage.")
    parser.add_argument("--minutes", type=float, default=30, help="disturb for so long (default: 30)")
    parser.add_argument("--seed", type=int, default=0, help="the seed of all kills and damage (default: 0)")
    suite = ROOT / "suites" / "smoke.yaml"
    parser.add_argument("--suite", type=Path, default=suite, help="the file of a suite (default: the smoke suite)")
    parser.add_argument("--reference", type=Path, help="a store with one run of this suite alone, by this version")
    parser.add_argument("--folder", type=Path, help="keep stores and logs here (default: a new temporary folder)")
    chosen = parser.parse_args()
    own_disk = enter_namespace()
    folder = chosen.folder or Path(tempfile.mkdtemp(prefix="ddbench-chaos-"))
    for name in ("disk", "logs"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    disk = MemoryDisk(folder / "disk") if own_disk else LimitedFiles()
    print(f"full disk: {type(disk).__name__}; logs in {folder}", flush=True)

    reference = chosen.reference or folder / "reference"
    quiet = run(chosen.suite, reference)
    if quiet.returncode != 0:
        sys.exit(quiet.stderr)
    known = contents(Account(reference).entries().values())
    shutil.copytree(reference, folder / "disk" / "store", symlinks=True)
    account, report = Account(folder / "disk" / "store"), Report(folder / "logs")
    chaos = Chaos(Checks(account, chosen.suite, known, quiet.stdout, report), disk, random.Random(chosen.seed))
    ends = time.monotonic() + 60 * chosen.minutes
    while time.monotonic() < ends:
        chaos.round()
    chaos.end()
    print(report.summary())
    if report.wrong:  # the disk in memory ends with this program
        shutil.copytree(account.root, folder / "store", symlinks=True, dirs_exist_ok=True)
    return bool(report.wrong)


if __name__ == "__main__":
    sys.exit(main())
