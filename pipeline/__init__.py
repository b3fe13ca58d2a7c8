"""One thin file per DVC stage: read the parameters, call the library, write the outputs."""

from __future__ import annotations

import errno
import sys
from collections.abc import Callable

from gatewise.errors import GatewiseError


def run(main: Callable[[list[str]], None]) -> None:
    """Run a stage's `main(arguments)`, turning mistakes that users can mend into one sentence."""
    try:
        main(sys.argv[1:])
    except GatewiseError as error:
        sys.exit(f"error: {error}")
    except KeyboardInterrupt:
        print(
            "interrupted; what was finished is kept, `dvc repro` goes on from there",
            file=sys.stderr,
        )
        sys.exit(130)
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        where = error.filename or "while writing"
        sys.exit(f"error: the disk is full ({where}); free some space and rerun")
