"""``ddbench cite``: every component's source, as BibTeX that another reader accepts."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import ddbench_components
import pytest
from ruamel.yaml import YAML

from ddbench.registry import catalogue
from ddbench.registry.catalogue import Catalogue
from ddbench.registry.papers import papers
from ddbench.report.citations import OWN, Part, bibliography
from ddbench.toolkit.files import read_sealed, write_sealed
from tests.conftest import ROOT, Cli
from tests.registry.packages import package, selector
from tests.report.bibtex import Entry, authors, parse

BUILTIN = Path(ddbench_components.__file__).parent
BOARD = ROOT / "leaderboard" / "results" / "learnt-cifar10"


def shipped() -> dict[str, Entry]:
    """Return the entries of the built-in bibliography by key."""
    text = (BUILTIN / "papers.bib").read_text(encoding="utf-8")
    return {entry.key: entry for entry in parse(text[text.index("@") :])}


def by_source() -> dict[str, list[str]]:
    return {source: [entry.key for entry in entries] for source, entries in papers(catalogue()).items()}


def plain(title: str) -> str:
    """Return a title without mark-up."""
    return re.sub(r"[{}$^_]", "", title).lower()


def test_every_source_of_a_built_in_component_has_an_entry() -> None:
    known, builtin = by_source(), set()
    for cls in catalogue().components():
        if cls.__module__.startswith("ddbench_components") and cls.info.paper:
            assert len(known[cls.info.paper]) == 1, cls.label()
            builtin.add(cls.info.paper)
    named = {
        name for entry in shipped().values() for name in re.split(r";\s*", entry.fields.get("ddbench", "")) if name
    }
    assert named <= builtin | catalogue().protocols().keys(), "a name that nothing has"


def test_a_protocol_cites_the_papers_that_its_file_names() -> None:
    known = by_source()
    for file in sorted((BUILTIN / "evaluators" / "protocols").glob("*.yaml")):
        text, entries = file.read_text(), known.get(file.stem, [])
        remark = " ".join(line.removeprefix("#") for line in text.splitlines() if line.startswith("#"))
        for paper in re.findall(r"arXiv:[\d.]+\d", remark):
            assert known[paper][0] in entries, (file.stem, paper)
        assert ("lipoolselectrefine" in entries) == ("Pool-Select-Refine" in remark), file.stem
        assert ("chen2025influence" in entries) == ("IGD" in remark), file.stem


def test_entries_are_whole_and_have_keys_of_author_year_and_word() -> None:
    for key, entry in shipped().items():
        assert {"author", "title"} <= entry.fields.keys(), key
        own = re.sub(r"[^a-z]", "", authors(entry)[0].lower())
        assert re.fullmatch(rf"{own}{entry.fields.get('year', '')}[a-z]+", key), key
        where = {"inproceedings": "booktitle", "article": "journal", "techreport": "institution"}
        assert where.get(entry.kind, "title") in entry.fields, key
        eprint = entry.fields.get("eprint")
        assert eprint is None or 2000 + int(eprint[:2]) <= int(entry.fields["year"]), "it is printed after its preprint"


def test_titles_and_authors_are_those_of_the_citation_file() -> None:
    citation = YAML(typ="safe").load(ROOT / "CITATION.cff")
    known, entries = by_source(), shipped()
    for reference in citation["references"]:
        (identifier,) = reference["identifiers"]
        entry = entries[known[identifier["value"]][0]]
        assert plain(entry.fields["title"]) == reference["title"].lower()
        assert authors(entry) == [author["family-names"] for author in reference["authors"]]
    (own,) = parse(OWN.text)
    assert own.fields["title"] == citation["title"]
    assert authors(own) == [author["name"] for author in citation["authors"]]
    assert own.fields["year"] == str(citation["date-released"].year)
    assert own.fields["note"] == f"Version {citation['version']}"


def test_a_suite_cites_what_its_plan_uses(cli: Cli) -> None:
    ended = cli("cite", "smoke")
    keys = [entry.key for entry in parse(ended.stdout)]
    assert keys == sorted(keys)
    assert {OWN.key, "krizhevsky2009learning", "peebles2023scalable", "lipoolselectrefine", "sener2018active"} <= {
        *keys
    }
    assert "gu2024minimax" not in keys, "no row uses it"
    assert "ddbench =" not in ended.stdout
    (line,) = ended.stderr.splitlines()
    assert line.startswith("without a known source: evaluator 'student', generator 'real', protocol 'smoke")
    assert cli("cite", "smoke").stdout == ended.stdout


SOURCES = {
    "arXiv:2601.12345": ("misc", {"eprint": "2601.12345", "year": "2026", "archiveprefix": "arXiv"}),
    "Doe & Roe 2020, 100 % {": ("misc", {"title": r"{Doe \& Roe 2020, 100 \% \textbraceleft{}}"}),
    "@article{doe2020all,\n  author = {Doe, J.},\n  title = {All},\n}": ("article", {"title": "All"}),
}


@pytest.mark.parametrize("source", SOURCES)
def test_a_source_that_no_file_has_is_cited_with_what_is_known(source: str, cli: Cli, tmp_path: Path) -> None:
    """The suite's own protocol cites the paper of the one that it extends."""
    text = selector("own-choice").replace("version=1", f"version=1, paper={source!r}")
    (tmp_path / "mine.py").write_text(text)
    (tmp_path / "mine.yaml").write_text(
        "suite: mine\ncomponents: [./mine.py]\ndataset: tiny-cifar\nipc: [1]\nstudents: [convnet3]\n"
        "protocol: {extends: minimax-cifar@1, batch_size: 9}\nmatrix: {generator: [real], selector: [own-choice]}\n"
    )
    ended = cli("cite", "mine.yaml")
    found = {entry.key: entry for entry in parse(ended.stdout)}
    (own,) = found.keys() - {OWN.key, "krizhevsky2009learning", "zhao2021condensation", "gu2024minimax"}
    kind, fields = SOURCES[source]
    assert found[own].kind == kind
    assert fields.items() <= found[own].fields.items()
    assert kind == "article" or found[own].fields["note"] == "Source of selector own-choice"
    assert ended.stderr == "without a known source: evaluator 'student', generator 'real'\n"


