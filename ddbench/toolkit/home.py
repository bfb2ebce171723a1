"""The default folders: one for downloaded data of all projects, and one for the store."""

from __future__ import annotations

import os
from pathlib import Path


def data_home() -> Path:
    """Return the folder of downloaded data and weights: ``DDBENCH_DATA``, or the user's cache folder of ddbench."""
    chosen = os.environ.get("DDBENCH_DATA")
    if chosen:
        return Path(chosen).expanduser().absolute()
    from platformdirs import user_cache_dir

    return Path(user_cache_dir("ddbench"))


def store_home() -> Path:
    """Return the folder of artifacts and results: ``DDBENCH_HOME``, or ``.ddbench`` in the working directory."""
    return Path(os.environ.get("DDBENCH_HOME") or ".ddbench").expanduser().absolute()
