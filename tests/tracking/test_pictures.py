import xml.etree.ElementTree as ET

from gatewise.tracking import pictures

NAMESPACE = "{http://www.w3.org/2000/svg}"


def test_every_finite_point_of_a_curve_is_drawn():
    line = [(1, 2.0), (2, 1.0), (3, float("nan")), (4, 0.5)]
    root = ET.fromstring(pictures.curves({"loss": {"training": line}, "none": {}}))
    (polyline,) = root.iter(f"{NAMESPACE}polyline")
    heights = [float(point.split(",")[1]) for point in polyline.get("points").split()]
    assert len(heights) == 3
    assert heights == sorted(heights), "a falling loss falls on the page"


def test_the_confusion_matrix_names_counts_and_escapes():
    svg = pictures.confusion([[3, 1], [0, 4]], ["<yes>", "no"])
    titles = [element.text for element in ET.fromstring(svg).iter(f"{NAMESPACE}title")]
    assert titles == ["<yes> as <yes>: 3", "<yes> as no: 1", "no as <yes>: 0", "no as no: 4"]


def test_scores_show_each_seed():
    svg = pictures.scores(
        "accuracy", {"gru": ([0.5, 0.6], 0.55, (0.5, 0.6)), "rnn": ([0.5], 0.5, None)}
    )
    assert len(list(ET.fromstring(svg).iter(f"{NAMESPACE}circle"))) == 3
