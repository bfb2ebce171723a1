"""Selectors whose parameters were renamed spell their keys of format 1 as ddbench 0.1 did."""

from __future__ import annotations

from typing import Any

import pytest

import ddbench

SAS = {"p": 0.5, "order": "margin", "keep": "earliest", "relevance": True, "separation": True, "diversity": True}
MIXED = {"weight": 0.1, "normalize": "z-score"}
POOL_SELECT = {"teacher": "teacher", "alpha": None, "beta": None, "gamma": None, "temperature": 1.5}
S3 = {"profile": "default", "alpha": 0.4, "beta": 0.9, "norm": "sum", "sep": "selected", "grouping": "partition"}
S3 |= {"subgroups": 5, "eps": 1e-6, "real": True, "real_max": 200, "init": "nearest", "max_sweeps": 5, "restarts": 0}


@pytest.mark.parametrize(
    ("name", "params", "keyed"),
    [
        ("sas", {}, {"image": "clip.image", "text": "clip.text", **SAS}),
        ("sas", {"teacher": "t", "prototypes": "mean"}, {"image": "t.embedding", "text": "t.mean", **SAS}),
        ("mixed-score", {}, {"image": "clip.image", "text": "clip.text", **MIXED}),
        ("pool-select", {}, {**POOL_SELECT, "normalize": "min-max", "columns": "classes"}),
        ("s3", {"teacher": "psr"}, {"field": "psr.embedding", **S3}),
    ],
)
def test_keys_of_format_1(name: str, params: dict[str, Any], keyed: dict[str, Any]) -> None:
    assert ddbench.create("selector", name, **params).params.keyed_in_format_1() == keyed
