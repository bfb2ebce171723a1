"""The sources of the components that took part in a suite, as BibTeX."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ddbench import __version__
from ddbench.api import sha256_json
from ddbench.plan.graph import build_graph
from ddbench.protocol.protocol import ID
from ddbench.registry import catalogue
from ddbench.registry.papers import Entry, entry_of, papers
from ddbench.report.latex import escape
from ddbench.report.results import Results

if TYPE_CHECKING:
    from ddbench.suite import ResolvedSuite

OWN: Final = Entry(
    "ddbench2026harness",
    f"""@misc{{ddbench2026harness,
  author = {{{{The ddbench authors}}}},
  title = {{ddbench: a harness for generative dataset distillation}},
  year = {{2026}},
  note = {{Version {__version__}}},
}}""",
)
_ARXIV: Final = re.compile(r"arXiv:(\d\d)(\d\d\.\d{4,5})(?:v\d+)?")


@dataclass(frozen=True)
class Part:
    """A component or protocol that took part.

    Attributes:
        label: what it is, such as ``selector 'k-center'``.
        source: its paper, or the id of the protocol; None if it names none.
    """

    label: str
    source: str | None


@dataclass(frozen=True)
class Bibliography:
    """The sources of some parts.

    Attributes:
        entries: an entry for each paper and one for ddbench, by key.
        without: labels of the parts whose sources are not known.
    """

    entries: Sequence[Entry]
    without: Sequence[str]


def parts_of_suite(suite: ResolvedSuite) -> set[Part]:
    """Return the components that a suite's plan uses, and its protocols."""
    components = {ref.component for node in build_graph(suite).nodes.values() for ref in node.uses.values()}
    return {
        *(Part(component.label(), component.info.paper) for component in components),
        *(_protocol(cell.row.protocol_name) for cell in suite.cells),
    }


def parts_of_export(results: Results) -> set[Part]:
    """Return the components and protocols of exported records. Sources are those of the installed components."""
    known = {(cls.info.kind, cls.info.name): cls.info.paper for cls in catalogue().components()}
    records = [record for key in results.records for record in results.records[key]]
    used = {(origin.kind, origin.name) for record in records for origin in record.lineage}
    return {
        *(Part(f"{kind} '{name}'", known.get((kind, name))) for kind, name in used),
        *(_protocol(trial.protocol) for trial in results.trials),
    }


def _protocol(name: str) -> Part:
    """Return a protocol by its name in tables. A local one that has no name of its own has its base's sources."""
    return Part(f"protocol '{name}'", name.partition(" ")[0])


def bibliography(parts: Iterable[Part]) -> Bibliography:
    """Return the sources of some parts, in an order that does not depend on theirs."""
    known = papers(catalogue())
    entries: dict[str, Entry] = {OWN.key: OWN}
    made: dict[str, list[str]] = {}
    without = []
    for part in sorted(parts, key=lambda part: (part.label, part.source or "")):
        if part.source in known:
            for entry in known[part.source]:
                entries.setdefault(entry.key, entry)
        elif part.source is None or ID.fullmatch(part.source):
            without.append(part.label)
        elif given := entry_of(part.source.strip()):
            entries.setdefault(given.key, given)
        else:
            made.setdefault(part.source, []).append(part.label)
    for own in itertools.starmap(_misc, made.items()):
        entries.setdefault(own.key, own)
    return Bibliography([entries[key] for key in sorted(entries)], without)


def _misc(source: str, labels: Sequence[str]) -> Entry:
    """Return an entry for a source that no bibliography has."""
    arxiv = _ARXIV.fullmatch(source)
    fields = {"title": f"{{{_value(source)}}}"}
    if arxiv:
        fields |= {"year": f"20{arxiv[1]}", "eprint": source.removeprefix("arXiv:"), "archiveprefix": "arXiv"}
    fields["note"] = _value(f"Source of {', '.join(labels)}".replace("'", ""))
    word = re.sub(r"[^a-z0-9]+", "", source.lower())[:24]
    key = f"{word}-{sha256_json(source)[:4]}"
    lines = "".join(f"  {name} = {{{value}}},\n" for name, value in fields.items())
    return Entry(key, f"@misc{{{key},\n{lines}}}")


def _value(text: str) -> str:
    """Return a text for a field. BibTeX counts escaped braces too, so braces become commands."""
    return escape(text).replace(r"\{", r"\textbraceleft{}").replace(r"\}", r"\textbraceright{}")
