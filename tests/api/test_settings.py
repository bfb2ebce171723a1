"""Settings of evaluation: what keys hold of them, and what a wrong one meets."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from ddbench import Context, EvaluationSettings
from ddbench.suite.model import SuiteModel


def test_a_key_holds_what_differs_from_the_defaults() -> None:
    """A setting that is added later, and left at its default, changes no key."""
    assert EvaluationSettings().keyed() == {}
    assert EvaluationSettings(numerics="reference").keyed() == {"numerics": "reference"}


@pytest.mark.parametrize("numerics", ["fast", "reference"])
def test_a_key_gives_the_settings_back(numerics: str) -> None:
    settings = EvaluationSettings.model_validate({"numerics": numerics, "evaluate": "papers"})
    assert EvaluationSettings.model_validate(settings.keyed()) == settings


def test_an_unknown_setting_is_refused() -> None:
    with pytest.raises(ValidationError, match="cadence"):
        EvaluationSettings.model_validate({"cadence": "last"})


def test_every_setting_is_a_key_of_a_suite_with_a_description() -> None:
    for name, field in EvaluationSettings.model_fields.items():
        assert SuiteModel.model_fields[name].annotation == field.annotation
        assert field.description


def test_work_that_is_no_evaluation_is_computed_in_plain_float32() -> None:
    assert Context().evaluation == EvaluationSettings(numerics="reference", evaluate="last")
