"""Every cell against its paper's equations, written down again in NumPy, one sequence at a time.

`w` holds the parameters, cut into blocks by name: `w.W["input"]` is the matrix from the input to
the input gate, `w.U` those from the state, `w.b` the biases.
"""

import numpy as np
import pytest
import torch

from gatewise.models import cells

I, H, T = 5, 6, 12  # noqa: E741


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def norm(x):
    return (x - x.mean()) / np.sqrt(x.var() + 1e-5)


class Weights:
    """Parameters of a cell as NumPy arrays, cut into blocks."""

    def __init__(self, cell):
        self.all = {k: p.detach().numpy() for k, p in cell.named_parameters()}
        self.W = self.cut(cell, "weight_ih")
        self.U = self.cut(cell, "weight_hh")
        self.b = self.cut(cell, "bias")
        if hasattr(cell, "peephole"):
            self.p = dict(zip(cell.gates, self.all["peephole"], strict=True))

    def cut(self, cell, name):
        array = self.all.get(name, np.zeros((0,)))
        width = cell.hidden_size
        return {b: array[i * width : (i + 1) * width] for i, b in enumerate(cell.blocks)}


def rnn(w, x, h):
    a = w.all
    h = np.tanh(a["weight_ih"] @ x + a["bias_ih"] + a["weight_hh"] @ h + a["bias_hh"])
    return (h,)


def stock(w, x, h):
    a = w.all
    return a["weight_ih"] @ x + a["bias_ih"], a["weight_hh"] @ h + a["bias_hh"]


def lstm(w, x, h, c):
    i, f, g, o = np.split(sum(stock(w, x, h)), 4)
    c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
    return sigmoid(o) * np.tanh(c), c


def gru(w, x, h):
    (rx, zx, nx), (rh, zh, nh) = (np.split(part, 3) for part in stock(w, x, h))
    r, z = sigmoid(rx + rh), sigmoid(zx + zh)
    n = np.tanh(nx + r * nh)
    return ((1 - z) * n + z * h,)


def greff(without=(), gates_too=False):
    """The vanilla LSTM of Greff et al., section 2, and one change."""

    def step(w, x, h, c, *before):
        def net(name):
            return w.W[name] @ x + w.U[name] @ h + w.b[name]

        extra = dict.fromkeys(("input", "forget", "output"), 0.0)
        if gates_too:
            R = w.all["weight_hg"]
            extra = dict(zip(extra, np.split(R @ np.concatenate(before), 3), strict=True))

        def gate(name, c):
            if name in without:
                return np.ones(H)
            peep = 0.0 if "peepholes" in without else w.p[name] * c
            return sigmoid(net(name) + extra[name] + peep)

        z = net("new") if "input activation" in without else np.tanh(net("new"))
        i = gate("input", c)
        f = 1 - i if "coupled" in without else gate("forget", c)
        c = z * i + c * f
        o = gate("output", c)
        y = (c if "output activation" in without else np.tanh(c)) * o
        return (y, c, i, f, o) if gates_too else (y, c)

    return step


def lstm_projected(w, x, h, c):
    i, f, o, z = (w.W[b] @ x + w.U[b] @ h + w.b[b] for b in ("input", "forget", "output", "new"))
    c = sigmoid(f) * c + sigmoid(i) * np.tanh(z)
    return w.all["weight_hr"] @ (sigmoid(o) * np.tanh(c)), c


def lstm_layernorm(w, x, h, c):
    a = w.all
    net = a["gain_hh"] * norm(a["weight_hh"] @ h) + a["gain_ih"] * norm(a["weight_ih"] @ x)
    i, f, o, z = np.split(net + a["bias"], 4)
    c = sigmoid(f) * c + sigmoid(i) * np.tanh(z)
    return sigmoid(o) * np.tanh(a["gain_c"] * norm(c) + a["bias_c"]), c


def gru_layernorm(w, x, h):
    a = w.all
    px, ph = a["weight_ih"] @ x, a["weight_hh"] @ h
    gates = a["gain_ih"][: 2 * H] * norm(px[: 2 * H]) + a["gain_hh"][: 2 * H] * norm(ph[: 2 * H])
    r, z = np.split(sigmoid(gates + a["bias"][: 2 * H]), 2)
    from_x = a["gain_ih"][2 * H :] * norm(px[2 * H :]) + a["bias"][2 * H :]
    from_h = a["gain_hh"][2 * H :] * norm(ph[2 * H :]) + a["bias_hn"]
    return ((1 - z) * h + z * np.tanh(from_x + r * from_h),)


def gru_cho(w, x, h):
    r, z = (sigmoid(w.W[g] @ x + w.U[g] @ h + w.b[g]) for g in ("reset", "update"))
    n = np.tanh(w.W["new"] @ x + w.all["weight_hn"] @ (r * h) + w.b["new"])
    return (z * h + (1 - z) * n,)


def mgu(w, x, h):
    f = sigmoid(w.W["forget"] @ x + w.U["forget"] @ h + w.b["forget"])
    n = np.tanh(w.W["new"] @ x + w.all["weight_hn"] @ (f * h) + w.b["new"])
    return ((1 - f) * h + f * n,)


