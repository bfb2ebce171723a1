"""The log of a run, with one JSON object per line, written by the driver and by every worker."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

LOG_NAME = "events.jsonl"


class EventLog:
    """A log file that several processes share.

    Attributes:
        path: the file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def add(self, event: str, **fields: Any) -> None:
        """Append one event by a single write, so that lines of different processes never mix."""
        line = json.dumps({"time": round(time.time(), 3), "pid": os.getpid(), "event": event, **fields}) + "\n"
        descriptor = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        try:
            os.write(descriptor, line.encode())
        finally:
            os.close(descriptor)
