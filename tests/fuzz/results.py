"""Fuzz the readers of stored and exported results: ``python -m tests.fuzz.results --minutes 20 --seed 0``.

Each input is a small store, or its export, with one to three changes. A verb reads it.
"""

from __future__ import annotations

import atexit
import copy
import io
import json
import os
import random
import shutil
import signal
import sys
import tempfile
from collections.abc import Callable
from contextlib import chdir, redirect_stderr, redirect_stdout, suppress
from functools import cache, partial
from hashlib import sha256
from pathlib import Path
from typing import Any, Final
from unittest.mock import patch

from typer.main import get_command

from tests.conftest import EXAMPLE, install_distribution
from tests.fuzz.mutation import main, mutated
from tests.record.mutations import places

SUITE: Final = """\
suite: example
dataset: dots
protocol: smoke@1
evaluator: nearest-mean
ipc: [1]
students: [pixels]
seeds: {generation: [0], selection: [0], training: [0, 1]}
scorers:
  teacher: colour
generators:
  loud: {use: noise}
matrix:
  generator: [real, loud]
  selector: [first, k-center]
"""
_WORDS: Final = [
    *(b'"', b"{", b"}", b"[", b"]", b",", b":", b"null", b"true", b"NaN", b"-Infinity", b"-1", b"0", b"1e999"),
    *(b"9" * 30, b"9" * 5000, b"\\ud800", b"\\u0000", b"\xff", b"\xed\xa0\x80", b"\xef\xbb\xbf", b"[" * 200),
    *(b'{"a":' * 200, b'"checksum": "', b'"format": 1,', b"\n", b" ", b"\x00"),
]
_JUNK: Final[list[Any]] = [
    *(None, True, False, -1, 0, 1, 2, 99, 2**31, 2**63, -(2**63), 10**300, 10**4000),
    *(-0.0, 0.5, -1.0, 100.5, 1e15, 1e308, -1e308, 5e-324),
    *("", "x", "x" * 10_000, "../../x", "/etc/passwd", "\x1b[2J", "a\nb", "|`<b>", "\u202e", "\0", "\ufeff", "cpu"),
    *([], {}, [[]], [{}], {"a": {}}, {"": None}, [1], ["x"], list(range(1000)), [0.5, 1], ["x", 1]),
    *("evaluate", "select", "generate", "dataset", 1.0, "2026-01-01T00:00:00+00:00", {"uses": {}, "settings": {}}),
]
_DEEP: Final = json.loads("[" * 60 + "]" * 60)
# The verbs that read the store, and those that read an export.
_VERBS: Final = {
    ".ddbench": (
        *("report S", "report S --json", "status S", "status S --json", "why S", "why S loud", "why S --json"),
        *("plan S", "plan S --json", "export S --to new", "gc", "gc S --delete", "gc --delete --max-size 1K"),
        *("verify", "verify --json", "verify --repair"),
    ),
    "out": (
        *("report EXPORT", "report EXPORT --json", "report EXPORT -o page.md", "export S --to out"),
        *("merge EXPORT --to new", "merge EXPORT copy/example --to new", "merge copy/example --to EXPORT"),
        *("submit EXPORT", "plan S --results out", "report S --results EXPORT --store none"),
    ),
}
_EXPORT: Final = "out/example"


def verb(line: str) -> str:
    """Run a verb in the working folder, and return its output. Its errors come out as exceptions."""
    from ddbench.text import unprintable
    from ddbench.toolkit.files import parse_json

    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err), suppress(SystemExit):
        _command()([{"S": "example.yaml", "EXPORT": _EXPORT}.get(word, word) for word in line.split()])
    text = out.getvalue()
    if line.endswith("--json"):
        parse_json(text.encode(errors="replace"))  # as for stdout
    else:
        assert unprintable(text) is None, text
    assert unprintable(err.getvalue()) is None, err.getvalue()
    return text


@cache
def _command() -> Callable[[list[str]], object]:
    """Return ``ddbench`` as a function of its arguments."""
    from ddbench.cli import app

    return partial(get_command(app), standalone_mode=False)


def run() -> str:
    """Run the suite in this process, and return its leaderboard."""
    from ddbench.run import start
    from tests.in_process import InProcessExecutor

    on_term = signal.getsignal(signal.SIGTERM)
    with patch.object(start, "LocalExecutor", InProcessExecutor):
        verb("run S")
    signal.signal(signal.SIGTERM, on_term)
    return verb("report S")


