"""Tables about the published numbers of papers: `python -m tests.suite.coverage` writes them into the documents.

One table counts the numbers that suites have rows for. The other lists the cells that papers print differently.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from ddbench.suite import Published, ResolvedSuite, load_suite
from ddbench.suite.published import read_published
from ddbench.suite.shipped import shipped_numbers, shipped_suites
from ddbench.yaml_source import YamlSource
from tests.conftest import ROOT

PAGES = {"coverage": ROOT / "docs" / "published.md", "disagreements": ROOT / "leaderboard" / "reported" / "README.md"}
# The protocols of the authors of each paper, and of the papers whose numbers it repeats.
PROTOCOLS = {
    "psr": {"minimax-hard@1", "psr-kd@1", "rded-kd@2", "dc-cifar@1", "dc-plain-cifar@1"},
    "sas": {"hokkaido-hard@1"},
    "dgs": {"hokkaido-hard@1"},
}
IMPORT = "import"
# The reason for numbers without a row, by table and method.
REASONS: Mapping[tuple[str, str], str] = {
    **{("psr-table2", method): IMPORT for method in ("DM", "IDC-1", "GLaD")},
    ("psr-table5", "Minimax-IGD"): IMPORT,
    **{("psr-table6", f"{method}{more}"): IMPORT for method in ("DiT + IGD", "MTT + GLaD") for more in ("", " + Ours")},
    ("sas-table1", "IDC"): IMPORT,
    **{("dgs-table1", method): IMPORT for method in ("DM", "IDC-1")},
}
# Names of one method in several papers.
ALIASES = {"IDC": "IDC-1", "Full Dataset": "Full"}
SHARED = ("Random", "K-Center", "Herding", "DM", "IDC-1", "DiT", "Minimax", "Full")


@dataclass(frozen=True)
class Covered:
    """A published number and its row.

    Attributes:
        table: the file of the number.
        number: the number.
        suite: the suite with the row; None if there is none.
        own_protocol: True if the row has a protocol of the number's authors.
        alike: True if the number's statistic is known and the suite measures it.
    """

    table: str
    number: Published
    suite: str | None
    own_protocol: bool
    alike: bool


@cache
def tables() -> dict[str, tuple[Published, ...]]:
    """Return the numbers of each table of a paper."""
    source = YamlSource("", {}, {})
    names = [name for name in shipped_numbers() if re.fullmatch(r"[a-z]+-table\d", name)]
    return {name: read_published(name, source, Path("nowhere")) for name in names}


@cache
def suites() -> dict[str, ResolvedSuite]:
    """Return the suites of papers and ablations that name the numbers of a table."""
    named = re.compile(r"^published: \w+-table\d$", re.MULTILINE)
    texts = {name: path.read_text(encoding="utf-8") for name, path in shipped_suites().items() if "/" in name}
    found = [name for name, text in texts.items() if name.startswith("papers/") or named.search(text)]
    return {name: load_suite(name) for name in found}


def covered() -> Iterator[Covered]:
    """Yield every published number with its row."""
    found: dict[tuple[str, Published], Covered] = {}
    for name, suite in suites().items():
        table = suite.values["published"]
        for cell in suite.cells:
            for number in cell.row.published:
                place = (number.dataset, number.student, number.ipc)
                if place == (suite.dataset.label, cell.student.label, cell.ipc):
                    statistic, papers = number.statistic, suite.evaluation.evaluate == "papers"
                    own = cell.row.protocol.id in PROTOCOLS[table.partition("-")[0]]
                    alike = statistic == "last" or (statistic.startswith("best") and papers)
                    found[table, number] = Covered(table, number, name, own, alike)
    for table, numbers in tables().items():
        for number in numbers:
            yield found.get((table, number)) or Covered(table, number, None, own_protocol=False, alike=False)


def coverage_table() -> str:
    """Return the table that counts the numbers, by table of a paper."""
    groups: dict[str, list[Covered]] = defaultdict(list)
    for one in covered():
        groups[one.table].append(one)
    rows = [_counts(f"`{name}`", group) for name, group in groups.items()]
    rows.append(_counts("**all**", [one for group in groups.values() for one in group]))
    heads = ["numbers", "printed", "with a row", "under their authors' protocol", "like with like", "suites", "no row"]
    return _markdown(heads, rows)


def _counts(name: str, group: Sequence[Covered]) -> list[str]:
    rows = [one for one in group if one.suite]
    counts = [len(group), len(rows), sum(one.own_protocol for one in rows), sum(one.alike for one in rows)]
    named = sorted({f"`{one.suite}`" for one in rows}) if len({one.table for one in group}) == 1 else []
    reasons = Counter(REASONS[one.table, one.number.method] for one in group if not one.suite)
    rest = ", ".join(f"{reason}: {count}" for reason, count in sorted(reasons.items()))
    return [name, *map(str, counts), ", ".join(named), rest]


def disagreements_table() -> str:
    """Return the table of the cells that papers print differently."""
    found: dict[tuple[str, str, str, int], dict[str, str]] = defaultdict(dict)
    for table, numbers in tables().items():
        for number in numbers:
            method = ALIASES.get(number.method, number.method)
            if method in SHARED:
                place = (number.dataset, method, number.student, number.ipc)
                found[place][table.partition("-")[0]] = str(number)
    papers = ("psr", "sas", "dgs")
    rows = [
        [*map(str, place), *(printed.get(paper, "") for paper in papers)]
        for place, printed in sorted(found.items())
        if len(set(printed.values())) > 1
    ]
    several = sum(len(printed) > 1 for printed in found.values())
    text = f"Several papers print {several} cells; {len(rows)} of them differ."
    heads = ["data set", "method", "student", "IPC", "Pool-Select-Refine", "SAS", "difficulty-guided"]
    return f"{text}\n\n{_markdown(heads, rows)}"


def _markdown(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    return "\n".join(f"| {' | '.join(line)} |" for line in (heads, ["---"] * len(heads), *rows))


MADE = {"coverage": coverage_table, "disagreements": disagreements_table}


def renewed(name: str, text: str) -> str:
    """Return a page with the current table between its marks."""
    start, end = f"<!-- {name}: made by `python -m tests.suite.coverage` -->\n", f"\n<!-- end of {name} -->"
    before, _, rest = text.partition(start)
    _, mark, after = rest.partition(end)
    if not mark:
        raise ValueError(f"the page has no marks of the table '{name}'")
    return f"{before}{start}\n{MADE[name]()}\n{end}{after}"


if __name__ == "__main__":
    for name, path in PAGES.items():
        path.write_text(renewed(name, path.read_text(encoding="utf-8")), encoding="utf-8")
