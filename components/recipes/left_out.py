"""Steps of the build that leave files out: recipes, which only made shipped files, and tests."""

from __future__ import annotations

from setuptools.command.build_py import build_py
from setuptools.command.sdist import sdist


class BuildWithoutRecipes(build_py):  # type: ignore[misc]
    """The step of setuptools that copies Python modules and their data, without the package of this module."""

    packages: list[str]

    def run(self) -> None:
        """Copy everything but the recipes; a source archive has them."""
        self.packages = [name for name in self.packages if ".recipes" not in name]
        super().run()


class SourceWithoutTests(sdist):  # type: ignore[misc]
    """The step of setuptools that makes a source archive, without the tests."""

    def make_distribution(self) -> None:
        """Write the archive. Some tests would be in it otherwise, without the files that they need."""
        self.filelist.prune("tests")
        super().make_distribution()