@cache
def original() -> tuple[Path, str]:
    """Return a folder with a suite, its store and its export, and the suite's leaderboard. One training has failed."""
    from ddbench.plan.state import plan_suite
    from ddbench.store import Failure

    folder = Path(tempfile.mkdtemp(prefix="ddbench-fuzz-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    (folder / "example.yaml").write_text(SUITE)
    with chdir(folder), patch.dict(os.environ, DDBENCH_HOME=str(folder / ".ddbench")):
        page = run()
        verb("export S --to out --predictions")
        shutil.copytree("out", "copy")
        _, state = plan_suite("example.yaml", folder / ".ddbench")
        key = state.graph.cells[-1][1]
        action_key = state.action_keys[key]
        shutil.rmtree(folder / ".ddbench" / "results" / action_key[:2] / action_key)
        about = {"stage": "evaluate", "label": "loud k-center", "message": "no", "trace": "Traceback"}
        state.store.put_failure(Failure(recipe_key=key, action_key=action_key, **about))
    for path in folder.glob(".ddbench/*.lock"):
        path.unlink()
    return folder, page


def attempt(rng: random.Random) -> None:
    """Read a changed store or export with a random verb. A run makes good every damage that a checksum tells."""
    whole, page = original()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "work"
        shutil.copytree(whole, folder, copy_function=os.link, symlinks=True)
        with chdir(folder), patch.dict(os.environ, DDBENCH_HOME=str(folder / ".ddbench")):
            place = rng.choice((".ddbench", ".ddbench", "out"))
            forged = [change(folder / place, rng) for _ in range(rng.choice((1, 1, 1, 2, 3)))]
            if place == ".ddbench" and rng.random() < 0.03:
                told = run()
                assert any(forged) or told == page, "a run on a damaged store has another leaderboard"
            else:
                verb(rng.choice(_VERBS[place]))


def change(root: Path, rng: random.Random) -> bool:
    """Change one file. Return True if its checksum hides the change."""
    kinds: dict[tuple[str, str, bool, bool], list[Path]] = {}
    for path in sorted(root.rglob("*")):
        if path.suffix in (".json", ".safetensors", ".jsonl", ".npy") and path.is_file() and not path.is_symlink():
            room = path.relative_to(root).parts[0]
            special, note = path.name in ("manifest.json", "suite.json"), path.name.startswith("cell-")
            kinds.setdefault((room, path.suffix, special, note), []).append(path)
    if not kinds:  # an earlier change replaced the only folder
        return False
    files = kinds[rng.choice(sorted(kinds))]
    how = rng.choice((_bytes, _bytes, _values, _values, _values, _entry, _swap))
    return how(rng.choice(files), files, root, rng)


def _bytes(path: Path, files: list[Path], root: Path, rng: random.Random) -> bool:
    _replace(path, mutated(path.read_bytes(), rng, _WORDS))
    return False


def _values(path: Path, files: list[Path], root: Path, rng: random.Random) -> bool:
    """Change values of JSON, and renew its checksum, and that of a payload in the manifest."""
    from ddbench.toolkit.files import sealed

    with suppress(ValueError, OSError):  # the file was changed before, or the value cannot be written
        value = json.loads(path.read_bytes())
        seal = value.pop("checksum", None) if isinstance(value, dict) else None
        for _ in range(rng.randint(1, 3)):
            value = _spoiled(value, rng)
        made = json.dumps(value).encode() if seal is None or not isinstance(value, dict) else sealed(value)
        _replace(path, made)
        manifest = path.parent / "manifest.json"
        if path.name == "content.json":
            described = json.loads(manifest.read_bytes())
            described.pop("checksum")
            described["files"][path.name] = [sha256(made).hexdigest(), len(made)]
            _replace(manifest, sealed(described))
    return True


def _spoiled(value: Any, rng: random.Random) -> Any:
    """Return a JSON value with one part replaced, removed, renamed or doubled."""
    value = copy.deepcopy(value)
    found = places(value)
    if not found:
        return rng.choice(_JUNK)
    path = rng.choice(found)
    place = value
    for part in path[:-1]:
        place = place[part]
    match rng.randrange(6):
        case 0:
            del place[path[-1]]
        case 1:
            place[path[-1]] = _at(value, rng.choice(found))
        case 2 if isinstance(place, dict):
            place[rng.choice(("", "x", "\x1b", "checksum", "format", "0"))] = place.pop(path[-1])
        case 3:
            place[path[-1]] = copy.deepcopy(_DEEP)
        case _:
            place[path[-1]] = copy.deepcopy(rng.choice(_JUNK))
    return value


def _at(value: Any, path: tuple[str | int, ...]) -> Any:
    for part in path:
        value = value[part]
    return copy.deepcopy(value)


def _entry(path: Path, files: list[Path], root: Path, rng: random.Random) -> bool:
    """Put something else in the place of a file, or of a folder above it."""
    make: Callable[[Path], object] = rng.choice(
        (
            Path.mkdir,
            Path.touch,
            os.mkfifo,
            lambda place: place.symlink_to("nowhere"),
            lambda place: place.symlink_to(place.name),
            lambda place: place.symlink_to("/dev/zero"),
            lambda place: None,
        )
    )
    beside = path.with_name(rng.choice(("x", ".x", "\udcff\n")))
    target = rng.choice((path, path, path.parent, path.parent.parent, beside))
    if not target.is_relative_to(root) or target == root:
        target = path
    if target.is_dir():
        shutil.rmtree(target)
    target.unlink(missing_ok=True)
    make(target)
    return False


def _swap(path: Path, files: list[Path], root: Path, rng: random.Random) -> bool:
    other = rng.choice(files)
    mine, theirs = path.read_bytes(), other.read_bytes()
    _replace(path, theirs)
    _replace(other, mine)
    return False


def _replace(path: Path, data: bytes) -> None:
    """Write a file. The original is linked to it, so it must not be written in place."""
    path.unlink()
    path.write_bytes(data)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as site:
        install_distribution(Path(site), EXAMPLE)
        sys.path[:0] = [site, str(EXAMPLE / "src")]
        original()
        main(attempt)
