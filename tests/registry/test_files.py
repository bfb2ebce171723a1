"""Components from single files: what is loaded, what is refused, and how their code enters keys."""

from __future__ import annotations

from pathlib import Path

import pytest

from ddbench.errors import ComponentError
from ddbench.plan.node import ComponentRef
from ddbench.registry import catalogue
from ddbench.registry.code_hash import code_hash
from ddbench.registry.files import file_of
from tests.registry.packages import selector

UNMARKED = "\ndef ddbench_components():\n    return [Chooser]\n"
MARKED = "\nfrom ddbench import hookimpl\n\n@hookimpl" + UNMARKED


def written(folder: Path, text: str, name: str = "chooser.py") -> Path:
    path = folder / name
    path.write_text(text)
    return path


@pytest.mark.parametrize("hook", ["", UNMARKED, MARKED], ids=["none", "unmarked", "marked"])
def test_classes_are_found_with_and_without_a_hook(tmp_path: Path, hook: str) -> None:
    file = written(tmp_path, selector(f"file-hook{len(hook)}", top="import torch") + hook)
    found = catalogue().with_files([file])
    cls = found.get("selector", f"file-hook{len(hook)}")
    assert found.owner(cls) == "chooser.py (unregistered)"
    assert [c.info.name for own in found.files().values() for c in own] == [f"file-hook{len(hook)}"]
    with pytest.raises(ComponentError, match="there is no selector"):  # of other suites
        catalogue().get("selector", f"file-hook{len(hook)}")


def test_the_code_is_in_the_key_even_if_one_process_sees_two_texts_at_one_path(tmp_path: Path) -> None:
    keys = []
    for text in ("range(ipc)", "range(1, 1 + ipc)", "range(ipc)  # a comment"):
        file = written(tmp_path, selector("file-edited").replace("range(ipc)", text))
        ref = ComponentRef(catalogue().with_files([file]).create("selector", "file-edited"))
        keys.append(ref.keyed["code"])
        own = file_of(type(ref.component))
        assert own is not None
        assert own.text == file.read_bytes()
        assert ref.address["file"] == f"{own.digest}/chooser.py"
    assert keys[0] != keys[1]
    assert keys[0] == keys[2]


def test_a_copy_elsewhere_has_the_same_key(tmp_path: Path) -> None:
    text = selector("file-moved")
    (tmp_path / "other").mkdir()
    one, other = (
        catalogue().with_files([file]).get("selector", "file-moved")
        for file in (written(tmp_path, text), written(tmp_path / "other", text, "copy.py"))
    )
    assert code_hash(one) == code_hash(other)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("exit(3)", r"chooser.py: cannot be loaded: chooser.py:1: SystemExit: 3"),
        ("\ndef f(:\n", r"cannot be loaded: chooser.py:2: SyntaxError"),
        ("import nonesuch_library", r"chooser.py:1: ModuleNotFoundError: No module named 'nonesuch_library'"),
        ("x = 1", r"has no components; declare a class with @component"),
        ("import helper", r"chooser.py:1: imports 'helper' of its own folder; .*--package"),
        ("from helper import f", r"imports 'helper' of its own folder"),
        ("from . import helper", r"imports '\.' of its own folder"),
        ("def ddbench_components():\n    1 / 0", r"cannot be listed: chooser.py:2: ZeroDivisionError"),
        ("def ddbench_components():\n    return int", r"returned int; return a list: \[int\]"),
        ("def ddbench_components():\n    return [int]", r"not a class declared with @component"),
        (
            "from ddbench_components.selectors.first import First\ndef ddbench_components():\n    return [First]",
            r"returns selector 'first', which ddbench_components.selectors.first declares; declare it in the file",
        ),
        (selector("k-center"), r"selector 'k-center' is declared twice: by ddbench .*by chooser.py \(unregistered\)"),
    ],
)
def test_a_mistake_is_one_line_with_its_place(tmp_path: Path, text: str, told: str) -> None:
    written(tmp_path, "f = 1", "helper.py")
    with pytest.raises(ComponentError, match=told) as raised:
        catalogue().with_files([written(tmp_path, text)])
    assert "\n" not in str(raised.value)


def test_files_that_cannot_be_read_are_told(tmp_path: Path) -> None:
    with pytest.raises(ComponentError, match=r"nothing\.py: cannot be read: No such file"):
        catalogue().with_files([tmp_path / "nothing.py"])
    with pytest.raises(ComponentError, match="is not a Python file"):
        catalogue().with_files([written(tmp_path, "x = 1", "chooser.txt")])
    with pytest.raises(ComponentError, match="has more than 524,288 bytes"):
        catalogue().with_files([written(tmp_path, "#" * 600_000)])
