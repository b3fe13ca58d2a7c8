import numpy as np
import pytest

torch = pytest.importorskip("torch")
from gatewise.config.probes import PROBLEM_NAMES  # noqa: E402
from gatewise.diagnostics.probes.problems import (  # noqa: E402
    PROBLEMS,
    copying,
    order,
    recall,
)

RNG = np.random.default_rng
LENGTHS = {"digits": (8, 64), "order": (10, 40)}


def test_there_is_a_setting_for_every_problem():
    assert set(PROBLEM_NAMES) == set(PROBLEMS)


@pytest.mark.parametrize("name", PROBLEMS)
def test_every_problem_keeps_the_contract(name):
    problem = PROBLEMS[name]
    assert all((problem.title, problem.paper, problem.length_means))
    for length in LENGTHS.get(name, (3, 12)):
        first, again = (problem.draw(length, 7, RNG(0)) for _ in range(2))
        time = len(first.inputs)
        assert first.inputs.shape == (time, 7, problem.features(length))
        assert first.inputs.dtype == torch.float32
        assert first.scored.shape == (time, 7)
        assert first.scored.any(0).all(), "something is asked of every example"
        assert torch.equal(first.inputs, again.inputs)
        assert torch.equal(first.targets, again.targets)
        assert not torch.equal(first.inputs, problem.draw(length, 7, RNG(1)).inputs)
        answers = torch.zeros(time, 7, problem.outputs)
        assert problem.loss(answers, first) > 0
        assert 0 <= problem.score(answers, first) <= 1


@pytest.mark.parametrize("name", [name for name in PROBLEMS if name != "adding"])
def test_a_perfect_answer_scores_one(name):
    problem = PROBLEMS[name]
    found = problem.draw(LENGTHS.get(name, (6,))[0], 50, RNG(0), held_out=True)
    targets = torch.where(found.scored, found.targets, 0)
    right = torch.nn.functional.one_hot(targets, problem.outputs).float()
    assert problem.score(right, found) == 1
    assert problem.skill(1.0) == 1
    assert problem.score(right.roll(1, -1), found) < 0.05
    assert problem.skill(problem.chance) == 0


def test_adding_asks_for_the_sum_of_the_marked_numbers():
    found = PROBLEMS["adding"].draw(10, 50, RNG(0))
    values, marks = found.inputs[..., 0], found.inputs[..., 1]
    assert torch.equal(marks[:5].sum(0), torch.ones(50))
    assert torch.equal(marks[5:].sum(0), torch.ones(50))
    assert torch.allclose((values * marks).sum(0) - 1, found.targets)
    right = found.targets.expand(10, -1)[..., None]
    assert PROBLEMS["adding"].score(right, found) == pytest.approx(1.0)
    assert PROBLEMS["adding"].score(torch.zeros_like(right), found) == pytest.approx(0, abs=0.05)


def test_copy_hides_nothing_and_asks_in_order():
    found = PROBLEMS["copy"].draw(7, 20, RNG(0))
    shown = found.inputs[: copying.COPIED].argmax(-1)
    assert torch.equal(found.targets[-copying.COPIED :], shown)
    assert found.scored.sum(0).tolist() == [copying.COPIED] * 20
    asked = found.inputs[-copying.COPIED :].argmax(-1)
    assert asked.unique().tolist() == [copying.SYMBOLS + 1]


def test_parity_by_its_definition():
    found = PROBLEMS["parity"].draw(9, 30, RNG(0))
    ones = (found.inputs[..., 0] > 0).long()
    for t in range(9):
        assert torch.equal(found.targets[t], ones[: t + 1].sum(0) % 2)


def test_temporal_order_names_the_two_symbols_in_their_order():
    found = PROBLEMS["order"].draw(40, 60, RNG(0))
    classes = found.inputs.argmax(-1)
    assert (classes[0] == order.FIRST).all()
    assert (classes[-1] == order.LAST).all()
    for b in range(60):
        places = [t for t in range(40) if classes[t, b] in (order.X, order.Y)]
        first, second = places
        assert 4 <= first < 8
        assert 20 <= second < 24
        said = 2 * (classes[first, b] - order.X) + (classes[second, b] - order.X)
        assert found.targets[-1, b] == said


def test_recall_asks_for_the_value_beside_the_key():
    found = PROBLEMS["recall"].draw(5, 40, RNG(0))
    classes = found.inputs.argmax(-1)
    for b in range(40):
        keys, values = classes[0:10:2, b].tolist(), classes[1:10:2, b].tolist()
        assert sorted(keys) == [0, 1, 2, 3, 4]
        assert classes[10, b] == 5 + recall.VALUES
        assert found.targets[-1, b] == values[keys.index(int(classes[11, b]))] - 5


def test_counting_asks_whether_it_is_the_last_b():
    found = PROBLEMS["counting"].draw(6, 40, RNG(0))
    for b in range(40):
        letters = ["ab"[int(step.argmax())] if step.any() else "." for step in found.inputs[:, b]]
        text = "".join(letters).rstrip(".")
        n = text.count("a")
        assert text == "a" * n + "b" * n
        assert found.targets[:, b].nonzero().flatten().tolist() == [2 * n - 1]
        assert found.scored[:, b].nonzero().flatten().tolist() == list(range(n, 2 * n))
    longest = PROBLEMS["counting"].draw(6, 5, RNG(0), held_out=True)
    assert (longest.scored.sum(0) == 6).all()


def test_digits_keep_images_apart_and_read_them_row_by_row_or_pixel_by_pixel():
    problem = PROBLEMS["digits"]
    rows, pixels = (problem.draw(length, 400, RNG(0)) for length in (8, 64))
    as_image = rows.inputs.transpose(0, 1).flatten(1)
    assert torch.equal(as_image, pixels.inputs.transpose(0, 1).flatten(1))
    assert rows.inputs.abs().max() <= 1
    assert rows.targets[-1].unique().tolist() == list(range(10))
    held_out = problem.draw(8, 400, RNG(0), held_out=True).inputs.transpose(0, 1).flatten(1)
    trained = {tuple(image.tolist()) for image in as_image}
    assert not trained & {tuple(image.tolist()) for image in held_out}
