"""image-folder: one's own images from the folder to a result, known by content and not by path."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from ddbench_components.datasets._images import digests as _file_digests
from ddbench_components.datasets.image_folder import ImageFolder
from photographs import jpeg, photograph, write
from PIL import Image

from ddbench import ClassInfo, ComponentError, DataError, create
from ddbench.errors import SuiteError
from ddbench.plan.graph import build_graph
from ddbench.plan.state import State
from ddbench.run.job import make_job
from ddbench.run.worker_cache import LruCache, WorkerCache
from ddbench.store import Store
from ddbench.suite import load_suite
from ddbench.toolkit.files import file_sha256

Cli = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(autouse=True)
def _data_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DDBENCH_DATA", str(tmp_path / "data"))


@pytest.fixture
def pets(tmp_path: Path) -> Path:
    """Two classes in many formats and sizes."""
    root = tmp_path / "pets"
    formats = {"a.png": "RGB", "b.bmp": "RGB", "c.webp": "RGBA", "d.gif": "P", "e.tiff": "L", "f.JPG": "CMYK"}
    for seed, (name, mode) in enumerate(formats.items()):
        for place, folder in enumerate(("train/tom cat", "train/dog", "val/tom cat", "val/dog")):
            path = root / folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            photograph(100 * place + seed, 40 + seed, 50 - 3 * seed, mode).save(path)
    write(root, {"train/dog/.DS_Store": b"", "train/.hidden/x.png": b"", "README.txt": b"mine"})
    return root


def data(path: Path, **params: object) -> ImageFolder:
    made = create("dataset", "image-folder", path=path, **{"image_size": 32, **params})
    assert isinstance(made, ImageFolder)
    return made


def test_every_format_is_read_and_classes_are_the_folders(pets: Path) -> None:
    own = data(pets)
    assert own.missing() is None
    assert own.classes == (ClassInfo("dog"), ClassInfo("tom cat"))
    train, validation = own.train(), own.validation()
    assert train.images.shape == validation.images.shape == (12, 3, 32, 32)
    assert train.labels.tolist() == [0] * 6 + [1] * 6
    assert train.ids[:2] == ("dog/a.png", "dog/b.bmp")
    assert own.train_counts == own.validation_counts == (6, 6)
    assert validation.ids[6:] == tuple(f"tom cat/{n}" for n in ("a.png", "b.bmp", "c.webp", "d.gif", "e.tiff", "f.JPG"))
    with Image.open(pets / "train" / "dog" / "e.tiff") as image:
        width, height = image.size
        assert height < width
        rgb = image.convert("RGB").resize((32 * width // height, 32), Image.Resampling.BILINEAR)
    left = round((rgb.width - 32) / 2)
    assert train.images[4].equal(torch.from_numpy(np.array(rgb)[:, left : left + 32]).permute(2, 0, 1))


def test_sizes_and_statistics_are_imagenets_unless_given(pets: Path) -> None:
    plain = create("dataset", "image-folder", path=pets)
    assert isinstance(plain, ImageFolder)
    assert (plain.image_size, plain.mean, plain.std) == (256, (0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
    own = data(pets, mean=[0.5, 0.4, 0.3], std=[0.1, 0.2, 0.3])
    assert (own.mean, own.std) == ((0.5, 0.4, 0.3), (0.1, 0.2, 0.3))
    with pytest.raises(ComponentError, match=r"'std\.1' is 0"):
        data(pets, std=[0.1, 0, 0.3])
    with pytest.raises(ComponentError, match="parameter 'path' is required"):
        create("dataset", "image-folder")


def test_folders_named_by_wordnet_ids_are_classes_of_imagenet(tmp_path: Path) -> None:
    names = {f"{s}/{c}/1.jpg": jpeg(i, 40, 40) for i, s in enumerate(("train", "val")) for c in ("n02088364", "other")}
    write(tmp_path / "x", names)
    assert data(tmp_path / "x").classes == (ClassInfo("beagle", "n02088364", 162), ClassInfo("other"))


def test_it_is_known_by_content_and_not_by_path(pets: Path, tmp_path: Path) -> None:
    mark = data(pets).fingerprint()
    pets.rename(tmp_path / "moved")
    moved = data(tmp_path / "moved")
    assert moved.fingerprint() == mark
    assert "path" not in moved.params.keyed()
    changed = {
        "a file is renamed": lambda root: (root / "train/dog/a.png").rename(root / "train/dog/z.png"),
        "a file changes sides": lambda root: (root / "train/dog/z.png").rename(root / "val/dog/z.png"),
        "a file is gone": lambda root: (root / "val/dog/z.png").unlink(),
        "a byte is another": lambda root: flip(root / "val/dog/b.bmp"),
        "a class has another name": lambda root: [
            (root / s / "dog").rename(root / s / "hound") for s in ("train", "val")
        ],
    }
    seen = {mark}
    for what, change in changed.items():
        change(tmp_path / "moved")
        now = data(tmp_path / "moved").fingerprint()
        assert now not in seen, what
        seen.add(now)


def flip(path: Path) -> None:
    """Change a pixel in the middle, and not the size of the file."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 128
    path.write_bytes(content)


