"""The files with components that a suite names."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ddbench.errors import ComponentError, SuiteError
from ddbench.text import one_line
from ddbench.yaml_source import KeyPath, YamlSource

if TYPE_CHECKING:
    from ddbench.registry import Catalogue


def with_components(names: Sequence[str], source: YamlSource, folder: Path, available: Catalogue) -> Catalogue:
    """Return the catalogue with the components of a suite's files. Their code runs.

    Raises:
        SuiteError: a file is outside the folder of the suite, or has a mistake.
    """
    for number, name in enumerate(names):
        place: KeyPath = ("components", number)
        where = source.place(place)
        own = source.folder_of(place, folder).resolve()
        path = (own / name).resolve()
        if not path.is_relative_to(own):
            message = f"'{one_line(name)}' is outside the folder of this suite"
            raise SuiteError(message, where=where, hint="move it there, or choose it with --plugin FILE")
        try:
            available = available.with_files([path])
        except ComponentError as error:
            raise SuiteError(str(error), where=where) from None
    return available
