"""Small plug-in packages for tests, written to disk and found as installed ones are."""

from __future__ import annotations

from importlib.metadata import EntryPoint, PathDistribution
from pathlib import Path

HOOK = """
import sys
from ddbench import components_in, hookimpl

@hookimpl
def ddbench_components():
    return components_in(sys.modules[__name__])
"""


def selector(name: str, *, top: str = "", version: int = 1, doc: str = "Chooses.") -> str:
    """Return the source of a module with one selector, after the lines ``top``."""
    return f'''
{top}
from ddbench import Selector, component

@component("selector", "{name}", version={version})
class Chooser(Selector):
    """{doc}"""

    def select_class(self, pool, ipc, ctx):
        return range(ipc)
'''


def package(
    folder: Path,
    name: str,
    files: dict[str, str],
    *,
    entry: str = "plugin",
    module: str = "",
    released: bool = False,
) -> EntryPoint:
    """Write package ``name`` below ``folder`` with the metadata of an installed one; return its entry point.

    A ``released`` one has the list of its files that an installer writes.

    ``files`` maps paths within the package to their text; ``__init__.py`` files that it does not name are empty, but
    for the package's own, which has the hook.
    """
    root = folder / name
    for path, text in {"__init__.py": HOOK, **files}.items():
        for parent in [*(root / path).relative_to(root).parents][:-1]:
            (root / parent).mkdir(parents=True, exist_ok=True)
            (root / parent / "__init__.py").touch()
        root.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text, encoding="utf-8")
    info = folder / f"{name}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[ddbench]\n{entry} = {module or name}\n")
    if released:
        lines = [f"{path.relative_to(folder).as_posix()},," for path in sorted(root.rglob("*.py"))]
        (info / "RECORD").write_text("\n".join(lines) + "\n")
    (found,) = PathDistribution(info).entry_points
    return found


PROTOCOLS = """
from pathlib import Path
from ddbench import hookimpl

@hookimpl
def ddbench_protocols():
    return sorted(Path(__file__).parent.glob("*.yaml"))
"""


def protocol_text() -> str:
    """Return a valid protocol file."""
    import ddbench_components

    folder = Path(ddbench_components.__file__).parent / "evaluators" / "protocols"
    return (folder / "minimax-hard@1.yaml").read_text(encoding="utf-8")
