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
from tests.chaos.disk import LimitedFiles, MemoryDisk, enter_namespace
from tests.chaos.rounds import Chaos
from tests.conftest import ROOT
from tests.run.runs import run


def main() -> int:
    """Run undisturbed, then in rounds, then undisturbed again; print a summary, and return the exit code."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--suite", type=Path, default=ROOT / "suites" / "smoke.yaml")
    parser.add_argument("--reference", type=Path, help="the store of an undisturbed run, if there is one")
    parser.add_argument("--folder", type=Path, help="a folder for stores and logs")
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
    rng = random.Random(chosen.seed)
    chaos = Chaos(chosen.suite, folder / "disk" / "store", (known, quiet.stdout), disk, rng, folder / "logs")
    ends = time.monotonic() + 60 * chosen.minutes
    while time.monotonic() < ends:
        chaos.round()
    chaos.end()
    for kind, counts in chaos.counts.items():
        print(f"{kind}: " + ", ".join(f"{number} {what}" for what, number in sorted(counts.items())))
    print("\n".join(chaos.wrong))
    if chaos.wrong:
        shutil.copytree(chaos.store, folder / "store", symlinks=True, dirs_exist_ok=True)
    print(f"verdict: {f'{len(chaos.wrong)} complaints, the store is in {folder}' if chaos.wrong else 'as a quiet run'}")
    return bool(chaos.wrong)


if __name__ == "__main__":
    sys.exit(main())
