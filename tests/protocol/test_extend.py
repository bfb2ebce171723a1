"""Protocols that extend others: what changes, what stays, and what is said of mistakes."""

from __future__ import annotations

import re
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from ddbench.errors import ComponentError
from ddbench.protocol import Protocol, read_protocol
from ddbench.protocol.difference import difference
from ddbench.protocol.extend import extend, resolve
from ddbench.registry import catalogue

HARD = "minimax-hard@1"
ADAMW = {"name": "adamw", "lr": 1e-3, "betas": [0.9, 0.999], "weight_decay": 0.01, "decay": "all"}


def changed(own: dict[str, Any], base: str = HARD) -> Protocol:
    return extend(catalogue().protocol(base), own, str)


def patch(old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    """Return the changes from ``old`` to ``new`` as a JSON merge patch (RFC 7396)."""
    changes: dict[str, Any] = {name: None for name in old if name not in new}
    for name, value in new.items():
        before = old.get(name)
        if not isinstance(value, dict) or not isinstance(before, dict):
            changes[name] = value
        elif value.get("name") != before.get("name"):
            changes[name] = {"name": None, **value}
        elif inner := patch(before, value):
            changes[name] = inner
    return changes


def test_every_protocol_can_be_made_from_every_other() -> None:
    known = catalogue().protocols().values()
    for one, other in product(known, known):
        made = extend(one, patch(one.content, other.content), str)
        assert made.content == other.content, (one.id, other.id)
        assert made.id == other.local().id


def test_no_two_protocols_are_equal() -> None:
    contents = [protocol.content for protocol in catalogue().protocols().values()]
    assert all(one != other for i, one in enumerate(contents) for other in contents[:i])


def test_a_section_changes_the_fields_that_it_names() -> None:
    made, base = changed({"optimizer": {"lr": 0.1}, "many_classes": None}), catalogue().protocol(HARD)
    assert made.optimizer == base.optimizer.model_copy(update={"lr": 0.1})
    assert made.many_classes is None
    assert base.many_classes is not None
    assert made.augmentation == base.augmentation


def test_epochs_hold_for_every_ipc_and_number_of_classes() -> None:
    made = changed({"epochs": 60})
    assert {made.epochs(ipc, classes) for ipc in (1, 10, 50, 1000) for classes in (10, 100, 1000)} == {60}


def test_a_table_changes_the_entries_that_it_names() -> None:
    tables = ({10: 7, 500: None}, {"10": 7, "500": None})
    made = [changed({"epochs_by_ipc": {"up_to": table}}) for table in tables]
    assert made[0] == made[1]
    assert made[0].epochs_by_ipc.up_to == {1: 3000, 10: 7, 50: 1500, 200: 1000}


@pytest.mark.parametrize("none", ["none", None])
def test_augmentation_can_be_removed(none: str | None) -> None:
    assert changed({"augmentation": none}).content["augmentation"] == {}


def test_a_section_with_another_name_is_replaced() -> None:
    made = changed({"optimizer": ADAMW, "schedule": {"name": "cosine", "stretch": 2}})
    assert made.content["optimizer"] == ADAMW
    assert made.content["schedule"] == {"name": "cosine", "stretch": 2.0}
    sgd = {"name": None, "lr": 0.01, "momentum": 0.9, "weight_decay": 0.0005}
    assert extend(made, {"optimizer": sgd}, str).content["optimizer"] == catalogue().protocol(HARD).content["optimizer"]


def test_the_id_is_of_the_content_alone() -> None:
    one = changed({"epochs": 60, "optimizer": {"lr": 1}, "summary": "Mine."})
    other = extend(changed({"epochs": 5, "optimizer": {"lr": 1.0}}), {"epochs_by_ipc": {"beyond": 60}}, str)
    assert one.id == other.id
    assert one.is_local
    assert re.fullmatch("local-[0-9a-f]{12}@1", one.id)
    assert changed({"epochs": 61, "optimizer": {"lr": 1}}).id != one.id
    assert Protocol.model_validate(one.model_dump(mode="json")).is_local, "as a worker gets it"
    assert not one.model_copy(update={"batch_size": 1}).is_local


@pytest.mark.parametrize(
    ("own", "told"),
    [
        ({}, "minimax-hard@1"),
        ({"epochs": 60}, "minimax-hard@1 with epochs 60"),
        ({"augmentation": "none"}, "minimax-hard@1 without augmentation"),
        (
            {"epochs": 60, "optimizer": {"lr": 0.1}, "augmentation": {"cutmix": None}, "many_classes": None},
            "minimax-hard@1 with epochs 60, optimizer.lr 0.1, without augmentation.cutmix, many_classes",
        ),
        (
            {"distillation": {"labels": "cached", "temperature": 4, "scaled": True}},
            "minimax-hard@1 with distillation.labels cached, distillation.temperature 4.0, distillation.scaled true",
        ),
        ({"schedule": {"milestones": ["1/2"]}}, 'minimax-hard@1 with schedule.milestones ["1/2"]'),
        ({"epochs_by_ipc": {"up_to": {10: 7}}}, "minimax-hard@1 with epochs_by_ipc.up_to.10 7"),
    ],
)
def test_the_difference_is_told(own: dict[str, Any], told: str) -> None:
    assert difference(changed(own), catalogue().protocol(HARD)) == told


@pytest.mark.parametrize(
    ("own", "told"),
    [
        ({"epoch": 60}, r"\('epoch',\): the field 'epoch' is unknown; did you mean 'epochs'\?"),
        ({"epochs": 0}, r"\('epochs',\): the field 'epochs' is 0: "),
        ({"epochs": None}, r"\('epochs',\): the field 'epochs' is None: "),
        ({"epochs": 3, "epochs_by_ipc": {"beyond": 3}}, r"\('epochs',\): both 'epochs' and 'epochs_by_ipc'; "),
        ({"optimizer": {"lrr": 1}}, r"\('optimizer', 'lrr'\): the field 'optimizer.lrr' is unknown"),
        ({"augmentation": {"cutmx": None}}, r"\('augmentation', 'cutmx'\): the field 'augmentation.cutmx' is unknown"),
        ({"optimizer": None}, r"\('optimizer',\): the field 'optimizer' is missing"),
        ({"augmentation": "some"}, r"\('augmentation',\): the field 'augmentation' is 'some', not a mapping; "),
        ({"optimizer": 3}, r"\('optimizer',\): the field 'optimizer' is 3, not a mapping$"),
        ({"id": "mine@1"}, r"\('id',\): unknown field 'id'"),
    ],
)
def test_a_wrong_change_is_told_with_its_place(own: dict[str, Any], told: str) -> None:
    with pytest.raises(ComponentError, match=f"^{told}"):
        changed(own)


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ("minimax-hrad@1", "^nowhere: there is no protocol 'minimax-hrad@1'; did you mean 'minimax-hard@1'"),
        ("minimax-hard", "^nowhere: there is no protocol 'minimax-hard'; did you mean 'minimax-hard@1'"),
        ({"extends": 5}, "^nowhere: 5 is not a protocol; give NAME@VERSION"),
    ],
)
def test_an_unknown_protocol_is_told(value: Any, told: str) -> None:
    with pytest.raises(ComponentError, match=told):
        resolve(value, lambda path: "nowhere", catalogue().protocol)


