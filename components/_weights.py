"""Pretrained weights, and where on this machine they are. No connection is opened but to fetch them.

A file that the user names comes first. Weights that are known by a name are looked for in ``weights/<repository>`` in
the data folder, laid out as their repository on the Hugging Face Hub, then in the Hub's own cache.
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

from ._hub import Repository, is_whole, kept_in

SUFFIXES: Final = (".safetensors", ".pth", ".pt", ".bin")


@dataclass(frozen=True)
class Published:
    """Weights on the Hugging Face Hub.

    Attributes:
        name: what they are called by those who use them.
        repository: where they are, as ``owner/name``.
        files: the names that they may have there, the preferred one first.
    """

    name: str
    repository: str
    files: tuple[str, ...]


def given_weights(path: Path, parameter: str = "weights") -> Path:
    """The file that the user named. Raises ComponentError where there is none, or none of weights by its name."""
    if not path.is_file():
        hint = f"check the parameter '{parameter}'"
        raise ComponentError("there is no such file of weights", where=str(path), hint=hint)
    if path.suffix not in SUFFIXES:
        raise ComponentError("is no file of weights", where=str(path), hint=f"their names end in {', '.join(SUFFIXES)}")
    return path


def published_weights(weights: Published, wanted_by: str) -> Path:
    """The file of published weights, whole.

    Raises ComponentError, with the command that fetches them, where there is none.
    """
    places = _places(weights)
    found = next(filter(is_whole, places), None)
    if found is not None:
        return found
    damaged = next(filter(Path.is_file, places), None)
    gap = (
        f"neither {kept_in(weights.repository)} nor the Hugging Face cache has {' or '.join(weights.files)} of "
        f"{weights.repository}"
        if damaged is None
        else f"{damaged} is cut off or damaged"
    )
    hint = "`ddbench fetch SUITE` gets them, or name a file in the parameter 'weights'"
    raise ComponentError(f"{wanted_by} finds no weights of {weights.name}: {gap}", hint=hint)


def fetch_published(weights: Published, progress: Progress) -> None:
    """Get published weights that are not whole on this machine. Raises ComponentError where they cannot be got."""
    if any(map(is_whole, _places(weights))):
        return
    repository = Repository.ask(weights.repository)
    wanted = next((name for name in weights.files if name in repository.files), weights.files[0])
    repository.fetch(wanted, progress)


def _places(weights: Published) -> list[Path]:
    """Where these weights may be on this machine, the preferred place first."""
    from huggingface_hub import try_to_load_from_cache

    kept = [kept_in(weights.repository) / name for name in weights.files]
    cached = [try_to_load_from_cache(weights.repository, name) for name in weights.files]
    return [*kept, *(Path(path) for path in cached if isinstance(path, str))]


@contextmanager
def loading(path: Path, name: str) -> Iterator[None]:
    """Tell in one line that what a file holds is not the weights of ``name``, or that there is no memory for them."""

    try:
        with enough_memory(f"the weights of {name}"):
            yield
    except ComponentError:
        raise
    # What a damaged or foreign file raises is up to the library that reads it: anything from KeyError to EOFError.
    except Exception as error:
        raise ComponentError(
            f"cannot be loaded as weights of {name} ({_reason(path, error)})",
            where=str(path),
            hint="fetch the file again, or name the model that it is of",
        ) from error


def _reason(path: Path, error: Exception) -> str:
    """Why something cannot be loaded, without torch's advice to trust it."""
    if path.is_file() and not is_whole(path):
        return f"it is cut off, or no {path.suffix} file but by its name"
    if type(error).__name__ == "UnpicklingError":  # what torch raises where it is not to trust a file
        return "it holds other things than tensors, or is damaged"
    return shorten(f"{type(error).__name__}: {error}", 240, placeholder=" …")
