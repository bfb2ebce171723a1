"""Local protocols in a suite: their keys, their names in tables, and what is said of mistakes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ddbench.errors import SuiteError
from ddbench.plan import build_graph
from ddbench.suite import ResolvedSuite, load_suite
from ddbench.suite.cells import Row
from tests.suite.suites import write

SHORT = "minimax-hard@1 with epochs 60"


def load(folder: Path, text: str, **files: str) -> ResolvedSuite:
    for name, content in files.items():
        (folder / f"{name}@1.yaml").write_text(content)
    return load_suite(write(folder, text)[0])


def rows(suite: ResolvedSuite) -> dict[str, Row]:
    return {cell.row.name: cell.row for cell in suite.cells}


def names(suite: ResolvedSuite) -> dict[str, str]:
    return {name: row.protocol_name for name, row in rows(suite).items()}


def keys(suite: ResolvedSuite) -> list[str]:
    return [key for _, key in build_graph(suite).cells]


# Ways to train for 60 epochs, each with its name in tables.
SAME = [
    ("protocol: {extends: minimax-hard@1, epochs: 60}", f"{SHORT} (local)"),
    (
        "protocol: {extends: minimax-hard@1, epochs_by_ipc: {up_to: null, beyond: 60, shortened: null}}",
        f"{SHORT} (local)",
    ),
    ("protocol: {name: mine@1, extends: minimax-hard@1, epochs: 60}", "mine@1 (local)"),
    ("protocol: ./mine@1.yaml", "mine@1 (local)"),
    ("protocol: mine@1.yaml", "mine@1 (local)"),
    ("protocol: {extends: mine@1.yaml}", f"{SHORT} (local)"),
    ("methods: {A: {generator: real, selector: first, protocol: ./mine@1.yaml}}", "mine@1 (local)"),
    ("matrix: {generator: [real], selector: [first], protocol: ./mine@1.yaml}", "mine@1 (local)"),
]


def test_equal_content_has_equal_keys_wherever_it_stands(tmp_path: Path) -> None:
    suites = [load(tmp_path, text, mine="extends: minimax-hard@1\nepochs: 60\n") for text, _ in SAME]
    assert [set(names(suite).values()) for suite in suites] == [{name} for _, name in SAME]
    first, *others = map(keys, suites)
    assert all(found == first for found in others)
    assert first != keys(load(tmp_path, "protocol: {extends: minimax-hard@1, epochs: 61}"))


def test_the_content_of_a_known_protocol_is_that_protocol(tmp_path: Path) -> None:
    shipped = (Path(__file__).parents[2] / "components/evaluators/protocols/minimax-hard@1.yaml").read_text()
    plain = load(tmp_path, "")
    for text in ("protocol: ./mine@1.yaml", "protocol: {extends: smoke@1, name: mine@1}"):
        suite = load(tmp_path, text, mine=shipped)
        known = "minimax-hard@1" if "yaml" in text else "smoke@1"
        assert set(names(suite).values()) == {known}
        assert suite.local_protocols == {}
        if known == "minimax-hard@1":
            assert keys(suite) == keys(plain)


def test_what_a_local_protocol_changes_is_told(tmp_path: Path) -> None:
    content = "extends: ./base@1.yaml\nepochs: 60\nsummary: A short run.\n"
    suite = load(tmp_path, "protocol: ./mine@1.yaml", mine=content, base="extends: minimax-hard@1\nbatch_size: 32\n")
    (row,) = rows(suite).values()
    told = f"minimax-hard@1 with batch_size 32, epochs 60; A short run; in records {row.protocol.id}"
    assert suite.local_protocols == {"mine@1 (local)": told}
    assert row.describe()["protocol"] == "mine@1 (local)"


def test_a_path_counts_from_the_file_that_has_it(tmp_path: Path) -> None:
    (tmp_path / "below").mkdir()
    (tmp_path / "below" / "mine@1.yaml").write_text("extends: minimax-hard@1\nepochs: 60\n")
    write(tmp_path / "below", "protocol: ./mine@1.yaml", name="base.yaml")
    (tmp_path / "suite.yaml").write_text("extends: below/base.yaml\nsuite: other\n")
    assert set(names(load_suite(tmp_path / "suite.yaml")).values()) == {"mine@1 (local)"}


def test_stored_values_need_no_file(tmp_path: Path) -> None:
    content = "extends: ./base@1.yaml\nepochs_by_ipc: {up_to: {1: 9}}\n"
    suite = load(tmp_path, "protocol: ./mine@1.yaml", mine=content, base="extends: minimax-hard@1\nbatch_size: 32\n")
    for name in ("mine", "base"):
        (tmp_path / f"{name}@1.yaml").unlink()
    again = tmp_path / "again.yaml"
    again.write_text(json.dumps(suite.values))
    assert keys(load_suite(again)) == keys(suite)
    assert names(load_suite(again)) == names(suite)


# Twins


def test_each_row_has_a_twin(tmp_path: Path) -> None:
    text = """
