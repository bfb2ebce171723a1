"""Pretrained weights on this machine. Connections are opened only to fetch them.

A file that the user names is used first. Published weights are searched in ``weights/<repository>`` in the data folder,
with the layout of the repository on the Hugging Face Hub. The Hub's cache comes next.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from textwrap import shorten
from typing import Final

from ddbench import ComponentError, Progress
from ddbench.toolkit import enough_memory

from ._hub import Repository, cached_file, fetched_folder, is_complete

SUFFIXES: Final = (".safetensors", ".pth", ".pt", ".bin")


@dataclass(frozen=True)
class Published:
    """Weights on the Hugging Face Hub.

    Attributes:
        name: their usual name.
        repository: their repository, as ``owner/name``.
        files: possible file names in the repository, the preferred one first.
    """

    name: str
    repository: str
    files: tuple[str, ...]


def given_weights(path: Path, parameter: str = "weights") -> Path:
    """Return a file of weights named by the user. Raise ComponentError if it is missing or has another suffix."""
    if not path.is_file():
        hint = f"check the parameter '{parameter}'"
        raise ComponentError("the file of weights does not exist", where=str(path), hint=hint)
    if path.suffix not in SUFFIXES:
        hint = f"file names must end in {', '.join(SUFFIXES)}"
        raise ComponentError("is not a file of weights", where=str(path), hint=hint)
    return path


def published_weights(weights: Published, wanted_by: str) -> Path:
    """Return a complete file of published weights.

    Raises:
        ComponentError: it is missing; the hint is the command that fetches it.
    """
    places = _places(weights)
    found = next(filter(is_complete, places), None)
    if found is not None:
        return found
    damaged = next(filter(Path.is_file, places), None)
    gap = (
        f"neither {fetched_folder(weights.repository)} nor the Hugging Face cache has {' or '.join(weights.files)} of "
        f"{weights.repository}"
        if damaged is None
        else f"{damaged} is cut off or damaged"
    )
    hint = "run `ddbench fetch SUITE`, or name a file in the parameter 'weights'"
    raise ComponentError(f"{wanted_by} finds no weights of {weights.name}: {gap}", hint=hint)


def fetch_published(weights: Published, progress: Progress) -> None:
    """Fetch published weights unless they are complete on this machine. Raise ComponentError if that fails."""
    if any(map(is_complete, _places(weights))):
        return
    repository = Repository.query(weights.repository)
    wanted = next((name for name in weights.files if name in repository.files), weights.files[0])
    repository.fetch(wanted, progress)


def _places(weights: Published) -> list[Path]:
    """Return the possible files of these weights on this machine, the preferred one first."""
    kept = [fetched_folder(weights.repository) / name for name in weights.files]
    cached = (cached_file(weights.repository, name) for name in weights.files)
    return [*kept, *(path for path in cached if path is not None)]


@contextmanager
def loading(path: Path, name: str) -> Iterator[None]:
    """Re-raise errors of loading the weights of ``name`` as a ComponentError of one line."""
    try:
        with enough_memory(f"the weights of {name}"):
            yield
    except ComponentError:
        raise
    # The library that reads a damaged or foreign file decides on the error: anything from KeyError to EOFError.
    except Exception as error:
        raise ComponentError(
            f"cannot be loaded as weights of {name} ({_reason(path, error)})",
            where=str(path),
            hint="fetch the file again, or name its model",
        ) from error


def _reason(path: Path, error: Exception) -> str:
    """Return the reason why a file cannot be loaded, without torch's advice to trust it."""
    if path.is_file() and not is_complete(path):
        return f"it is truncated, or not a {path.suffix} file"
    if type(error).__name__ == "UnpicklingError":  # torch refuses untrusted content
        return "it contains other objects than tensors, or is damaged"
    return shorten(f"{type(error).__name__}: {error}", 240, placeholder=" …")
