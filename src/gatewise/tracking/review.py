"""Links to where a study is reviewed: printed, for a pull request, and beside its report.

The report is a stage's output and knows no store. Where the store is a server, the mirror leaves
`reports/review.html`, a page of links, and the report shows what is on it if it is there.
"""

from __future__ import annotations

import html
from collections.abc import Iterable, Mapping
from pathlib import Path

from gatewise.config import TrackingConfig
from gatewise.files import replacing
from gatewise.report import page
from gatewise.tracking import links, pages, study
from gatewise.tracking.connection import address, explained
from gatewise.tracking.store import Store

_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>gatewise: this study in MLflow</title>
</head>
<body>
<h1>This study in MLflow</h1>
<ul>
{items}
</ul>
<script>if (parent !== window) parent.postMessage({{gatewise: {known}}}, "*");</script>
</body>
</html>
"""


def addresses(store: Store, base: str) -> dict[str, str]:
    """Address of the first view of each mirrored experiment by the task's name, the study first.

    Args:
        store: whose.
        base: where its pages are (`links.base`).
    """
    prefix = store.prefix
    with explained(store.uri):
        found = [
            experiment
            for experiment in store.client.search_experiments(order_by=["name ASC"])
            if experiment.name.startswith(prefix) and "gatewise.kind" in experiment.tags
        ]
    found.sort(key=lambda experiment: experiment.tags["gatewise.kind"] != "study")
    first = pages.first()
    return {
        experiment.name.removeprefix(prefix): f"{base}/"
        + links.experiment(
            experiment.experiment_id, first if first.tag in experiment.tags else None
        )
        for experiment in found
    }


def markdown(config: TrackingConfig) -> list[str]:
    """Where a server shows the study, for a pull request; nothing for a store on one machine."""
    if not links.is_server(address(config)):
        return []
    store = Store(config, create=False)
    found = addresses(store, links.base(store.uri))
    return ["review: " + ", ".join(f"[{name}]({link})" for name, link in found.items())]


def write_page(store: Store, tasks: Iterable[str], reports: str | Path) -> None:
    """Leave the page of links beside the report; for a store on one machine, none.

    Args:
        store: whose pages.
        tasks: of the study; a team's server may hold more.
        reports: the report's folder.
    """
    path = Path(reports) / page.REVIEW
    if not links.is_server(store.uri):
        path.unlink(missing_ok=True)
        return
    wanted = {study.NAME, *tasks}
    known = addresses(store, links.base(store.uri))
    found = {name: link for name, link in known.items() if name in wanted}
    with replacing(path) as temporary:
        temporary.write_text(render(found), encoding="utf-8")


def render(found: Mapping[str, str]) -> str:
    """The page of links, which also tells them to the report that holds it out of sight.

    Args:
        found: addresses by name.
    """
    items = "\n".join(
        f'<li><a href="{html.escape(link)}">{html.escape(name)}</a></li>'
        for name, link in found.items()
    )
    return _PAGE.format(items=items, known=page.embeddable(dict(found)))