methods:
  A: {generator: real, selector: first}
  B: {generator: real, selector: first, protocol: smoke@1}
matrix: {generator: [noise], selector: [first], protocol: {extends: smoke@1, epochs: 2}}
twins: {plain: {augmentation: none}, short: {epochs: 3}}
"""
    suite = load(tmp_path, text)
    assert names(suite) == {
        "A": "minimax-hard@1",
        "A, plain": "minimax-hard@1 without augmentation (local)",
        "A, short": "minimax-hard@1 with epochs 3 (local)",
        "B": "smoke@1",
        "B, plain": "smoke@1 without augmentation (local)",
        "B, short": "smoke@1 with epochs 3 (local)",
        "noise + first": "smoke@1 with epochs 2 (local)",
        "noise + first, plain": "smoke@1 with epochs 2, without augmentation (local)",
        "noise + first, short": "smoke@1 with epochs 3 (local)",
    }
    assert list(names(suite)) == [*names(suite)]
    found = rows(suite)
    assert not found["A, plain"].protocol.augmentation.model_dump()
    assert found["A, plain"].selector is found["A"].selector


def test_protocols_that_extend_a_whole_file_are_told_apart(tmp_path: Path) -> None:
    """Tables and scores match rows by these names, so other content needs another name."""
    smoke = (Path(__file__).parents[2] / "components/evaluators/protocols/smoke@1.yaml").read_text()
    text = """
methods:
  A: {generator: real, selector: first, protocol: ./mine@1.yaml}
  B: {generator: real, selector: first, protocol: ./other@1.yaml}
  C: {generator: real, selector: first, protocol: {extends: ./other@1.yaml, batch_size: 20}}
