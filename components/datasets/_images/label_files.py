"""Images whose labels are in a CSV file."""

from __future__ import annotations

import csv
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from ddbench import DataError
from ddbench.limits import FILES_PER_FOLDER

from ..._image_files import SUFFIXES
from .layouts import VALIDATION, Layout, as_listing, chosen, empty_side
from .listing import Listing


@dataclass(frozen=True)
class _Row:
    label: str
    file: str
    split: str


@dataclass(frozen=True)
class LabelFile(Layout):
    """Images anywhere in a folder, with a CSV file of the columns ``file``, ``label`` and perhaps ``split``.

    Attributes:
        path: the CSV file. Its files are relative to ``root``.
        share: the share of the images in validation, if the file has no column ``split``.
        digests: returns the SHA-256 of files, given as paths relative to ``root``.
    """

    path: Path
    share: float | None
    digests: Callable[[Sequence[str]], Sequence[str]]

    def classes(self) -> list[str]:
        """Return the labels, sorted. Raise DataError if the file cannot be read, or names fewer than two."""
        return self._classes(self._rows())

    def listing(self, split: str) -> Listing:
        """Return the images of a split. Raise DataError if the file cannot be read or names files that are absent."""
        rows = self._rows()
        labels = {name: label for label, name in enumerate(self._classes(rows))}
        own = rows if self.share is not None else [row for row in rows if row.split == split]
        files = sorted((labels[row.label], row.file) for row in own)
        return as_listing(self.root, files if self.share is None else chosen(files, self.share, self.digests, split))

    def lacks(self, name: str, split: str) -> DataError:
        """Return the error for a class without images in a split."""
        if self.share is not None:
            return empty_side(name, split, self.share)
        return DataError(f"no image of class '{name}' has the split '{split}'", where=str(self.path), hint="add one")

    def _classes(self, rows: Sequence[_Row]) -> list[str]:
        names = sorted({row.label for row in rows})
        if len(names) < 2:
            named = f"one class, '{names[0]}'" if names else "no images"
            raise DataError(f"names {named}; at least two classes are needed", where=str(self.path))
        return names

    def _rows(self) -> list[_Row]:
        """Return the rows of the file, checked."""
        if not self.root.is_dir():
            raise DataError(f"the folder {self.root} does not exist")
        found: dict[str, _Row] = {}
        try:
            with self.path.open(encoding="utf-8-sig", newline="") as file:
                reader = csv.DictReader(file)
                self._check_columns(list(reader.fieldnames or ()))
                for values in reader:
                    where = f"{self.path}:{reader.line_num}"
                    row = self._row(values, where)
                    if row.file in found:
                        raise DataError(f"names {row.file} again", where=where, hint="remove one of the lines")
                    found[row.file] = row
                    if len(found) > FILES_PER_FOLDER:
                        raise DataError(f"names more than {FILES_PER_FOLDER:,} files", where=str(self.path))
        except (csv.Error, UnicodeDecodeError) as error:
            hint = "save it as CSV in UTF-8"
            raise DataError(f"is not a CSV file ({error})", where=str(self.path), hint=hint) from None
        return list(found.values())

    def _check_columns(self, names: Sequence[str]) -> None:
        """Raise DataError unless the file has its columns, and one way to divide the images."""
        where = str(self.path)
        for name in ("file", "label"):
            if name not in names:
                hint = "its first line must name the columns file and label, and perhaps split"
                raise DataError(f"has no column '{name}'", where=where, hint=hint)
        if "split" in names and self.share is not None:
            raise DataError("has a column 'split', and the parameter `split` is set", where=where, hint="remove one")
        if "split" not in names and self.share is None:
            hint = "add it with train or validation for each file, or set `split: 0.1`"
            raise DataError("has no column 'split'", where=where, hint=hint)

    def _row(self, values: dict[str, str | None], where: str) -> _Row:
        file, label = ((values[name] or "").strip() for name in ("file", "label"))
        if not file or not label:
            raise DataError("has no file or no label", where=where, hint="complete or remove the line")
        path = PurePosixPath(file)
        if path.is_absolute() or ".." in path.parts:
            raise DataError(f"names {file}, which is not within {self.root}", where=where, hint="name a file within it")
        if not (self.root / file).is_file():
            hint = f"names are relative to {self.root}"
            raise DataError(f"names {file}, which does not exist", where=where, hint=hint)
        if path.suffix.lower() not in SUFFIXES:
            raise DataError(f"names {file}, which is not a picture that ddbench reads", where=where, hint="convert it")
        split = "" if self.share is not None else (values["split"] or "").strip()
        if self.share is None and split not in ("train", *VALIDATION):
            raise DataError(f"has the split '{split}'", where=where, hint="write train or validation")
        return _Row(label, str(path), "train" if split == "train" else "validation")
