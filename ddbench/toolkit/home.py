"""Where things lie: downloaded data in one folder for all projects, the store in the working directory."""

from __future__ import annotations

import os
from pathlib import Path


def data_home() -> Path:
    """The folder of downloaded data and weights: ``DDBENCH_DATA``, else the user's cache folder of ddbench."""
    chosen = os.environ.get("DDBENCH_DATA")
    if chosen:
        return Path(chosen).expanduser().absolute()
    from platformdirs import user_cache_dir

    return Path(user_cache_dir("ddbench"))


def store_home() -> Path:
    """The folder of artifacts and results: ``DDBENCH_HOME``, else ``.ddbench`` in the working directory."""
    return Path(os.environ.get("DDBENCH_HOME") or ".ddbench").expanduser().absolute()
