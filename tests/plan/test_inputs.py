"""Inputs keep their structure, whatever names an output, and on their way through JSON."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from ddbench.api import canonical_json
from ddbench.plan import STAGES, Inputs, Shard
from ddbench.run.stages import RUN

KEYS = st.text("abc", min_size=1, max_size=3)
SHARDS = st.lists(
    st.builds(Shard, st.integers(0, 20), st.integers(0, 3), KEYS),
    max_size=3,
    unique_by=lambda shard: (shard.first_class, shard.block),
).map(tuple)
BY_ROLE = st.dictionaries(KEYS, SHARDS.filter(bool), max_size=2)
SINGLE = st.none() | KEYS
INPUTS = st.builds(
    Inputs,
    dataset=SINGLE,
    selection=SINGLE,
    distilled=SINGLE,
    soft=SINGLE,
    shard=SINGLE,
    neighbours=SINGLE,
    samples=SHARDS,
    scores=BY_ROLE,
    real=BY_ROLE,
    validation=BY_ROLE,
    fitted=st.dictionaries(KEYS, KEYS, max_size=2),
)


@given(INPUTS)
def test_json_gives_the_inputs_back(inputs: Inputs[str]) -> None:
    assert Inputs.from_json(json.loads(canonical_json(inputs.to_json()))) == inputs


@given(INPUTS)
def test_a_map_changes_every_output_in_its_place(inputs: Inputs[str]) -> None:
    longer = inputs.map(lambda key: f"<{key}>")
    assert list(longer.values()) == [f"<{key}>" for key in inputs.values()]
    assert [name for name, _ in longer.named()] == [name for name, _ in inputs.named()]
    assert longer.map(lambda key: key[1:-1]) == inputs


@given(INPUTS)
def test_values_are_all_that_json_names(inputs: Inputs[str]) -> None:
    def leaves(value: object) -> list[str]:
        if isinstance(value, dict):
            return [
                leaf for name, part in value.items() if name not in ("first_class", "block") for leaf in leaves(part)
            ]
        return [leaf for part in value for leaf in leaves(part)] if isinstance(value, list) else [str(value)]

    assert sorted(leaves(inputs.to_json())) == sorted(inputs.values())


def test_what_is_absent_does_not_appear() -> None:
    assert Inputs().to_json() == {}
    assert Inputs(dataset="a", scores={}).to_json() == {"dataset": "a"}


def test_a_shard_has_the_name_that_selections_store() -> None:
    inputs = Inputs(samples=(Shard(0, 0, "a"), Shard(10, 2, "b")), real={"clip": (Shard(0, 0, "c"),)})
    assert inputs.samples_by_name == {"samples/0/0": "a", "samples/10/2": "b"}
    assert dict(inputs.named())["real/clip/0/0"] == "c"


def test_every_stage_that_makes_an_artifact_has_a_function() -> None:
    assert RUN.keys() == {name for name, stage in STAGES.items() if not stage.makes_result}
    assert [stage.order for stage in STAGES.values()] == list(range(len(STAGES)))
