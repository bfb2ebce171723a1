"""``ddbench export`` keeps what a folder has."""

from __future__ import annotations

from pathlib import Path

from ddbench.record import RunRecord
from ddbench.report.export_reading import name_of
from ddbench.toolkit.files import read_sealed, write_sealed
from tests.conftest import Cli


def test_an_export_never_replaces_a_number(cli: Cli, example_suite: Path, tmp_path: Path) -> None:
    assert cli("run", str(example_suite)).returncode == 0
    assert cli("export", "example.yaml", "--to", "out").returncode == 0
    path = min((tmp_path / "out" / "example").glob("*-*.json"))
    value = read_sealed(path) or {}
    last = value["record"]["result"]["last"]
    value["record"]["result"]["last"] = 100 - last if last != 50 else 51
    path.unlink()
    path = path.with_name(name_of(RunRecord.parse(value["record"]), value["record"]))
    write_sealed(path, value)
    ended = cli("export", "example.yaml", "--to", "out")
    assert (ended.returncode, ended.stdout) == (2, "")
    (line,) = ended.stderr.splitlines()
    assert line.startswith(f"error: out/example/{path.name}: the file has other numbers for the same training")
    assert read_sealed(path) == value