def test_a_path_may_begin_with_the_home_folder(pets: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(pets.parent))
    assert data(Path("~/pets")).fingerprint() == data(pets).fingerprint()
    assert data(Path("~/pets")).params.keyed() == data(pets).params.keyed()
    assert "the folder ~no-such-user/pets does not exist;" in (data(Path("~no-such-user/pets")).missing() or "")


def test_names_need_not_be_utf_8(pets: Path, tmp_path: Path) -> None:
    """Bytes that are no text stand in ids and names of classes as they are written in Python."""
    before = data(pets).fingerprint()
    (pets / "train" / "dog" / "a.png").rename(pets / "train" / "dog" / os.fsdecode(b"caf\xe9.png"))
    for split in ("train", "val"):
        (pets / split / "tom cat").rename(pets / split / os.fsdecode(b"chat \xe9"))
    for path in pets.rglob("*.*"):
        os.utime(path, (1, 1))  # long ago: what is known of it is kept
    own = data(pets)
    assert own.fingerprint() == data(pets).fingerprint() != before
    assert own.classes == (ClassInfo("chat \\xe9"), ClassInfo("dog"))
    assert own.train().ids[5:8] == ("chat \\xe9/f.JPG", "dog/b.bmp", "dog/c.webp")
    assert own.train().ids[-1] == "dog/f.JPG"
    assert "dog/caf\\xe9.png" in data(pets).train().ids
    suite = tmp_path / "suite.yaml"
    suite.write_text(SUITE.format(path=pets))
    assert len(build_graph(load_suite(suite)).cells) == 1


