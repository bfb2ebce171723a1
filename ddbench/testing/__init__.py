"""Conformance checks for components, and small specimens to run them on. Plug-in authors can use both.

>>> from ddbench.testing import check_component
>>> def test_my_selector(tmp_path):
...     check_component(MySelector, tmp_path)
"""

from ddbench.testing.checks import Finding
from ddbench.testing.conformance import check_behaviour, check_component, check_declaration, findings, heavy_imports
from ddbench.testing.specimens import Specimen, specimen_pool

__all__ = [
    "Finding",
    "Specimen",
    "check_behaviour",
    "check_component",
    "check_declaration",
    "findings",
    "heavy_imports",
    "specimen_pool",
]
