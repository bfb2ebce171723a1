"""The origin of a component: its package, and the Git commit of its code where that is a checkout."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from ddbench.api.component import Component
from ddbench.record import Provenance
from ddbench.registry.catalogue import catalogue

_INSTALLED = {"site-packages", "dist-packages"}
_ANSWER_S = 5


def provenance(cls: type[Component], params: Mapping[str, Any], code_hash: str) -> Provenance:
    """Return the provenance of a component with its keyed ``params``."""
    package, version = catalogue().distribution(cls) or (None, None)
    commit, dirty = _checkout(_source_tree(cls)) or (None, None)
    return Provenance(
        kind=cls.info.kind,
        name=cls.info.name,
        version=cls.info.version,
        params=dict(params),
        code_hash=code_hash,
        package=package,
        package_version=version,
        commit=commit,
        dirty=dirty,
    )


def _source_tree(cls: type[Component]) -> Path | None:
    """Return the folder of the top-level package that a component is in; None for one without a file."""
    file = getattr(sys.modules.get(cls.__module__.partition(".")[0]), "__file__", None)
    return None if file is None else Path(file).resolve().parent


@cache
def _checkout(folder: Path | None) -> tuple[str, bool] | None:
    """Return the commit that ``folder`` is checked out at, and whether it differs; None if it is not tracked."""
    if folder is None or _INSTALLED & set(folder.parts) or _git(folder, "check-ignore", "-q", ".") is not None:
        return None
    status = _git(folder, "status", "--porcelain=v2", "--branch", "--untracked-files=normal", "--", ".")
    lines = [] if status is None else status.splitlines()
    commits = [line.split()[-1] for line in lines if line.startswith("# branch.oid ")]
    if not commits or commits[0] == "(initial)":
        return None
    return commits[0], any(not line.startswith("#") for line in lines)


def _git(folder: Path, *arguments: str) -> str | None:
    """Return what Git prints; None if git is missing, slow or fails."""
    # Variables of a hook would name another repository.
    env = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    command = ["git", "--no-optional-locks", "-C", str(folder), *arguments]
    try:
        answer = subprocess.run(command, env=env, capture_output=True, text=True, timeout=_ANSWER_S, check=True)
    except (OSError, subprocess.SubprocessError, UnicodeDecodeError):
        return None
    return answer.stdout
