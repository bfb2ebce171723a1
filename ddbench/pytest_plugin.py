"""A pytest plug-in: ``pytest --ddbench-check TARGET`` adds a test for each check that ``ddbench check TARGET`` runs."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from ddbench.testing import Finding


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option."""
    text = "add a test for each check of a file's, a plug-in's or a named component; repeatable"
    parser.addoption("--ddbench-check", action="append", default=[], metavar="TARGET", help=text)


def pytest_collection_modifyitems(session: pytest.Session, config: pytest.Config, items: list[pytest.Item]) -> None:
    """Add the tests of the option."""
    for target in config.getoption("--ddbench-check"):
        items.extend(_items(session, target))


def _items(session: pytest.Session, target: str) -> list[pytest.Item]:
    from ddbench.errors import DdbenchError
    from ddbench.testing.checks import checks_of
    from ddbench.testing.conformance import findings
    from ddbench.testing.targets import components_of

    made: list[pytest.Item] = []
    try:
        classes = components_of(target)
    except DdbenchError as error:
        raise pytest.UsageError(str(error)) from None
    factory = pytest.TempPathFactory.from_config(session.config, _ispytest=True)
    for cls in classes:
        label = f"{cls.info.kind}/{cls.info.name}"
        found = cache(lambda cls=cls: {f.check: f for f in findings(cls, factory.mktemp("check"))})
        for one in checks_of(cls.info.kind):
            node = f"{target}::{label}::{one.name}"
            made.append(
                _CheckItem.from_parent(session, name=f"{label}: {one.name}", nodeid=node, check=one.name, found=found)
            )
    return made


class _CheckItem(pytest.Item):
    """The test of one check. The first of a component runs all of them."""

    def __init__(self, *, check: str, found: Callable[[], dict[str, Finding]], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.check, self.found = check, found

    def runtest(self) -> None:
        finding = self.found()[self.check]
        if finding.outcome in ("skipped", "noted"):
            pytest.skip(finding.reason)
        if finding.outcome == "failed":
            raise _CheckError(f"{finding.place}: {finding.reason}; {finding.fix}")

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        return str(excinfo.value) if excinfo.errisinstance(_CheckError) else super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Any, None, str]:
        return self.path, None, self.name


class _CheckError(Exception):
    """A check that failed."""
