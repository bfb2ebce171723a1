"""Teachers whose outputs have names: any order gives the same logits, and an order in doubt is refused."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file
from timm_teachers import DATA, IMAGES, saved, scorer

from ddbench import ClassInfo, ComponentError, Context, DataError, TrainingData
from ddbench.toolkit import file_sha256
from tests.in_process import ddbench
from tests.photographs import write_suite
from tests.run.runs import outcome, state_of

pytestmark = pytest.mark.usefixtures("offline")

NAMES = [c.name for c in DATA.classes]
IN_DOUBT = replace(DATA, ambiguous_order=True)


def reordered(path: Path, order: Sequence[int], names: Sequence[str] | None = None) -> Path:
    """Save a teacher whose output i is output ``order[i]`` of another one."""
    state = load_file(path)
    for name in ("classifier.weight", "classifier.bias"):
        state[name] = state[name][list(order)].clone()
    target = path.with_name("reordered.safetensors")
    save_file(state, target, None if names is None else {"classes": json.dumps(names)})
    return target


def logits(teacher: Any, data: TrainingData = DATA) -> torch.Tensor:
    """Return the logits of the data set's classes, in their order."""
    scored: torch.Tensor = teacher.score(IMAGES, Context())["logits"]
    return scored[:, teacher.class_fields(data, Context())["column"]]


@pytest.mark.parametrize("order", [*permutations(range(3))])
def test_any_order_of_named_outputs_gives_the_same_logits(tmp_path: Path, order: tuple[int, ...]) -> None:
    path = saved(tmp_path, outputs=3)
    natural = scorer(weights=path, classes="dataset")
    names = [NAMES[i].upper() for i in order]
    in_file = scorer(IN_DOUBT, weights=reordered(path, order, names), classes="dataset")
    in_suite = scorer(IN_DOUBT, weights=reordered(path, order), classes=names)
    for teacher in (in_file, in_suite):
        assert logits(teacher).equal(logits(natural))
        torch.testing.assert_close(teacher.class_logits(IMAGES / 255), natural.class_logits(IMAGES / 255))


def test_names_in_the_metadata_enter_the_fingerprint(tmp_path: Path) -> None:
    """So results of a version that ignored them are not used."""
    path = reordered(saved(tmp_path, outputs=3), (0, 1, 2), NAMES)
    digest = file_sha256(path)
    for classes, expected in (("imagenet", {"weights": digest}), ("dataset", {"weights": digest, "classes": NAMES})):
        assert scorer(None, weights=path, classes=classes).fingerprint() == expected


def test_names_may_stand_beside_weights_that_torch_saved(tmp_path: Path) -> None:
    path = saved(tmp_path, outputs=3)
    expected = logits(scorer(weights=path, classes="dataset"))
    torch.save(load_file(reordered(path, (2, 0, 1))), tmp_path / "teacher.pth")
    teacher = scorer(IN_DOUBT, weights=tmp_path / "teacher.pth", classes=[NAMES[i] for i in (2, 0, 1)])
    assert logits(teacher).equal(expected)


def test_a_teacher_may_have_more_classes(tmp_path: Path) -> None:
    path = saved(tmp_path, outputs=5)
    teacher = scorer(weights=reordered(path, range(5), ["wug", *NAMES[::-1], "dax"]), classes="dataset")
    assert teacher.class_fields(DATA, Context())["column"].tolist() == [3, 2, 1]
    assert teacher.class_logits(IMAGES / 255).shape == (5, 3)


def test_unnamed_outputs_are_refused_if_the_order_is_in_doubt(tmp_path: Path) -> None:
    path = saved(tmp_path, outputs=3)
    said = (
        f"{path}: names no classes for its outputs, and the classes of the data set could have another order there; "
        "add `classes: [NAME, …]` with the name of each of its outputs in order"
    )
    with pytest.raises(DataError) as error:
        scorer(IN_DOUBT, weights=path, classes="dataset")
    assert str(error.value) == said
    swapped = (ClassInfo("a", "n2"), ClassInfo("b", "n1"), ClassInfo("c", "n3"))
    with pytest.raises(DataError) as error:
        scorer(replace(DATA, classes=swapped), weights=path, classes="dataset")
    assert str(error.value) == said
    with pytest.raises(DataError) as error:
        scorer(None, weights=path, classes="dataset").check_dataset(IN_DOUBT)
    assert str(error.value) == said


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (["gondola", "tench", "wug"], "no name for class 'toilet tissue'; name the classes by class name"),
        (["gondola", "tench", "toilet tissue", "Tench"], "'tench' and 'Tench' both name class 'tench'"),
    ],
)
def test_names_that_do_not_fit_are_told(tmp_path: Path, names: list[str], said: str) -> None:
    path = reordered(saved(tmp_path, outputs=len(names)), range(len(names)), names)
    with pytest.raises(DataError, match=said):
        scorer(weights=path, classes="dataset")


