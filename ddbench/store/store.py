"""The store: artifacts and results under the hash of what made them. Killed at any time, it holds only whole things.

A store of format 1, which ddbench 0.1 wrote, is taken over by the first run. ``store.json`` then says format 2 and that
there is earlier work. New work goes beside it: keys differ between the formats. Manifests and records carry their own
format, and nothing of the old store is changed or removed.
"""

from __future__ import annotations

import errno
import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from ddbench.errors import StoreError
from ddbench.record import RunRecord
from ddbench.store.artifact import MANIFEST, Artifact, Manifest, Output, write_payload
from ddbench.toolkit.files import CorruptError, read_sealed, sync_folder, write_sealed

FORMAT = 2
_EARLIER = 1
_FULL = (errno.ENOSPC, errno.EDQUOT)
_REFUSED = (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EEXIST)
# What the system says where no store can be. Of one that is in use, it would be a mistake of ours.
_NO_PLACE = (errno.ENOENT, errno.ENAMETOOLONG, errno.ELOOP, errno.EINVAL)


class Store:
    """A folder with artifacts, results, failures and the logs of runs.

    ``artifacts/KK/KEY/`` holds a manifest and a payload; ``results/KK/KEY/`` one file per environment and one per cell.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    @classmethod
    def open(cls, root: Path) -> Store:
        """Open a store for writing, making it if need be.

        Raises:
            StoreError: it cannot be written, or is of another format.
        """
        store = cls(root)
        marker = root / "store.json"
        with store.writing(*_NO_PLACE):
            for name in ("artifacts", "results", "failures", "runs", "tmp"):
                (root / name).mkdir(parents=True, exist_ok=True)
            known = store._marker()
            if known is None or known.get("format") == _EARLIER:
                write_sealed(marker, {"format": FORMAT, "earlier": store.may_hold_earlier})
            probe = root / "tmp" / uuid.uuid4().hex
            probe.touch()
            probe.unlink()
        if known is not None and known.get("format") not in (_EARLIER, FORMAT):
            raise StoreError(
                f"the store has format {known.get('format')}, this program writes {FORMAT}",
                where=str(root),
                hint="use another folder: --store or DDBENCH_HOME",
            )
        return store

    def _marker(self) -> dict[str, Any] | None:
        marker = self.root / "store.json"
        try:
            return read_sealed(marker)
        except CorruptError:
            hint = "delete this file; everything else is checked when it is read"
            raise StoreError("is damaged", where=str(marker), hint=hint) from None

    @property
    def may_hold_earlier(self) -> bool:
        """Whether there may be work of format 1 here: only then is it worth looking for."""
        try:
            known = read_sealed(self.root / "store.json")
        except StoreError:
            known = None
        if known is not None and known.get("format") == FORMAT:
            return bool(known.get("earlier"))
        return any((self.root / "results").glob("*/*"))

    @contextmanager
    def writing(self, *refusals: int) -> Iterator[None]:
        """Turn the system's refusals, and further errors that are such here, into one clear line."""
        try:
            yield
        except OSError as error:
            if error.errno in _FULL:
                raise StoreError(
                    "no space left for the store", where=str(self.root), hint="free some: `ddbench gc`, or use --store"
                ) from error
            if error.errno in (*_REFUSED, *refusals):
                raise StoreError(
                    f"the store cannot be written: {os.strerror(error.errno).lower()}",
                    where=str(self.root),
                    hint="choose a folder of your own: --store or DDBENCH_HOME",
                ) from error
            raise

    # artifacts

    def _folder(self, action_key: str) -> Path:
        return self.root / "artifacts" / action_key[:2] / action_key

    def manifest(self, action_key: str) -> Manifest | None:
        """What is known of an artifact, None if it was never made. Raises CorruptError if its manifest is damaged."""
        path = self._folder(action_key) / MANIFEST
        value = read_sealed(path)
        return None if value is None else Manifest.parse(value, str(path))

    def has_payload(self, manifest: Manifest) -> bool:
        """Whether the artifact's files are there, by name; their bytes are checked when read."""
        folder = self._folder(manifest.action_key)
        return all((folder / name).is_file() for name in manifest.files)

    def artifact(self, action_key: str) -> Artifact:
        """A stored artifact. Raises CorruptError if there is none or its manifest is damaged."""
        manifest = self.manifest(action_key)
        if manifest is None:
            raise CorruptError("is missing", where=str(self._folder(action_key)))
        return Artifact(self._folder(action_key), manifest)

    def holds(self, action_key: str) -> bool:
        """Whether anything lies under the key, whole or not."""
        return self._folder(action_key).exists()

    def manifests(self) -> Iterator[Manifest]:
        """Every undamaged manifest."""
        for folder in sorted((self.root / "artifacts").glob("*/*")):
            try:
                manifest = self.manifest(folder.name)
            except StoreError:
                continue
            if manifest is not None:
                yield manifest

    @contextmanager
    def scratch(self) -> Iterator[Path]:
        """A new empty folder inside the store, removed afterwards."""
        folder = self.root / "tmp" / uuid.uuid4().hex
        with self.writing():
            folder.mkdir(parents=True)
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def put(self, output: Output, unsigned: Manifest) -> Manifest:
        """Store an output: payload and manifest written aside, then one rename. Replaces what lay under the key.

        ``unsigned`` is the manifest without digest and files, which are computed here.
        """
        with self.writing(), self.scratch() as aside:
            building = aside / "artifact"
            building.mkdir()
            digest, files = write_payload(output, building)
            manifest = unsigned.model_copy(update={"digest": digest, "files": files})
            write_sealed(building / MANIFEST, manifest.to_json())
            final = self._folder(manifest.action_key)
            final.parent.mkdir(parents=True, exist_ok=True)
            if final.exists():
                final.rename(aside / "replaced")
            building.rename(final)
            sync_folder(final.parent)
        return manifest

    def drop_payload(self, manifest: Manifest) -> None:
        """Delete an artifact's files but keep its manifest, so that what came of it stays known."""
        folder = self._folder(manifest.action_key)
        for name in manifest.files:
            (folder / name).unlink(missing_ok=True)

    def quarantine(self, action_key: str) -> Path:
        """Move a damaged artifact or result out of the way, for inspection; return where to."""
        target = self.root / "quarantine" / f"{action_key[:16]}-{uuid.uuid4().hex[:8]}"
        with self.writing():
            for folder in (self._folder(action_key), self._results(action_key)):
                if folder.exists():
                    target.mkdir(parents=True, exist_ok=True)
                    folder.rename(target / folder.parent.parent.name)
        return target

    # results

    def _results(self, action_key: str) -> Path:
        return self.root / "results" / action_key[:2] / action_key

    def put_result(self, record: RunRecord) -> None:
        """Store the record of one training in one environment; an existing one is never overwritten."""
        path = self._results(record.action_key) / f"{record.fingerprint}.json"
        if not path.exists():
            with self.writing():
                write_sealed(path, record.to_json())

    def put_cell(self, action_key: str, recipe_key: str, cell: dict[str, Any]) -> None:
        """Note that a cell's result is the one under ``action_key``."""
        path = self._results(action_key) / f"cell-{recipe_key}.json"
        if not path.exists():
            with self.writing():
                write_sealed(path, cell)

    def results(self, action_key: str) -> list[RunRecord]:
        """The records under a key, one per environment. Raises CorruptError if one is damaged."""
        folder = self._results(action_key)
        try:
            names = sorted(os.listdir(folder))  # noqa: PTH208  (twice as fast over thousands of cells)
        except (FileNotFoundError, NotADirectoryError):
            return []
        paths = [folder / name for name in names if name.endswith(".json") and name[:5] != "cell-"]
        values = ((path, read_sealed(path)) for path in paths)
        return [RunRecord.parse(value, str(path)) for path, value in values if value is not None]

    def all_results(self) -> Iterator[RunRecord]:
        """Yield every record whose folder is undamaged."""
        for folder in sorted((self.root / "results").glob("*/*")):
            with suppress(StoreError):
                yield from self.results(folder.name)

    @property
    def cache(self) -> Path:
        """What work of several kinds needs and can make again; the folder need not exist."""
        return self.root / "cache"

    # unfinished work

    def checkpoint_file(self, action_key: str, fingerprint: str) -> Path:
        """Where work on a result is kept until it is done, in one environment; the file need not exist."""
        return self.root / "unfinished" / f"{action_key}-{fingerprint}.safetensors"

    def finished(self, action_key: str) -> None:
        """Remove what was kept of work that is done now, half-written files of killed workers too."""
        for path in (self.root / "unfinished").glob(f"*{action_key}-*"):
            path.unlink(missing_ok=True)

    # failures

    def _failure(self, recipe_key: str) -> Path:
        return self.root / "failures" / f"{recipe_key}.json"

    def put_failure(self, recipe_key: str, failure: dict[str, Any]) -> Path:
        """Record that a node failed: for people, never as a result."""
        path = self._failure(recipe_key)
        with self.writing():
            write_sealed(path, failure)
        return path

    def failure(self, recipe_key: str) -> dict[str, Any] | None:
        """The last failure of a node, None if it has none."""
        return read_sealed(self._failure(recipe_key))

    def clear_failure(self, recipe_key: str) -> None:
        """Forget a node's failure: it has succeeded since."""
        self._failure(recipe_key).unlink(missing_ok=True)
