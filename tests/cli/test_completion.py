"""Shells complete verbs, options and names: tried as a user types them, through a pseudo-terminal."""

from __future__ import annotations

import os
import pty
import select
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

# The function stands for the command that is run at last; completion asks the program itself.
START = {
    "bash": (
        ["bash", "--norc", "--noprofile", "-i"],
        'eval "$(ddbench --show-completion)"; ddbench() { echo "got:$*:"; }\n',
    ),
    "zsh": (
        ["zsh", "-f", "-i"],
        'autoload -Uz compinit; compinit -u -D; eval "$(ddbench --show-completion)"; ddbench() { echo "got:$*:"; }\n',
    ),
}
TYPED = {
    "statu\t": "status",
    "plan --qui\t": "plan --quick",
    "describe k-cent\t": "describe k-center",
    "new sel\t": "new selector",
    "plan smok\t": "plan smoke",
    "plan mine.y\t": "plan mine.yaml",
}


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    """Return an environment whose first program is ``ddbench``, and make a suite file."""
    program = tmp_path / "bin" / "ddbench"
    program.parent.mkdir()
    program.write_text(f"#!{sys.executable}\nfrom ddbench.__main__ import main\nmain()\n")
    program.chmod(0o755)
    (tmp_path / "mine.yaml").write_text("suite: mine\n")
    return {**os.environ, "PATH": f"{program.parent}:{os.environ['PATH']}", "HOME": str(tmp_path), "TERM": "dumb"}


def needs(shell: str) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")


def until(terminal: int, words: str, seconds: float = 120) -> str:
    """Return what the terminal shows up to ``words``."""
    shown, end = "", time.monotonic() + seconds
    while words not in shown:
        ready, _, _ = select.select([terminal], [], [], max(0, end - time.monotonic()))
        assert ready, f"no {words!r} in {shown!r}"
        shown += os.read(terminal, 4096).decode(errors="replace")
    return shown


@pytest.mark.parametrize("shell", START)
def test_a_shell_completes_what_is_typed(shell: str, env: dict[str, str], tmp_path: Path) -> None:
    needs(shell)
    command, setup = START[shell]
    own, theirs = pty.openpty()
    process = subprocess.Popen(
        command, stdin=theirs, stdout=theirs, stderr=theirs, cwd=tmp_path, env=env, start_new_session=True
    )
    os.close(theirs)
    try:
        os.write(own, setup.encode())
        os.write(own, b"echo REA''DY\n")
        until(own, "READY")
        for typed, completed in TYPED.items():
            os.write(own, f"ddbench {typed}\n".encode())
            until(own, f"got:{completed}:")
    finally:
        process.kill()
        process.wait()
        os.close(own)


def test_fish_completes_too(env: dict[str, str], tmp_path: Path) -> None:
    needs("fish")
    script = "ddbench --show-completion | source; complete -C 'ddbench statu'; complete -C 'ddbench describe k-cent'"
    done = subprocess.run(
        ["fish", "--no-config", "-c", script],
        cwd=tmp_path,
        env=env,
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    assert [line.split("\t")[0] for line in done.stdout.splitlines()] == ["status", "k-center"]
