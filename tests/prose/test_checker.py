"""The prose check itself: how texts are collected and split, and what each rule finds."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.prose.__main__ import main
from tests.prose.dialect import DIALECT
from tests.prose.markdown_texts import markdown_texts
from tests.prose.project import ROOT, project_texts
from tests.prose.python_texts import python_texts
from tests.prose.rules import violations
from tests.prose.sentences import count_words, sentences
from tests.prose.text import Text
from tests.prose.yaml_texts import yaml_texts


def split(value: str) -> list[str]:
    return [sentence for _, sentence in sentences(value)]


def rules_of(text: Text) -> list[str]:
    return [violation.rule for violation in violations(text)]


def docstring(value: str, file: str = "ddbench/x.py") -> Text:
    return Text(file, 1, "docstring", value)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("One. Two! Three? Four", ["One.", "Two!", "Three?", "Four"]),
        ("One; two", ["One;", "two"]),
        ("(One.) Two", ["(One.)", "Two"]),
        ("The lr is 0.5 here. Two", ["The lr is 0.5 here.", "Two"]),
        (
            "See arXiv:1708.00489, e.g. its eq. 3 or Eq. (4). Two",
            ["See arXiv:1708.00489, e.g. its eq. 3 or Eq. (4).", "Two"],
        ),
        ("Sener et al. and i.e. Savarese vs. others", ["Sener et al. and i.e. Savarese vs. others"]),
        ("It says no. Two", ["It says no.", "Two"]),
        ("A pool of N. Two", ["A pool of N.", "Two"]),
        ("Call ``a. B; c`` or `d. E`. Two", ["Call ``a. B; c`` or `d. E`.", "Two"]),
        ("A line\nthat is wrapped: so", ["A line that is wrapped: so"]),
        ("Of these:\n\n- one\n  more\n- two\n\nEnd", ["Of these:", "one more", "two", "End"]),
        (
            "Title.\n\nArgs:\n    one: first\n        part: more\n    a, *b: second\n\nEnd",
            ["Title.", "first part: more", "second", "End"],
        ),
        ("Run this:\n\n    python -m x; y\n    z\n\nEnd", ["Run this:", "End"]),
    ],
)
def test_a_text_is_split_into_sentences(value: str, expected: list[str]) -> None:
    assert split(value) == expected


def test_a_sentence_knows_its_line() -> None:
    assert [line for line, _ in sentences("One.\n\nTwo\nends. Three\nends.\n\nArgs:\n    x: four")] == [0, 2, 3, 7]


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        ("three plain words", 3),
        ("one ``span of code`` and `another one`", 4),
        ("images [n, 3, H, W] here", 3),
        ("z = a + b − c", 4),
        ("a – b", 2),
        ("it's state-of-the-art", 2),
        ("out of memory for …", 5),
    ],
)
def test_words_are_counted(sentence: str, expected: int) -> None:
    assert count_words(sentence) == expected


@pytest.mark.parametrize("word", ["What", "Where", "Whether", "Which", "How"])
@pytest.mark.parametrize("file", ["ddbench/x.py", "tests/x.py"])
def test_openings_are_caught(word: str, file: str) -> None:
    assert rules_of(docstring(f"\n    {word} it does.", file)) == ["opening"]


@pytest.mark.parametrize("value", ["Return it. What else.", "However it is."])
def test_other_openings_pass(value: str) -> None:
    assert rules_of(docstring(value)) == []


def test_an_opening_counts_in_docstrings_alone() -> None:
    assert rules_of(Text("README.md", 1, "markdown", "What the methods are")) == []


@pytest.mark.parametrize(("count", "expected"), [(25, []), (26, ["length"])])
def test_the_length_of_sentences_has_a_limit(count: int, expected: list[str]) -> None:
    assert rules_of(docstring("word " * count)) == expected
    assert rules_of(docstring("Title; " + "word " * count + ". Next one")) == expected
    assert rules_of(docstring("word " * count, "tests/x.py")) == []


BAD = [
    "The run goes on after that",
    "The worker is told its job",
    "Nothing is said here",
    "The network is asked twice",
    "The file cannot be got",
    "It can be had elsewhere",
    "The file is no checkpoint",
    "The image is of another mode",
    "The download is whole",
    "Read the file that is there",
    "Name the lacking files",
    "All but for the last",
    "Of these the first is used",
    "Images, of which half are real",
    "A class of which nothing is kept",
    "The others work likewise",
    "Make it anew",
    "Put it beside the file",
    "The cell in words",
    "Find it wherever it lies",
    "The key stands at this line",
    "The report says nothing of it",
    "Raises DataError where it is missing",
    "Keep what the network takes for the noise",
    "Files are held to digests",
]
GOOD = [
    "There is no file, and it is no longer needed",
    "Of course it resumes",
    "The letter C stands for classes and stands in for labels",
    "Two of which are real",
    "The time it takes for the run",
    "The dataset is one of the papers' own",
    "No longer words than these",
    "Papers we know of",
]


@pytest.mark.parametrize("value", BAD)
def test_dialect_is_caught(value: str) -> None:
    assert rules_of(docstring(value)) == ["dialect"]
    assert rules_of(docstring(value, "tests/x.py")) == []


@pytest.mark.parametrize("pattern", [pattern.pattern for pattern, _ in DIALECT])
def test_each_phrase_of_the_dialect_has_an_example(pattern: str) -> None:
    (compiled,) = [compiled for compiled, _ in DIALECT if compiled.pattern == pattern]
    assert any(compiled.search(value) for value in BAD)


@pytest.mark.parametrize("value", GOOD)
def test_plain_english_passes(value: str) -> None:
    assert rules_of(docstring(value)) == []


CODE = r'''"""Module."""
import re
NAMES = "one, two, three, four".split(", ")
TABLE = {"kind": "short", "hint": "one hint of several words"}
class A:
    """Class."""
    kept: int
    """Attribute."""
    def f(self, n):
        """Function."""
        hint = f"give {n} more images" if n else "x"
        say("done")
        look_up("three plain words", r"\d+ - \w+ | x", n)
        raise DataError(f"bad {n}" if n else "worse", where="here", hint=f"look {', '.join(n)}", kind="kind") from None
    option = typer.Option("--flag", help="Help.")
'''


def test_docstrings_and_messages_are_collected_from_code() -> None:
    assert [(text.line, text.kind, text.value) for text in python_texts("x.py", CODE)] == [
        (1, "docstring", "Module."),
        (4, "message", "one hint of several words"),
        (6, "docstring", "Class."),
        (8, "docstring", "Attribute."),
        (10, "docstring", "Function."),
        (11, "message", "give … more images"),
        (12, "message", "done"),
        (14, "error", "bad …"),
        (14, "error", "worse"),
        (14, "error", "here"),
        (14, "error", "look …"),
        (15, "message", "Help."),
    ]


MARKDOWN = """# Title

