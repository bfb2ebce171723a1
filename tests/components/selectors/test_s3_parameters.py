"""The parameters of S³: what its profiles set, and what the selector needs with each."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from s3_reference import random_problem, selector

from ddbench import ComponentError


def params_of(**params: Any) -> dict[str, Any]:
    return selector(**params).params.keyed()


def test_profiles_set_defaults_and_are_shown() -> None:
    default = params_of()
    weights = {"alpha": 0.4, "beta": 0.9, "norm": "sum", "sep": "selected", "subgroups": 5, "eps": 1e-6}
    search = {"real_max": 200, "init": "nearest", "max_sweeps": 5, "restarts": 0}
    assert default == default | weights | search | {"profile": "default", "grouping": "partition"}
    assert params_of(profile="released") == default | {"profile": "released", "eps": 0.0}
    assert params_of(profile="paper") == default | {"profile": "paper", "norm": "mean", "init": "random"}
    assert params_of(profile="paper", norm="sum", alpha=1) == params_of(profile="paper") | {"norm": "sum", "alpha": 1.0}
    rng = np.random.default_rng(18)
    problem = random_problem(rng, classes=2)
    assert problem.select(profile="paper").info["profile"] == "paper"
    with pytest.raises(ComponentError, match="parameter 'profile' is 'script'"):
        selector(profile="script")
    with pytest.raises(ComponentError, match="parameter 'eps' is 0, which only the profile 'released' has"):
        selector(eps=0)


def test_what_it_declares() -> None:
    assert selector(teacher="judge").needs == selector(teacher="judge").needs_real == ("judge.embedding",)
    assert selector(real=False).needs_real == ()
    assert selector().default_pool == "5x"
    assert selector().seeded
    assert selector(grouping="given").seeded
    assert not selector(grouping="given", real=False).seeded
    assert selector(grouping="given", real=False, restarts=1).seeded
    assert selector(grouping="given", real=False, init="random").seeded
    with pytest.raises(ComponentError, match="parameter 'subgroups' is 21"):
        selector(subgroups=21)
