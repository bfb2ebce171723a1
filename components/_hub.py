"""Repositories on the Hugging Face Hub, and whether files of them are whole here.

Connections to it are opened here alone, and only to fetch.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
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
# When a repository, or a file of one, could not be had, and why.
_failed: dict[tuple[str, str], tuple[float, ComponentError]] = {}
_INDEX: Final = ".index.json"
# With it begins what torch saved before its files were zip archives.
_PICKLE: Final = b"\x80\x02"
# The format allows no larger one.
_LARGEST_HEADER: Final = 100_000_000


def kept_in(repository: str) -> Path:
    """The folder of the data folder that holds what was fetched of a repository, laid out as there."""
    return data_home() / "weights" / repository


def meant_folder(repository: str) -> str | None:
    """What to do if a folder was meant that is called as a repository; None where there is none."""
    return f"write './{repository}' for the folder of this name" if Path(repository).is_dir() else None


def is_whole(path: Path) -> bool:
    """Whether a file is there and nothing of it is missing, as far as that is seen without reading all of it.

    A file of safetensors says how long it is, one of torch's is a zip archive to its end, JSON can be parsed, and an
    index names shards. Of other files, those of torch before 1.6 among them, nothing is seen but that they are there.
    """
    try:
        if path.suffix == ".safetensors":
            return path.stat().st_size == _told_size(path)
        if path.suffix in (".bin", ".pt", ".pth"):
            return is_zipfile(path) or _begins_with(path, _PICKLE)
        if path.name.endswith(_INDEX):
            return bool(shards(path))
        if path.suffix == ".json":
            json.loads(path.read_bytes())
        return path.is_file()
    except PermissionError:
        return True  # nothing is seen of it; who reads it says so
    except (OSError, ValueError, KeyError, AttributeError, TypeError):
        return False


def shards(path: Path) -> list[str]:
    """The files that weights are split into, as their index names them; none where it is damaged, or another file."""
    if not path.name.endswith(_INDEX):
        return []
    try:
        return sorted({str(name) for name in json.loads(path.read_bytes())["weight_map"].values()})
    except (OSError, ValueError, KeyError, AttributeError, TypeError):
        return []


def _told_size(path: Path) -> int:
    """How long a file of safetensors says that it is. Raises one of several errors where it does not say so."""
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
    """A repository as it is at one commit.

    Attributes:
        name: ``owner/name``.
        files: all of them by name, each with the SHA-256 that the Hub tells of it; it tells that of large files.
    """

    name: str
    commit: str
    files: Mapping[str, str | None]

    @classmethod
    def ask(cls, name: str) -> Repository:
        """What the Hub has under a name now. Raises ComponentError where it cannot be asked, or has nothing."""
        from huggingface_hub import HfApi

        with _tried_once(name), _explained(name):
            info = HfApi().model_info(name, files_metadata=True, timeout=TIMEOUT_S)
        files = {file.rfilename: file.lfs.sha256 if file.lfs else None for file in info.siblings or ()}
        return cls(name, info.sha or "main", files)

    def fetch(self, file: str, progress: Progress) -> Path:
        """Get a file, whole or not at all.

        One that is there already, as it is at this commit, is not got again, but for one that is not whole.

        Raises:
            ComponentError: the repository has no such file, or it cannot be got.
        """
        from huggingface_hub import hf_hub_download

        if file not in self.files:
            raise ComponentError(f"{self.name} on the Hugging Face Hub has no {file}", hint="name another repository")
        folder, bar = kept_in(self.name), _bar(f"{self.name} {file}", progress)
        # The library takes a file that was cut off since for what it was when it was fetched.
        anew = (folder / file).is_file() and not is_whole(folder / file)
        with _tried_once(self.name, file):
            with _explained(self.name):
                # From its cache the library would copy a file bit by bit, and a kill leave half of it in its place.
                nowhere = folder / ".cache" / "none"
                got = hf_hub_download(
                    self.name,
                    file,
                    revision=self.commit,
                    local_dir=folder,
                    cache_dir=nowhere,
                    force_download=anew,
                    tqdm_class=bar,
                )
            path, digest = Path(got), self.files[file]
            if not is_whole(path) or (digest is not None and file_sha256(path) != digest):
                path.unlink()
                said = f"{file} of {self.name} arrived damaged and was thrown away"
                raise ComponentError(said, hint="fetch it again")
        return path


@contextmanager
def _tried_once(repository: str, file: str = "") -> Iterator[None]:
    """For a minute, tell again what has failed instead of trying it: several components want the same."""
    since, known = _failed.get((repository, file), (0.0, None))
    if known is not None and monotonic() - since < _MINUTE_S:
        raise known
    try:
        yield
    except ComponentError as error:
        _failed[repository, file] = (monotonic(), error)
        raise


@contextmanager
def _explained(repository: str) -> Iterator[None]:
    """Tell in one line what hinders a download, and nothing else."""
    from huggingface_hub import logging

    verbosity = logging.get_verbosity()
    logging.set_verbosity(ERROR)
    try:
        yield
    # What a broken connection raises is up to the library that the Hub's own library asks with.
    except Exception as error:
        raise _explanation(repository, error) from error
    finally:
        logging.set_verbosity(verbosity)


def _explanation(repository: str, error: Exception) -> ComponentError:
    from huggingface_hub import HfApi
    from huggingface_hub.errors import GatedRepoError, LocalEntryNotFoundError, RepositoryNotFoundError

    endpoint, folder = HfApi().endpoint, kept_in(repository)
    if isinstance(error, GatedRepoError):
        said = f"{repository} is only for those who have accepted its terms"
        return ComponentError(said, hint=f"accept them at {endpoint}/{repository}, log in with `hf auth login`")
    if isinstance(error, RepositoryNotFoundError):
        said = f"{endpoint} has no repository {repository}, or shows it to its owners alone"
        hint = "check the name; of a private one, log in with `hf auth login`"
        return ComponentError(said, hint=meant_folder(repository) or hint)
    if isinstance(error, OSError) and error.errno == ENOSPC:
        said = f"{repository} could not be fetched: no space is left for {folder}"
        return ComponentError(said, hint="make some, or name another data folder in DDBENCH_DATA")
    # It says no more than that a file is neither there nor to be had; its cause says why.
    cause = error.__cause__ if isinstance(error, LocalEntryNotFoundError) else None
    reason = shorten(str(cause or error) or type(error).__name__, 240, placeholder=" …")
    return ComponentError(
        f"{repository} could not be fetched from {endpoint} ({reason})",
        hint="check the connection, name a mirror in HF_ENDPOINT, or bring here what "
        f"`hf download {repository} --local-dir {folder}` gets elsewhere",
    )


def _bar(title: str, progress: Progress) -> Any:
    """A progress bar, as the Hub's library wants it, that shows nothing itself."""
    from huggingface_hub.utils.tqdm import tqdm

    class Bar(tqdm):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **{**kwargs, "disable": True})  # type: ignore[no-untyped-call]

        def update(self, n: float | None = 1) -> None:
            self.n += n or 0
            progress(title, int(self.n), int(self.total or 0))

        # Files that arrive in pieces have a second bar, of what has come in; to have these two is to do without it.

        def update_transfer(self, n: float) -> None:
            pass

        def set_transfer_postfix_str(self, text: str, refresh: bool = True) -> None:
            pass

    return Bar
