import base64
import json
import zlib

import pytest

from gatewise.config.metrics import METRICS
from gatewise.tracking import task_views, views
from gatewise.tracking.task_views import Shown


def unpacked(value):
    envelope = json.loads(value)
    kind, _, packed = envelope["state"].partition(";")
    assert kind == "deflate"
    return envelope, json.loads(zlib.decompress(base64.b64decode(packed)))


def by_name(**shown):
    made = task_views.of_task(Shown(METRICS["accuracy"], **shown))
    return {view.name: view for view in made}


def test_a_tag_is_the_envelope_that_mlflow_reads():
    view = by_name(timed=True)["2 Variants"]
    assert view.tag == "mlflow.sharedViewState.gatewise-2-variants"
    envelope, state = unpacked(view.value(1234))
    assert envelope["name"] == "2 Variants"
    assert (envelope["createdAt"], envelope["updatedAt"]) == (1234, 1234)
    assert state["searchFilter"].startswith("tags.\"gatewise.kind\" = 'variant'")
    assert state["orderByKey"] == "metrics.`test/accuracy_mean`"
    assert state["orderByAsc"] is False
    assert "params.`macs_per_step`" in state["selectedColumns"]
    # Charts without a section, or of an unknown one, are not drawn.
    sections = {section["uuid"] for section in state["compareRunSections"]}
    assert {chart["metricSectionId"] for chart in state["compareRunCharts"]} == sections
    assert len({chart["uuid"] for chart in state["compareRunCharts"]}) == len(view.charts)


def test_what_a_shared_view_never_carries_is_left_out():
    for view in by_name().values():
        assert not {"runsPinned", "runsHidden", "runsExpanded"} & view.state().keys()


def test_best_first_also_where_lower_is_better():
    (variants,) = (
        view for view in task_views.of_task(Shown(METRICS["log_loss"])) if view.name == "2 Variants"
    )
    assert variants.state()["orderByAsc"] is True
    assert variants.order_by == "metrics.`test/log_loss_mean`"


def test_views_come_in_reading_order_and_only_with_something_to_show():
    assert list(by_name()) == ["1 Answer", "2 Variants", "3 Seeds", "4 Curves", "5 Cost"]
    more = by_name(tuned=("train.learning_rate", "train.batch_size"), champion="abc")
    assert list(more)[5:] == ["6 Trials", "7 Champion"]
    kinds = [chart["type"] for chart in more["6 Trials"].charts]
    assert kinds == ["PARALLEL", "CONTOUR", "SCATTER", "SCATTER"]
    assert more["7 Champion"].filter == "attributes.run_id = 'abc'"
    assert "metrics.`test/accuracy_shortfall`" not in by_name()["1 Answer"].columns
    assert "metrics.`test/accuracy_shortfall`" in by_name(shortfalls=True)["1 Answer"].columns


def test_seeds_and_curves_are_grouped_by_variant():
    for name in ("3 Seeds", "4 Curves"):
        group = by_name()[name].state()["groupBy"]
        assert group["groupByKeys"] == [{"mode": "tag", "groupByData": "gatewise.variant"}]
        assert group["aggregateFunction"] == "average"


def test_axes_of_a_scatter_may_be_parameters():
    chart = views.scatter(views.param("parameters"), views.metric("test/accuracy_mean"))
    assert chart["xaxis"] == {"type": "PARAM", "key": "parameters"}
    assert chart["yaxis"] == {"type": "METRIC", "key": "test/accuracy_mean"}


def test_every_tag_fits():
    shown = Shown(METRICS["balanced_accuracy"], True, True, tuple("abcdef"), "r" * 32)
    for view in task_views.of_task(shown):
        assert len(view.value(0)) < views.LONGEST_TAG


@pytest.mark.parametrize("version", ["3.15.0", "3.17.2", "3.99"])
def test_versions_that_read_views(version):
    assert views.unsupported(version) is None


@pytest.mark.parametrize("version", ["3.14.1", "2.22", "4.0.0", ""])
def test_other_versions_get_none_and_one_sentence(version):
    reason = views.unsupported(version)
    assert "no saved views were written" in reason
    assert "3.15" in reason
    assert "\n" not in reason
