"""Files that are cut off, half sent or damaged are not taken for whole, and are got anew."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from tests.cli.fetch_weights.hub import COMMIT, Hub
from tests.cli.fetch_weights.suites import (
    PIPELINE,
    TEACHER,
    WEIGHTS,
    Fetch,
    dit,
    errors,
    parts,
    placed,
    saved,
    write_suite,
)


def test_what_was_cut_off_since_is_said_and_got_anew(
    fetch: Fetch, hub: Hub, env: dict[str, str], sharded: dict[str, bytes]
) -> None:
    """A copy or a disk that is full leaves such files, with the time that the whole ones had."""
    hub.repositories[PIPELINE] = sharded
    assert fetch({"a": dit()}, "brightest").returncode == 0
    weights = Path(env["DDBENCH_DATA"]) / "weights"
    teacher, vae = weights / TEACHER / "pytorch_model.bin", f"vae/{WEIGHTS}.safetensors"
    ends = {f"transformer/{WEIGHTS}.bin.index.json": 100, vae: -1, "scheduler/scheduler_config.json": 0}
    cut = {**{weights / PIPELINE / name: end for name, end in ends.items()}, teacher: 500}
    for path, end in cut.items():
        times = path.stat()
        path.write_bytes(path.read_bytes()[:end])
        os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    missing = json.loads(fetch({"a": dit()}, "brightest", verb="plan").stdout)["missing"]
    assert len(missing) == 2
    assert all(f"{path} is cut off or damaged" in "\n".join(missing) for path in cut)
    hub.asked.clear()
    ended = fetch({"a": dit()}, "brightest")
    assert (ended.returncode, ended.stderr.count("fetched and checked")) == (0, 2), ended.stderr
    assert placed(env, PIPELINE) == parts(sharded, "transformer", "scheduler", "vae")
    assert teacher.read_bytes() == hub.repositories[TEACHER]["pytorch_model.bin"]
    got = [path.partition(f"/{COMMIT}/")[2] for method, path in hub.asked if method == "GET" and COMMIT in path]
    assert sorted(got) == sorted([*ends, teacher.name])


def test_a_file_is_whole_where_its_library_reads_it(tmp_path: Path) -> None:
    import torch
    from ddbench_components._hub import is_complete
    from safetensors.torch import load_file, save

    tensors = {"a": torch.zeros(7), "b": torch.ones(2, 3, dtype=torch.float16)}
    files: dict[str, tuple[bytes, Callable[[Path], object]]] = {
        "a.safetensors": (save(tensors, {"format": "pt"}), load_file),
        "none.safetensors": (save({}), load_file),
        "a.bin": (saved(), lambda path: torch.load(path, weights_only=True)),
        "a.json": (b'{"a": [1, 2]}', lambda path: json.loads(path.read_text())),
    }
    for name, (content, read) in files.items():
        path = tmp_path / name
        assert not is_complete(path)
        ends = {0, 1, 8, 9, len(content) // 2, len(content) - 1, len(content)}
        damaged = [b"\xff" * 20, b"<html>", *(content[:end] for end in sorted(ends)), content]
        for data in [*damaged, *([content + b"?"] if name.endswith(".safetensors") else [])]:
            path.write_bytes(data)
            assert is_complete(path) == reads(read, path), (name, data)
        assert is_complete(path) == (not name.endswith(".safetensors"))
    former, index = tmp_path / "former.pt", tmp_path / "a.bin.index.json"
    former.write_bytes(saved(_use_new_zipfile_serialization=False))
    assert is_complete(former)
    for text, whole in (("{", False), ("[]", False), ("{}", False), ('{"weight_map": {"a": "a.bin"}}', True)):
        index.write_text(text)
        assert is_complete(index) == whole


def reads(read: Callable[[Path], object], path: Path) -> bool:
    try:
        read(path)
    # What a library raises of a damaged file is its own affair.
    except Exception:
        return False
    return True


def test_a_download_that_breaks_is_not_taken_for_whole(
    fetch: Fetch, hub: Hub, env: dict[str, str], pipeline: dict[str, bytes]
) -> None:
    file = f"transformer/{WEIGHTS}.safetensors"
    hub.breaks[file] = 1
    hub.refused.add(file)
    ended = fetch({"a": dit()})
    assert ended.returncode == 2
    (said,) = errors(ended)
    assert said.startswith(f"{PIPELINE} could not be fetched from {hub.endpoint} (")
    assert "503" in said
    assert file not in placed(env, PIPELINE)
    (missing,) = json.loads(fetch({"a": dit()}, verb="plan").stdout)["missing"]
    assert f"has no {WEIGHTS}.safetensors" in missing
    # The next one goes on, over a connection that breaks but comes back, and gets nothing anew that was whole.
    hub.breaks[file] = 1
    hub.refused.clear()
    assert fetch({"a": dit()}).returncode == 0
    assert placed(env, PIPELINE) == parts(pipeline, "transformer", "scheduler", "vae")
    assert (hub.sent(file), hub.sent("transformer/config.json"), hub.sent(f"vae/{WEIGHTS}.safetensors")) == (4, 1, 1)


def test_a_fetch_that_is_killed_leaves_nothing_that_passes_for_whole(
    fetch: Fetch, hub: Hub, env: dict[str, str], pipeline: dict[str, bytes], tmp_path: Path
) -> None:
    file = f"transformer/{WEIGHTS}.safetensors"
    write_suite(tmp_path / "suite.yaml", {"a": dit()})
    hub.stalls.add(file)
    command = [sys.executable, "-m", "ddbench", "fetch", "suite.yaml"]
    with subprocess.Popen(command, cwd=tmp_path, env={**os.environ, **env}, stderr=subprocess.DEVNULL) as running:
        assert hub.half_sent.wait(60)
        running.kill()
    assert file not in placed(env, PIPELINE)
    hub.stalls.clear()
    assert fetch({"a": dit()}).returncode == 0
    assert placed(env, PIPELINE) == parts(pipeline, "transformer", "scheduler", "vae")