twins: {plain: {augmentation: none}}
"""
    files = {"mine": smoke.replace("beyond: 6", "beyond: 7"), "other": smoke.replace("beyond: 6", "beyond: 8")}
    suite = load(tmp_path, text, **files)
    assert names(suite) == {
        "A": "mine@1 (local)",
        "A, plain": "mine@1 without augmentation (local)",
        "B": "other@1 (local)",
        "B, plain": "other@1 without augmentation (local)",
        "C": "other@1 with batch_size 20 (local)",
        "C, plain": "other@1 with batch_size 20, without augmentation (local)",
    }
    assert len(set(keys(suite))) == 12  # two cells of each row
    (tmp_path / "below").mkdir()
    (tmp_path / "below" / "mine@1.yaml").write_text(files["other"])
    with pytest.raises(SuiteError, match="two protocols of this suite have the name 'mine@1' and differ"):
        load(tmp_path, text.replace("extends: ./other", "extends: ./below/mine"))
    (tmp_path / "smoke@1.yaml").write_text(files["mine"])
    with pytest.raises(SuiteError, match=r"'smoke@1' is a protocol of ddbench .* with other content"):
        load(tmp_path, text.replace("extends: ./other", "extends: ./smoke"))


def test_twins_share_the_distilled_set(tmp_path: Path) -> None:
    graph = build_graph(load(tmp_path, "twins: {plain: {augmentation: none}}"))
    assert len({key for _, key in graph.cells}) == 4
    assert sum(node.stage == "distill" for node in graph.nodes.values()) == 2


@pytest.mark.parametrize(
    ("excluded", "left"),
    [
        ("{method: A}", ["noise + first", "noise + first, plain"]),
        ("{method: [A, 'A, plain']}", ["noise + first", "noise + first, plain"]),
        ("{method: noise + first, ipc: 1}", ["A", "A, plain", "noise + first", "noise + first, plain"]),
        ("{method: 'A, plain'}", ["A", "noise + first", "noise + first, plain"]),
    ],
)
def test_a_row_is_excluded_with_its_twins_and_a_twin_alone(tmp_path: Path, excluded: str, left: list[str]) -> None:
    text = (
        "ipc: [1, 2]\nmatrix: {generator: [noise], selector: [first]}\nmethods: {A: {generator: real, selector: first}}"
    )
    suite = load(tmp_path, f"{text}\ntwins: {{plain: {{augmentation: none}}}}\nexclude: [{excluded}]")
    assert list(rows(suite)) == left
    lacking = {cell.row.name for cell in suite.cells if cell.ipc == 2} - {c.row.name for c in suite.cells if c.ipc == 1}
    assert lacking == ({"noise + first", "noise + first, plain"} if "ipc" in excluded else set())


# Mistakes: the suite's text with § before the place of the mistake, and what is said of it.
MISTAKES = [
    ("§protocol: 5", "'protocol' is 5: give NAME@VERSION, the path of a protocol file, or `{extends: "),
    ("§protocol: {epochs: 60}", "a mapping needs the protocol that it changes: write `{extends: NAME@VERSION, …}`"),
    ("§protocol: {extends: smoke@1, 5: 1}", "'protocol' is {'extends': 'smoke@1', 5: 1}: the names of fields must be"),
    ("protocol: {extends: smoke@1, epochs: 9, §name: [1]}", "'[1]' is not a name with a version; write one"),
    ('§protocol: "./a\\nb@1.yaml"', "the name of the protocol file './a\\nb@1.yaml' has no version"),
    ("§protocol: minimax-hard", "there is no protocol 'minimax-hard'; did you mean 'minimax-hard@1'?"),
    ("protocol: {§extends: minimax-hrad@1}", "there is no protocol 'minimax-hrad@1'; did you mean 'minimax-hard@1'?"),
    ("protocol: {extends: minimax-hard@1, §epoch: 60}", "the field 'epoch' is unknown; did you mean 'epochs'?"),
    ("protocol: {extends: minimax-hard@1, optimizer: {§lrr: 1}}", "the field 'optimizer.lrr' is unknown"),
    ("protocol: {extends: minimax-hard@1, optimizer: {§lr: .nan}}", "nan is not a finite number"),
    ("protocol: {extends: minimax-hard@1, §epochs: true}", "is True: should be a number"),
    (
        "protocol: {extends: minimax-hard@1, augmentation: {§flip: true}}",
        "the field 'augmentation.flip' is True: should be a number",
    ),
    (
        "protocol: {extends: minimax-hard@1, §validation_resize: true}",
        "is True: should be a positive quotient such as '2/3'",
    ),
    ("protocol: {extends: minimax-hard@1, epochs: 3, §name: mine}", "'mine' is not a name with a version; write one"),
    ("protocol: {extends: minimax-hard@1, epochs: 3, §name: smoke@1}", "'smoke@1' is a protocol of ddbench "),
    ("§protocol: ./mine.yaml", "the name of the protocol file './mine.yaml' has no version; rename it to NAME@VERSION"),
    ("§protocol: ./absent@1.yaml", "absent@1.yaml does not exist; the path of a protocol is relative to the file"),
    ("§protocol: ./smoke@1.yaml", "'smoke@1' is a protocol of ddbench "),
    (
        "methods:\n  A: {generator: real, selector: first, protocol: ./mine@1.yaml}\n"
        "  B: {generator: real, selector: first, protocol: {extends: smoke@1, §name: mine@1, epochs: 4}}",
        "two protocols of this suite have the name 'mine@1' and differ; rename one of them",
    ),
    ("twins: {plain: {§augmentatoin: none}}", "the field 'augmentatoin' is unknown; did you mean 'augmentation'?"),
    ("twins: {§plain: none}", "'twins.plain' is 'none': give the fields of the row's protocol that the twin changes"),
    ("twins: {§plain: {}}", "'twins.plain' is {}: give the fields of the row's protocol that the twin changes"),
    ("twins: {§plain: {extends: smoke@1}}", "give the fields of the row's protocol that the twin changes"),
    (
        "methods: {'A': {generator: real, selector: first}, 'A, b': {generator: real, selector: first}}\n"
        "twins: {§b: {epochs: 3}}",
        "'A, b' occurs twice; remove one or rename it",
    ),
]


@pytest.mark.parametrize(("text", "told"), MISTAKES)
def test_a_mistake_is_told_with_its_place(tmp_path: Path, text: str, told: str) -> None:
    (tmp_path / "mine@1.yaml").write_text("extends: minimax-hard@1\nepochs: 60\n")
    (tmp_path / "smoke@1.yaml").write_text("extends: minimax-hard@1\nepochs: 60\n")
    file, place = write(tmp_path, text)
    with pytest.raises(SuiteError) as raised:
        load_suite(file)
    assert str(raised.value).startswith(f"{file}{place}: ")
    assert told in str(raised.value)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("files", "place", "told"),
    [
        (
            {"mine": "extends: smoke@1\noptimizer:\n  lrr: 1\n"},
            "mine@1.yaml:3:3",
            "the field 'optimizer.lrr' is unknown",
        ),
        ({"mine": "extends: ./mine@1.yaml\n"}, "mine@1.yaml:1:1", "the protocol extends itself: mine@1.yaml → mine@1"),
        (
            {"mine": "extends: ./b@1.yaml\n", "b": "epochs: 3\n"},
            "mine@1.yaml:1:1",
            "the field 'max_input_size' is missing; add",
        ),
        ({"mine": "\n"}, "mine@1.yaml", "the file has no keys; a protocol file is a YAML mapping"),
    ],
)
def test_a_mistake_in_a_file_is_told_with_its_place(tmp_path: Path, files: Any, place: str, told: str) -> None:
    with pytest.raises(SuiteError) as raised:
        load(tmp_path, "protocol: ./mine@1.yaml", **files)
    assert str(raised.value).startswith(str(tmp_path / place))
    assert told in str(raised.value)
