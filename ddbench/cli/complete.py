"""Words that a shell completes."""

from __future__ import annotations

from collections.abc import Iterator


def kinds(incomplete: str) -> Iterator[str]:
    """Yield the kinds of components."""
    from ddbench.api import KINDS

    yield from (kind for kind in KINDS if kind.startswith(incomplete))


def suites(incomplete: str) -> Iterator[str]:
    """Yield the names of shipped suites. A shell adds the names of files if none begins so."""
    from ddbench.suite.shipped import shipped_suites

    yield from (name for name in shipped_suites() if name.startswith(incomplete))


def components(incomplete: str) -> Iterator[str]:
    """Yield the names of components."""
    from ddbench.registry import catalogue

    names = sorted({cls.info.name for cls in catalogue().components()})
    yield from (name for name in names if name.startswith(incomplete))
