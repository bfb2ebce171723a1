"""Repositories on the Hugging Face Hub, and checks of their local files.

Only this module connects to the Hub, and only to fetch.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from errno import ENOSPC
from logging import ERROR
from pathlib import Path
from textwrap import shorten
from time import monotonic
from typing import Any, Final
from zipfile import is_zipfile

from ddbench import ComponentError, Progress
from ddbench.toolkit import data_home, file_sha256

TIMEOUT_S: Final = 10.0
_MINUTE_S: Final = 60.0
# Time and error of failed requests, by repository and file.
_failed: dict[tuple[str, str], tuple[float, ComponentError]] = {}
_INDEX: Final = ".index.json"
# The first bytes of files that torch saved before it used zip archives.
_PICKLE: Final = b"\x80\x02"
# The limit of the format, in bytes.
_LARGEST_HEADER: Final = 100_000_000


def fetched_folder(repository: str) -> Path:
    """Return the folder in the data folder for files fetched from a repository; it has the same layout."""
    return data_home() / "weights" / repository


def cached_file(repository: str, name: str) -> Path | None:
    """Return a file of a repository in the Hugging Face cache; None if it is not there.

    A cache that was filled by commit, or copied by hand, may lack ``refs/main``. Then its only snapshot is meant.
    """
    from huggingface_hub import constants, try_to_load_from_cache

    found = try_to_load_from_cache(repository, name)
    if isinstance(found, str):
        return Path(found)
    folder = Path(constants.HF_HUB_CACHE) / f"models--{repository.replace('/', '--')}"
    with suppress(OSError):
        snapshots = sorted(path for path in (folder / "snapshots").iterdir() if path.is_dir())
        with suppress(OSError):
            main = (folder / "refs" / "main").read_text(encoding="utf-8").strip()
            snapshots = [path for path in snapshots if path.name == main]
        if len(snapshots) == 1 and (snapshots[0] / name).is_file():
            return snapshots[0] / name
    return None


def local_folder_hint(repository: str) -> str | None:
    """Return a hint if a local folder has the repository's name, otherwise None."""
    return f"write './{repository}' for the folder of this name" if Path(repository).is_dir() else None


def is_complete(path: Path) -> bool:
    """Return whether a file exists and looks complete, without reading all of it.

    A safetensors file states its length, a torch file is a zip archive, JSON can be parsed, and an index names shards.
    Other files, including those of torch before 1.6, only have to exist.
    """
    try:
        if path.suffix == ".safetensors":
            return path.stat().st_size == _stated_size(path)
        if path.suffix in (".bin", ".pt", ".pth"):
            return is_zipfile(path) or _begins_with(path, _PICKLE)
        if path.name.endswith(_INDEX):
            return bool(shards(path))
        if path.suffix == ".json":
            json.loads(path.read_bytes())
        return path.is_file()
    except PermissionError:
        return True  # unreadable here; the reader will report it
    except (OSError, ValueError, KeyError, AttributeError, TypeError, RecursionError):
        return False


def shards(path: Path) -> list[str]:
    """Return the shards that an index names; an empty list if it is damaged or not an index."""
    if not path.name.endswith(_INDEX):
        return []
    try:
        return sorted({str(name) for name in json.loads(path.read_bytes())["weight_map"].values()})
    except (OSError, ValueError, KeyError, AttributeError, TypeError, RecursionError):
        return []


def _stated_size(path: Path) -> int:
    """Return the size that the header of a safetensors file states. Raise various errors if it is damaged."""
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        if length > _LARGEST_HEADER:
            raise ValueError(length)
        header = json.loads(file.read(length))
    ends = (tensor["data_offsets"][1] for name, tensor in header.items() if name != "__metadata__")
    end: int = max(ends, default=0)
    return 8 + length + end


def _begins_with(path: Path, first: bytes) -> bool:
    with path.open("rb") as file:
        return file.read(len(first)) == first


