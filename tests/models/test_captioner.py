"""Models that say what is in an image."""

import numpy as np
import pytest
import torch

from gatewise.artifacts.objectives.base import Answered, Saying
from gatewise.artifacts.objectives.generate import Objective
from gatewise.config import VariantConfig
from gatewise.models import complexity
from gatewise.models.batch import Batch
from gatewise.models.building import build
from gatewise.models.captioner import Captioner
from gatewise.models.complexity import Sizes
from gatewise.models.regions import Regions

REGIONS = Regions(14, 13, 3)
KINDS = ("none", "dot", "additive")


def sizes(attention="dot", symbols=5, regions=REGIONS):
    saying = Saying(symbols, attention, 1, 6)
    return Sizes(symbols + 1, regions.width * regions.channels, saying=saying, regions=regions)


def model(cell="gru", seed=3, **options):
    torch.manual_seed(seed)
    made = build(VariantConfig(cell=cell, hidden=7, embedding=4), sizes(**options))
    assert isinstance(made, Captioner)
    return made.eval()


def batch(examples=3, regions=REGIONS):
    draws = torch.Generator().manual_seed(0)
    images = torch.rand(examples, regions.height, regions.width * regions.channels, generator=draws)
    lengths = torch.full((examples,), regions.height)
    targets = torch.randint(5, (examples, 4), generator=draws)
    return Batch(images, lengths, targets, torch.full((examples,), 4))


def test_every_variant_reads_images_alike():
    one, other = (model(cell).regions.state_dict() for cell in ("lstm", "gru"))
    assert all(torch.equal(one[name], other[name]) for name in one)
    third = model(seed=4).regions.state_dict()
    assert not torch.equal(third["layers.0.weight"], one["layers.0.weight"])


@pytest.mark.parametrize("attention", KINDS)
@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru"])
def test_it_is_as_large_as_on_paper(cell, attention):
    made = model(cell, attention=attention)
    count = sum(p.numel() for p in made.parameters())
    assert count == complexity.parameters(made.variant, made.sizes)
    recurrent = sum(p.numel() for p in made.decoder.recurrence.parameters())
    assert recurrent == complexity.recurrent_parameters(made.variant, made.sizes)


def test_its_multiply_accumulates_are_regions_and_decoder():
    variant = VariantConfig(cell="gru", hidden=7, embedding=4)
    whole = complexity.sequence_macs(variant, sizes("none"), 2 * REGIONS.height, 9)
    text = Sizes(outputs=6, features=4)
    assert whole == 2 * REGIONS.macs + complexity.sequence_macs(variant, text, 9, 0)
    looking = complexity.sequence_macs(variant, sizes("dot"), 2 * REGIONS.height, 9)
    assert looking > whole


@pytest.mark.parametrize("attention", KINDS)
def test_an_example_hangs_on_no_other(attention):
    made, both = model(attention=attention), batch()
    with torch.inference_mode():
        together = made.taught(both)
        alone = made.taught(Batch(*(part[1:2] for part in both)))
        said, by_itself = made.answered(both), made.answered(Batch(*(p[1:2] for p in both)))
    assert together.outputs.shape == (3, 5, 6)
    torch.testing.assert_close(alone.outputs[0], together.outputs[1])
    torch.testing.assert_close(by_itself.outputs[0], said.outputs[1])
    width = by_itself.said.shape[1]
    assert torch.equal(by_itself.said[0], said.said[1, :width])


def test_a_decoder_is_told_of_the_image_at_every_step():
    made, given = model(attention="none"), batch()
    encoded = made.encoded(given.inputs, given.lengths)
    other = made.encoded(given.inputs.flip(0), given.lengths)
    assert not torch.equal(other.memory.whole, encoded.memory.whole)
    elsewhere = other._replace(states=encoded.states)
    one, swapped = (made.decoder.outputs(e, given.targets) for e in (encoded, elsewhere))
    assert not torch.allclose(one[:, 0], swapped[:, 0])


@pytest.mark.parametrize("attention", KINDS)
def test_step_by_step_it_is_as_sure_as_of_all_steps_at_once(attention):
    made, given = model(attention=attention), batch()
    made.set_longest(6)
    with torch.inference_mode():
        encoded = made.encoded(given.inputs, given.lengths)
        said = made.say(encoded)
        lengths = (said.symbols >= 0).sum(1)
        logs = made.log_probabilities(encoded, said.symbols.clamp(min=0), lengths)
    torch.testing.assert_close(logs.sum(1), said.log_probability, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("normalise", ["none", "clip", "train"])
def test_brightness_of_the_whole_image_is_taken_away_where_asked(normalise):
    import dataclasses

    torch.manual_seed(0)
    variant = VariantConfig(cell="gru", hidden=7, embedding=4)
    made = build(variant, dataclasses.replace(sizes(), normalise=normalise)).eval()
    given = batch()
    brighter = given._replace(inputs=given.inputs + 0.5)
    if normalise == "train":
        made.set_input_statistics(torch.zeros(39), torch.full((39,), 2.0))
    one, other = (made.taught(x).outputs for x in (given, brighter))
    assert torch.allclose(one, other, atol=1e-5) == (normalise == "clip")


@pytest.mark.parametrize(("cell", "attention"), [("gru", "dot"), ("lstm", "none"), ("rnn", "none")])
def test_it_learns_to_say_what_is_where(cell, attention):
    regions = Regions(8, 8, 1)
    torch.manual_seed(0)
    variant = VariantConfig(cell=cell, hidden=24, embedding=8)
    saying = Saying(4, attention, 1, 3)
    made = build(variant, Sizes(5, 8, saying=saying, regions=regions))
    places = np.array([(row, column) for row in range(2) for column in range(2)])
    images, texts = torch.zeros(64, 8, 8), torch.zeros(64, 2, dtype=torch.int64)
    draws = np.random.default_rng(0)
    for image, text in zip(images, texts, strict=True):
        row, column = places[draws.integers(4)]
        image[4 * row + 1 : 4 * row + 3, 4 * column + 1 : 4 * column + 3] = 1
        image.add_(torch.from_numpy(draws.normal(0, 0.05, (8, 8))))
        text[0], text[1] = int(row), 2 + int(column)
    given = Batch(images, torch.full((64,), 8), texts, torch.full((64,), 2))
    optimizer = torch.optim.Adam(made.parameters(), 0.01)
    for _ in range(60):
        optimizer.zero_grad()
        Objective(kind="generate").loss(Answered(*made.taught(given)[:4])).backward()
        optimizer.step()
    with torch.inference_mode():
        said = made.eval().answered(given).said
    assert (said[:, :2] == texts).all(dim=1).float().mean() > 0.95
