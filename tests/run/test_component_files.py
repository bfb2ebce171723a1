"""Suites that name single files with components."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from ddbench.registry.catalogue import _chosen, catalogue
from ddbench.store import Store
from ddbench.store.code import keep_code
from ddbench.store.verify import verify_store
from ddbench.suite import load_suite
from tests.in_process import ddbench
from tests.registry.packages import selector
from tests.run.runs import run, run_in_process

SUITE = """\
suite: filed
components: [./chooser.py]
dataset: dots
protocol: smoke@1
evaluator: nearest-mean
ipc: [1]
students: [pixels]
methods:
  First: {generator: real, selector: first}
  Own: {generator: real, selector: from-file}
"""


@pytest.fixture
def suite(tmp_path: Path) -> Path:
    (tmp_path / "chooser.py").write_text(selector("from-file", top="import torch"))
    file = tmp_path / "filed.yaml"
    file.write_text(SUITE)
    return file


def test_a_run_tells_what_it_loads_and_an_edit_repeats_only_what_used_it(tmp_path: Path, suite: Path) -> None:
    first = run_in_process(suite, tmp_path / "store")
    assert first.returncode == 0, first.stderr
    assert "loaded chooser.py: selector 'from-file'" in first.stderr
    assert "ran nothing" in run_in_process(suite, tmp_path / "store").stderr
    file = tmp_path / "chooser.py"
    file.write_text(file.read_text().replace("range(ipc)", "range(1, 1 + ipc)"))
    again = run_in_process(suite, tmp_path / "store")
    assert re.search(
        r"selector 'from-file' was edited \(\w{6} → \w{6}\), so its outputs are made again: "
        r"1 select, 1 distill, 1 evaluate\n",
        again.stderr,
    )
    assert "ran 1 select, 1 distill, 1 evaluate" in again.stderr
    assert len(list((tmp_path / "store" / "code").glob("*/chooser.py"))) == 2


def test_workers_import_the_text_from_the_store(tmp_path: Path, suite: Path) -> None:
    (tmp_path / "chooser.py").write_text(selector("from-file").replace("return range(ipc)", "raise OSError(__file__)"))
    (tmp_path / "random.py").write_text("raise ImportError('a module of the working folder')")
    done = run(suite, tmp_path / "store", "--workers", "1")
    (copy,) = (tmp_path / "store" / "code").glob("*/chooser.py")
    assert done.returncode == 1
    assert str(copy) in done.stderr
    assert "chooser.py:10 in select_class" in done.stderr


def test_a_damaged_text_in_the_store_is_found_and_replaced(tmp_path: Path, suite: Path) -> None:
    store = Store.open(tmp_path / "store")
    (file,) = load_suite(suite).files
    keep_code(store, file.address, file.text)
    (copy,) = (tmp_path / "store" / "code").glob("*/chooser.py")
    copy.write_text("other = 1")
    found = verify_store(store.root, repair=False, progress=lambda found: None)
    assert [damage.path for damage in found.damage] == [copy]
    keep_code(store, file.address, file.text)
    assert not verify_store(store.root, repair=False, progress=lambda found: None).damage


@pytest.mark.parametrize("name", ["../chooser.py", "/tmp/chooser.py", "sub/../../chooser.py"])
def test_a_suite_names_only_files_in_its_own_folder(tmp_path: Path, suite: Path, name: str) -> None:
    (tmp_path / "suites").mkdir()
    inner = tmp_path / "suites" / "inner.yaml"
    inner.write_text(SUITE.replace("./chooser.py", name))
    told = ddbench("plan", str(inner)).stderr
    assert f"inner.yaml:2:14: '{name}' is outside the folder of this suite" in told
    assert "--plugin FILE" in told


def test_an_option_loads_a_file_for_one_command(tmp_path: Path, suite: Path) -> None:
    suite.write_text(SUITE.replace("components: [./chooser.py]\n", ""))
    told = ddbench("plan", str(suite), folder=tmp_path).stderr
    assert "filed.yaml:9:26: there is no selector 'from-file'" in told
    try:
        done = ddbench("plan", str(suite), "--plugin", "chooser.py", folder=tmp_path)
    finally:
        _chosen.clear()
        catalogue.cache_clear()
    assert done.returncode == 0, done.stderr


EVIL = "from pathlib import Path\nPath({mark!r}).touch()\n"


def test_nothing_that_reads_exports_runs_code_that_they_name(tmp_path: Path, suite: Path) -> None:
    assert run_in_process(suite, tmp_path / "store").returncode == 0
    exports = tmp_path / "exports"
    assert ddbench("export", str(suite), "--store", str(tmp_path / "store"), "--to", str(exports)).returncode == 0
    export = exports / "filed"
    mark = tmp_path / "ran"
    values = json.loads((export / "suite.json").read_text())
    assert "chooser.py" in json.dumps(values)
    (export / "chooser.py").write_text(EVIL.format(mark=str(mark)))
    verbs = (
        ["report", str(export), "--full"],
        ["report", str(export), "--to", str(tmp_path / "page.html")],
        ["compare", "First", "Own", "--results", str(export)],
        ["compare", str(export), str(export)],
        ["merge", str(export), "--to", str(tmp_path / "merged")],
        ["figures", str(export), "--to", str(tmp_path / "figures")],
        ["verify", "--store", str(tmp_path / "store")],
    )
    for verb in verbs:
        done = ddbench(*verb, folder=tmp_path)
        assert done.returncode in (0, 2), done.stderr
        assert not mark.exists(), verb
    assert "Own" in ddbench(*verbs[0], folder=tmp_path).stdout
