"""`gatewise use`: studies side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from gatewise.errors import GatewiseError

if TYPE_CHECKING:
    from gatewise.repro.studies.kept import Kept

app = typer.Typer()


@app.command("use")
def use(
    name: Annotated[str | None, typer.Argument(help="Study to bring back.")] = None,
    keep_as: Annotated[
        str | None,
        typer.Option("--as", help="Name to keep the present study under.", metavar="NAME"),
    ] = None,
) -> None:
    """Bring back a study that was put away, or list them all."""
    from gatewise.repro.studies import kept

    if name is None:
        if keep_as is not None:
            raise GatewiseError("--as keeps the present study when another comes; name that one")
        _list(kept.listing())
        return
    left = kept.use(name, keep_as)
    if left is None:
        print(f"{name} is the present study")
        return
    print(f"{name} is back; the study that was here is kept as {left}")
    _restore()


def _list(studies: list[Kept]) -> None:
    if not studies:
        print("no study is kept; `gatewise new PATH` puts the present one away and begins another")
    for study in studies:
        mark = "*" if study.present else " "
        print(f"{mark} {study.name}: {', '.join(study.tasks) or 'unreadable params.yaml'}")


def _restore() -> None:
    """Bring what the study computed back from DVC's cache, as far as it is there."""
    from gatewise.repro import dvc

    try:
        dvc.call("checkout", "--force", "--allow-missing", quiet=True)
    except GatewiseError as error:
        print(f"its results are not all in DVC's cache ({error}); `gatewise repro` makes them")
        return
    print("`gatewise show` prints its results, `gatewise repro` completes them")
