"""The record of a training: what is read is what was written, and nothing else is read."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from ddbench.errors import StoreError
from ddbench.record import RunRecord
from ddbench.store import CorruptError, Store
from ddbench.toolkit.files import write_sealed
from tests.plan.plans import set_
from tests.record.mutations import mutated, short
from tests.record.records import FROZEN, KEY, frozen, whole

# format 2


def test_a_record_comes_out_as_it_went_in(tmp_path: Path) -> None:
    value = whole()
    parsed = RunRecord.parse(value)
    assert parsed.to_json() == value
    assert (parsed.format, parsed.result.last, parsed.training.stage) == (2, 50.0, "generate")
    assert [known.commit for known in parsed.lineage] == ["f" * 40]
    store = Store.open(tmp_path)
    store.put_result(parsed)
    assert store.results(KEY) == [parsed]


def test_what_the_model_writes_is_read_back() -> None:
    made = RunRecord.model_validate(whole())
    assert RunRecord.parse(json.loads(json.dumps(made.to_json()))).model_dump() == made.model_dump()


def test_keys_of_later_versions_are_tolerated_and_kept() -> None:
    value = whole()
    value["later"] = {"a": 1}
    value["result"]["top5"] = 90.0
    value["stages"] = [{**stage, "energy_j": 3.0} for stage in value["stages"]]
    assert RunRecord.parse(value).to_json() == value


def test_later_versions_may_leave_out_what_this_one_may() -> None:
    value = whole()
    del value["predictions"], value["distilled"]["ipc"]
    parsed = RunRecord.parse(value)
    assert parsed.predictions is None
    assert parsed.distilled is not None
    assert parsed.distilled.ipc is None


@pytest.mark.parametrize("name", sorted(whole().keys() - {"predictions", "format"}))
def test_a_missing_key_is_named(name: str) -> None:
    value = whole()
    del value[name]
    with pytest.raises(CorruptError, match=rf"^here: not a valid record of a training: {name}: field required$"):
        RunRecord.parse(value, "here")


WRONG = {
    "a number as text": set_("result", "last")("50"),
    "no number": set_("result", "last")(None),
    "a truth value": set_("result", "evaluations")(True),
    "more than everything": set_("result", "best")(100.1),
    "less than nothing": set_("result", "last")(-0.1),
    "no finite number": set_("result", "last")(float("nan")),
    "infinite in a curve": set_("result", "curve")([[1, float("inf")]]),
    "a fraction of an epoch": set_("result", "curve")([[1.5, 50.0]]),
    "a point with three numbers": set_("result", "curve")([[1, 50.0, 2.0]]),
    "an unknown format": set_("format")(3),
    "format 1 by another name": set_("format")(1),
    "a key that is a path": set_("action_key")("../../etc/passwd"),
    "no stage": set_("stages")([]),
    "no version of torch": set_("environment", "versions")({"ddbench": "0.2.0"}),
    "an empty validation set": set_("validation", "size")(0),
    "a version that is none": set_("lineage", 0, "version")("2"),
    "a list for a mapping": set_("student")([1]),
}


@pytest.mark.parametrize("what", WRONG)
def test_a_wrong_value_is_one_line(what: str) -> None:
    value = whole()
    WRONG[what](value)
    with pytest.raises(CorruptError, match=r"^here: not a valid record of a training: ") as caught:
        RunRecord.parse(value, "here")
    assert "\n" not in str(caught.value)


def test_it_cannot_be_changed() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        RunRecord.parse(whole()).action_key = "b"  # type: ignore[misc]


def test_a_stored_result_that_is_no_record_is_damage(tmp_path: Path) -> None:
    store = Store.open(tmp_path)
    path = tmp_path / "results" / KEY[:2] / KEY / "f1.json"
    write_sealed(path, {**whole(), "result": "good"})
    with pytest.raises(CorruptError, match=rf"^{path}: not a valid record of a training: result: "):
        store.results(KEY)
    assert list(store.all_results()) == []


# format 1


@pytest.mark.parametrize("path", FROZEN, ids=lambda path: path.stem)
def test_a_record_of_format_1_is_read_and_kept(path: Path) -> None:
    value = frozen(path)
    before = copy.deepcopy(value)
    parsed = RunRecord.parse(value)
    assert parsed.format == 1
    assert parsed.to_json() == before
    result = before["result"]
    assert (parsed.result.last, parsed.result.best) == (result["last"], result["best"])
    assert [list(point) for point in parsed.result.curve] == result["curve"]
    assert parsed.settings is not None
    assert (parsed.settings.seed, parsed.settings.evaluation["numerics"]) == (before["training_seed"], "fast")
    assert parsed.distilled is not None
    assert (parsed.distilled.digest, parsed.distilled.size) == (before["distilled"], before.get("distilled_size"))
    assert (parsed.distilled.ipc, parsed.environment.gpu, parsed.predictions) == (None, None, None)
    assert parsed.environment.versions == before["environment"]["versions"]
    assert parsed.training.wall_s == before["stages"][-1]["wall_s"]


def test_the_frozen_records_are_of_every_shape() -> None:
    shapes = [frozen(path) for path in FROZEN]
    assert {"distilled_size" in value for value in shapes} == {True, False}
    assert any("resumed" in stage for value in shapes for stage in value["stages"])
    assert {value["soft_labels"] is None for value in shapes} == {True, False}
    assert {value["result"]["best"] is None for value in shapes} == {True, False}


def test_the_lineage_of_format_1_is_what_is_known() -> None:
    parsed = RunRecord.parse(frozen(FROZEN[0].with_name("with_size.json")))
    known = {(each.kind, each.name): each for each in parsed.lineage}
    kinds = {"dataset", "generator", "scorer", "selector", "evaluator", "student"}
    assert {kind for kind, _ in known} == kinds
    assert (known["generator", "dit-nano"].version, known["generator", "dit-nano"].params) == (2, None)
    student = known["student", "convnet3"]
    assert (student.version, student.params) == (None, {"norm": "instance"})
    assert student.code_hash is not None
    assert {each.package for each in parsed.lineage} == {None}


def test_soft_labels_of_format_1_have_their_temperature() -> None:
    soft = RunRecord.parse(frozen(FROZEN[0].with_name("stored.json"))).soft_labels
    assert soft is not None
    assert soft.tau == 1.5


# anything else


WHOLES = [short(whole()), *(short(frozen(path)) for path in FROZEN)]


@settings(deadline=None, max_examples=300)
@given(st.sampled_from(WHOLES).flatmap(mutated))
def test_a_mutated_record_is_read_or_refused(value: Any) -> None:
    complaint = ""
    try:
        parsed = RunRecord.parse(value)
    except StoreError as error:
        complaint = str(error)
    else:
        assert 0 <= parsed.result.last <= 100
        assert parsed.to_json() == value
    assert "\n" not in complaint
