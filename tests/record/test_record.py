"""The record of a training: what is read is what was written, and nothing else is read."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from ddbench.errors import StoreError
from ddbench.record import RunRecord
from ddbench.store import CorruptError, Manifest, Store
from ddbench.toolkit.files import read_sealed, write_sealed
from tests.plan.plans import Values
from tests.plan.pretend import record

FROZEN = sorted((Path(__file__).parent / "format1").glob("*.json"))
KEY = "a" * 64
LINEAGE = {
    "kind": "selector",
    "name": "k-center",
    "version": 2,
    "params": {"metric": "l2"},
    "code_hash": "c" * 64,
    "package": "ddbench",
    "package_version": "0.2.0",
    "commit": "f" * 40,
    "dirty": False,
}


def whole() -> dict[str, Any]:
    """Return a record in which every optional part is present."""
    use = {"kind": "scorer", "name": "colour", "params": {"seconds": 0.5}}
    made = {
        **record(KEY, 50.0, lineage=[LINEAGE]),
        "evaluator": {**use, "kind": "evaluator"},
        "student": {**use, "kind": "student"},
        "dataset": {**use, "kind": "dataset"},
        "teacher": use,
        "soft_labels": {"digest": "e" * 64, "tau": 1.5},
        "predictions": {"file": "predictions.safetensors", "sha256": "0" * 64},
        "created": "2026-11-28T22:40:00+00:00",
    }
    return copy.deepcopy(made)


def frozen(path: Path) -> dict[str, Any]:
    """Return the record in a file of format 1: an export of ddbench 0.1, or a result in its store."""
    value = read_sealed(path)
    assert value is not None
    found: dict[str, Any] = value.get("record", value)
    return found


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


def put(*path: str | int) -> Callable[[Any], Callable[[Values], None]]:
    def to(new: Any) -> Callable[[Values], None]:
        def edit(values: Values) -> None:
            place: Any = values
            for part in path[:-1]:
                place = place[part]
            place[path[-1]] = new

        return edit

    return to


WRONG = {
    "a number as text": put("result", "last")("50"),
    "no number": put("result", "last")(None),
    "a truth value": put("result", "evaluations")(True),
    "more than everything": put("result", "best")(100.1),
    "less than nothing": put("result", "last")(-0.1),
    "no finite number": put("result", "last")(float("nan")),
    "infinite in a curve": put("result", "curve")([[1, float("inf")]]),
    "a fraction of an epoch": put("result", "curve")([[1.5, 50.0]]),
    "a point with three numbers": put("result", "curve")([[1, 50.0, 2.0]]),
    "an unknown format": put("format")(3),
    "format 1 by another name": put("format")(1),
    "a key that is a path": put("action_key")("../../etc/passwd"),
    "no stage": put("stages")([]),
    "no version of torch": put("environment", "versions")({"ddbench": "0.2.0"}),
    "an empty validation set": put("validation", "size")(0),
    "a version that is none": put("lineage", 0, "version")("2"),
    "a list for a mapping": put("student")([1]),
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

JUNK = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=5),
    st.just([]),
    st.just({}),
    st.just([[]]),
    st.just({"a": {}}),
)


def places(value: Any, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """Every place in a JSON value but the whole."""
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [found for name, part in inside for found in [(*path, name), *places(part, (*path, name))]]


@st.composite
def mutated(draw: st.DrawFn, whole: dict[str, Any]) -> Any:
    """Return a JSON value with a few parts removed or replaced."""
    value = copy.deepcopy(whole)
    for _ in range(draw(st.integers(1, 3))):
        path = draw(st.sampled_from(places(value) or [()]))
        if not path:
            return copy.deepcopy(draw(JUNK))
        place: Any = value
        for part in path[:-1]:
            place = place[part]
        if draw(st.booleans()):
            place[path[-1]] = copy.deepcopy(draw(JUNK))
        else:
            del place[path[-1]]
    return value


def short(value: dict[str, Any]) -> dict[str, Any]:
    """Return a record with short lists, so that each of its keys is as likely to be hit."""
    made = {**value, "stages": [value["stages"][0], value["stages"][-1]]}
    made["result"] = {**value["result"], "curve": value["result"]["curve"][:2], "details": {}}
    return made


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


MANIFEST = {
    "format": 2,
    "action_key": KEY,
    "recipe_key": "b" * 64,
    "stage": "select",
    "recipe": {"uses": {"selector": {"name": "k-center", "version": 2, "params": {}}}, "settings": {}, "inputs": {}},
    "inputs": {"samples": "c" * 64},
    "digest": "d" * 64,
    "files": {"content.json": ["e" * 64, 12]},
    "provenance": {"selector": LINEAGE},
    "info": {"usage": {"wall_s": 1.0}},
}
OLD_MANIFEST = {
    **{name: value for name, value in MANIFEST.items() if name not in ("format", "provenance")},
    "sources": {"selector": "c" * 64},
}


@settings(deadline=None, max_examples=200)
@given(st.sampled_from([MANIFEST, OLD_MANIFEST]).flatmap(mutated))
def test_a_mutated_manifest_is_read_or_refused(value: Any) -> None:
    complaint = ""
    try:
        assert Manifest.parse(value).size >= 0
    except StoreError as error:
        complaint = str(error)
    assert "\n" not in complaint


def test_manifests_of_both_formats_are_read() -> None:
    new, old = Manifest.parse({**MANIFEST, "later": 1}), Manifest.parse(OLD_MANIFEST)
    assert new.to_json() == MANIFEST
    assert (new.format, old.format) == (2, 1)
    assert new.provenance["selector"].code_hash == old.provenance["selector"].code_hash == "c" * 64
    assert new.files == old.files == {"content.json": ("e" * 64, 12)}
    assert old.provenance["selector"].version == 2