def write(folder: Path, **files: str) -> None:
    for name, text in files.items():
        (folder / f"{name}@1.yaml").write_text(text)


def test_a_file_may_extend_a_file(tmp_path: Path) -> None:
    (tmp_path / "below").mkdir()
    write(tmp_path / "below", base=f"extends: {HARD}\noptimizer: {{lr: 0.1}}\n")
    write(tmp_path, mine="extends: below/base@1.yaml\nepochs: 60\n")
    made = read_protocol(tmp_path / "mine@1.yaml", catalogue().protocol)
    assert made.id == "mine@1"
    assert made.content == changed({"optimizer": {"lr": 0.1}, "epochs": 60}).content


@pytest.mark.parametrize(
    ("files", "told"),
    [
        (
            {"mine": "extends: ./mine@1.yaml"},
            r"mine@1.yaml:1:1: the protocol extends itself: mine@1.yaml → mine@1.yaml",
        ),
        (
            {"mine": "extends: ./a@1.yaml", "a": "extends: ./b@1.yaml", "b": "epochs: 3\nextends: ./a@1.yaml"},
            r"b@1.yaml:2:1: the protocol extends itself: mine@1.yaml → a@1.yaml → b@1.yaml → a@1.yaml",
        ),
        ({"mine": "extends: ./a@1.yaml"}, r"mine@1.yaml:1:1: the file .*a@1.yaml does not exist; the path"),
        ({"mine": "extends: ./a.yaml"}, r"mine@1.yaml:1:1: the name of the protocol file './a.yaml' has no version"),
        ({"mine": "extends: ./a@1.yml"}, r"mine@1.yaml:1:1: the name of the protocol file './a@1.yml' has no version"),
        ({"mine": "extends: a@1"}, r"mine@1.yaml:1:1: there is no protocol 'a@1'"),
        ({"mine": "extends: ./a@1.yaml", "a": "- 1"}, r"a@1.yaml: the file has no keys; a protocol file is"),
        (
            {"mine": "extends: ./a@1.yaml", "a": f"extends: {HARD}\noptimizer:\n  lrr: 1"},
            r"a@1.yaml:3:3: the field 'optimizer.lrr' is unknown",
        ),
        ({"mine": f"extends: {HARD}\nid: mine@1"}, r"mine@1.yaml:2:1: unknown field 'id'; the file's name is the id"),
        ({"mine": f"extends: {HARD}\nname: mine@1"}, r"mine@1.yaml:2:1: unknown field 'name'; the file's name"),
    ],
)
def test_a_wrong_file_is_told_with_its_place(tmp_path: Path, files: dict[str, str], told: str) -> None:
    write(tmp_path, **files)
    with pytest.raises(ComponentError, match=told) as raised:
        read_protocol(tmp_path / "mine@1.yaml", catalogue().protocol)
    assert "\n" not in str(raised.value)
