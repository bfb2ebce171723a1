"""The reference has everything that the code has, and is current."""

from __future__ import annotations

import inspect
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
import typer
from pydantic import BaseModel

import ddbench
from ddbench.cli import app
from ddbench.registry import catalogue, hooks
from ddbench.suite import model as suite_model
from tests.conftest import ROOT
from tests.docs.pages import DOCS

REFERENCE = DOCS / "reference"


def sections(page: str, level: str = "##") -> dict[str, str]:
    """Return the text below each heading of a level."""
    text = (REFERENCE / f"{page}.md").read_text(encoding="utf-8")
    _, *parts = re.split(rf"^{level} (.*)$", text, flags=re.MULTILINE)
    return dict(zip(parts[::2], parts[1::2], strict=True))


def row(section: str, name: str) -> list[str]:
    """Return the cells beside a name in a table."""
    found = re.search(rf"^\| `{re.escape(name)}` \|(.*)\|$", section, re.MULTILINE)
    assert found is not None, f"{name} is not in the table"
    return [cell.strip() for cell in found[1].split(" | ")]


def test_every_verb_and_option_has_an_entry() -> None:
    commands = typer.main.get_command(app).commands  # type: ignore[attr-defined]
    entries = sections("cli")
    assert list(entries) == [f"`ddbench {verb}`" for verb in commands]
    for verb, command in commands.items():
        text = entries[f"`ddbench {verb}`"]
        assert inspect.cleandoc(command.help).splitlines()[0] in text
        for parameter in command.params:
            if parameter.param_type_name == "option" and "--help" not in parameter.opts:
                assert all(re.search(rf"[` ]{option}[ `,]", text) for option in parameter.opts), parameter.opts
                assert parameter.help in text


def test_every_suite_key_has_an_entry_with_a_meaning() -> None:
    entries = sections("suite")
    models = [m for _, m in inspect.getmembers(suite_model, inspect.isclass) if issubclass(m, BaseModel)]
    public = [m for m in models if m.__module__ == suite_model.__name__ and not m.__name__.startswith("_")]
    for found in public:
        title = {"SuiteModel": "Top level", "ComponentUse": "component"}.get(found.__name__, f"`{found.__name__}`")
        keys = {"use"} if title == "component" else set(found.model_fields)
        for key in keys | ({"extends"} if title == "Top level" else set()):
            assert row(entries[title], key)[-1], f"{title}: {key} has no meaning"


def test_every_component_and_parameter_has_an_entry() -> None:
    entries, known = sections("components", "###"), catalogue()
    own = [cls for cls in known.components() if cls.__module__.partition(".")[0] == "ddbench_components"]
    assert {f"{cls.info.kind}/{cls.info.name}" for cls in own} == set(entries)
    for cls in own:
        text = entries[f"{cls.info.kind}/{cls.info.name}"]
        assert cls.info.summary in text
        assert f"version {cls.info.version}" in text
        assert not cls.info.paper or cls.info.paper in text
        for name, field in cls.Params.model_fields.items():
            _, default, meaning = row(text, name)
            assert (default == "required") == field.is_required()
            assert bool(meaning) == bool(field.description)


def test_every_protocol_and_field_has_an_entry() -> None:
    entries, known = sections("protocols"), catalogue().protocols()
    for name, protocol in known.items():
        assert protocol.summary in entries[name]
        for field in protocol.model_dump(exclude_none=True).keys() - {"id"}:
            assert f"`{field}`" in entries[name] or f"`{field}." in entries[name], f"{name}: {field}"
    for field in type(protocol).model_fields:
        row(sections("protocols", "###")["`Protocol`"], field)


def test_every_hook_has_an_entry() -> None:
    specified = {name for name, value in vars(hooks).items() if hasattr(value, f"{hooks.GROUP}_spec")}
    assert specified
    assert {f"`{name}`" for name in specified} == set(sections("hooks"))


def test_every_public_name_has_an_entry() -> None:
    entries = sections("api")
    assert list(entries) == [f"`{name}`" for name in ddbench.__all__]
    for name in ddbench.__all__:
        doc = getattr(ddbench, name).__doc__ if name not in ("FieldName", "Progress", "hookimpl") else name
        assert inspect.cleandoc(doc).splitlines()[0].split(" :")[0] in entries[f"`{name}`"]


def test_the_pages_are_current_and_need_no_torch() -> None:
    """The components of other plug-ins, such as those of the tests, are not in the pages."""
    command = "import runpy, sys; sys.argv = ['generate.py', '--check']; sys.path.insert(0, 'docs')\n"
    command += "try: runpy.run_path('docs/generate.py', run_name='__main__')\n"
    command += "finally: print(sorted({'torch', 'diffusers'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", command], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "[]"


def test_a_stale_page_is_found(tmp_path: Path) -> None:
    for path in ("generate.py", "_generate", "reference"):
        (tmp_path / path).symlink_to(DOCS / path)
    (tmp_path / "reference").unlink()
    (tmp_path / "reference").mkdir()
    for page in REFERENCE.glob("*.md"):
        (tmp_path / "reference" / page.name).write_text(page.read_text() + ("stale" if page.stem == "cli" else ""))
    (tmp_path / "generate.py").unlink()
    (tmp_path / "generate.py").write_text((DOCS / "generate.py").read_text())
    command = [sys.executable, str(tmp_path / "generate.py"), "--check"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert [line.split(" is stale")[0] for line in done.stderr.splitlines()] == [str(tmp_path / "reference" / "cli.md")]


def test_every_decision_is_in_the_index() -> None:
    records = sorted((DOCS / "decisions").glob("[0-9]*.md"))
    index = (DOCS / "decisions" / "index.md").read_text()
    assert [path.name[:3] for path in records] == [f"{n:03d}" for n in range(1, len(records) + 1)]
    for path in records:
        text = path.read_text()
        assert f"]({path.name})" in index
        assert re.search(r"^Date: \d{4}-\d\d-\d\d$", text, re.MULTILINE)
        assert re.findall(r"^## (.*)$", text, re.MULTILINE) == ["Context", "Decision", "Consequence"]
        assert len(text.splitlines()) <= 25


@pytest.mark.slow
def test_the_site_builds_without_a_warning(tmp_path: Path) -> None:
    missing = [name for name in ("sphinx", "furo", "myst_parser") if find_spec(name) is None]
    if missing:
        pytest.skip(f"{', '.join(missing)} is not installed: pip install 'ddbench[docs]'")
    command = [sys.executable, "-m", "sphinx", "-W", "-q", "-b", "html", str(DOCS), str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "index.html").is_file()
