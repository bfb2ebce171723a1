"""Lay out a pull request of results to ``leaderboard/``, with the checks that a reviewer would make."""

from __future__ import annotations

import getpass
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from os.path import expanduser
from pathlib import Path
from typing import Final

from ddbench.record import Environment, Measurement, read_predictions, unpack_predictions
from ddbench.report.export_reading import predictions_file, read_exported_files
from ddbench.report.formats import FORMATS
from ddbench.report.leaderboard import leaderboard_of
from ddbench.report.lock import LOCK
from ddbench.report.results import Results
from ddbench.text import markdown
from ddbench.toolkit.files import CorruptError, write_chosen

PLACE: Final = Path("leaderboard")
TEXT: Final = "PULL_REQUEST.md"
_SHOWN: Final = 3
_PATH: Final = re.compile(r'"(/|~/|\.\.?/)[^"]*"|"[A-Za-z]:\\[^"]*"|/(?:home|Users)/[^"]*')
_SHORTEST_NAME: Final = 4  # of a user; shorter names are parts of words


@dataclass(frozen=True)
class Check:
    """One check of a submission.

    Attributes:
        name: what must hold.
        problems: where it does not.
        fix: what to do then.
    """

    name: str
    problems: tuple[str, ...]
    fix: str

    @property
    def line(self) -> str:
        """The outcome as one line."""
        if not self.problems:
            return f"ok: {self.name}"
        more = f" and {len(self.problems) - _SHOWN} more" if len(self.problems) > _SHOWN else ""
        return f"failed: {self.name}: {', '.join(self.problems[:_SHOWN])}{more}; {self.fix}"


def checks_of(results: Results, folder: Path, known_suites: Iterable[str], damage: Sequence[str]) -> list[Check]:
    """Return the checks of an exported folder.

    Args:
        results: its results.
        folder: the folder.
        known_suites: the names of the suites that ddbench has.
        damage: messages about damaged files of the store that it was made from.
    """
    measured = _measured(results)
    again = f"run it again: `ddbench run {results.suite}`"
    named = [] if results.suite in known_suites else [f"there is no suite '{results.suite}'"]
    return [
        Check("every file is verified", (*damage, *_predictions(folder)), "run the suite and export it again"),
        Check("every row is complete", tuple(_gaps(results)), f"finish it: `ddbench run {results.suite}`"),
        Check("results have the keys of this version", tuple(_earlier(results, measured)), again),
        Check("no protocol is local", _each(_local(measured)), "add the protocol to ddbench in the same pull request"),
        Check("environments are known", _each(_unknown(one.environment) for one in measured), again),
        Check("code is released or committed", _each(_code(measured)), f"commit it, and {again}"),
        Check(
            "no file names a folder or a user", tuple(_private(folder)), "rename it in the suite, and export it again"
        ),
        Check("the suite is in ddbench", tuple(named), "add its file to `suites/` in the same pull request"),
    ]


def lay_out(results: Results, target: Path, checks: Sequence[Check]) -> list[Path]:
    """Write the pages of a submission and its text; return their paths. The results are in ``target`` already."""
    board = leaderboard_of(results)
    pages = {
        target / PLACE / f"{results.suite}{known.suffix}": known.render(results, board)
        for known in FORMATS.values()
        if known.is_page
    }
    files = {**pages, target / TEXT: _text(results, [page.relative_to(target) for page in pages], checks)}
    for path, text in files.items():
        write_chosen(path, text.encode())
    return list(files)


def _text(results: Results, pages: Sequence[Path], checks: Sequence[Check]) -> str:
    """Return the text of the pull request."""
    measured = _measured(results)
    machines = sorted({f"{one.environment.device_model} ({one.fingerprint})" for one in measured})
    folder = PLACE / "results" / results.suite
    lines = [
        f"# Results of {markdown(results.suite)}",
        "",
        f"{len(measured)} results of {len(results.rows)} rows on {markdown(results.dataset)}.",
        f"Made on {markdown(', '.join(machines))}.",
        "",
        f"- `{folder}/` has the results, and `{folder / LOCK}` the versions that made them.",
        *(f"- `{page}` was made by `ddbench report {folder} --to {page}`." for page in pages),
        "",
        "## Checks",
        "",
        *(f"- {markdown(check.line)}" for check in checks),
    ]
    return "\n".join(lines) + "\n"


def _measured(results: Results) -> list[Measurement]:
    """Return each result once."""
    found = (one for group in results.measured.values() for one in group)
    return list({(one.action_key, one.fingerprint): one for one in found}.values())


def _each(problems: Iterable[str | None]) -> tuple[str, ...]:
    """Return each problem once."""
    return tuple(dict.fromkeys(problem for problem in problems if problem is not None))


def _gaps(results: Results) -> Iterator[str]:
    missing: dict[str, set[str]] = {}
    for trial in results.trials:
        if trial.evaluation not in results.measured:
            missing.setdefault(trial.method, set()).add(trial.evaluation)
    yield from (f"trainings missing of '{method}': {len(keys)}" for method, keys in missing.items())


def _earlier(results: Results, measured: Iterable[Measurement]) -> Iterator[str]:
    count = sum(one.format < 2 for one in measured)
    if count or results.format < 2:
        yield f"{count} results have keys of an earlier version"


def _local(measured: Iterable[Measurement]) -> Iterator[str]:
    return (one.protocol.id for one in measured if one.protocol is not None and one.protocol.content is not None)


def _unknown(env: Environment) -> str | None:
    """Return what an environment does not tell; None if it tells everything."""
    values: dict[str, object] = {"vector instructions": env.cpu_capability, "threads": env.threads, "system": env.os}
    if env.device != "cpu":
        gpu = env.gpu
        values |= {"driver": gpu and gpu.driver, "CUDA": gpu and gpu.cuda, "cuDNN": gpu and gpu.cudnn}
    missing = [name for name, value in values.items() if not value]
    return f"{env.device_model} without {' and '.join(missing)}" if missing else None


def _code(measured: Iterable[Measurement]) -> Iterator[str]:
    for lineage in {id(one.lineage): one.lineage for one in measured if one.format > 1}.values():
        for origin in lineage:
            name = f"{origin.kind} '{origin.name}'"
            if origin.code_hash is None or origin.package is None:
                yield f"{name} has no package or no code hash"
            elif origin.dirty:
                yield f"{name} was edited after commit {str(origin.commit)[:12]}"


def _predictions(folder: Path) -> Iterator[str]:
    """Yield the damaged files of predictions. Records without such files are complete too."""
    for found in read_exported_files(folder):
        place = predictions_file(folder, found.record)
        if place is not None and place.exists():
            try:
                count = len(unpack_predictions(read_predictions(place, found.record)))
            except (CorruptError, ValueError):
                count = -1
            if count != found.record.validation.size:
                yield f"{place.name} has no prediction for each validation image"


def _private(folder: Path) -> Iterator[str]:
    """Yield the texts that name a folder of this machine or its user, with their files."""
    user, home = _user(), expanduser("~")  # noqa: PTH111  (`Path.home` fails where there is none)
    words = [re.escape(word) for word in (user, home) if len(word) >= _SHORTEST_NAME and word != "root"]
    own = re.compile("|".join(rf"(?<![\w-]){word}(?![\w-])" for word in words) or r"(?!)")
    for path in sorted(folder.glob("*.json")):
        text = path.read_text(encoding="utf-8")
        found = _PATH.search(text) or own.search(text)
        if found is not None:
            yield f"{path.name}: {found[0].strip(chr(34))}"


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # there is no entry for the number of the user
        return ""