@pytest.mark.parametrize("denied", ["train/dog", "train/dog/b.bmp"])
def test_what_may_not_be_read_is_named_in_one_line(denied: str, pets: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def unless_denied(do: Callable[[Path], object]) -> Callable[[Path], object]:
        def done(path: Path) -> object:
            if path == pets / denied:
                raise PermissionError(13, "Permission denied", str(path))
            return do(path)

        return done

    monkeypatch.setattr(Path, "iterdir", unless_denied(Path.iterdir))
    monkeypatch.setattr(_file_digests, "file_sha256", unless_denied(file_sha256))
    for act in (lambda: data(pets).fingerprint(), lambda: data(pets).train(), lambda: data(pets).fetch(quiet)):
        with pytest.raises(DataError) as caught:
            act()
        assert str(caught.value).startswith(f"image-folder: {pets / denied} cannot be read: Permission denied; store")
        assert "\n" not in str(caught.value)


def test_a_change_that_keeps_the_size_is_decoded_anew(pets: Path) -> None:
    before = data(pets).train().images.clone()
    flip(pets / "train" / "dog" / "b.bmp")
    after = data(pets).train().images
    assert [i for i in range(12) if not after[i].equal(before[i])] == [1]


def test_files_that_have_not_changed_are_read_once(pets: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []

    def noted(path: Path) -> str:
        read.append(path.name)
        return file_sha256(path)

    monkeypatch.setattr(_file_digests, "file_sha256", noted)
    for path in pets.rglob("*.*"):
        os.utime(path, (1, 1))  # long ago: a file that has only just changed may change again at the same time
    mark = data(pets).fingerprint()
    assert len(read) == 24
    assert data(pets).fingerprint() == mark
    assert len(read) == 24
    flip(pets / "val" / "dog" / "b.bmp")
    assert data(pets).fingerprint() != mark
    assert read[24:] == ["b.bmp"]
    memo = next(Path(os.environ["DDBENCH_DATA"]).rglob("validation.json"))
    memo.write_text("{}")
    flip(pets / "val" / "dog" / "b.bmp")
    assert data(pets).fingerprint() == mark


def test_two_folders_and_two_sizes_are_kept_side_by_side(pets: Path, tmp_path: Path) -> None:
    other = tmp_path / "others"
    write(other, {f"{s}/{c}/1.jpg": jpeg(i, 40, 40) for i, s in enumerate(("train", "val")) for c in ("x", "y")})
    for path, size, count in ((pets, 32, 12), (other, 32, 2), (pets, 16, 12), (pets, 32, 12)):
        assert data(path, image_size=size).train().images.shape == (count, 3, size, size)
    assert len(list((tmp_path / "data").rglob("train-*.safetensors"))) == 3


def remove(*names: str) -> Callable[[Path], None]:
    def change(root: Path) -> None:
        for name in names:
            for path in sorted((root / name).rglob("*"), reverse=True):
                path.unlink() if path.is_file() else path.rmdir()
            (root / name).rmdir()

    return change


def empty(root: Path) -> None:
    for path in (root / "val" / "dog").iterdir():
        path.unlink()


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (remove("."), "the folder {root} does not exist"),
        (remove("val"), "the folder {root}/val does not exist"),
        (remove("val/dog", "val/tom cat"), "{root}/val contains no class folders"),
        (remove("val/dog"), "class 'dog' has a folder in {root}/train, but not in val"),
        (remove("train/tom cat"), "class 'tom cat' has a folder in {root}/val, but not in train"),
        (remove("train/dog", "val/dog"), "{root}/train contains one class, 'tom cat'; at least two are needed"),
        (empty, "{root}/val/dog contains no images"),
    ],
    ids=["no folder", "no split", "no classes", "not in val", "not in train", "one class", "empty class"],
)
def test_what_is_wrong_is_said_in_one_line(change: Callable[[Path], None], why: str, pets: Path) -> None:
    change(pets)
    said = f"image-folder: {why.format(root=pets)}; store images as PATH/{{train,val}}/<class>/*"
    assert (data(pets).missing() or "").startswith(said)
    for act in (lambda: data(pets).train(), lambda: data(pets).fingerprint(), lambda: data(pets).fetch(quiet)):
        with pytest.raises(DataError) as caught:
            act()
        assert str(caught.value).startswith(said)
        assert "\n" not in str(caught.value)


def quiet(what: str, done: int, total: int) -> None:
    pass


@pytest.mark.parametrize("content", [b"", b"not an image", jpeg(1, 60, 60)[:900]], ids=["empty", "text", "cut"])
def test_an_unreadable_image_is_named_in_one_line(content: bytes, pets: Path) -> None:
    write(pets, {"val/dog/notes.txt": content})
    with pytest.raises(
        DataError, match=r"val/dog/notes\.txt: cannot be decoded \(.*\); replace it by an undamaged"
    ) as caught:
        data(pets).fetch(quiet)
    assert "\n" not in str(caught.value)


SUITE = """
suite: pets
dataset: {{use: image-folder, path: {path}, image_size: 32}}
protocol: smoke@1
ipc: [2]
students: [convnet3]
methods: {{real: {{generator: real, selector: random}}}}
"""


