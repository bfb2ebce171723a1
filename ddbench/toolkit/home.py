"""The default folders: one for downloaded data of all projects, and one for the store."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from ddbench.errors import DataError


def data_home() -> Path:
    """Return the folder of downloaded data and weights: ``DDBENCH_DATA``, or the user's cache folder of ddbench.

    Raises:
        DataError: the user has no home folder, as in a container with an unknown user.
    """
    chosen = os.environ.get("DDBENCH_DATA")
    if chosen:
        return _expanded(chosen, "DDBENCH_DATA")
    from platformdirs import user_cache_dir

    with suppress(RuntimeError):  # newer versions raise it where older ones return a path that begins with ~
        return _expanded(user_cache_dir("ddbench"), "DDBENCH_DATA")
    raise _homeless("the cache folder", "DDBENCH_DATA")


def store_home() -> Path:
    """Return the folder of artifacts and results: ``DDBENCH_HOME``, or ``.ddbench`` in the working directory."""
    return _expanded(os.environ.get("DDBENCH_HOME") or ".ddbench", "DDBENCH_HOME")


def _expanded(name: str, variable: str) -> Path:
    """Return an absolute path. Raise DataError if it begins with the home folder of an unknown user."""
    with suppress(RuntimeError):  # Python cannot find the home folder
        path = Path(name).expanduser()
        if path.parts[:1] != ("~",):
            return path.absolute()
    raise _homeless(name, variable)


def _homeless(name: str, variable: str) -> DataError:
    return DataError(f"{name} is in a home folder, and this user has none", hint=f"set HOME or {variable}")
