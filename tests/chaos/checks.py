"""Hold what a run did, and what verbs say about a store, to the account of the store."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from ddbench.run.events import LOG_NAME
from tests.chaos.account import Account, Entry, complaints, contents, made_again
from tests.chaos.report import Report

# The beginning of a traceback, or the name of an exception that is not ddbench's.
_RAW: Final = re.compile(r"Traceback|\b(?!Ddbench)[A-Z][A-Za-z]*(Error|Exception|Interrupt)\b")


@dataclass
class Seen:
    """The end of a run.

    Attributes:
        code: its exit code.
        out: its stdout.
        err: its stderr.
        folders: the folders of its logs.
    """

    code: int
    out: str
    err: str
    folders: list[Path]


@dataclass
class Checks:
    """Checks of one store.

    Attributes:
        account: the account of the store.
        suite: the suite.
        contents: what an undisturbed store holds.
        table: the table that an undisturbed run prints.
        report: collects what is wrong.
    """

    account: Account
    suite: Path
    contents: dict[str, Any]
    table: str
    report: Report

    def run(self, mood: str, seen: Seen, before: dict[Path, Entry], touched: set[str]) -> None:
        """Check a run. The account has the state after it.

        Args:
            mood: the name of its disturbance.
            seen: its end.
            before: the entries before it.
            touched: the action keys of entries that were damaged or removed meanwhile.
        """
        self.text(mood, seen.err)
        if seen.code == 0 and seen.out != self.table:
            self.report.complain(f"{mood}: another table")
        after = self.account.entries()
        for name, value in contents(after.values()).items():
            if self.contents.get(name) != value:
                self.report.complain(f"{mood}: {name} differs from that of an undisturbed run")
        told, finished = self._told(seen, before), seen.code == 0
        started, repeated = _work(seen.folders)
        for line in complaints(
            before, after, touched=touched, told=told, started=started, repeated=repeated, finished=finished
        ):
            self.report.complain(f"{mood}: {line}")
        again = sum(made_again(entry, after) for entry in before.values())
        self.report.count("entries", "made", len(after.keys() - before.keys()))
        self.report.count("entries", "damaged, removed or incomplete, and made again or moved aside", again)
        self.report.count("entries", "whole and kept", sum(entry.health == "whole" for entry in before.values()))

    def _told(self, seen: Seen, before: dict[Path, Entry]) -> set[str]:
        """Return the keys of the entries that a run named. One that was killed may have moved them before it could."""
        aside = (self.account.root / "quarantine").glob("*") if seen.code < 0 else ()
        moved = {path.name.partition("-")[0] for path in aside}
        return {e.key for e in before.values() if e.key[:16] in moved or e.key[:16] in seen.err}

    def everything_is_there(self) -> None:
        """Complain unless the store holds all that an undisturbed store holds, and no temporary file."""
        missing = self.contents.keys() - contents(self.account.entries().values()).keys()
        if missing:
            self.report.complain(f"{len(missing)} entries are missing, such as {min(missing)}")
        if left := list((self.account.root / "tmp").iterdir()):
            self.report.complain(f"temporary files are left: {left}")

    def verify(self, *arguments: str) -> None:
        """Complain unless ``ddbench verify`` finds exactly what is damaged."""
        must, may = self.account.to_find()
        ended = self._verb("verify", "--store", str(self.account.root), "--json", *arguments)
        found = {Path(each["file"]) for each in json.loads(ended.stdout)["damage"]}
        self.report.count("checks", "damaged files found by verify", len(must))
        for path in must:
            if found.isdisjoint({path, *path.parents}):
                self.report.complain(f"{path} is damaged, and verify does not find it")
        for path in found:
            if not any(path in (each, *each.parents) for each in (*must, *may)):
                self.report.complain(f"verify takes {path} for damaged")

    def look(self, name: str) -> None:
        """Use a verb that only reads the store."""
        self._verb(name, str(self.suite), "--store", str(self.account.root))
        self.report.count("checks", f"readings by {name}")

    def _verb(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "ddbench", *arguments]
        ended = subprocess.run(command, capture_output=True, text=True, check=False)
        self.text(arguments[0], ended.stderr)
        return ended

    def text(self, source: str, text: str) -> None:
        """Complain about each line that is not a message of ddbench."""
        for line in text.splitlines():
            if _RAW.search(line):
                self.report.complain(f"{source}: not a message of ddbench: {line}")


def _work(folders: list[Path]) -> tuple[set[str], set[str]]:
    """Return the keys of the work that was started, and of that which was started again after it was done."""
    started: set[str] = set()
    done: set[str] = set()
    repeated: set[str] = set()
    for log in (folder / LOG_NAME for folder in folders if (folder / LOG_NAME).is_file()):
        for line in log.read_bytes().splitlines():
            try:
                event, key = (json.loads(line)[name] for name in ("event", "action_key"))
            except (ValueError, KeyError, TypeError):
                continue  # another event, or a damaged line
            if event == "start":
                started.add(key)
                repeated |= {key} & done
            elif event == "done":
                done.add(key)
    return started, repeated
