import copy

import pytest
import torch

from gatewise.artifacts.objectives.classify import Objective
from gatewise.config import Augment, TrainConfig, VariantConfig
from gatewise.models.batch import Batch
from gatewise.models.classifier import SequenceClassifier
from gatewise.models.complexity import Sizes
from gatewise.training.datamodule import TaskData
from gatewise.training.distributed import Group, SharedLearning, SharedTaskData
from gatewise.training.module import SequenceLearning
from tests.tasks import write_task

AUGMENT = Augment(gain_db=(-3, 3), noise_snr_db=(0, 20))


def batches(tmp_path, size, batch, **task):
    """Whole training batches beside the shares of each of `size` processes."""
    settings = (write_task(tmp_path, **task), 3, batch, None if task.get("text") else AUGMENT)
    shared = [
        SharedTaskData(Group(rank, size, 1), *settings).train_dataloader() for rank in range(size)
    ]
    return list(zip(TaskData(*settings).train_dataloader(), *shared, strict=True))


@pytest.mark.parametrize("text", [False, True], ids=["frames", "text"])
@pytest.mark.parametrize("size", [2, 3])
def test_shares_make_up_the_batches_of_one_process(tmp_path, size, text):
    for whole, *shares in batches(tmp_path, size, 7, text=text):
        assert sum(share.rows for share in shares) == len(whole.targets)
        for rank, share in enumerate(shares):
            if not share.rows:
                continue
            ours, theirs = share.batch, Batch(*(part[rank::size] for part in whole[:3]))
            assert torch.equal(ours.lengths, theirs.lengths)
            assert torch.equal(ours.targets, theirs.targets)
            # Padded to the longest of its own.
            time = ours.inputs.shape[1]
            assert torch.equal(ours.inputs, theirs.inputs[:, :time])
            assert not theirs.inputs[:, time:].any()


@pytest.mark.parametrize("size", [2, 3])
def test_mean_gradients_and_losses_are_those_of_the_whole_batch(tmp_path, size):
    # 85 training examples: the last batch has one row, which leaves nothing for the others.
    many = batches(tmp_path, size, 7, examples=139)
    assert {len(whole.targets) for whole, *_ in many} == {1, 7}
    torch.manual_seed(0)
    sizes = Sizes(3, features=4)
    model = SequenceClassifier(VariantConfig(cell="gru", hidden=6), sizes)
    alone = SequenceLearning(model, TrainConfig(label_smoothing=0.1), Objective())
    members = [
        SharedLearning(copy.deepcopy(model), alone.config, alone.objective) for _ in range(size)
    ]
    for whole, *shares in many:
        alone.zero_grad()
        alone.training_step(whole, 0).backward()
        for member, share in zip(members, shares, strict=True):
            member.zero_grad()
            member.training_step(share, 0).backward()
        for parameter, *parts in zip(
            alone.parameters(), *(m.parameters() for m in members), strict=True
        ):
            mean = torch.stack([part.grad for part in parts]).mean(0)
            torch.testing.assert_close(mean, parameter.grad, rtol=1e-5, atol=1e-7)
    summed = sum(
        loss * rows
        for member in members
        for loss, rows in zip(member._losses, member._rows, strict=True)
    )
    whole_sum = sum(loss * n for loss, n in zip(alone._losses, alone._rows, strict=True))
    torch.testing.assert_close(summed, whole_sum)
    assert all(member._examples == alone._examples for member in members)


def test_evaluation_shows_every_process_everything(tmp_path):
    prepared = write_task(tmp_path)
    data = SharedTaskData(Group(1, 2, 1), prepared, 0, 16, None)
    seen = sum(len(batch.targets) for batch in data.val_dataloader())
    assert seen == len(data.rows["validation"])
