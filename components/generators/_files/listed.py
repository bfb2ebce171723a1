"""Ids and soft labels of a folder that ``ddbench sets`` wrote. Torch is not imported here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final, NoReturn

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ddbench import DataError
from ddbench.limits import JSON_BYTES

from .content import readable

NAME: Final = "metadata.jsonl"


class _Entry(BaseModel):
    """A line of the file: an image."""

    model_config = ConfigDict(frozen=True, strict=True, allow_inf_nan=False)

    file_name: str
    label: Annotated[int, Field(ge=0)]
    id: Annotated[str, Field(min_length=1)]
    soft_logits: list[float] = []


@dataclass(frozen=True, eq=False)
class Listed:
    """The images that ``metadata.jsonl`` lists.

    Attributes:
        path: the file.
        entries: the images by their paths below the folder.
        labels: the label of each class folder, which is its column in soft labels too.
        has_soft_labels: True if each image has logits.
    """

    path: Path
    entries: Mapping[str, _Entry]
    labels: Mapping[str, int]
    has_soft_labels: bool

    @classmethod
    def read(cls, root: Path) -> Listed:
        """Read the file in a folder of class folders.

        Raises:
            DataError: it is missing, a line is damaged, or lines contradict each other.
        """
        path = root / NAME
        with readable(path):
            size = path.stat().st_size
            lines = path.read_bytes().splitlines() if size <= JSON_BYTES else []
        if not lines:
            raise DataError("is empty or too large", where=str(path), hint="export the set again")
        entries: dict[str, _Entry] = {}
        labels: dict[str, int] = {}
        for number, line in enumerate(lines, start=1):
            try:
                entry = _Entry.model_validate_json(line)
            except ValidationError:
                cls._refuse(path, number, "is not an image with file_name, label and id")
            folder = entry.file_name.rpartition("/")[0]
            if entry.file_name in entries:
                cls._refuse(path, number, f"lists '{entry.file_name}' again")
            if labels.setdefault(folder, entry.label) != entry.label:
                cls._refuse(path, number, f"gives '{folder}' another label than an earlier line")
            entries[entry.file_name] = entry
        widths = {len(entry.soft_logits) for entry in entries.values()}
        if widths not in ({0}, {len(labels)}):
            problem = f"has soft labels of {' and '.join(map(str, sorted(widths)))} columns for {len(labels)} classes"
            raise DataError(problem, where=str(path), hint="export the set again")
        if widths != {0} and sorted(labels.values()) != list(range(len(labels))):
            problem = f"has soft labels, but its folders do not have the labels 0 … {len(labels) - 1}"
            raise DataError(problem, where=str(path), hint="export the set again")
        return cls(path, entries, labels, widths != {0})

    @staticmethod
    def _refuse(path: Path, number: int, problem: str) -> NoReturn:
        raise DataError(problem, where=f"{path}:{number}", hint="export the set again")

    def columns(self, folders: Sequence[Path]) -> list[int]:
        """Return the column of each class in soft labels, by its folder. Raise DataError if one is not listed."""
        return [self.labels[self._known(folder.name, self.labels)] for folder in folders]

    def of(self, files: Sequence[Path]) -> list[_Entry]:
        """Return the entries of images. Raise DataError if one is not listed."""
        return [self.entries[self._known(f"{file.parent.name}/{file.name}", self.entries)] for file in files]

    def _known(self, name: str, among: Mapping[str, object]) -> str:
        if name not in among:
            raise DataError(f"does not list '{name}'", where=str(self.path), hint="export the set again")
        return name
