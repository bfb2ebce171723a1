"""The command line without a verb."""

from __future__ import annotations

import pytest

import ddbench
from tests.conftest import Cli


def test_the_version_is_printed(cli: Cli) -> None:
    done = cli("--version")
    assert (done.returncode, done.stdout) == (0, f"ddbench {ddbench.__version__}\n")


@pytest.mark.parametrize("arguments", [[], ["-h"], ["--help"]])
def test_help_is_no_mistake(arguments: list[str], cli: Cli) -> None:
    done = cli(*arguments)
    assert (done.returncode, done.stderr) == (0, "")
    assert "Describe a component or protocol" in done.stdout


def test_a_verb_has_the_short_option(cli: Cli) -> None:
    assert cli("list", "-h").stdout == cli("list", "--help").stdout != ""


def test_an_unknown_verb_has_a_suggestion(cli: Cli) -> None:
    done = cli("sttaus")
    assert done.returncode == 2
    assert "Did you mean 'status'" in " ".join(done.stderr.split())
