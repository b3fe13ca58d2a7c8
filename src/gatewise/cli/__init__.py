"""The command line: one module a group of commands."""

import sys
from pathlib import Path

from gatewise.errors import interrupt_quietly

# Before the commands are imported, which takes a second; only where this is the program.
if sys.argv[:1] and Path(sys.argv[0]).name == "gatewise":
    interrupt_quietly()