def test_a_suite_is_planned_without_torch_and_its_keys_are_of_the_content(pets: Path, tmp_path: Path) -> None:
    suite = tmp_path / "suite.yaml"
    suite.write_text(SUITE.format(path=pets))
    code = (
        "import sys; from ddbench.suite import load_suite; from ddbench.plan.graph import build_graph;"
        "g = build_graph(load_suite(sys.argv[1])); assert len(g.cells) == 1;"
        "print([m for m in ('torch', 'PIL') if m in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", code, str(suite)], capture_output=True, text=True, check=True)
    assert run.stdout == "[]\n"
    keys = list(build_graph(load_suite(suite)).nodes)
    assert load_suite(suite).dataset.label == f"image-folder (path={pets}, image_size=32)"
    pets.rename(tmp_path / "moved")
    suite.write_text(SUITE.format(path=tmp_path / "moved"))
    assert list(build_graph(load_suite(suite)).nodes) == keys
    flip(tmp_path / "moved" / "val" / "dog" / "b.bmp")
    assert not set(build_graph(load_suite(suite)).nodes) & set(keys)


def test_a_suite_with_a_missing_folder_is_refused_in_one_line(tmp_path: Path) -> None:
    suite = tmp_path / "suite.yaml"
    suite.write_text(SUITE.format(path=tmp_path / "nowhere"))
    with pytest.raises(DataError, match=r"^image-folder: the folder .*nowhere does not exist; store images as"):
        load_suite(suite)


def test_a_suite_asks_for_no_more_images_than_there_are(pets: Path, tmp_path: Path) -> None:
    suite = tmp_path / "suite.yaml"
    suite.write_text(SUITE.format(path=pets).replace("ipc: [2]", "ipc: [7]"))
    with pytest.raises(SuiteError, match="needs 7 images per class, but generator 'real' has 6"):
        load_suite(suite)


def test_images_that_change_after_planning_stop_the_run(pets: Path, tmp_path: Path) -> None:
    suite = tmp_path / "suite.yaml"
    suite.write_text(SUITE.format(path=pets))
    graph = build_graph(load_suite(suite))
    store = Store.open(tmp_path / "store")
    job = make_job(graph, State(graph, store).resolve_all(), next(iter(graph.nodes)))
    assert len(WorkerCache(store, "cpu", LruCache()).dataset(job).train()) == 12
    flip(pets / "train" / "dog" / "b.bmp")
    with pytest.raises(DataError, match="'image-folder' has changed since the run was planned; run it again"):
        WorkerCache(store, "cpu", LruCache()).dataset(job)


def test_from_the_folder_to_a_result(cli: Cli, pets: Path, tmp_path: Path) -> None:
    suite = tmp_path / "suite.yaml"
    text = SUITE.format(path=pets).replace("convnet3", "pixels").replace("ipc:", "evaluator: nearest-mean\nipc:")
    suite.write_text(text)
    fetched = cli("fetch", str(suite))
    assert fetched.returncode == 0, fetched.stderr
    assert fetched.stderr.splitlines()[-1] == f"image-folder (path={pets}, image_size=32): fetched and checked"
    again = cli("fetch", "image-folder", f"path={pets}", "image_size=32")
    assert again.stderr == f"image-folder (path={pets}, image_size=32): already complete\n"
    ended = cli("run", str(suite), "--device", "cpu")
    assert ended.returncode == 0, ended.stderr
    assert f"Data set image-folder (path={pets}, image_size=32)" in cli("report", str(suite)).stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["image-folder"], "parameter 'path' is required"),
        (["image-folder", "path"], "'path' is not a parameter; write NAME=VALUE"),
        (["image-folder", "path=nowhere"], "image-folder: the folder nowhere does not exist; store images as"),
        (["imagewoof", "split=mine"], "parameter 'split' is 'mine': input should be 'imagenet' or 'fastai'"),
        (["suite.yaml", "split=fastai"], "suite suite.yaml sets the parameters of its data set"),
    ],
    ids=lambda value: value[-1] if isinstance(value, list) else "",
)
def test_a_wrong_fetch_is_one_line(arguments: list[str], said: str, cli: Cli) -> None:
    ended = cli("fetch", *arguments)
    assert ended.returncode == 2
    assert len(ended.stderr.splitlines()) == 1, ended.stderr
    assert said in ended.stderr