def mut1(w, x, h):
    a = w.all
    x = a["weight_ix"] @ x
    w_r, w_z = np.split(a["weight_ih"], 2)
    z = sigmoid(w_z @ x + w.b["update"])
    r = sigmoid(w_r @ x + a["weight_hh"] @ h + w.b["reset"])
    n = np.tanh(a["weight_hn"] @ (r * h) + np.tanh(x) + w.b["new"])
    return (n * z + h * (1 - z),)


def mut2(w, x, h):
    a = w.all
    x = a["weight_ix"] @ x
    w_z, w_n = np.split(a["weight_ih"], 2)
    z = sigmoid(w_z @ x + w.U["update"] @ h + w.b["update"])
    r = sigmoid(x + w.U["reset"] @ h + w.b["reset"])
    n = np.tanh(a["weight_hn"] @ (r * h) + w_n @ x + w.b["new"])
    return (n * z + h * (1 - z),)


def mut3(w, x, h):
    a = w.all
    x = a["weight_ix"] @ x
    z = sigmoid(w.W["update"] @ x + a["weight_hz"] @ np.tanh(h) + w.b["update"])
    r = sigmoid(w.W["reset"] @ x + a["weight_hr"] @ h + w.b["reset"])
    n = np.tanh(a["weight_hn"] @ (r * h) + w.W["new"] @ x + w.b["new"])
    return (n * z + h * (1 - z),)


def mingru(w, x, h):
    z = sigmoid(w.W["update"] @ x + w.b["update"])
    return ((1 - z) * h + z * (w.W["new"] @ x + w.b["new"]),)


def minlstm(w, x, h):
    f, i = (sigmoid(w.W[g] @ x + w.b[g]) for g in ("forget", "input"))
    return (f / (f + i) * h + i / (f + i) * (w.W["new"] @ x + w.b["new"]),)


def slstm(w, x, h, c, n):
    """Without the stabiliser: the equations that it must not change."""
    i, f, o, z = (w.W[b] @ x + w.U[b] @ h + w.b[b] for b in ("input", "forget", "output", "new"))
    c = sigmoid(f) * c + np.exp(i) * np.tanh(z)
    n = sigmoid(f) * n + np.exp(i)
    return sigmoid(o) * c / n, c, n


PAPERS = {
    "rnn": rnn,
    "lstm": lstm,
    "gru": gru,
    "lstm-peephole": greff(),
    "lstm-nig": greff(without=["input"]),
    "lstm-nfg": greff(without=["forget"]),
    "lstm-nog": greff(without=["output"]),
    "lstm-niaf": greff(without=["input activation"]),
    "lstm-noaf": greff(without=["output activation"]),
    "lstm-np": greff(without=["peepholes"]),
    "lstm-cifg": greff(without=["coupled"]),
    "lstm-fgr": greff(gates_too=True),
    "lstm-projected": lstm_projected,
    "lstm-layernorm": lstm_layernorm,
    "gru-layernorm": gru_layernorm,
    "gru-cho": gru_cho,
    "mgu": mgu,
    "mut1": mut1,
    "mut2": mut2,
    "mut3": mut3,
    "mingru": mingru,
    "minlstm": minlstm,
    "slstm": slstm,
}


def test_every_cell_has_its_paper():
    assert set(PAPERS) == set(cells.names())


@pytest.mark.parametrize("name", PAPERS)
def test_equals_the_paper(name):
    torch.manual_seed(2)
    cell = cells.get(name)(I, H).double()
    for parameter in cell.parameters():
        torch.nn.init.uniform_(parameter, -0.8, 0.8)
    x_tbf = torch.randn(T, 2, I, dtype=torch.float64)
    found = cell(x_tbf)[0].detach().numpy()
    weights = Weights(cell)
    states = [s for s in cell.states if s != "m"]
    for row in range(2):
        state = [np.zeros(width) for _, width in zip(states, cell.state_sizes(), strict=False)]
        for t in range(T):
            state = PAPERS[name](weights, x_tbf[t, row].numpy(), *state)
            np.testing.assert_allclose(found[t, row], state[0], rtol=0, atol=1e-12)


def test_a_stabilised_slstm_survives_where_the_plain_equations_overflow():
    cell = cells.get("slstm")(1, 1).double()
    with torch.no_grad():
        for parameter in cell.parameters():
            parameter.fill_(1.0)
    y, _ = cell(torch.full((5, 1, 1), 2000.0, dtype=torch.float64))
    assert y.isfinite().all()
    assert y.abs().max() <= 1


def test_projected_lstm_equals_torch():
    torch.manual_seed(0)
    ours = cells.get("lstm-projected")(I, H, projection=4).double()
    theirs = torch.nn.LSTM(I, H, proj_size=4).double()
    order = [ours.blocks.index(b) for b in ("input", "forget", "new", "output")]

    def reordered(tensor):
        return torch.cat([tensor.split(H)[k] for k in order])

    with torch.no_grad():
        for p in ours.parameters():
            torch.nn.init.uniform_(p, -0.5, 0.5)
        theirs.weight_ih_l0.copy_(reordered(ours.weight_ih))
        theirs.weight_hh_l0.copy_(reordered(ours.weight_hh))
        theirs.bias_ih_l0.copy_(reordered(ours.bias))
        theirs.bias_hh_l0.zero_()
        theirs.weight_hr_l0.copy_(ours.weight_hr)
    x_tbf = torch.randn(T, 3, I, dtype=torch.float64)
    torch.testing.assert_close(ours(x_tbf)[0], theirs(x_tbf)[0])