@dataclass(frozen=True)
class Repository:
    """A repository at one commit.

    Attributes:
        name: ``owner/name``.
        commit: the commit.
        files: SHA-256 of all files by name; the Hub knows those of large files only.
    """

    name: str
    commit: str
    files: Mapping[str, str | None]

    @classmethod
    def query(cls, name: str) -> Repository:
        """Request the latest commit of a repository. Raise ComponentError if that fails."""
        from huggingface_hub import HfApi

        with _tried_once(name), _explained(name):
            info = HfApi().model_info(name, files_metadata=True, timeout=TIMEOUT_S)
        files = {file.rfilename: file.lfs.sha256 if file.lfs else None for file in info.siblings or ()}
        return cls(name, info.sha or "main", files)

    def fetch(self, file: str, progress: Progress) -> Path:
        """Fetch a file and return its path. A complete file of this commit is not fetched again.

        Raises:
            ComponentError: the repository does not have the file, or the download fails.
        """
        from huggingface_hub import hf_hub_download

        if file not in self.files:
            raise ComponentError(f"{self.name} on the Hugging Face Hub has no {file}", hint="name another repository")
        folder, bar = fetched_folder(self.name), _bar(f"{self.name} {file}", progress)
        # The library does not notice that a file has been truncated since it was fetched.
        damaged = (folder / file).is_file() and not is_complete(folder / file)
        with _tried_once(self.name, file):
            with _explained(self.name):
                # The library would copy a file from its cache, and a kill would leave an incomplete copy.
                nowhere = folder / ".cache" / "none"
                got = hf_hub_download(
                    self.name,
                    file,
                    revision=self.commit,
                    local_dir=folder,
                    cache_dir=nowhere,
                    force_download=damaged,
                    tqdm_class=bar,
                )
            path, digest = Path(got), self.files[file]
            if not is_complete(path) or (digest is not None and file_sha256(path) != digest):
                path.unlink()
                message = f"{file} of {self.name} arrived damaged and was deleted"
                raise ComponentError(message, hint="fetch it again")
        return path


@contextmanager
def _tried_once(repository: str, file: str = "") -> Iterator[None]:
    """Repeat an error for a minute without a new request, because several components may need the same file."""
    since, failure = _failed.get((repository, file), (0.0, None))
    if failure is not None and monotonic() - since < _MINUTE_S:
        raise failure
    try:
        yield
    except ComponentError as error:
        _failed[repository, file] = (monotonic(), error)
        raise


@contextmanager
def _explained(repository: str) -> Iterator[None]:
    """Re-raise any error of a download as a ComponentError of one line."""
    from huggingface_hub import logging

    verbosity = logging.get_verbosity()
    logging.set_verbosity(ERROR)
    try:
        yield
    # The Hub's library uses another library, whose errors for broken connections vary.
    except Exception as error:
        raise _explanation(repository, error) from error
    finally:
        logging.set_verbosity(verbosity)


def _explanation(repository: str, error: Exception) -> ComponentError:
    from huggingface_hub import HfApi
    from huggingface_hub.errors import GatedRepoError, LocalEntryNotFoundError, RepositoryNotFoundError

    endpoint, folder = HfApi().endpoint, fetched_folder(repository)
    if isinstance(error, GatedRepoError):
        message = f"{repository} is available only to users who accepted its terms"
        return ComponentError(message, hint=f"accept them at {endpoint}/{repository} and run `hf auth login`")
    if isinstance(error, RepositoryNotFoundError):
        message = f"{endpoint} has no repository {repository}, or it is private"
        hint = "check the name; for a private repository, run `hf auth login`"
        return ComponentError(message, hint=local_folder_hint(repository) or hint)
    if isinstance(error, OSError) and error.errno == ENOSPC:
        message = f"{repository} could not be fetched: no space is left for {folder}"
        return ComponentError(message, hint="free disk space, or set DDBENCH_DATA to another folder")
    # This error only states that the file is unavailable; its cause has the reason.
    cause = error.__cause__ if isinstance(error, LocalEntryNotFoundError) else None
    reason = shorten(str(cause or error) or type(error).__name__, 240, placeholder=" …")
    return ComponentError(
        f"{repository} could not be fetched from {endpoint} ({reason})",
        hint="check the connection, set HF_ENDPOINT to a mirror, or copy the result of "
        f"`hf download {repository} --local-dir {folder}` from another machine",
    )


def _bar(title: str, progress: Progress) -> Any:
    """Return a progress bar class for the Hub's library that calls ``progress`` and prints nothing."""
    from huggingface_hub.utils.tqdm import tqdm

    class Bar(tqdm):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **{**kwargs, "disable": True})  # type: ignore[no-untyped-call]

        def update(self, n: float | None = 1) -> None:
            self.n += n or 0
            progress(title, int(self.n), int(self.total or 0))

        # Files in chunks have a second bar for received bytes; these two methods disable it.

        def update_transfer(self, n: float) -> None:
            pass

        def set_transfer_postfix_str(self, text: str, refresh: bool = True) -> None:
            pass

    return Bar
