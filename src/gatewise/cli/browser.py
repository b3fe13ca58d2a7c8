"""Opening a browser once a server answers."""

from __future__ import annotations

import subprocess
import sys

PATIENCE = 120.0
"""Seconds that a server may take to start."""


def later(page: str, wait: str | None) -> None:
    """Open `page` in the user's browser without waiting for it.

    Args:
        page: where.
        wait: address that must answer first; None if the server is there already.
    """
    command = [sys.executable, "-m", "gatewise.cli.browser", page, *([wait] if wait else [])]
    subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def main(page: str, wait: str | None = None) -> None:
    """Wait for the server, then open the page."""
    import time
    import urllib.request
    import webbrowser

    deadline = time.monotonic() + PATIENCE
    while wait is not None:
        try:
            urllib.request.urlopen(wait, timeout=5).close()  # noqa: S310  # of this machine
            break
        except OSError:
            if time.monotonic() > deadline:
                return
            time.sleep(0.3)
    webbrowser.open(page)


if __name__ == "__main__":
    main(*sys.argv[1:])
