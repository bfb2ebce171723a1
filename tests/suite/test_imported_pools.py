"""Imported pools in a suite: mistakes are one line with their place, and what a pool brings decides the right keys."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from ddbench.errors import DdbenchError, SuiteError
from ddbench.plan import Graph, build_graph
from ddbench.suite import load_suite
from tests.suite.suites import write


@pytest.fixture
def pools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make the working directory one with four files of a pool, by what they bring."""
    monkeypatch.chdir(tmp_path)
    images, names = torch.zeros(6, 3, 8, 8, dtype=torch.uint8), {"classes": json.dumps(["red", "green", "blue"])}
    plain = {"images": images, "labels": torch.arange(6) % 3}
    save_file(plain, tmp_path / "plain", names)
    save_file({**plain, "soft_logits": torch.eye(3).repeat(2, 1)}, tmp_path / "soft", names)
    save_file({**plain, "latents": torch.zeros(6, 1)}, tmp_path / "latent", names)
    save_file({**plain, "soft_logits": torch.zeros(6, 4)}, tmp_path / "wide", names)
    return tmp_path


def text(params: str, method: str = "", more: str = "") -> str:
    return (
        f"generators:\n  nano: {{use: noise}}\n  mine: {{use: pool-file, {params}}}\n"
        f"methods: {{A: {{generator: mine, selector: first{method}}}}}\n{more}"
    )


STORED = ", labels: {use: stored, tau: 1.5}, protocol: psr-kd@1"
MISTAKES = [
    (text("path: plain, §prior: nana"), "there is no generator 'nana'; known: "),
    (text("path: latent, prior: real", ", §refiner: darken"),
     "refiner 'darken' needs latents, but generator 'real' has none; choose a generator with latents"),
    (text("path: latent", ", §refiner: darken"),
     "refiner 'darken' needs latents, but generator 'mine' has none; choose a generator with latents; "
     "an imported pool borrows them from its `prior`"),
    (text("path: latent, prior: small", ", refiner: darken").replace("  mine:", "  small: {use: ddpm}\n  §mine:"),
     "the latents of 'mine' have shape [1], and the prior of 'small' takes [3, 8, 8]; store latents of that generator"),
    (text("path: plain, §encode: 3"), "generator 'pool-file': parameter 'encode' is 3: "),
    (text("path: plain, §layout: sre2l"), "generator 'pool-file': parameter 'layout' is 'sre2l': input should be"),
    (text("path: plain, pixels: {mean: [0, 0, 0], §std: [1, 1]}"), "generator 'pool-file': parameter 'pixels.std"),
    (text("path: plain", STORED.replace("labels: ", "§labels: ")),
     "'A' has stored labels, but generator 'mine' has no soft labels; use `labels: soft`, or a pool file with soft"),
    (text("path: soft", ", §labels: {use: stored, when: after-refine}, protocol: psr-kd@1"),
     "the stored labels of 'A' belong to the images before refinement; remove `when`"),
    (text("path: soft", ", §labels: {use: stored, tau: 4}, protocol: psr-kd@1"),
     "the labels of 'A' have tau 4, but protocol 'psr-kd@1' uses 1.5; set tau to 1.5"),
    (text("path: soft", ", §labels: stored"), "'A' has soft labels, but neither its protocol 'minimax-hard@1' nor its"),
    (text("path: soft", f", refiner: doubt{STORED}", "§scorers: {judge: colour}\n"),
     "'A' takes labels from the role 'teacher', but no scorer has this role"),
]  # fmt: skip


@pytest.mark.parametrize(("told", "message"), MISTAKES)
def test_a_mistake_has_its_place(pools: Path, told: str, message: str) -> None:
    path, place = write(pools, told)
    with pytest.raises(SuiteError) as error:
        load_suite(path)
    assert str(error.value).startswith(f"{path}{place}: {message}")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ("path: plain, prior: nano", "has no latents for the prior of 'nano'; add `encode: true` to encode its images"),
        ("path: wide", "has 'soft_logits' of F32 [6, 4]; soft labels are float [N, C] with one column for each class"),
    ],
)
def test_an_unfit_file_is_told_before_the_run(pools: Path, params: str, message: str) -> None:
    path, _ = write(pools, text(params))
    with pytest.raises(DdbenchError) as error:
        load_suite(path)
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def plan(pools: Path, params: str, method: str) -> tuple[Graph, dict[str, list[str]]]:
    path, _ = write(pools, text(params, method))
    graph = build_graph(load_suite(path))
    stages: dict[str, list[str]] = {}
    for key, node in graph.nodes.items():
        stages.setdefault(node.stage, []).append(key)
    return graph, stages


def test_a_prior_changes_the_refinement_alone(pools: Path) -> None:
    """The pool is the same with any prior. The refinement uses the lender and says where latents are from."""
    refined = ", refiner: darken"
    _, plain = plan(pools, "path: plain", "")
    graph, encoded = plan(pools, "path: plain, prior: nano, encode: true", refined)
    for stage in ("generate", "select", "distill"):
        assert encoded[stage] == plain[stage]
    refinement = graph.nodes[encoded["refine"][0]]
    assert refinement.uses["generator"].component.info.name == "noise"
    assert refinement.settings["latents"] == "encoded"
    stored, found = plan(pools, "path: latent, prior: nano", refined)
    assert stored.nodes[found["refine"][0]].settings["latents"] == "stored"
    own, found = plan(pools, "path: plain", "}, B: {generator: nano, selector: first, refiner: darken")
    assert "latents" not in own.nodes[found["refine"][0]].settings, "keys of other rows are as before"


def test_stored_labels_ask_no_teacher(pools: Path) -> None:
    graph, stages = plan(pools, "path: soft", STORED)
    assert "check" not in stages
    assert "fit" not in stages
    label = graph.nodes[stages["label"][0]]
    assert (dict(label.uses), dict(label.settings)) == ({}, {})
    assert label.inputs.samples
    evaluation = graph.nodes[graph.cells[0][1]]
    assert evaluation.inputs.soft in stages["label"]
    assert graph.cells[0][0].row.describe()["labels"] == "stored, at tau 1.5"
    assert graph.cells[0][0].describe()["labels"] == "stored"
