"""Keep parts of unfinished work in files, so that stopped work can resume.

A part is tensors and JSON in one safetensors file. It counts only if its digest and the name of its file agree.
"""

from __future__ import annotations

import glob
import hashlib
import json
import logging
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from ddbench.api.canonical import sha256_json, tensor_digest
from ddbench.api.context import Context
from ddbench.toolkit.files import remove, write_whole

# The largest share of the time that is spent on writing.
_SHARE: Final = 0.02
# Seconds between two writes of finished parts.
_SECONDS: Final = 1.0
_UNREADABLE: Final = (
    *(OSError, SafetensorError, KeyError, TypeError, ValueError, AttributeError),
    *(RuntimeError, RecursionError),
)


@dataclass(frozen=True, eq=False)
class KeptPart:
    """A part of unfinished work.

    Attributes:
        tensors: tensors by name, on the CPU after reading.
        notes: any JSON.
    """

    tensors: Mapping[str, Tensor]
    notes: Any = None


def write_part(path: Path, part: KeptPart) -> None:
    """Write a part in place of any earlier one. After a crash, the file has the old or the new content."""
    # safetensors refuses tensors that share memory, such as tied weights.
    tensors = {n: t.detach().cpu().clone(memory_format=torch.contiguous_format) for n, t in part.tensors.items()}
    notes = json.dumps(part.notes)
    about = {"notes": notes, "digest": _digest(path, tensors, notes)}
    write_whole(path, save(tensors, {"about": json.dumps(about)}))


def read_part(path: Path) -> KeptPart | None:
    """Return a part; None if there is no file. Remove the file if it is damaged or belongs to other work."""
    for abandoned in path.parent.glob(f".{glob.escape(path.name)}.*"):  # by a process that was killed
        _remove(abandoned)
    try:
        if not path.exists():
            return None
        with safe_open(path, framework="pt") as file:
            about = json.loads(file.metadata()["about"])
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  (not a mapping)
        if about["digest"] == _digest(path, tensors, about["notes"]):
            return KeptPart(tensors, json.loads(about["notes"]))
    except _UNREADABLE:
        pass
    _remove(path)
    return None


def _remove(path: Path) -> None:
    with suppress(OSError):
        remove(path)


def _digest(path: Path, tensors: Mapping[str, Tensor], notes: str) -> str:
    """Return the digest of a part. It covers the name of the file, which names the work."""
    digests = {name: tensor_digest(tensor) for name, tensor in tensors.items()}
    return sha256_json([path.name, digests, hashlib.sha256(notes.encode()).hexdigest()])


class Pace:
    """Decide when unfinished work is written: seldom enough to take at most 2 % of the time.

    Writing never stops the work. The first failure is logged as a warning.

    Args:
        seconds: minimum time between two writes; 0 writes at every opportunity.
        began: the time at which the work began, by ``time.monotonic``.
        log: the logger for the warning.
    """

    def __init__(self, seconds: float, began: float, log: logging.Logger) -> None:
        self.seconds = seconds
        self._next = began + seconds
        self._log = log
        self._failed = False

    @property
    def due(self) -> bool:
        """True if enough time has passed since the last write."""
        return time.monotonic() >= self._next

    def hasten(self) -> None:
        """Shorten the interval to a third: work that was stopped once may soon be stopped again."""
        self.seconds /= 3
        self._next = min(self._next, time.monotonic() + self.seconds)

    def write(self, path: Path, part: KeptPart) -> None:
        """Write a part."""
        if torch.cuda.is_initialized():  # type: ignore[no-untyped-call]
            torch.cuda.synchronize()  # waiting for the work itself is no cost of writing
        began = time.monotonic()
        try:
            write_part(path, part)
        except OSError as error:
            self._tell(error)
        ended = time.monotonic()
        self._next = ended + (max(self.seconds, (ended - began) / _SHARE) if self.seconds else 0)

    def _tell(self, error: OSError) -> None:
        if not self._failed:
            self._log.warning("unfinished work is not kept (%s): a stopped run repeats it", error.strerror or error)
        self._failed = True


def kept_files(checkpoint_file: Path | None) -> list[Path]:
    """Return the files of unfinished work: its checkpoint and its parts."""
    if checkpoint_file is None:
        return []
    parts = sorted(checkpoint_file.parent.glob(f"{glob.escape(checkpoint_file.stem)}.*.safetensors"))
    return [path for path in (checkpoint_file, *parts) if path.exists()]


class KeptParts:
    """The finished parts of long work, kept next to ``ctx.checkpoint_file``. Stopped work need not repeat them.

    Parts are gathered between two writes, and removed when the work is done. Without a checkpoint file nothing is kept.

    Args:
        ctx: the context of the work.
        seconds: minimum time between two writes; a fit uses ``Checkpoint.seconds``.

    >>> from ddbench import Context
    >>> kept = KeptParts(Context())
    >>> kept.get("row-0", lambda: KeptPart({"sums": torch.ones(2)})).tensors["sums"]
    tensor([1., 1.])
    """

    def __init__(self, ctx: Context, seconds: float = _SECONDS) -> None:
        self._file = ctx.checkpoint_file
        self._pace = Pace(seconds, ctx.began, ctx.log)
        self._waiting: dict[str, KeptPart] = {}
        self._found: dict[str, KeptPart] = {}
        files = kept_files(self._file)
        if files:
            self._pace.hasten()
        for path in files:
            if path != self._file and (group := read_part(path)) is not None:
                self._found |= _split(group)

    def get(self, name: str, make: Callable[[], KeptPart]) -> KeptPart:
        """Return a part that earlier work kept. If there is none, make and keep it.

        Args:
            name: letters, digits and hyphens; unique within the work.
            make: makes the part.
        """
        part = self._found.pop(name, None)
        if part is None:
            part = make()
            self._add(name, part)
        return part

    def _add(self, name: str, part: KeptPart) -> None:
        if self._file is None:
            return
        self._waiting[name] = part
        if self._pace.due:
            self._pace.write(self._file.with_name(f"{self._file.stem}.{name}.safetensors"), _join(self._waiting))
            self._waiting = {}


def _join(parts: Mapping[str, KeptPart]) -> KeptPart:
    """Join named parts to one."""
    tensors = {f"{name}/{key}": value for name, part in parts.items() for key, value in part.tensors.items()}
    return KeptPart(tensors, {name: part.notes for name, part in parts.items()})


def _split(group: KeptPart) -> dict[str, KeptPart]:
    """Undo ``_join``."""
    tensors: dict[str, dict[str, Tensor]] = {name: {} for name in group.notes}
    for key, value in group.tensors.items():
        name, _, own = key.partition("/")
        tensors[name][own] = value
    return {name: KeptPart(tensors[name], notes) for name, notes in group.notes.items()}
