"""Figures of pools and choices: the numbers drawn are those that the store holds, computed without ddbench's code."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.special import softmax

from ddbench.figures import FIGURES, NothingToDrawError, Source, draw
from tests.figures.scene import SUITE, figure, panel, selection_of, source_of, stairs
from tests.run.runs import run_in_process

pytest.importorskip("matplotlib")


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Source:
    folder = tmp_path_factory.mktemp("drawn")
    (folder / "drawn.yaml").write_text(SUITE)
    assert run_in_process(folder / "drawn.yaml", folder / "store").returncode == 0
    return source_of(folder / "drawn.yaml", folder / "store")


def stored_difficulties(source: Source, row: str) -> dict[str, float]:
    """Return 1 − P(class) of each sample of the shards of a row's pool, by its id."""
    assert source.store is not None
    _, state = source.store
    node, _ = selection_of(state, row, source.ipc)
    found = {}
    for shard in node.inputs.samples:
        (key,) = (k for k, n in state.graph.nodes.items() if n.inputs.shard == shard.output)
        samples, scores = (state.store.artifact(state.action_keys[one]) for one in (shard.output, key))
        chances = softmax(scores.tensor("logits").double().numpy(), axis=1)
        for name, label, row_chances in zip(samples.content()["ids"], samples.tensor("labels"), chances, strict=True):
            found[name] = 1 - row_chances[int(label)]
    return found


@pytest.mark.parametrize(("row", "size"), [("Guided", 10), ("Brightest", 10), ("Typical", 6), ("First", 2)])
def test_histograms_count_the_difficulties_of_the_store(source: Source, row: str, size: int) -> None:
    assert source.store is not None
    drawn = stairs(panel(figure(source, "difficulty"), row))
    known, real = stored_difficulties(source, row), real_difficulties(source)
    pool = [known[f"{label}/{i}"] for label in range(3) for i in range(size)]
    _, artifact = selection_of(source.store[1], row, source.ipc)
    chosen = [known[name] for name in artifact.content()["ids"]]
    for name, values in (("pool", pool), ("chosen", chosen)):
        counts = [sum(int(min(value * 10, 9)) == b for value in values) for b in range(10)]
        assert drawn[name] == pytest.approx([100 * count / len(values) for count in counts]), name
    assert drawn["real"] == pytest.approx([100 * count / len(real) for count in np.histogram(real, 10, (0, 1))[0]])


def real_difficulties(source: Source) -> list[float]:
    """Return 1 − P(class) of all training images, and not of the validation images that `set_scores` needs."""
    assert source.store is not None
    _, state = source.store
    found = []
    for key, node in state.graph.nodes.items():
        if node.label.startswith("teacher · real images"):
            scores = state.store.artifact(state.action_keys[key])
            chances = softmax(scores.tensor("logits").double().numpy(), axis=1)
            found += [1 - chances[i, int(label)] for i, label in enumerate(scores.tensor("real.labels"))]
    return found


def test_rows_with_one_selection_have_one_panel(source: Source) -> None:
    titles = [axes.get_title(loc="left").replace("\n", " ") for axes in figure(source, "difficulty").axes]
    assert titles == ["Guided", "Brightest (and 1 row with this choice)", "Typical", "First"]


def test_quotas_are_those_of_the_selector(source: Source) -> None:
    # The table "slope" for IPC 10, scaled to 2 images by largest remainder: 3/10 and 3/10 of 2 are the largest.
    drawn = stairs(panel(figure(source, "quotas"), "Guided"))
    assert drawn["quota"] == [1, 1, 0, 0, 0, 0, 0, 0, 0, 0]
    assert sum(drawn["pool"]) == pytest.approx(10)


def test_a_map_has_each_sample_once_and_circles_on_those_chosen(source: Source) -> None:
    assert source.store is not None
    drawn = panel(figure(source, "map"), "Brightest")
    places = {c.get_label(): np.asarray(c.get_offsets()) for c in drawn.collections}
    _, artifact = selection_of(source.store[1], "Brightest", source.ipc)
    assert [len(places[f"pool of {name}"]) for name in ("red", "green", "blue")] == [10, 10, 10]
    assert len(np.unique(np.concatenate(list(places.values())), axis=0)) == 30
    for label, name in enumerate(("red", "green", "blue")):
        chosen = [int(i.split("/")[1]) for i in artifact.content()["ids"] if i.startswith(f"{label}/")]
        np.testing.assert_array_equal(places[name], places[f"pool of {name}"][chosen])


def test_times_are_the_sums_of_the_records(source: Source) -> None:
    (axes,) = figure(source, "times").axes
    rows = [text.get_text() for text in axes.get_yticklabels()]
    stages = [text.get_text() for text in axes.get_xticklabels()]
    values = 10 ** np.ma.getdata(axes.images[0].get_array())
    for trial in source.results.trials:
        if trial.ipc == 2 and trial.seeds["training"] == 0:
            record = source.results.records[trial.evaluation][0]
            for stage in stages:
                own = [part.wall_s for part in record.stages if part.stage == stage]
                drawn = values[rows.index(trial.method), stages.index(stage)]
                assert np.isnan(drawn) if not sum(filter(None, own)) else drawn == pytest.approx(sum(own))


@pytest.mark.parametrize("name", ["accuracy", "difficulty", "map", "quotas", "times"])
def test_the_same_data_gives_the_same_bytes(source: Source, name: str) -> None:
    first, second = draw(source, name), draw(Source(source.results, source.ipc, source.store), name)
    assert first == second
    assert first["svg"].startswith(b"<?xml")
    assert b"<dc:date>" not in first["svg"]
    assert first["png"].startswith(b"\x89PNG")


def test_a_hostile_name_is_text(source: Source) -> None:
    drawn = draw(source, "accuracy")["svg"].decode()
    assert "<b>" not in drawn
    assert "Brightest $x^2$ &lt;b&gt;" in drawn, "a comment names each text, and no formula is set"


def test_what_a_store_lacks_is_a_reason(tmp_path: Path) -> None:
    (tmp_path / "drawn.yaml").write_text(SUITE)
    empty = source_of(tmp_path / "drawn.yaml", tmp_path / "store")
    for name in FIGURES:
        with pytest.raises(NothingToDrawError, match="no "):
            draw(empty, name)


def test_rows_that_figures_lack_are_named(source: Source, tmp_path: Path) -> None:
    assert source.missing == {}
    (tmp_path / "drawn.yaml").write_text(
        SUITE.replace("exclude:", "  Later: {generator: real, selector: first}\nexclude:")
    )
    assert source.store is not None
    longer = source_of(tmp_path / "drawn.yaml", source.store[1].store.root)
    assert longer.missing == {"Later": "not made yet; run the suite"}
    assert draw(longer, "difficulty") == draw(source, "difficulty")


def test_exported_results_have_no_pools(source: Source) -> None:
    exported = Source(source.results, source.ipc)
    assert draw(exported, "accuracy") == draw(source, "accuracy")
    with pytest.raises(NothingToDrawError, match="draw it from a store"):
        draw(exported, "map")
