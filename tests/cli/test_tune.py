import pytest
from typer.testing import CliRunner

from gatewise.artifacts.tuned import Tuned
from gatewise.cli import tune as command
from gatewise.errors import GatewiseError
from tests.evidence.tunings import choice, of_scores, trial, tuned


@pytest.fixture
def show(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def run(*several, arguments=("--show", "toy")):
        for one in several:
            one.write(tmp_path / "data" / "tuned" / one.task / f"{one.variant}.json")
        result = CliRunner().invoke(command.app, list(arguments), env={"COLUMNS": "160"})
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result.output

    return run


def lines(output, word):
    return [line for line in output.splitlines() if word in line]


def test_every_trial_is_a_row_and_the_chosen_one_is_marked(show):
    bad = trial(2, None, "diverged").model_copy(update={"note": "the loss is not finite"})
    made = choice([trial(0, [0.5, 0.6]), trial(1, [0.7, 0.9]), bad], ("learning_rate",))
    output = show(tuned("gru", made), of_scores("lstm", 0.5, 0.4))
    (chosen,) = lines(output, "at the edge in learning_rate")
    assert "0.002" in chosen
    assert "80.0 %" in chosen
    assert "70.0 90.0" in chosen
    assert "the loss is not finite" in output
    assert lines(output, "declared")[1].split()[-1] == "chosen", "lstm keeps its own settings"
    assert "chance of another choice: 25.0 %" in output


def test_one_variant_alone(show):
    several = of_scores("gru", 0.5, 0.6), of_scores("lstm", 0.5, 0.4)
    output = show(*several, arguments=("--show", "toy", "--variant", "lstm"))
    assert "toy/lstm" in output
    assert "toy/gru" not in output


def test_choices_of_seeds_have_a_table_each(show):
    made = {seed: choice([trial(0, 0.5), trial(1, 0.6 + seed / 10)]) for seed in (0, 1)}
    output = show(tuned("gru", made))
    assert "toy/gru, seed 0" in output
    assert "toy/gru, seed 1" in output


def test_where_nothing_was_tuned_it_says_so(show):
    assert "nothing was tried" in show(Tuned(task="toy", variant="gru", metric="accuracy"))


def test_kept_settings_are_named(show):
    bare = Tuned(task="toy", variant="gru", metric="accuracy", kept={"learning_rate": 0.0123})
    assert "toy/gru: learning_rate 0.0123, kept from tuning on earlier data" in show(bare)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--show", "tay"), "'tay' was not tuned; did you mean toy"),
        (("--show", "toy", "--variant", "gur"), "'gur' was not tuned on toy; did you mean gru"),
    ],
)
def test_a_wrong_name_gets_the_nearest_ones(show, arguments, words):
    with pytest.raises(GatewiseError) as error:
        show(of_scores("gru", 0.5, 0.6), arguments=arguments)
    assert words in str(error.value)


def test_without_any_tuning_it_says_what_to_run(show):
    with pytest.raises(GatewiseError, match="run `dvc repro tune`"):
        show()
