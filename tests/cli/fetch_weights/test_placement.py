"""``ddbench fetch SUITE`` puts weights where they are looked for, and gets nothing twice."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import ddbench
from ddbench import Context
from tests.cli.fetch_weights.hub import COMMIT, Hub
from tests.cli.fetch_weights.suites import PIPELINE, TEACHER, VAE, WEIGHTS, Fetch, dit, errors, parts, placed


def test_all_weights_land_where_they_are_looked_for_and_are_got_once(
    fetch: Fetch, hub: Hub, env: dict[str, str], pipeline: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    # With another VAE, the pipeline's own is needed by nobody; the second generator lacks nothing by its turn.
    own_vae = {"a": dit(vae=VAE), "b": dit(use="minimax", vae=VAE)}
    ended = fetch(own_vae, "brightest")
    assert ended.returncode == 0, ended.stderr
    said = [line for line in ended.stderr.splitlines() if line.endswith(("already complete", "fetched and checked"))]
    assert sorted(said) == [
        "dots: already complete",
        "generator 'dit-xl2': fetched and checked",
        "generator 'minimax': already complete",
        "scorer 'timm': fetched and checked",
    ]
    assert said[0].startswith("dots")
    assert placed(env, PIPELINE) == parts(pipeline, "transformer", "scheduler")
    assert placed(env, VAE) == hub.repositories[VAE]
    assert placed(env, TEACHER) == {"pytorch_model.bin": hub.repositories[TEACHER]["pytorch_model.bin"]}
    asked = [request for request in hub.asked if request[0] == "GET"]
    assert len(asked) == len(set(asked))
    hub.asked.clear()
    again = fetch(own_vae, "brightest")
    assert (again.returncode, again.stdout) == (0, "")
    assert "fetched and checked" not in again.stderr
    assert json.loads(fetch(own_vae, "brightest", verb="plan").stdout)["missing"] == []
    assert hub.asked == []
    # What is missing now is got, and nothing else.
    assert fetch({"c": dit()}).returncode == 0
    assert placed(env, PIPELINE) == parts(pipeline, "transformer", "scheduler", "vae")
    assert hub.sent(f"transformer/{WEIGHTS}.safetensors") == 0
    monkeypatch.setenv("DDBENCH_DATA", env["DDBENCH_DATA"])
    made: Any = ddbench.create("generator", "dit-xl2", model=PIPELINE, classes="dataset", sampling_steps=2, block=1)
    made.load(None, ddbench.create("dataset", "dots").training(), Context())
    assert made.sample_block(0, 0, Context()).images.shape == (1, 3, 8, 8)


def test_shards_are_got_by_their_index_and_bin_where_there_is_nothing_else(
    fetch: Fetch, hub: Hub, env: dict[str, str], sharded: dict[str, bytes]
) -> None:
    hub.repositories[PIPELINE] = sharded
    ended = fetch({"a": dit()})
    assert ended.returncode == 0, ended.stderr
    assert placed(env, PIPELINE) == parts(sharded, "transformer", "scheduler", "vae")
    assert {"transformer/a.bin", "transformer/b.bin"} < set(placed(env, PIPELINE))
    hub.asked.clear()
    assert fetch({"a": dit()}).returncode == 0
    assert hub.asked == []


def test_what_the_cache_has_is_left_alone(
    fetch: Fetch, hub: Hub, env: dict[str, str], pipeline: dict[str, bytes]
) -> None:
    """The VAE is in the cache; of the transformer the weights are, which alone are no part."""
    cache = Path(env["HF_HOME"]) / "hub" / f"models--{PIPELINE.replace('/', '--')}"
    names = [name for name in pipeline if name.startswith("vae/")] + [f"transformer/{WEIGHTS}.safetensors"]
    for name in names:
        path = cache / "snapshots" / COMMIT / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(pipeline[name])
    (cache / "refs").mkdir()
    (cache / "refs" / "main").write_text(COMMIT)
    assert fetch({"a": dit()}).returncode == 0
    assert placed(env, PIPELINE) == parts(pipeline, "transformer", "scheduler")
    assert hub.sent(f"transformer/{WEIGHTS}.safetensors") == 1  # it is never copied, which a kill could leave half done
    assert json.loads(fetch({"a": dit()}, verb="plan").stdout)["missing"] == []


def test_a_suite_that_needs_no_weights_needs_no_network(
    fetch: Fetch, hub: Hub, env: dict[str, str], pipeline: dict[str, bytes], tmp_path: Path
) -> None:
    """One has none, the other has them in a folder of the user's."""
    for name, data in pipeline.items():
        path = tmp_path / "own" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    ended = fetch({"noise": {"use": "noise"}, "own": dit(str(tmp_path / "own"))}, HF_ENDPOINT="http://127.0.0.1:9")
    assert (ended.returncode, errors(ended)) == (0, [])
    assert ended.stderr.splitlines() == ["dots: already complete", "generator 'dit-xl2': already complete"]
    assert hub.asked == []
