"""The same runs in Keras, its own recommended way; runs in the environment of `make keras`.

One process, all cores, `model.fit` with JAX, which compiles each training step. Models are those
of gatewise: one layer, mean over each sequence's own steps, a dense layer. Prints as JSON the
seconds and the validation accuracy of each run; imports are not counted.

    KERAS_BACKEND=jax python benchmarks/keras_fit.py task.npz SETTINGS
"""

import json
import sys
import time

import keras
import numpy as np


def build(settings, data):
    """A compiled model."""
    recurrent = {"lstm": keras.layers.LSTM, "gru": keras.layers.GRU}[settings["cell"]]
    inputs = keras.Input(data["x_train"].shape[1:])
    if settings["vocabulary"]:
        # Zero is padding; the mask goes on through the layers.
        steps = keras.layers.Embedding(
            settings["vocabulary"], settings["embedding"], mask_zero=True
        )(inputs)
    else:
        steps = inputs
    outputs = recurrent(settings["hidden"], return_sequences=True)(steps)
    pooled = keras.layers.GlobalAveragePooling1D()(outputs)
    model = keras.Model(inputs, keras.layers.Dense(settings["classes"])(pooled))
    batches = -(-len(data["y_train"]) // settings["batch_size"])
    updates = batches * settings["epochs"]
    warmup = round(0.2 * updates)
    peak = settings["learning_rate"]
    rate = keras.optimizers.schedules.CosineDecay(
        0.04 * peak, updates - warmup, warmup_target=peak, warmup_steps=warmup
    )
    model.compile(
        keras.optimizers.AdamW(
            rate, weight_decay=settings["weight_decay"], global_clipnorm=settings["clip_norm"]
        ),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    return model


class Clock(keras.callbacks.Callback):
    """Notes when each epoch ends."""

    def __init__(self):
        super().__init__()
        self.ends = []

    def on_epoch_end(self, _epoch, logs=None):  # noqa: ARG002 - Keras names it
        """Note the time."""
        self.ends.append(time.perf_counter())


def main(path, settings):
    """Train all seeds one after another."""
    settings = json.loads(settings)
    with np.load(path) as stored:
        data = dict(stored)
    found = []
    for seed in range(settings["seeds"]):
        began, clock = time.perf_counter(), Clock()
        keras.utils.set_random_seed(seed)
        history = build(settings, data).fit(
            data["x_train"],
            data["y_train"],
            batch_size=settings["batch_size"],
            epochs=settings["epochs"],
            validation_data=(data["x_validation"], data["y_validation"]),
            callbacks=[clock],
            verbose=0,
        )
        found.append(
            {
                "seconds": time.perf_counter() - began,
                "later_epochs": clock.ends[-1] - clock.ends[0],
                "accuracy": history.history["val_accuracy"][-1],
            }
        )
    import jax

    print(json.dumps({"runs": found, "keras": keras.__version__, "jax": jax.__version__}))


if __name__ == "__main__":
    main(*sys.argv[1:])
