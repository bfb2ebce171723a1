"""Tasks for contributors. Install nox with ``pip install nox``; ``nox -l`` lists the tasks, ``nox -s fast`` runs one.

All tasks share one environment in ``.nox/dev``. Nox makes it at the first run. Without a network, use ``nox -R``.
``nox --no-venv`` uses the programs on the path instead. Arguments after ``--`` go to pytest.
"""

from __future__ import annotations

from pathlib import Path

import nox

nox.needs_version = ">=2025.2.9"
nox.options.default_venv_backend = "venv"
nox.options.reuse_venv = "yes"
nox.options.sessions = ["fast", "lint", "types"]

programs = Path()  # the folder of pytest and the other programs; empty if they are on the path


@nox.session
def dev(session: nox.Session) -> None:
    """Make or update the environment of all tasks."""
    global programs
    if session.venv_backend != "none":
        session.install("--editable", ".[browser,dev,docs,mlflow]")
        programs = Path(session.bin)


def run(session: nox.Session, program: str, *arguments: str) -> None:
    """Run a program of the shared environment."""
    session.run(str(programs / program), *arguments, external=True)


@nox.session(venv_backend="none", requires=["dev"])
def fast(session: nox.Session) -> None:
    """Run the tests that start no training: less than a minute on two cores."""
    run(session, "pytest", "-m", "not slow and not chaos and not training", *session.posargs)


@nox.session(venv_backend="none", requires=["dev"])
def test(session: nox.Session) -> None:
    """Run all tests except those marked slow or chaos."""
    run(session, "pytest", *session.posargs)


@nox.session(venv_backend="none", requires=["dev"])
def chaos(session: nox.Session) -> None:
    """Kill runs again and again at random moments: some minutes."""
    run(session, "pytest", "-m", "chaos", *session.posargs)


@nox.session(venv_backend="none", requires=["dev"])
def browser(session: nox.Session) -> None:
    """Test pages in an installed Chromium, and the observer for MLflow. What is skipped is named."""
    files = ("tests/report/page/test_browser.py", "tests/components/observers/test_mlflow.py")
    run(session, "pytest", "-n", "0", "-rs", *files, *session.posargs)


@nox.session(venv_backend="none", requires=["dev"])
def lint(session: nox.Session) -> None:
    """Check style, spelling, unused code and the layers of the packages."""
    run(session, "ruff", "check", ".")
    run(session, "ruff", "format", "--check", ".")
    run(session, "codespell")
    run(session, "vulture")
    run(session, "lint-imports", "--no-logo")


@nox.session(venv_backend="none", requires=["dev"])
def types(session: nox.Session) -> None:
    """Check types."""
    run(session, "mypy")


@nox.session(venv_backend="none", requires=["dev"])
def docs(session: nox.Session) -> None:
    """Build the site in docs/_build."""
    run(session, "sphinx-build", "-W", "-b", "html", "docs", "docs/_build")


@nox.session(venv_backend="none")
def oldest(session: nox.Session) -> None:
    """Run the default tests on the oldest versions that pyproject.toml allows."""
    session.run(".ci/oldest", external=True)


@nox.session(venv_backend="none", requires=["dev"])
def bench(session: nox.Session) -> None:
    """Run the benchmarks. They need a quiet machine."""
    run(session, "pytest", "-n", "0", "-m", "slow", "tests/benchmarks", *session.posargs)
