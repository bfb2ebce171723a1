"""The card of a set: how it names local protocols."""

from __future__ import annotations

from pathlib import Path

from tests.run.runs import run_in_process
from tests.sets.scene import SUITE, Finished


def test_a_local_protocol_is_named_as_in_tables(tmp_path: Path) -> None:
    made = Finished(tmp_path / "suite.yaml", tmp_path / "store")
    made.suite.write_text(SUITE.replace('protocol: "smoke@1"', "protocol: {extends: smoke@1, epochs: 1}", 1))
    assert run_in_process(made.suite, made.store).returncode == 0
    page = (made.write(tmp_path / "out", "Real") / "README.md").read_text()
    assert "Protocol smoke@1 with epochs 1 (local): in records local-" in page
