"""The timm scorer's weights: where it finds them, and which files and names it refuses."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import timm
import torch
from safetensors.torch import load_file, save_file
from timm_teachers import DATA, IMAGES, REPOSITORY, TAGGED, saved, scorer

import ddbench
from ddbench import ComponentError, Context

pytestmark = pytest.mark.usefixtures("offline")


def test_weights_are_found_by_name_in_the_data_folder_then_in_the_hubs_cache(
    weights: Path, tmp_path: Path, cache_weights: Callable[[Path, str, str], None]
) -> None:
    expected = scorer(weights=weights).score(IMAGES, Context())["logits"]
    cache_weights(weights, REPOSITORY, "model.safetensors")
    assert scorer().score(IMAGES, Context())["logits"].equal(expected)
    assert scorer(None).missing() is None

    kept = tmp_path / "data" / "weights" / REPOSITORY / "model.safetensors"
    kept.parent.mkdir(parents=True)
    torch.manual_seed(2)
    save_file(timm.create_model("test_efficientnet").state_dict(), kept)
    assert not scorer().score(IMAGES, Context())["logits"].equal(expected)


def test_missing_weights_are_told_with_the_command_that_fetches_them(tmp_path: Path) -> None:
    folder = tmp_path / "data" / "weights" / REPOSITORY
    with pytest.raises(ComponentError) as caught:
        scorer()
    assert str(caught.value) == (
        f"scorer 'timm' finds no weights of {TAGGED}: neither {folder} nor the Hugging Face cache has "
        f"model.safetensors or pytorch_model.bin of {REPOSITORY}; run `ddbench fetch SUITE`, or name a file in "
        "the parameter 'weights'"
    )


def test_what_is_fetched_is_what_loading_looks_for(
    on_the_hub: Callable[[str, str, Path], list[str]], weights: Path, tmp_path: Path
) -> None:
    asked = on_the_hub(REPOSITORY, "model.safetensors", weights)
    made: Any = ddbench.create("scorer", "timm", model=TAGGED)
    assert "it is not known whether weights of" in made.missing()
    for _ in range(2):
        made.fetch(lambda *_: None)
    assert asked == [REPOSITORY, "model.safetensors"]
    assert made.missing() is None
    made.load(None, DATA, Context())
    kept = tmp_path / "data" / "weights" / REPOSITORY / "model.safetensors"
    kept.write_bytes(kept.read_bytes()[:-1])
    damaged = rf"finds no weights of {TAGGED}: {kept} is cut off or damaged; run `ddbench"
    with pytest.raises(ComponentError, match=damaged):
        made.load(None, DATA, Context())
    made.fetch(lambda *_: None)
    assert asked == 2 * [REPOSITORY, "model.safetensors"]
    made.load(None, DATA, Context())
    with pytest.raises(ComponentError, match=r"absent\.pth: the file of weights does not exist"):
        ddbench.create("scorer", "timm", model=TAGGED, weights=tmp_path / "absent.pth").fetch(lambda *_: None)


def test_torch_files_are_read_and_pickled_objects_are_not(weights: Path, tmp_path: Path, bomb: Any) -> None:
    nested, hostile = tmp_path / "nested.pth", tmp_path / "hostile.pth"
    torch.save({"model": load_file(weights), "epoch": 3}, nested)
    expected = scorer(weights=weights).score(IMAGES, Context())["logits"]
    assert scorer(weights=nested).score(IMAGES, Context())["logits"].equal(expected)
    torch.save({"model": load_file(weights), "args": bomb}, hostile)
    with pytest.raises(ComponentError, match=r"hostile\.pth: cannot be loaded as weights of timm's test_efficientnet"):
        scorer(weights=hostile)
    assert not bomb.path.exists()


def test_a_damaged_file_and_anothers_weights_are_told_in_one_line(weights: Path, tmp_path: Path) -> None:
    cut = tmp_path / "cut.safetensors"
    cut.write_bytes(weights.read_bytes()[:5000])
    for path in (cut, saved(tmp_path, "test_vit")):
        with pytest.raises(ComponentError) as caught:
            scorer(weights=path)
        told = str(caught.value)
        assert told.startswith(f"{path}: cannot be loaded as weights of timm's {TAGGED} (")
        assert "\n" not in told
        assert len(told) < 500 + len(str(path))


def test_a_file_is_known_by_its_content_and_a_name_by_itself(weights: Path, tmp_path: Path) -> None:
    assert scorer(None).fingerprint() is None  # though nothing of that name is on this machine
    assert scorer(None).params.keyed()["model"] == TAGGED
    copy = tmp_path / "copy.safetensors"
    copy.write_bytes(weights.read_bytes())
    same, copied = scorer(None, weights=weights), scorer(None, weights=copy)
    assert same.fingerprint() == copied.fingerprint()
    assert same.params.keyed() == copied.params.keyed()
    assert same.fingerprint() != scorer(None, weights=saved(tmp_path, outputs=3)).fingerprint()


def test_a_path_that_leads_nowhere_fails_before_anything_runs(tmp_path: Path) -> None:
    with pytest.raises(ComponentError, match=r"gone\.pth: the file of weights does not exist"):
        scorer(None, weights=tmp_path / "gone.pth").fingerprint()
    notes = tmp_path / "notes.txt"
    notes.write_text("")
    with pytest.raises(ComponentError, match=r"notes\.txt: is not a file of weights"):
        scorer(None, weights=notes).fingerprint()


@pytest.mark.parametrize(
    ("model", "told"),
    [
        ("resnet50.tv_in2k", r"timm [\w.]+ has no model 'resnet50.tv_in2k'; did you mean 'resnet50.tv2?_in1k'\?"),
        ("zzz.qqq", r"has no model 'zzz.qqq'; `timm.list_pretrained\(\)` gives all names"),
        ("vit_huge_patch14_gap_224.in1k_ijepa", "are not on the Hugging Face Hub; download http"),
        ("resnet50", "model 'resnet50' names no weights"),
        ("hf-hub:timm/resnet50.tv_in1k", "parameter 'model' is 'hf-hub:timm/resnet50.tv_in1k'"),
    ],
)
def test_a_name_that_cannot_be_is_told(model: str, told: str) -> None:
    with pytest.raises(ComponentError, match=told):
        scorer(model=model)
    with pytest.raises(ComponentError, match=told):
        scorer(None, model=model).fetch(lambda *_: None)


def test_loading_draws_nothing_from_the_global_generator(weights: Path) -> None:
    torch.manual_seed(0)
    expected = torch.rand(2)
    torch.manual_seed(0)
    scorer(weights=weights)
    assert torch.equal(torch.rand(2), expected)
