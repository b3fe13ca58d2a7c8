from gatewise.tracking import notes
from gatewise.tracking.notes import Place

OWN = Place("7", "own")


def test_links_are_filled_with_what_the_store_holds():
    template = (
        f"{notes.link('lstm', 'key-1')}, {notes.link('gone', 'key-2')}, "
        f"{notes.view_link('seeds', 'gatewise-3-seeds')}, {notes.file_link('worst', 'w.json')} "
        "![x]({artifacts}x.svg)"
    )
    text = notes.filled(template, OWN, {"key-1": Place("7", "other")})
    kind = "workflowType=machine_learning"
    assert text == (
        f"[lstm](#/experiments/7/runs/other?{kind}), gone, "
        f"[seeds](#/experiments/7/runs?{kind}&viewStateShareKey=gatewise-3-seeds), "
        f"[worst](#/experiments/7/runs/own/artifacts/w.json?{kind}) "
        "![x](get-artifact?run_uuid=own&path=x.svg)"
    )


def test_a_long_description_is_cut_to_what_mlflow_keeps():
    assert len(notes.filled("x" * 9000, OWN, {})) == notes.LENGTH
