"""Find the suites and published numbers that are part of ddbench, by name."""

from __future__ import annotations

from collections.abc import Iterable
from os.path import isdir, isfile
from pathlib import Path
from typing import Final

from ddbench.errors import SuiteError, closest

_PACKAGE: Final = Path(__file__).parents[1]
_LISTED: Final = "give the path of a suite file, or a name that `ddbench suites` lists"


def shipped_suites() -> dict[str, Path]:
    """Return the files of the shipped suites by name, such as ``smoke`` and ``ablations/im``."""
    folder = _folder("suites", "suites")
    files = sorted(folder.rglob("*.yaml"), key=lambda file: (len(file.relative_to(folder).parts), file))
    return {file.relative_to(folder).with_suffix("").as_posix(): file for file in files}


def shipped_numbers() -> dict[str, Path]:
    """Return the CSV files of published numbers by name, such as ``coresets-cifar10``."""
    return {file.stem: file for file in sorted(_folder("reported", "leaderboard/reported").glob("*.csv"))}


def find_suite(suite: Path | str) -> tuple[Path, str]:
    """Return the file of a suite and its name in messages.

    Args:
        suite: the path of a file, or the name of a shipped suite, with or without ``.yaml``.

    Raises:
        SuiteError: neither exists; the hint has the most similar name.
    """
    path = Path(suite)
    if isfile(path):  # noqa: PTH113  (False for a name that no file can have)
        return path, str(path)
    name, shipped = path.as_posix().removesuffix(".yaml"), shipped_suites()
    if name in shipped:
        return shipped[name], name
    if isdir(path):  # noqa: PTH112
        raise SuiteError("this is a folder, not a suite file", where=str(path), hint=_LISTED)
    raise SuiteError("the file does not exist", where=str(path), hint=hint_for(name.removeprefix("suites/"), shipped))


def hint_for(name: str, shipped: Iterable[str]) -> str:
    """Return a hint for an unknown suite: the most similar shipped name, or else the command that lists names."""
    names = sorted(shipped)
    near = next((full for full in names if full.rpartition("/")[2] == name), None) or closest(name, names)
    return f"did you mean '{near}'?" if near else _LISTED


def _folder(installed: str, in_source: str) -> Path:
    """Return a folder of shipped files: inside the installed package, or next to it in a source tree."""
    inside = _PACKAGE / "shipped" / installed
    return inside if inside.is_dir() else _PACKAGE.parent / in_source