A [link](https://example.org/a.b) and `code`
on two lines.

<!-- comment -->

```sh
run it
```

- item

| a | b |
|---|---|
| c | d |
"""


def test_prose_is_collected_from_markdown() -> None:
    assert [(text.line, text.value) for text in markdown_texts("x.md", MARKDOWN)] == [
        (1, "Title"),
        (3, "A link and `code`\non two lines."),
        (12, "item"),
        (14, "a"),
        (14, "b"),
        (16, "c"),
        (16, "d"),
    ]


def test_comments_and_summaries_are_collected_from_yaml() -> None:
    source = "# One\n# more.\na: 'b # c'  # two\nd: e#f\n  # three\nsummary: Four\n# five"
    assert [(text.line, text.value) for text in yaml_texts("x.yaml", source)] == [
        (1, "One\nmore."),
        (3, "two"),
        (5, "three"),
        (7, "five"),
        (6, "Four"),
    ]


def test_every_kind_of_text_is_found_and_generated_leaderboards_are_left_out() -> None:
    texts = list(project_texts(ROOT))
    assert {text.kind for text in texts} == {"docstring", "error", "message", "markdown", "yaml"}
    files = {text.file for text in texts}
    assert "leaderboard/README.md" in files
    assert "leaderboard/cifar10-mini.md" not in files


def test_prefixes_restrict_the_files(tmp_path: Path) -> None:
    for folder in ("ddbench/a", "ddbench/b", "components"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "x.py").write_text('"""Text."""')
    assert [text.file for text in project_texts(tmp_path, ("ddbench/b", "comp"))] == [
        "components/x.py",
        "ddbench/b/x.py",
    ]
    assert len(list(project_texts(tmp_path))) == 3


def test_the_command_prints_violations_or_their_counts(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--paths", "tests/prose/sentences.py"]) == 0
    assert capsys.readouterr().out == ""
    assert main(["--paths", "tests/prose/sentences.py", "--count"]) == 0
    assert capsys.readouterr().out.splitlines()[-1].split() == ["all", "0", "0", "0"]


def test_a_violation_is_printed_with_its_place(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("tests.prose.__main__.project_texts", lambda prefixes: [docstring("Title.\n\nMake it anew.")])
    assert main([]) == 1
    assert capsys.readouterr().out == "ddbench/x.py:3: dialect: 'anew' (again, from scratch): Make it anew.\n"
    assert main(["--count"]) == 1
    assert capsys.readouterr().out.splitlines()[-1].split() == ["all", "0", "0", "1"]


def test_the_command_prints_a_sample(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--paths", "ddbench", "--sample", "1"]) == 0
    first = capsys.readouterr().out
    assert (first.count(": docstring\n"), first.count(": error\n")) == (20, 10)
    main(["--paths", "ddbench", "--sample", "1"])
    assert capsys.readouterr().out == first
    main(["--paths", "ddbench", "--sample", "2"])
    assert capsys.readouterr().out != first
