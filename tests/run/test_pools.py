"""The prefix of a pool that a selector sees."""

from __future__ import annotations

import pytest

from ddbench.errors import ComponentError
from ddbench.run.pools import _prefix


def test_the_prefix_has_the_first_images_of_each_class() -> None:
    labels = [1, 0, 1, 0, 1]
    assert _prefix(labels, ("a", "b"), 1) == [1, 0]
    assert _prefix(labels, ("a", "b"), 2) == [1, 3, 0, 2]
    assert _prefix(labels, ("a", "b"), None) == [1, 3, 0, 2, 4]


def test_a_pool_that_is_smaller_than_asked_for_is_refused() -> None:
    with pytest.raises(ComponentError, match="the pool needs 3 images per class, but class 'a' has 2; lower `pool`"):
        _prefix([1, 0, 1, 0, 1], ("a", "b"), 3)
