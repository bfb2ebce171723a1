"""Published numbers in a suite: what a row is compared with, every mistake in one line, and no key that knows of it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ddbench.errors import SuiteError
from ddbench.plan import build_graph
from ddbench.suite import Published, load_suite
from tests.suite.suites import write

HEADER = "method,dataset,student,ipc,mean,std,n,source\n"
WIDER = "method,dataset,student,ipc,mean,std,n,source,statistic,paper\n"
ROWS = """\
Random,dots,pixels,1,14.4,2.0,100,"A paper, table 1"
Random,dots,pixels,1,14.9,0.2,,Another paper
Random,elsewhere,pixels,1,70,1,,A paper
Herding,dots,pixels,2,31.6,0.7,,A paper
"""
SUITE = """\
published: numbers.csv
methods:
  First: {generator: real, selector: first, published: §Random}
  Other: {generator: real, selector: random}
"""


def suite(folder: Path, text: str = SUITE, numbers: str | bytes = HEADER + ROWS) -> tuple[Path, str]:
    (folder / "numbers.csv").write_bytes(numbers if isinstance(numbers, bytes) else numbers.encode())
    return write(folder, text)


def test_a_row_has_every_number_that_is_printed_of_it(tmp_path: Path) -> None:
    rows = {cell.row.name: cell.row for cell in load_suite(suite(tmp_path)[0]).cells}
    assert rows["First"].published == (
        Published("Random", "dots", "pixels", 1, 14.4, 2.0, 100, "A paper, table 1"),
        Published("Random", "dots", "pixels", 1, 14.9, 0.2, None, "Another paper"),
        Published("Random", "elsewhere", "pixels", 1, 70.0, 1.0, None, "A paper"),
    )
    assert rows["Other"].published == ()


def test_an_empty_value_is_not_published(tmp_path: Path) -> None:
    numbers = WIDER + "Random,dots,pixels,1,14.4,,,A,best of 100,\nRandom,dots,pixels,1,15,2,3,B,,Ours\n"
    row = next(cell.row for cell in load_suite(suite(tmp_path, numbers=numbers)[0]).cells if cell.row.published)
    first, second = row.published
    assert (first.std, first.n, first.statistic, first.paper, str(first)) == (None, None, "best of 100", None, "14.4")
    assert (second.std, second.n, second.statistic, second.paper) == (2.0, 3, "unknown", "Ours")


def test_numbers_do_not_follow_to_another_data_set(tmp_path: Path) -> None:
    """A row keeps its method only in a suite that names the file for its own data set."""
    path, _ = suite(tmp_path)
    own = tmp_path / "own.yaml"
    own.write_text(f"extends: {path.name}\nsuite: own\ndataset: tiny-cifar\nstudents: [convnet3]\n")
    assert not any(cell.row.published for cell in load_suite(own).cells)
    own.write_text(f"extends: {path.name}\nsuite: own\ndataset: dots\npublished: numbers.csv\n")
    assert any(cell.row.published for cell in load_suite(own).cells)


def test_it_is_in_no_key(tmp_path: Path) -> None:
    plans = []
    for text in (SUITE, SUITE.replace("published: numbers.csv\n", "").replace(", published: §Random", "")):
        graph = build_graph(load_suite(suite(tmp_path, text)[0]))
        plans.append((list(graph.nodes), [key for _, key in graph.cells]))
    assert plans[0] == plans[1]


def test_an_inherited_path_is_relative_to_the_file_that_says_it(tmp_path: Path) -> None:
    inner = tmp_path / "inner"
    inner.mkdir()
    suite(inner)
    own = tmp_path / "own.yaml"
    own.write_text("extends: inner/suite.yaml\nsuite: own\n")
    loaded = load_suite(own)
    assert loaded.values["published"] == "inner/numbers.csv"
    assert len(next(cell.row for cell in loaded.cells if cell.row.name == "First").published) == 3
    own.write_text("extends: inner/suite.yaml\nsuite: own\npublished: numbers.csv\n")
    with pytest.raises(
        SuiteError, match=r"own\.yaml:3:1: the file .*numbers\.csv does not exist; give a path relative to"
    ):
        load_suite(own)


SAID = "methods: {A: {generator: real, selector: first, §published: Random}}"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (SAID, "the suite has no file of published numbers; add `published: FILE.csv` to the suite"),
        (f"§published: numbers.txt\n{SAID.replace('§', '')}",
         "numbers.txt does not exist; give a path relative to this file"),
        (f"published: numbers.csv\n{SAID.replace('Random', 'Randon')}",
         "numbers.csv has no method 'Randon'; did you mean 'Random'?"),
        (f"§published: [numbers.csv]\n{SAID.replace('§', '')}", "'published' is ['numbers.csv']: input should be"),
        (f"published: numbers.csv\n{SAID.replace('Random', '5')}", "'methods.A.published' is 5: input should be"),
        (f"published: numbers.csv\n{SAID.replace('published', 'publish')}",
         "unknown key 'publish'; did you mean 'published'?"),
        ("published: numbers.csv\nmatrix: {generator: [real], selector: [first], §published: Random}",
         "unknown key 'published'"),
        (f"published: numbers.csv\nipc: [2]\n{SAID}", "'Random' has no published number for the data set, students and "
         "IPCs of this row; published: dots, pixels, IPC 1; elsewhere, pixels, IPC 1"),
        (f"published: numbers.csv\nstudents: [{{use: pixels, name: p}}]\n{SAID}", "'Random' has no published number"),
    ],
)  # fmt: skip
def test_a_mistake_in_the_suite_is_one_line_with_its_place(tmp_path: Path, text: str, words: str) -> None:
    path, place = suite(tmp_path, text)
    with pytest.raises(SuiteError) as caught:
        load_suite(path)
    message = str(caught.value)
    assert words in message
    assert message.startswith(f"{path}{place}: ")
    assert "\n" not in message


@pytest.mark.parametrize(
    ("numbers", "line", "words"),
    [
        ("", ":1", f"the first line is not {HEADER.strip()}; write these columns into the first line"),
        (HEADER.replace("ipc", "IPC") + ROWS, ":1", "the first line is not method,dataset,student,ipc,mean,std,n"),
        (HEADER + ROWS + "Random,dots,pixels,1,2\n", ":6", "5 values for 8 columns; quote values that contain a comma"),
        (HEADER + ROWS + "Random,dots,pixels,1,2,3,,a,b\n", ":6", "9 values for 8 columns"),
        (HEADER + "Random,dots,pixels,1,14.4 %,2.0,,A\n", ":2", "'mean' is '14.4 %': input should be a valid number"),
        (HEADER + "Random,dots,pixels,1,nan,2.0,,A\n", ":2", "'mean' is 'nan': input should be"),
        (HEADER + "Random,dots,pixels,1,144,2.0,,A\n", ":2", "'mean' is '144': input should be less than or"),
        (HEADER + "Random,dots,pixels,1,,2.0,,A\n", ":2", "'mean' is '': input should be a valid number"),
        (HEADER + "Random,dots,pixels,1,14.4,-1,,A\n", ":2", "'std' is '-1': input should be greater than or"),
        (HEADER + "\nRandom,dots,pixels,one,14.4,1,,A\n", ":3", "'ipc' is 'one': input should be a valid integer"),
        (HEADER + "Random,dots,pixels,1,14.4,1,5.5,A\n", ":2", "'n' is '5.5': input should be a valid integer"),
        (HEADER + "Random,dots,pixels,1,14.4,1,,\n", ":2", "'source' is '': string should have at least 1 character"),
        (HEADER + 'Random,dots,pixels,1,14.4,1,,"A"b\n', ":2", "not valid CSV: "),
        (HEADER.encode() + b"Random,dots,pixels,1,14.4,1,,\xff\n", "", "cannot be read as text: "),
        (WIDER.replace("statistic", "statistik"), ":1", "there is no column 'statistik'; did you mean 'statistic'?"),
        (WIDER.replace("paper", "statistic"), ":1", "the column 'statistic' occurs twice; remove one"),
        (WIDER + "Random,dots,pixels,1,14.4,1,,A,first,\n", ":2", "'statistic' is 'first': string should match"),
        (WIDER + "Random,dots,pixels,1,14.4,1,,A,best of 0,\n", ":2", "'statistic' is 'best of 0': string should"),
        (WIDER + "Random,dots,pixels,1,14.4,1,,A\n", ":2", "8 values for 10 columns"),
    ],
)  # fmt: skip
def test_a_mistake_in_the_numbers_is_one_line_with_its_line(
    tmp_path: Path, numbers: str | bytes, line: str, words: str
) -> None:
    path, _ = suite(tmp_path, numbers=numbers)
    with pytest.raises(SuiteError) as caught:
        load_suite(path)
    message = str(caught.value)
    assert words in message
    assert message.startswith(f"{tmp_path / 'numbers.csv'}{line}: ")
    assert "\n" not in message


def test_a_folder_cannot_be_read(tmp_path: Path) -> None:
    path, _ = suite(tmp_path, SUITE.replace("numbers.csv", "."))
    with pytest.raises(SuiteError, match="cannot be read as text: it is not a file"):
        load_suite(path)


FRACTIONS = "Random,dots,pixels,1,0.144,0.02,5,A paper\n"


def test_spreadsheets_write_marks_and_empty_lines(tmp_path: Path) -> None:
    plain = load_suite(suite(tmp_path)[0])
    numbers = b"\xef\xbb\xbf" + (HEADER + ROWS + ",,,,,,,\n").replace("\n", "\r\n").encode()
    marked = load_suite(suite(tmp_path, numbers=numbers)[0])
    assert [cell.row.published for cell in marked.cells] == [cell.row.published for cell in plain.cells]


@pytest.mark.parametrize(
    ("numbers", "words"),
    [
        (HEADER + FRACTIONS, "they seem to be fractions; write accuracies in percent"),
        (HEADER + FRACTIONS + ROWS, "the published mean 0.144 % is below chance"),
        (HEADER.replace(",", ";") + ROWS, "separate values by commas, not semicolons"),
        (HEADER + 'Random,dots,pixels,1,"14,4",2.0,,A paper\n', "'mean' is '14,4': "),
        (HEADER.encode("utf-16"), "cannot be read as text: "),
        (HEADER + ROWS * 10_000, "cannot be read as text: it is larger than 512 KiB"),
    ],
)
def test_numbers_of_a_spreadsheet_are_refused_with_a_remedy(tmp_path: Path, numbers: str | bytes, words: str) -> None:
    with pytest.raises(SuiteError, match=re.escape(words)) as caught:
        load_suite(suite(tmp_path, numbers=numbers)[0])
    assert "\n" not in str(caught.value)
