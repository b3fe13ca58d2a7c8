"""Addresses of MLflow's pages.

Every one names the kind of work: a browser that has never seen MLflow shows its pages for GenAI
otherwise, on which there is nothing of ours.
"""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import urlencode, urlsplit, urlunsplit

from gatewise.tracking.views import View

KIND = {"workflowType": "machine_learning"}


def is_server(uri: str) -> bool:
    """Whether a store is a server, which shows its own pages."""
    return uri.startswith(("http://", "https://"))


def base(uri: str, host: str = "127.0.0.1", port: int = 5000) -> str:
    """Where the pages of a store are: at the server, or where `gatewise ui` shows a local one.

    Without the user and password that an address may carry: links are passed on.
    """
    if not is_server(uri):
        return f"http://{host}:{port}"
    parts = urlsplit(uri)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2])).rstrip("/")


def experiment(number: str, view: View | None = None) -> str:
    """Path of an experiment's runs, as a view shows them."""
    query = dict(KIND)
    if view is not None:
        query = {"viewStateShareKey": view.key, **query}
        if view.mode != "TABLE":
            query["compareRunsMode"] = view.mode
    return f"#/experiments/{number}/runs?{urlencode(query)}"


def run(number: str, run_id: str) -> str:
    """Path of a run's page."""
    return f"#/experiments/{number}/runs/{run_id}?{urlencode(KIND)}"


def artifact(number: str, run_id: str, path: str) -> str:
    """Path of a file of a run, shown in place."""
    return f"#/experiments/{number}/runs/{run_id}/artifacts/{path}?{urlencode(KIND)}"


def model(name: str, version: str | None = None) -> str:
    """Path of a registered model, or of one of its versions."""
    return f"#/models/{name}" + (f"/versions/{version}" if version else "") + f"?{urlencode(KIND)}"


def markdown(number: str, views: Iterable[View]) -> str:
    """Links to an experiment's views, for its description."""
    return " · ".join(f"[{view.name}]({experiment(number, view)})" for view in views)