def test_a_name_for_each_output(tmp_path: Path) -> None:
    with pytest.raises(ComponentError, match="it has 4 outputs, not 3"):
        scorer(weights=saved(tmp_path, outputs=4), classes=NAMES)


CHOICES = """\
scorers:
  teacher: {use: timm, model: test_efficientnet, weights: teacher.safetensors, classes: dataset}
methods: {Confidence: {generator: real, selector: confidence}}
"""
COLOURS = ("blue", "green", "red")


def make_photographs(root: Path) -> None:
    """Save noise that is brighter in one channel, with eight training images of each class."""
    noise = torch.Generator().manual_seed(0)
    for place, colour in enumerate(COLOURS):
        for split, count in (("train", 8), ("val", 1)):
            folder = root / split / colour
            folder.mkdir(parents=True)
            for i in range(count):
                pixels = torch.randint(0, 100, (32, 32, 3), generator=noise)
                pixels[:, :, 2 - place] += 150
                Image.fromarray(pixels.to(torch.uint8).numpy()).save(folder / f"{i}.png")


def teach(folder: Path, order: Sequence[int], names: Sequence[str] | None) -> None:
    """Save a teacher whose last layer is fitted to the embeddings of the photographs, with outputs in an order."""
    from ddbench_components.datasets.image_folder import ImageFolder

    made: Any = ImageFolder.configure(path=folder / "photos", image_size=32)
    made.fetch(lambda *_: None)
    data = made.training()
    assert data.ambiguous_order
    path = saved(folder, outputs=3)
    blank = scorer(replace(data, ambiguous_order=False), model="test_efficientnet", weights=path, classes="dataset")
    embedding = blank.score(data.train.images, Context())["embedding"]
    targets = torch.nn.functional.one_hot(data.train.labels, 3).double()
    design = torch.cat([embedding, torch.ones(len(embedding), 1)], dim=1).double()
    solution = torch.linalg.lstsq(design, targets, driver="gelsd").solution.float()
    state = load_file(path)
    state["classifier.weight"] = solution[:-1].T[list(order)].contiguous()
    state["classifier.bias"] = solution[-1][list(order)].contiguous()
    save_file(state, folder / "teacher.safetensors", None if names is None else {"classes": json.dumps(names)})


def test_a_suite_with_a_teacher_in_another_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    make_photographs(tmp_path / "photos")
    write_suite(tmp_path / "suite.yaml", 32, CHOICES)

    def run(store: str) -> Any:
        return ddbench("run", "suite.yaml", "--store", store, folder=tmp_path)

    teach(tmp_path, (0, 1, 2), None)
    unnamed = run("unnamed")
    assert unnamed.returncode == 2
    assert "teacher.safetensors: names no classes for its outputs" in unnamed.stderr
    chosen = []
    for order in ((0, 1, 2), (2, 0, 1)):
        store = str(order[0])
        teach(tmp_path, order, [COLOURS[i].title() for i in order])
        ended = run(store)
        assert ended.returncode == 0, ended.stderr
        assert "right on 24 of 24 training images (100.0 %; chance is 33.3 %)" in ended.stderr
        state = state_of(tmp_path / "suite.yaml", tmp_path / store)
        (key,) = (key for key, node in state.graph.nodes.items() if node.stage == "select")
        chosen.append(state.store.artifact(state.action_keys[key]).content()["ids"])
    assert chosen[0] == chosen[1]
    teach(tmp_path, (2, 0, 1), COLOURS)  # the names lie
    ended = run("wrong")
    assert ended.returncode == 2
    assert "scorer 'timm' is no better than chance: right on 0 of 24 training images" in ended.stderr
    assert outcome(tmp_path / "suite.yaml", tmp_path / "wrong")["results"] == {}
