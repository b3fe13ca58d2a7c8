"""Forward passes against ONNX Runtime's own recurrent operators, an independent implementation.

Their gate orders: LSTM input, output, forget, cell; GRU update, reset, hidden.
"""

import numpy as np
import pytest
import torch

from gatewise.models import cells

INPUTS, HIDDEN, TIME, BATCH = 5, 6, 11, 3
LSTM_ORDER = ("input", "output", "forget", "new")
GRU_ORDER = ("update", "reset", "new")


def made(name):
    torch.manual_seed(3)
    cell = cells.get(name)(INPUTS, HIDDEN)
    for parameter in cell.parameters():
        torch.nn.init.uniform_(parameter, -0.7, 0.7)
    return cell


def blocks(cell, tensor, order):
    """Blocks of rows in the operator's order, zeros where the cell has none."""
    parts = dict(zip(cell.blocks, tensor.detach().numpy().reshape(len(cell.blocks), HIDDEN, -1),
                     strict=True))  # fmt: skip
    return np.concatenate([parts.get(b, np.zeros_like(parts["new"])) for b in order])


def run(operator, x, inputs, states, **attributes):
    import onnxruntime
    from onnx import TensorProto, helper

    values = {"X": x} | inputs
    names = ["X", "W", "R", "B", "", *states, *(["P"] if "P" in inputs else [])]
    outputs = ["Y", *(f"{name}_after" for name in states)]
    node = helper.make_node(operator, names, outputs, hidden_size=HIDDEN, **attributes)
    graph = helper.make_graph(
        [node],
        "parity",
        [helper.make_tensor_value_info(k, TensorProto.FLOAT, v.shape) for k, v in values.items()],
        [helper.make_tensor_value_info(k, TensorProto.FLOAT, None) for k in outputs],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    y, *after = session.run(None, values)
    return [y[:, 0], *(a[0] for a in after)]


def weights(cell, order):
    """`W`, `R` and `B` of an operator; the second half of `B` is the recurrent bias."""
    own = dict(cell.named_parameters())
    ih, hh = own["weight_ih"], own["weight_hh"]
    if "weight_hn" in own:  # gates and candidate have matrices of their own
        hh = torch.cat([hh, own["weight_hn"]])
    bias = own.get("bias_ih", own.get("bias"))
    second = own.get("bias_hh", torch.zeros_like(bias))
    both = [blocks(cell, b, order)[:, 0] for b in (bias, second)]
    return {
        "W": blocks(cell, ih, order)[None],
        "R": blocks(cell, hh, order)[None],
        "B": np.concatenate(both)[None],
    }


@pytest.mark.parametrize("kernel", ["fused", "unrolled"])
@pytest.mark.parametrize(
    ("name", "operator", "order", "attributes"),
    [
        ("rnn", "RNN", ("new",), {}),
        ("lstm", "LSTM", LSTM_ORDER, {}),
        ("lstm-np", "LSTM", LSTM_ORDER, {}),
        ("lstm-peephole", "LSTM", LSTM_ORDER, {}),
        ("lstm-cifg", "LSTM", LSTM_ORDER, {"input_forget": 1}),
        ("gru", "GRU", GRU_ORDER, {"linear_before_reset": 1}),
        ("gru-cho", "GRU", GRU_ORDER, {"linear_before_reset": 0}),
    ],
)
def test_equals_the_operator(name, operator, order, attributes, kernel):
    cell = made(name)
    cell.kernel = kernel
    generator = np.random.default_rng(0)
    x = generator.standard_normal((TIME, BATCH, INPUTS), dtype=np.float32)
    state = [generator.standard_normal((BATCH, HIDDEN), dtype=np.float32) for _ in cell.states]
    inputs = weights(cell, order)
    if hasattr(cell, "peephole"):
        peeps = dict(zip(cell.gates, cell.peephole.detach().numpy(), strict=True))
        none = np.zeros(HIDDEN, np.float32)
        inputs["P"] = np.concatenate([peeps.get(g, none) for g in LSTM_ORDER[:3]])[None]
    states = {f"initial_{s}": v[None] for s, v in zip(cell.states, state, strict=True)}
    expected = run(operator, x, inputs | states, list(states), **attributes)
    y, after = cell(torch.from_numpy(x), tuple(torch.from_numpy(s) for s in state))
    for found, wanted in zip([y, *after], expected, strict=True):
        np.testing.assert_allclose(found.detach().numpy(), wanted, atol=1e-5)
