"""Links to MLflow's pages, for a pull request and beside the report."""

import json
import re
from types import SimpleNamespace

import pytest

from gatewise.report import page
from gatewise.tracking import links, review
from gatewise.tracking.mirror import mirror
from gatewise.tracking.store import Store

from .test_pages import write_comparison

SERVER = "https://ada:secret@mlflow.example/base/"


@pytest.fixture
def server(config, folders, tmp_path):
    """The mirrored store, seen as a team's server that holds another project's task as well."""
    write_comparison(tmp_path)
    mirror(config, folders)
    store = Store(config)
    other = store.client.create_experiment("gatewise/theirs")
    store.client.set_experiment_tag(other, "gatewise.kind", "task")
    return SimpleNamespace(uri=SERVER, client=store.client, prefix=store.prefix)


def posted(text):
    """What the page of links tells the report."""
    return json.loads(re.search(r"postMessage\(\{gatewise: (.*?)\}, ", text)[1])


def test_links_carry_no_password():
    assert links.base(SERVER) == "https://mlflow.example/base"
    assert links.base("http://127.0.0.1:5000/") == "http://127.0.0.1:5000"
    assert links.base("sqlite:///mlflow.db", "h", 1) == "http://h:1"


def test_a_page_of_this_studys_links_lies_beside_the_report(server, tmp_path):
    review.write_page(server, ["digits"], tmp_path / "reports")
    text = (tmp_path / "reports" / page.REVIEW).read_text()
    known = posted(text)
    assert list(known) == ["whole_study", "digits"]
    assert known["digits"].startswith("https://mlflow.example/base/#/experiments/")
    assert "viewStateShareKey=gatewise-1-answer" in known["digits"]
    assert text.count("<li><a href=") == 2
    assert "secret" not in text


def test_a_store_on_one_machine_leaves_none(config, folders, tmp_path):
    write_comparison(tmp_path)
    left = tmp_path / "reports" / page.REVIEW
    left.write_text("of a server that this study was tracked on before")
    mirror(config, folders)
    assert not left.exists()


def test_a_pull_request_gets_the_same_links(server, config, monkeypatch):
    monkeypatch.setattr(review, "Store", lambda _config, create: server)
    assert review.markdown(config) == []
    (line,) = review.markdown(config.model_copy(update={"uri": SERVER}))
    assert line.startswith("review: [whole_study](https://mlflow.example/base/#/experiments/")
    assert "[digits](https://mlflow.example/base/#/" in line
