"""Lightning without the calls that come to nothing.

A step of a small model takes a millisecond or two, and Lightning asks everybody at every step: 17
hooks of the module, 6 of each callback, most of them empty. What is left out here is asking those
who have nothing to say; who has is heard as ever, in the same order.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from functools import cached_property
from typing import Any

import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import Callback
from pytorch_lightning.plugins.precision import Precision
from pytorch_lightning.strategies import SingleDeviceStrategy, Strategy
from pytorch_lightning.trainer.states import RunningStage
from pytorch_lightning.utilities.model_helpers import is_overridden
from torch import Tensor
from torch.optim import Optimizer

Listener = Callback | pl.LightningModule

_AROUND_BACKWARD = ("on_before_backward", "on_after_backward", "on_before_optimizer_step")
_OF_A_STEP = (
    "on_train_batch_start",
    "on_before_zero_grad",
    *_AROUND_BACKWARD,
    "on_train_batch_end",
)
_OF_AN_EPOCH = (
    "on_train_epoch_start",
    "on_validation_start",
    "on_validation_epoch_start",
    "on_validation_epoch_end",
    "on_validation_end",
    "on_train_epoch_end",
)


_STEPS = ("training_step", "validation_step")


def remember_signatures(module: pl.LightningModule) -> None:
    """Note what a module's steps take: Lightning works that out anew for every batch."""
    for name in _STEPS:
        step = getattr(type(module), name)
        step.__signature__ = inspect.signature(step)


def skip_empty_hooks(listeners: Iterable[Listener]) -> None:
    """Take away hooks that are empty: Lightning passes over what cannot be called."""
    for listener in listeners:
        for hook in (*_OF_A_STEP, *_OF_AN_EPOCH):
            if not is_overridden(hook, listener):
                setattr(listener, hook, None)


class LeanTrainer(pl.Trainer):
    """A Trainer that finds what Lightning asks it for dozens of times a step without a search.

    Lightning compares stages by their names in lower letters, and looks its strategy up in what
    chose it.
    """

    @cached_property
    def strategy(self) -> Strategy:
        """The strategy, which is chosen once."""
        strategy: Strategy = self._accelerator_connector.strategy
        return strategy

    @property
    def lightning_module(self) -> pl.LightningModule:
        """The module that is trained."""
        return self.strategy._lightning_module  # type: ignore[return-value]

    @property
    def training(self) -> bool:
        """Whether this is training, and no validation within."""
        return self.state.stage is RunningStage.TRAINING

    @training.setter
    def training(self, value: bool) -> None:
        pl.Trainer.training.fset(self, value)  # type: ignore[attr-defined]


class LeanStrategy(SingleDeviceStrategy):
    """One device, and steps straight from the module to torch where nobody listens in between.

    Nobody does in a run of ours. With a callback that implements a hook around the backward pass,
    or with a precision that scales or casts, this is Lightning's own strategy.
    """

    _straight = False
    _in_place = False

    def setup(self, trainer: Any) -> None:
        """Find out who listens."""
        super().setup(trainer)
        listeners = [trainer.lightning_module, *trainer.callbacks]
        self._straight = type(self.precision_plugin) is Precision and not any(
            is_overridden(hook, listener) for hook in _AROUND_BACKWARD for listener in listeners
        )
        self._in_place = self.root_device.type == "cpu" and not any(
            is_overridden("on_after_batch_transfer", holder)
            for holder in (trainer.lightning_module, trainer.datamodule)
        )

    def batch_to_device(
        self, batch: Any, device: torch.device | None = None, dataloader_idx: int = 0
    ) -> Any:
        """The batch, which loaders leave where this strategy computes."""
        if self._in_place:
            return batch
        return super().batch_to_device(batch, device, dataloader_idx)

    def training_step(self, *args: Any, **kwargs: Any) -> Any:
        """The module's."""
        module = self._lightning_module
        if self._straight and module is not None and self._model is module:
            return module.training_step(*args, **kwargs)
        return super().training_step(*args, **kwargs)

    def backward(
        self, closure_loss: Tensor, optimizer: Optimizer | None, *args: Any, **kwargs: Any
    ) -> Tensor:
        """Differentiate the loss."""
        if self._straight:
            closure_loss.backward()  # type: ignore[no-untyped-call]
            return closure_loss
        return super().backward(closure_loss, optimizer, *args, **kwargs)

    def optimizer_step(
        self,
        optimizer: Optimizer,
        closure: Callable[[], Any],
        model: Any = None,
        **kwargs: Any,
    ) -> Any:
        """Forward, backward, clip, update."""
        module = self._lightning_module
        if not self._straight or module is None:
            return super().optimizer_step(optimizer, closure, model, **kwargs)
        trainer = module.trainer

        def clipped() -> Any:
            loss = closure()
            module.configure_gradient_clipping(
                optimizer, trainer.gradient_clip_val, trainer.gradient_clip_algorithm
            )
            return loss

        return optimizer.step(clipped, **kwargs)
