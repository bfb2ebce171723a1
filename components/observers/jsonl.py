"""Write the events of a run to a file with one JSON object per line. The guide on observers describes its keys."""

from __future__ import annotations

import json
import os
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ddbench import DdbenchError, ObservedNode, ObservedRun, Observer, RunSummary

FORMAT = 1
_BEGIN = b'{"format": 1, "time": '


class JsonLines(Observer):
    """Append each event to a file, as one JSON object per line.

    Raises:
        DdbenchError: no file is named, it cannot be written, or it has other content.
    """

    name = "jsonl"

    def __init__(self, target: str = "") -> None:
        super().__init__(target)
        if not target:
            raise DdbenchError("the observer 'jsonl' needs a file", hint="name it: --observer jsonl=FILE")
        begin, end = b"", b"\n"
        try:
            if Path(target).is_file():
                with Path(target).open("rb") as file:
                    begin = file.read(len(_BEGIN))
                    file.seek(-1 if begin else 0, os.SEEK_END)
                    end = file.read() or end
            if begin in (b"", _BEGIN):
                self._append(b"" if end == b"\n" else b"\n")  # a line may have been cut off
        except OSError as error:
            raise DdbenchError(f"cannot be opened: {error.strerror}", where=target) from None
        if begin not in (b"", _BEGIN):
            hint = "name another file; this one is left as it is"
            raise DdbenchError("has other content than events of a run", where=target, hint=hint)
        self._run = ""

    def run_started(self, run: ObservedRun) -> None:
        """Write what the run is."""
        self._run = run.name
        about = asdict(run)
        del about["name"]
        self._write("run_started", about)

    def node_started(self, node: ObservedNode) -> None:
        """Write the node."""
        self._write("node_started", {"node": asdict(node)})

    def node_done(self, node: ObservedNode, record: dict[str, Any]) -> None:
        """Write the node, and the record of a training."""
        self._write("node_done", {"node": asdict(node), **({"record": record} if node.cells else {})})

    def node_failed(self, node: ObservedNode, message: str) -> None:
        """Write the node and the error."""
        self._write("node_failed", {"node": asdict(node), "message": message})

    def run_ended(self, summary: RunSummary) -> None:
        """Write the summary."""
        self._write("run_ended", asdict(summary))

    def _write(self, event: str, fields: dict[str, Any]) -> None:
        line = {"format": FORMAT, "time": round(time.time(), 3), "event": event, "run": self._run, **fields}
        self._append(json.dumps(line).encode() + b"\n")

    def _append(self, data: bytes) -> None:
        """Append by a single write, so that lines of two runs never mix."""
        descriptor = os.open(self.target, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        try:
            os.write(descriptor, data)
        finally:
            os.close(descriptor)
