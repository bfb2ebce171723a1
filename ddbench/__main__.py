"""``python -m ddbench`` and the console script ``ddbench``."""

from __future__ import annotations

import sys

from ddbench.cli import app
from ddbench.cli.output import fail
from ddbench.errors import DdbenchError


def main() -> None:
    """Run the command line. A mistake of the user's is one line and exit code 2; a mistake of ours is a traceback.

    A large library that is not installed is a mistake of the user's too.
    """
    try:
        app()
    except DdbenchError as error:
        fail(error)
        sys.exit(2)
    except ModuleNotFoundError as error:
        from ddbench.registry.libraries import absent_libraries, remedy

        library = (error.name or "").partition(".")[0]
        if library not in absent_libraries():
            raise
        fail(DdbenchError(f"this needs {library}, which is not installed", hint=remedy([library])))
        sys.exit(2)


if __name__ == "__main__":
    main()
