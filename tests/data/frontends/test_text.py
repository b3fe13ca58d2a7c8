import pytest

from gatewise.data.frontends import text


@pytest.mark.parametrize("written", ["\ufeffhello there\n", "  hello there", "hello\ufeff there"])
def test_marks_and_space_around_a_text_are_none_of_it(written: str) -> None:
    assert text.clean(written) == "hello there"


@pytest.mark.parametrize(
    ("written", "why"),
    [("", "empty text"), (" \n\ufeff", "empty text"), ("x" * 1_000_001, "longer than"), ("x", "")],
)
def test_what_can_be_neither_trained_on_nor_asked(written: str, why: str) -> None:
    assert (text.problem(written) or "").startswith(why)
    assert bool(text.problem(written)) == bool(why)
