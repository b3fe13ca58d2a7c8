import pytest

from benchmarks.hardening import damage
from gatewise.artifacts import plan, tuned, tuning_lock
from gatewise.artifacts.plan import TuningPlan, tuning_path
from gatewise.artifacts.tuned import Choice, Trial, Tuned
from gatewise.artifacts.tuning_lock import TuningLock, tuning_digest
from gatewise.config import parse
from gatewise.errors import GatewiseError

# Not those that may leave what it says as it was, as in its comment, or nothing at all.
WHOLLY_DAMAGED = [
    kind for kind in damage.KINDS if kind not in ("one bit", "empty", "cut", "a link to nowhere")
]


def study(**tuning):
    return parse(
        {
            "tasks": {"toy": {"source": {"kind": "digits"}, "features": {"kind": "frames"}}},
            "variants": {"gru": {"cell": "gru", "hidden": 8}, "rnn": {"cell": "rnn", "hidden": 8}},
            "tuning": {"trials": 2, **tuning},
        }
    )


def write_choice(root, of, rate=0.02):
    trial = Trial(number=1, settings={"learning_rate": rate}, status="complete", mean=0.5)
    Tuned(
        task="toy",
        variant="gru",
        metric="accuracy",
        made_by=tuning_digest(of.tuning_for("toy")),
        choice=Choice(trials=(trial,), chosen=1, chance_of_another=0.0),
    ).write(tuned.path("toy", "gru", root))


def planned(of, lock, root):
    plan.write(of, root, kept=lock.settings)
    return TuningPlan.read(tuning_path("toy", "gru", root)).kept


def test_a_choice_is_kept_and_planned(tmp_path):
    write_choice(tmp_path / "tuned", study())
    lock = tuning_lock.keep(study(), "toy", TuningLock(), tmp_path / "tuned")
    lock.write(tmp_path / "tuning.lock")
    again = TuningLock.read(tmp_path / "tuning.lock")
    assert planned(study(), again, tmp_path / "plan") == {"learning_rate": 0.02}
    other = TuningPlan.read(tuning_path("toy", "rnn", tmp_path / "plan"))
    assert other.kept is None, "nothing was chosen for it before"


def test_another_space_or_number_of_trials_is_tuned(tmp_path):
    write_choice(tmp_path / "tuned", study())
    lock = tuning_lock.keep(study(), "toy", TuningLock(), tmp_path / "tuned")
    assert planned(study(trials=3), lock, tmp_path / "plan") is None
    kept = tuning_lock.keep(study(trials=3), "toy", TuningLock(), tmp_path / "tuned")
    assert kept.kept == {"toy": {}}


def test_what_seeds_chose_for_themselves_is_not_kept(tmp_path):
    write_choice(tmp_path / "tuned", study(per="seed"))
    assert tuning_lock.keep(study(per="seed"), "toy", TuningLock(), tmp_path / "tuned").kept == {}


def test_no_file_keeps_nothing_and_a_strange_one_is_refused(tmp_path):
    assert TuningLock.read(tmp_path / "absent").kept == {}
    (tmp_path / "strange").write_text("kept: [1, 2]\n")
    with pytest.raises(GatewiseError, match=r"strange: .*tune anew"):
        TuningLock.read(tmp_path / "strange")


@pytest.mark.parametrize("kind", WHOLLY_DAMAGED)
def test_damage_is_named_and_no_pipe_waited_for(tmp_path, kind):
    path = tmp_path / "tuning.lock"
    TuningLock().write(path)
    damage.spoil(path, kind)
    with pytest.raises(GatewiseError, match=r"(?s)tuning\.lock: .*tune anew"):
        TuningLock.read(path)


def test_the_shipped_lock_is_one(project):
    TuningLock.read(project / tuning_lock.FILE)
