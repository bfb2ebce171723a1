"""Write ``public_api.txt`` anew, after a change that is meant: ``python -m tests.api.renew_public_api``."""

from __future__ import annotations

from tests.api.public_api import FILE, listing

if __name__ == "__main__":
    FILE.write_text(listing(), encoding="utf-8")