def test_an_export_is_cited_without_running_the_code_that_it_names(cli: Cli, tmp_path: Path) -> None:
    shutil.copytree(BOARD, tmp_path / "out")
    suite = read_sealed(tmp_path / "out" / "suite.json") or {}
    suite["values"]["components"] = ["./bomb.py"]
    write_sealed(tmp_path / "out" / "suite.json", suite)
    (tmp_path / "out" / "bomb.py").write_text("raise SystemExit('it ran')")
    ended = cli("cite", "out")
    assert {entry.key for entry in parse(ended.stdout)} == {
        *(OWN.key, "krizhevsky2009learning", "zhao2021condensation", "zhao2021siamese", "zhao2023distribution")
    }
    assert ended.stderr == "without a known source: evaluator 'student', selector 'first'\n"


def test_a_plugin_brings_its_own_bibliography(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = (
        'Ours.\n\n@Article { roe2021some,\n  title = "Some",\n'
        "  Eprint={arXiv:2101.00001},\n  ddbench = {mine@1; x},\n}\n"
    )
    entry = package(tmp_path, "cited_plugin", {"papers.bib": text, "chooser.py": selector("cited")})
    monkeypatch.syspath_prepend(tmp_path)
    found = papers(Catalogue([entry]))
    assert found.keys() == {"arXiv:2101.00001", "mine@1", "x"}
    assert {e.key for entries in found.values() for e in entries} == {"roe2021some"}
    assert "ddbench" not in found["x"][0].text


def test_the_order_of_parts_does_not_matter() -> None:
    parts = [Part(f"selector '{name}'", source) for name, source in (("b", "S"), ("a", "S"), ("c", None), ("d", "T"))]
    one, other = bibliography(parts), bibliography(reversed(parts))
    assert one == other
    assert len(one.entries) == 3
    assert one.without == ["selector 'c'"]


def test_what_cannot_be_cited_is_one_line(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    for name in ("absent", "empty"):
        ended = cli("cite", name)
        assert (ended.returncode, ended.stdout, len(ended.stderr.splitlines())) == (2, "", 1)
