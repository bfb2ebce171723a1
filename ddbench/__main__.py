"""``python -m ddbench`` and the console script ``ddbench``."""

from __future__ import annotations

import sys
from io import TextIOWrapper

from ddbench.cli import app
from ddbench.cli.output import fail, fail_as_json
from ddbench.errors import DdbenchError


def main() -> None:
    """Run the command line.

    Print an error that a user can cause as one line, or as JSON with ``--json``, and exit with code 2. Treat an
    optional library that is not installed as such an error, and an exception in the code of a plug-in. Any other
    exception is a bug and shows its traceback.
    """
    for stream in (sys.stdout, sys.stderr):  # a terminal of another encoding shows the rest of the text
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")
    tell = fail_as_json if "--json" in sys.argv else fail
    try:
        app()
    except DdbenchError as error:
        tell(error)
        sys.exit(2)
    except ModuleNotFoundError as error:
        from ddbench.registry.libraries import absent_libraries, remedy

        library = (error.name or "").partition(".")[0]
        if library not in absent_libraries():
            raise
        tell(DdbenchError(f"this command needs {library}, which is not installed", hint=remedy([library])))
        sys.exit(2)
    except Exception as error:
        from ddbench.registry.plugins import blamed

        line = blamed(error)
        if line is None:
            raise
        tell(DdbenchError(line))
        sys.exit(2)


if __name__ == "__main__":
    main()
