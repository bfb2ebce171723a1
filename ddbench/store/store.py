"""The store of artifacts and results. A killed process leaves no incomplete entry.

The first run upgrades a store of format 1, written by ddbench 0.1. After that, ``store.json`` has format 2 and a note
that the store has earlier work. Old manifests and records keep their format and their keys. They are never changed or
removed.
"""

from __future__ import annotations

import errno
import os
import shutil
import uuid
from collections.abc import Container, Iterator
from contextlib import contextmanager, suppress
from itertools import chain
from pathlib import Path
from typing import Any

from ddbench.errors import StoreError
from ddbench.record import RunRecord, read_predictions
from ddbench.record.predictions import SUFFIX
from ddbench.store.artifact import Artifact, Output, write_payload
from ddbench.store.manifest import Manifest
from ddbench.store.notes import EARLIER, FORMAT, Failure, Marker
from ddbench.store.reading import (
    CELL,
    MANIFEST,
    MARKER,
    damaged_records,
    in_place_of,
    read_failure,
    read_manifest,
    read_marker,
    read_record,
    record_names,
)
from ddbench.store.refusals import refusal, storable
from ddbench.toolkit.files import CorruptError, is_half_written, remove, sealed, sync_folder, write_sealed, write_whole

# Errors of creating a store in an impossible place. In an existing store they would be bugs.
_NO_PLACE = (errno.ENOENT, errno.ENAMETOOLONG, errno.ELOOP, errno.EINVAL)


