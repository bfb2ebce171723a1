"""``python -m ddbench`` and the console script ``ddbench``."""

from __future__ import annotations

import sys

from ddbench.cli import app
from ddbench.cli.output import fail
from ddbench.errors import DdbenchError


def main() -> None:
    """Run the command line. A mistake of the user's is one line and exit code 2; a mistake of ours is a traceback."""
    try:
        app()
    except DdbenchError as error:
        fail(error)
        sys.exit(2)


if __name__ == "__main__":
    main()
