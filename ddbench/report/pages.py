"""The files of reports: one file of a suite, or a folder with pages of many suites and their index."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from os.path import isdir
from pathlib import Path
from typing import Final

from tabulate import tabulate

from ddbench.errors import DdbenchError
from ddbench.report.exported import SUITE, read_exported
from ddbench.report.formats import FORMATS, Format, format_of
from ddbench.report.leaderboard import Leaderboard, leaderboard_of
from ddbench.report.results import Results
from ddbench.text import markdown
from ddbench.toolkit.files import write_chosen

INDEX: Final = "index.md"
_HEADERS: Final = ("suite", "data set", "protocols", "students", "IPC", "rows", "results", "first", "last")


def exports_in(folder: Path) -> list[Path]:
    """Return the exported suites in a folder; empty if the folder is one itself or does not exist."""
    if not isdir(folder) or (folder / SUITE).is_file():  # noqa: PTH112  (False for a name that no folder can have)
        return []
    return sorted(file.parent for file in folder.glob(f"*/{SUITE}"))


def files_of(source: Path, to: Path, known: Format | None, read: Callable[[], Results]) -> dict[Path, str]:
    """Return the files of a report by path.

    Args:
        source: a suite, an exported suite, or a folder of exported suites.
        to: the file, or the folder of the pages of a folder of exported suites.
        known: the format; by default that of the file's name, or each format that makes pages.
        read: reads the results of a single suite.

    Raises:
        DdbenchError: the format is not known.
    """
    if exports := exports_in(source):
        return _pages(exports, to, [known] if known else [each for each in FORMATS.values() if each.is_page])
    known = known or format_of(to)
    results = read()
    return {to: known.render(results, leaderboard_of(results))}


def _pages(exports: list[Path], folder: Path, formats: list[Format]) -> dict[Path, str]:
    """Return the pages of exported suites, named after their folders, and an index in Markdown."""
    files: dict[Path, str] = {}
    rows = []
    stems = Counter(name.lower() for name in (Path(INDEX).stem, *(export.name for export in exports)))
    if clashes := ", ".join(name for name, count in stems.items() if count > 1):
        raise DdbenchError(f"two pages would have one name: {clashes}", hint="rename the folder of the export")
    for export in exports:
        results = read_exported(export)
        board = leaderboard_of(results)
        pages = {f"{export.name}{known.suffix}": known.render(results, board) for known in formats}
        files |= {folder / page: text for page, text in pages.items()}
        rows.append(_row(export.name, list(pages), results, board))
    table = tabulate(rows, _HEADERS, tablefmt="github", disable_numparse=True)
    return {**files, folder / INDEX: f"# Leaderboards\n\n{table}\n"}


def _row(name: str, pages: list[str], results: Results, board: Leaderboard) -> list[str]:
    """Return a suite's row of the index. Dates are days in UTC, from the records of its results."""
    links = [f"[{markdown(name if page.endswith('.md') else Path(page).suffix[1:])}](<{page}>)" for page in pages]
    days = sorted(one.created[:10] for found in results.records.values() for one in found if one.created)
    done = sum(entry.last.n for entry in board.entries if entry.last)
    ipcs = sorted({entry.ipc for entry in board.entries})
    students = dict.fromkeys(entry.student for entry in board.entries)
    return [
        " ".join(links),
        *map(markdown, (board.dataset, ", ".join(board.protocols), ", ".join(students))),
        ", ".join(map(str, ipcs)),
        str(len(board.rows)),
        f"{done} of {sum(entry.expected for entry in board.entries)}",
        *((markdown(days[0]), markdown(days[-1])) if days else ("", "")),
    ]


def stale(files: Mapping[Path, str]) -> Iterator[Path]:
    """Yield the files that are missing or have another content."""
    for path, text in files.items():
        try:
            same = path.read_bytes() == text.encode()
        except OSError:
            same = False
        if not same:
            yield path


def write(files: Mapping[Path, str]) -> None:
    """Write files. Raise DdbenchError for the first that cannot be written."""
    for path, text in files.items():
        try:
            write_chosen(path, text.encode())
        except OSError as error:
            raise DdbenchError(f"cannot write {path}: {error.strerror}") from None