class Store:
    """A folder of artifacts, results, failures and the logs of runs.

    ``artifacts/KK/KEY/`` has a manifest and a payload; ``results/KK/KEY/`` one file per environment and one per cell.

    Attributes:
        root: the folder.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    @classmethod
    def open(cls, root: Path) -> Store:
        """Open a store for writing. Create it if it does not exist.

        Raises:
            StoreError: the store cannot be written or has an unknown format.
        """
        store = cls(root)
        with store.writing(*_NO_PLACE):
            for name in ("artifacts", "results", "failures", "runs", "tmp"):
                (root / name).mkdir(parents=True, exist_ok=True)
            found = store._marker()
            if found is None or found.format == EARLIER:
                write_sealed(root / MARKER, {"format": FORMAT, "earlier": store.may_hold_earlier})
            probe = root / "tmp" / uuid.uuid4().hex
            probe.touch()
            probe.unlink(missing_ok=True)  # another run may have swept it
        return store

    def _marker(self) -> Marker | None:
        try:
            return read_marker(self.root / MARKER)
        except CorruptError as error:
            hint = "delete it; all other files are checked when they are read"
            raise StoreError(error.message, where=error.where, hint=hint) from None

    @property
    def may_hold_earlier(self) -> bool:
        """True if the store may have work of format 1."""
        marker = None
        with suppress(StoreError):
            marker = self._marker()
        if marker is not None and marker.format == FORMAT:
            return marker.earlier
        return any((self.root / "results").glob("*/*"))

    @contextmanager
    def writing(self, *refusals: int) -> Iterator[None]:
        """Re-raise errors of a full or unwritable disk, and those with the errno ``refusals``, as StoreError."""
        try:
            yield
        except OSError as error:
            refused = refusal(error, self.root, refusals)
            if refused is None:
                raise
            raise refused from error

    def _write(self, path: Path, data: bytes) -> None:
        """Write a file. A killed process leaves a half-written one only among the temporary files."""
        with self.writing():
            write_whole(path, data, self.root / "tmp")

    def half_written(self, *patterns: str) -> Iterator[Path]:
        """Yield the half-written files of killed processes that match one of the patterns."""
        found = chain.from_iterable(map(self.root.glob, patterns))
        return (path for path in found if is_half_written(path.name))

    def sweep(self) -> None:
        """Remove the temporary files of killed runs. Nothing else may use the store meanwhile."""
        # The folders of results are too many to look into, and only ddbench 0.2 wrote such files there.
        half_written = self.half_written(".*", "cache/.*", "failures/.*", "unfinished/.*")
        for path in (*(self.root / "tmp").iterdir(), *half_written):
            remove(path)

    # artifacts

    def _folder(self, action_key: str) -> Path:
        return self.root / "artifacts" / action_key[:2] / action_key

    def manifest(self, action_key: str) -> Manifest | None:
        """Return the manifest of an artifact; None if it was never made. Raise CorruptError if it is damaged."""
        return read_manifest(self._folder(action_key))

    def has_payload(self, manifest: Manifest) -> bool:
        """Return True if there is something in the place of each file. Files are checked when they are read."""
        folder = self._folder(manifest.action_key)
        return all((folder / name).exists() for name in manifest.files)

    def artifact(self, action_key: str) -> Artifact:
        """Return a stored artifact. Raise CorruptError if it does not exist or its manifest is damaged."""
        manifest = self.manifest(action_key)
        if manifest is None:
            raise CorruptError("the artifact is missing", where=str(self._folder(action_key)))
        return Artifact(self._folder(action_key), manifest)

    def holds(self, action_key: str) -> bool:
        """Return True if the folder of the key exists, even if it is damaged."""
        return os.path.lexists(self._folder(action_key))

    def manifests(self) -> Iterator[Manifest]:
        """Yield every undamaged manifest."""
        for folder in sorted((self.root / "artifacts").glob("*/*")):
            try:
                manifest = self.manifest(folder.name)
            except StoreError:
                continue
            if manifest is not None:
                yield manifest

    @contextmanager
    def scratch(self) -> Iterator[Path]:
        """Create an empty folder inside the store, and remove it afterwards."""
        folder = self.root / "tmp" / uuid.uuid4().hex
        with self.writing():
            folder.mkdir(parents=True)
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def put(self, output: Output, unsigned: Manifest) -> Manifest:
        """Store an output in place of any earlier one under its key, and return its manifest.

        Payload and manifest are written to a scratch folder and moved by one rename.

        Args:
            output: the output.
            unsigned: the manifest without digest and files, which are computed here.

        Raises:
            ComponentError: the manifest could not be read again.
        """
        with self.writing(), self.scratch() as aside:
            building = aside / "artifact"
            building.mkdir()
            digest, files = write_payload(output, building)
            manifest = unsigned.model_copy(update={"digest": digest, "files": files})
            write_whole(building / MANIFEST, storable(manifest))
            final = self._folder(manifest.action_key)
            final.parent.mkdir(parents=True, exist_ok=True)
            if os.path.lexists(final):
                final.rename(aside / "replaced")
            building.rename(final)
            sync_folder(final.parent)
        return manifest

    def drop_payload(self, manifest: Manifest) -> None:
        """Delete an artifact's files but keep its manifest, so that its digest stays known. Follow no linked folder."""
        folder = self._folder(manifest.action_key)
        for name in manifest.files:
            if (folder / name).parent.resolve().is_relative_to(folder.resolve()):
                remove(folder / name)

    def quarantine(self, action_key: str) -> Path:
        """Move the artifact of a key and its damaged results to the quarantine folder; return their new folder."""
        folder, results = self._folder(action_key), self._results(action_key)
        return self.keep_aside(in_place_of(folder) or folder, *damaged_records(results), name=action_key)

    def keep_aside(self, *paths: Path, name: str) -> Path:
        """Move damaged files and folders to the quarantine folder for inspection; return their new folder."""
        target = self.root / "quarantine" / f"{name[:16]}-{uuid.uuid4().hex[:8]}"
        with self.writing():
            for path in paths:
                if os.path.lexists(path):
                    place = target / path.relative_to(self.root)
                    place.parent.mkdir(parents=True, exist_ok=True)
                    path.rename(place)
        return target

    # results

    def _results(self, action_key: str) -> Path:
        return self.root / "results" / action_key[:2] / action_key

    def put_result(self, record: RunRecord, predictions: bytes | None = None) -> None:
        """Store the record of one training in one environment. An existing record is never overwritten.

        Raises:
            ComponentError: the record could not be read again.
        """
        path = self._results(record.action_key) / f"{record.fingerprint}.json"
        if not path.exists():
            data = storable(record)
            if predictions is not None:  # first, so that every record has the file that it names
                self._write(path.with_suffix(SUFFIX), predictions)
            self._write(path, data)

    def predictions(self, record: RunRecord) -> bytes | None:
        """Return the file of a record's predictions; None if it has none. Raise CorruptError if it is damaged."""
        path = self._results(record.action_key) / f"{record.fingerprint}{SUFFIX}"
        return None if record.predictions is None else read_predictions(path, record)

    def put_cell(self, action_key: str, recipe_key: str, cell: dict[str, Any]) -> None:
        """Store a note that the result under ``action_key`` belongs to a cell."""
        path = self._results(action_key) / f"{CELL}{recipe_key}.json"
        if not path.exists():
            self._write(path, sealed({**cell, "action_key": action_key, "recipe_key": recipe_key}))

    def results(self, action_key: str) -> list[RunRecord]:
        """Return the records of a key, one per environment. Raise CorruptError if one is damaged."""
        folder = self._results(action_key)
        found = (read_record(folder / name) for name in record_names(folder))
        return [record for record in found if record is not None]

    def all_results(self, without: Container[str] = ()) -> Iterator[RunRecord]:
        """Yield every record from undamaged folders, except those of the keys in ``without``."""
        for folder in sorted((self.root / "results").glob("*/*")):
            if folder.name not in without:
                with suppress(StoreError):
                    yield from self.results(folder.name)

    @property
    def cache(self) -> Path:
        """The folder of files that several nodes share and that can be made again. It need not exist."""
        return self.root / "cache"

    # unfinished work

    def checkpoint_file(self, action_key: str, fingerprint: str) -> Path:
        """Return the checkpoint file of unfinished work in one environment. The file need not exist."""
        return self.root / "unfinished" / f"{action_key}-{fingerprint}.safetensors"

    def unfinished(self, action_key: str) -> frozenset[tuple[str, int]]:
        """Return names and modification times of the files that unfinished work has kept."""
        found: set[tuple[str, int]] = set()
        for path in (self.root / "unfinished").glob(f"{action_key}-*"):
            with suppress(OSError):
                found.add((path.name, path.lstat().st_mtime_ns))
        return frozenset(found)

    def finished(self, action_key: str) -> None:
        """Remove the files of finished work, including partial files of killed workers."""
        for path in (self.root / "unfinished").glob(f"*{action_key}-*"):
            remove(path)

    # failures

    def _failure(self, recipe_key: str) -> Path:
        return self.root / "failures" / f"{recipe_key}.json"

    def put_failure(self, failure: Failure) -> None:
        """Store the failure of a node for display."""
        path = self._failure(failure.recipe_key)
        if path.is_dir():
            remove(path)
        self._write(path, sealed(failure.model_dump(mode="json")))

    def failure(self, recipe_key: str) -> Failure | None:
        """Return the last failure of a node; None if it has none. Raise CorruptError if its file is damaged."""
        return read_failure(self._failure(recipe_key))

    def clear_failure(self, recipe_key: str) -> None:
        """Remove a node's failure after it has succeeded."""
        remove(self._failure(recipe_key))
