import pytest

from gatewise.errors import GatewiseError
from gatewise.repro import dvc, plots


@pytest.fixture
def project(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    dvc.call("init", "--no-scm", "--quiet", quiet=True)
    (tmp_path / "scores.csv").write_text("epoch,score\n1,0.5\n2,0.7\n")
    return tmp_path


def test_dvc_plots_needs_no_network(project):
    assert plots.settle() == plots.TEMPLATE
    dvc.call("plots", "show", "scores.csv", quiet=True)
    page = (project / "dvc_plots/index.html").read_text()
    assert "vegaEmbed('#" in page
    assert 'src="http' not in page
    assert "window.vegaEmbed" in page


@pytest.mark.slow
def test_a_page_that_somebody_chose_stays(project):
    dvc.call("config", plots.KEY, "own.html", quiet=True)
    (project / ".dvc/own.html").write_text("<p>{plot_divs}")
    assert plots.settle() == project / ".dvc/own.html"
    dvc.call("plots", "show", "scores.csv", quiet=True)
    assert (project / "dvc_plots/index.html").read_text().startswith("<p>")


def test_elsewhere_it_says_where_to_go(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(GatewiseError, match="run this where"):
        plots.settle()
