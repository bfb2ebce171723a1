"""The build leaves this package out of wheels: recipes made the shipped files, and nothing runs them again."""

from __future__ import annotations

from setuptools.command.build_py import build_py


class BuildWithoutRecipes(build_py):  # type: ignore[misc]
    """The step of setuptools that copies Python modules and their data, without the package of this module."""

    packages: list[str]

    def run(self) -> None:
        """Copy everything but the recipes; a source archive has them."""
        self.packages = [name for name in self.packages if ".recipes" not in name]
        super().run()
