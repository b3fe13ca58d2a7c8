"""The loops through time of RNN, LSTM and GRU, compiled, and the matrix products they are made of.

What torch does step by step in a dozen small operations is here one matrix product on buffers that
are there already, and one pass over the units that leaves the gates' values behind for the way
back. `gatewise.models.cells.sequences` puts the products over all steps around them.

All of it gives the same bits on any processor, whatever the width of its vectors. Loops over units
hold no sums, and multiply-adds are fused where it is written and nowhere else. An element of a
product is a chain of fused multiply-adds in the order of the summed index, in blocks of `BLOCK`
that are added up in their order; lanes of a vector are different elements, and so do not meet. A
BLAS promises no such thing: its kernels for narrow and for wide vectors sum in different orders,
and the rows of one product, too.

Numba compiles for float32 when this module is imported, once on a machine (its cache lies beside
this file), and for float64 when a test asks. Nothing else imports it before a sequence is run.
Products and loops stand in one file since numba keeps what it compiled until that file changes,
whatever changes elsewhere.

Shapes: `t` steps, `b` sequences, `h` units; a number before it counts blocks of units, so
`gates_tb3h` is `(t, b, 3 * h)`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import llvmlite.binding as llvm
import numba as nb
import numpy as np
from llvmlite import ir
from numba.core import cgutils, config
from numba.extending import intrinsic

_OPTIONS: dict[str, Any] = {"cache": True, "error_model": "numpy", "nogil": True}

Array = np.ndarray

BLOCK = 256
"""Terms of a sum that are added up by themselves; part of what a product's bits are."""


# --- numbers side by side ----------------------------------------------------------------------


def _wide() -> bool:
    """Whether code is compiled for a processor with vectors of 64 bytes, and 32 of them."""
    named: str | None = getattr(config, "CPU_FEATURES")  # noqa: B009  # set as numba loads
    if named is not None:
        return "+avx512f" in named
    return bool(llvm.get_host_cpu_features().get("avx512f", False))


_VECTOR = 64 if _wide() else 32
"""Bytes of a vector."""


class Lanes:
    """Numbers that are computed side by side, while the code that does it is written down.

    One each of as many units as a vector holds, or of a single unit where fewer are left.
    """

    def __init__(self, builder: Any, value: Any) -> None:
        self.builder, self.value = builder, value

    def of(self, x: Lanes | float) -> Lanes:
        """`x`, a constant perhaps, for each of these numbers."""
        if isinstance(x, Lanes):
            return x
        kind = self.value.type
        whole = [x] * kind.count if isinstance(kind, ir.VectorType) else x
        return Lanes(self.builder, ir.Constant(kind, whole))

    def _with(self, operation: str, x: Lanes | float) -> Lanes:
        return Lanes(self.builder, getattr(self.builder, operation)(self.value, self.of(x).value))

    def __add__(self, x: Lanes | float) -> Lanes:
        return self._with("fadd", x)

    def __sub__(self, x: Lanes | float) -> Lanes:
        return self._with("fsub", x)

    def __mul__(self, x: Lanes | float) -> Lanes:
        return self._with("fmul", x)

    def __truediv__(self, x: Lanes | float) -> Lanes:
        return self._with("fdiv", x)

    def __rsub__(self, x: float) -> Lanes:
        return self.of(x) - self

    def within(self, limit: float) -> Lanes:
        """Between `-limit` and `limit`; what is not a number stays so."""
        low, high = self.of(-limit), self.of(limit)
        less = self.builder.fcmp_ordered("<", self.value, low.value)
        raised = self.builder.select(less, low.value, self.value)
        more = self.builder.fcmp_ordered(">", raised, high.value)
        return Lanes(self.builder, self.builder.select(more, high.value, raised))

    def each(self, function: str) -> Lanes:
        """A function of the C library for one number after the other."""
        kind, builder = self.value.type, self.builder
        if not isinstance(kind, ir.VectorType):
            call = cgutils.get_or_insert_function(
                builder.module, ir.FunctionType(kind, [kind]), function
            )
            return Lanes(builder, builder.call(call, [self.value]))
        result = ir.Constant(kind, ir.Undefined)
        for lane in range(kind.count):
            place = ir.Constant(ir.IntType(32), lane)
            one = Lanes(builder, builder.extract_element(self.value, place)).each(function)
            result = builder.insert_element(result, one.value, place)
        return Lanes(builder, result)

    @property
    def single(self) -> bool:
        """Whether these are in single precision."""
        kind = self.value.type
        return isinstance(getattr(kind, "element", kind), ir.FloatType)


def fma(x: Lanes, y: Lanes | float, z: Lanes | float) -> Lanes:
    """`x * y + z`, rounded once."""
    kind = x.value.type
    number = getattr(kind, "element", kind)
    width = f"v{kind.count}" if kind is not number else ""
    name = f"llvm.fma.{width}f{32 if isinstance(number, ir.FloatType) else 64}"
    function = cgutils.get_or_insert_function(
        x.builder.module, ir.FunctionType(kind, [kind] * 3), name
    )
    values = [x.value, x.of(y).value, x.of(z).value]
    return Lanes(x.builder, x.builder.call(function, values))


# --- products ----------------------------------------------------------------------------------

# A tile of the product is held in registers while its sums run: rows by vectors. Half of AVX-512's
# 32 registers would leave its units waiting; more than 12 of AVX2's 16 would spill.
_ROWS = 12 if _wide() else 6
_SOME_ROWS = 4
_PAIR = 2
"""Vectors side by side in a tile; one where no more columns are left."""


def _tile(rows: int, vectors: int) -> Callable[..., None]:
    """Compiled code that computes `rows` by `vectors` of a product, summing over one block.

    It takes addresses and strides in bytes: `a` with the strides of its rows and of the summed
    index; `b`, packed, with that of the summed index; `c` with that of its rows. Then how many
    terms there are, whether they are added to what is in `c`, and a number of the elements' type.
    """

    @intrinsic
    def tile(
        _context: Any, a: Any, a_row: Any, a_next: Any, b: Any, b_next: Any,
        c: Any, c_row: Any, terms: Any, add: Any, like: Any,
    ) -> Any:  # fmt: skip
        def generate(context: Any, builder: Any, _signature: Any, values: Any) -> Any:
            number = context.get_value_type(like)
            size = like.bitwidth // 8
            memory = _Memory(builder, number, size, _VECTOR // size)
            _generate_tile(memory, rows, vectors, *values[:-1])
            return context.get_dummy_value()

        return nb.void(a, a_row, a_next, b, b_next, c, c_row, terms, add, like), generate

    return tile


@dataclass(frozen=True)
class _Memory:
    """Numbers at addresses, which are whole numbers here; vectors need not be aligned."""

    builder: Any
    number: Any
    size: int
    """Bytes of a number."""
    lanes: int

    def at(self, address: Any, kind: Any) -> Any:
        """A pointer."""
        return self.builder.inttoptr(address, kind.as_pointer())

    def load(self, address: Any) -> Lanes:
        """Numbers side by side."""
        kind = ir.VectorType(self.number, self.lanes) if self.lanes > 1 else self.number
        value = self.builder.load(self.at(address, kind))
        value.align = self.size
        return Lanes(self.builder, value)

    def store(self, x: Lanes, address: Any) -> None:
        """Numbers side by side."""
        self.builder.store(x.value, self.at(address, x.value.type)).align = self.size

    def repeat(self, address: Any) -> Lanes:
        """One number, in all places."""
        vector, places = (ir.VectorType(kind, self.lanes) for kind in (self.number, ir.IntType(32)))
        nothing = ir.Constant(vector, ir.Undefined)
        number = self.builder.load(self.at(address, self.number))
        one = self.builder.insert_element(nothing, number, ir.Constant(ir.IntType(32), 0))
        first = ir.Constant(places, [0] * self.lanes)
        return Lanes(self.builder, self.builder.shuffle_vector(one, nothing, first))


def _generate_tile(
    memory: _Memory, rows: int, vectors: int,
    a: Any, a_row: Any, a_next: Any, b: Any, b_next: Any, c: Any, c_row: Any, terms: Any, add: Any,
) -> None:  # fmt: skip
    """LLVM's instructions for `_tile`: a loop over the terms whose sums never leave registers."""
    builder, word = memory.builder, a.type
    vector = ir.VectorType(memory.number, memory.lanes)
    places = [(row, j) for row in range(rows) for j in range(vectors)]
    starts = [builder.add(a, builder.mul(a_row, word(row))) for row in range(rows)]

    def beside(address: Any, j: int) -> Any:
        return builder.add(address, word(_VECTOR * j))

    before, loop = builder.block, builder.append_basic_block("terms")
    builder.branch(loop)
    builder.position_at_end(loop)
    count, along, row_of_b = (builder.phi(word) for _ in range(3))
    sums = {place: builder.phi(vector) for place in places}
    columns = [memory.load(beside(row_of_b, j)) for j in range(vectors)]
    factors = [memory.repeat(builder.add(start, along)) for start in starts]
    added = {
        (row, j): fma(factors[row], columns[j], Lanes(builder, sums[row, j])) for row, j in places
    }
    for variable, first, step in (
        (count, word(0), word(1)),
        (along, word(0), a_next),
        (row_of_b, b, b_next),
    ):
        variable.add_incoming(first, before)
        variable.add_incoming(builder.add(variable, step), loop)
    for place, total in sums.items():
        total.add_incoming(ir.Constant(vector, None), before)
        total.add_incoming(added[place].value, loop)
    done = builder.append_basic_block("store")
    builder.cbranch(builder.icmp_signed("<", count.incomings[1][0], terms), loop, done)

    builder.position_at_end(done)
    targets = {
        (row, j): beside(builder.add(c, builder.mul(c_row, word(row))), j) for row, j in places
    }
    adding = builder.icmp_signed("!=", add, word(0))
    with builder.if_else(adding) as (then, otherwise):
        with then:
            for place, target in targets.items():
                memory.store(memory.load(target) + added[place], target)
        with otherwise:
            for place, target in targets.items():
                memory.store(added[place], target)


_many_pair, _some_pair, _one_pair = (_tile(rows, _PAIR) for rows in (_ROWS, _SOME_ROWS, 1))
_many_single, _some_single, _one_single = (_tile(rows, 1) for rows in (_ROWS, _SOME_ROWS, 1))


@nb.njit(**_OPTIONS)
def _address(x: Array) -> Any:
    """Where an array begins; as it comes it has no sign, and adding to it made it a float."""
    return np.int64(x.ctypes.data)


@nb.njit(**_OPTIONS)
def _pack(b: Array, begin: int, end: int, packed: Array) -> None:
    """Lay rows `begin` to `end` of `b` out as tiles read them: panel after panel, row after row.

    A panel is as wide as a tile, the last one perhaps a single vector; zeros fill it up.
    """
    columns, lanes, terms = b.shape[1], _VECTOR // b.itemsize, end - begin
    place = 0
    for start in range(0, columns, _PAIR * lanes):
        there = min(_PAIR * lanes, columns - start)
        width = -(-there // lanes) * lanes
        source = b[begin:end, start : start + there]
        panel = packed[place : place + terms * width].reshape(terms, width)
        if there == _PAIR * lanes:
            for k in range(terms):
                for j in range(_PAIR * lanes):  # whose number the compiler knows
                    panel[k, j] = source[k, j]
        else:
            for k in range(terms):
                for j in range(there):
                    panel[k, j] = source[k, j]
                for j in range(there, width):
                    panel[k, j] = 0
        place += terms * width


@nb.njit(**_OPTIONS)
def _panel(
    a: Array, first: int, terms: int, b: int, width: int, c: int, c_row: int, add: int
) -> None:
    """A product's columns of one panel: `a` of one block of terms by the panel at address `b`."""
    rows, like = a.shape[0], a.dtype.type(0)
    a_row, a_next = a.strides
    b_next = width * a.itemsize
    pair = b_next > _VECTOR
    at = _address(a) + first * a_next
    row = 0
    while row + _ROWS <= rows:
        if pair:
            _many_pair(at, a_row, a_next, b, b_next, c, c_row, terms, add, like)
        else:
            _many_single(at, a_row, a_next, b, b_next, c, c_row, terms, add, like)
        row, at, c = row + _ROWS, at + _ROWS * a_row, c + _ROWS * c_row
    while row + _SOME_ROWS <= rows:
        if pair:
            _some_pair(at, a_row, a_next, b, b_next, c, c_row, terms, add, like)
        else:
            _some_single(at, a_row, a_next, b, b_next, c, c_row, terms, add, like)
        row, at, c = row + _SOME_ROWS, at + _SOME_ROWS * a_row, c + _SOME_ROWS * c_row
    while row < rows:
        if pair:
            _one_pair(at, a_row, a_next, b, b_next, c, c_row, terms, add, like)
        else:
            _one_single(at, a_row, a_next, b, b_next, c, c_row, terms, add, like)
        row, at, c = row + 1, at + a_row, c + c_row


@nb.njit(**_OPTIONS)
def _block(a: Array, first: int, terms: int, packed: Array, c: Array, spare: Array) -> None:
    """Terms `first` to `first + terms` of all elements, set or (unless first) added to `c`."""
    rows, columns = c.shape
    lanes = _VECTOR // c.itemsize
    add = 1 if first > 0 else 0
    b = _address(packed)
    for start in range(0, columns, _PAIR * lanes):
        width = min(_PAIR * lanes, -(-(columns - start) // lanes) * lanes)
        if start + width <= columns:
            target = _address(c) + start * c.itemsize
            _panel(a, first, terms, b, width, target, c.strides[0], add)
        else:
            _panel(a, first, terms, b, width, _address(spare), width * c.itemsize, 0)
            there = columns - start
            for row in range(rows):
                for j in range(there):
                    value = spare[row * width + j]
                    c[row, start + j] = c[row, start + j] + value if add else value
        b += terms * width * c.itemsize


@nb.njit(**_OPTIONS)
def _padded(columns: int, itemsize: int) -> int:
    """Columns of a packed matrix."""
    lanes = _VECTOR // itemsize
    return -(-columns // lanes) * lanes


@nb.njit(**_OPTIONS)
def _spare(c: Array) -> Array:
    """Room for the last panel of a product, if its columns do not fill it."""
    return np.empty(c.shape[0] * _PAIR * (_VECTOR // c.itemsize), c.dtype)


@nb.njit(**_OPTIONS)
def product(a: Array, b: Array, c: Array) -> None:
    """`c = a b`."""
    terms, columns = b.shape
    packed = np.empty(min(terms, BLOCK) * _padded(columns, c.itemsize), c.dtype)
    spare = _spare(c)
    for first in range(0, terms, BLOCK):
        count = min(BLOCK, terms - first)
        _pack(b, first, first + count, packed)
        _block(a, first, count, packed, c, spare)


@nb.njit(**_OPTIONS)
def _packed(b: Array) -> Array:
    """A matrix for `_multiply`, which meets it at every step."""
    terms, columns = b.shape
    width = _padded(columns, b.itemsize)
    packed = np.empty(terms * width, b.dtype)
    for first in range(0, terms, BLOCK):
        last = min(first + BLOCK, terms)
        _pack(b, first, last, packed[first * width : last * width])
    return packed


@nb.njit(**_OPTIONS)
def _multiply(a: Array, packed: Array, c: Array, spare: Array) -> None:
    """`c = a b`, given `_packed(b)`."""
    terms, width = a.shape[1], len(packed) // a.shape[1]
    for first in range(0, terms, BLOCK):
        last = min(first + BLOCK, terms)
        _block(a, first, last - first, packed[first * width : last * width], c, spare)


# --- sweeps over units -------------------------------------------------------------------------


def tanh(x: Lanes) -> Lanes:
    """A quotient of polynomials in single precision, as vectors can have it.

    Coefficients of Eigen's `generic_fast_tanh_float` (degrees 13 and 6, within a few units in the
    last place); beyond 7.9 the function is 1 in single precision but for its last digits.
    """
    if not x.single:
        return x.each("tanh")
    x = x.within(7.90531110763549805)
    s = x * x
    p = fma(s, -2.76076847742355e-16, 2.00018790482477e-13)
    p = fma(p, s, -8.60467152213735e-11)
    p = fma(p, s, 5.12229709037114e-08)
    p = fma(p, s, 1.48572235717979e-05)
    p = fma(p, s, 6.37261928875436e-04)
    p = fma(p, s, 4.89352455891786e-03)
    q = fma(s, 1.19825839466702e-06, 1.18534705686654e-04)
    q = fma(q, s, 2.26843463243900e-03)
    q = fma(q, s, 4.89352518554385e-03)
    return x * p / q


def sigmoid(x: Lanes) -> Lanes:
    """The logistic function."""
    return fma(tanh(x * 0.5), 0.5, 0.5)


def _sweep(
    formula: Callable[..., tuple[Lanes, ...]], sources: tuple[int, ...], targets: tuple[int, ...]
) -> Callable[..., None]:
    """Compiled code that applies a formula to all units of all sequences.

    Args:
        formula: from a number of each block of each source to one of each block of each target.
        sources: blocks of units in the rows of each array that is read, `(batch, blocks * units)`;
            0 for one block that all sequences share.
        targets: blocks of those that are written, which may be those that were read.
    """

    @intrinsic
    def sweep(_context: Any, read: Any, written: Any) -> Any:
        kinds = (*read.types, *written.types)

        def generate(context: Any, builder: Any, _signature: Any, values: Any) -> Any:
            arrays = [
                context.make_array(kind)(context, builder, value)
                for kind, value in zip(
                    kinds,
                    [one for group in values for one in cgutils.unpack_tuple(builder, group)],
                    strict=True,
                )
            ]
            number = context.get_data_type(kinds[0].dtype)
            size = kinds[0].dtype.bitwidth // 8
            memory = _Memory(builder, number, size, _VECTOR // size)
            _generate_sweep(memory, formula, arrays, sources, targets)
            return context.get_dummy_value()

        return nb.void(read, written), generate

    return sweep


def _generate_sweep(
    memory: _Memory,
    formula: Callable[..., tuple[Lanes, ...]],
    arrays: list[Any],
    sources: tuple[int, ...],
    targets: tuple[int, ...],
) -> None:
    """LLVM's instructions for `_sweep`: whole vectors of units, then what is left one by one."""
    builder, size = memory.builder, memory.size
    batch, wide = cgutils.unpack_tuple(builder, arrays[-1].shape)
    word = batch.type
    units = builder.sdiv(wide, word(targets[-1]))
    lanes = word(memory.lanes)
    whole = builder.mul(builder.sdiv(units, lanes), lanes)
    reads = sum(max(blocks, 1) for blocks in sources)

    def starts(row: Any) -> Iterator[Any]:
        """Addresses of all blocks of all arrays, in the row of one sequence."""
        for array, blocks in zip(arrays, (*sources, *targets), strict=True):
            skipped = builder.mul(row, word(blocks))
            for block in range(max(blocks, 1)):
                before = builder.mul(builder.add(skipped, word(block)), units)
                base = builder.ptrtoint(array.data, word)
                yield builder.add(base, builder.mul(before, word(size)))

    def apply(to: _Memory, blocks: list[Any], unit: Any) -> None:
        places = [builder.add(block, builder.mul(unit, word(size))) for block in blocks]
        results = formula(*(to.load(place) for place in places[:reads]))
        for result, place in zip(results, places[reads:], strict=True):
            to.store(result, place)

    with cgutils.for_range(builder, batch, intp=word) as row:
        blocks = list(starts(row.index))
        for to, first, last in (
            (memory, word(0), whole),
            (replace(memory, lanes=1), whole, units),
        ):
            step = word(to.lanes)
            with cgutils.for_range_slice(builder, first, last, step, word) as (unit, _):
                apply(to, blocks, unit)


# --- vanilla RNN -----------------------------------------------------------------------------


def _rnn_there(y: Lanes, product: Lanes) -> tuple[Lanes, ...]:
    return (tanh(y + product),)


def _rnn_back(gy: Lanes, g: Lanes, y: Lanes) -> tuple[Lanes, ...]:
    return ((g + gy) * (1 - y * y),)


_rnn_units_there = _sweep(_rnn_there, (1, 1), (1,))
_rnn_units_back = _sweep(_rnn_back, (1, 1, 1), (1,))


@nb.njit(**_OPTIONS)
def rnn_forward(y_tbh: Array, h_bh: Array, weight_hh: Array, product_bh: Array) -> None:
    """Turn projections `y` into states, in place."""
    recurrent, spare = _packed(weight_hh.T), _spare(product_bh)
    before = h_bh
    for t in range(len(y_tbh)):
        _multiply(before, recurrent, product_bh, spare)
        before = y_tbh[t]
        _rnn_units_there((before, product_bh), (before,))


@nb.njit(**_OPTIONS)
def rnn_backward(gy_tbh: Array, g_bh: Array, y_tbh: Array, weight_hh: Array, d_tbh: Array) -> None:
    """Gradients `d` by the pre-activations; `g` becomes that by the first state."""
    recurrent, spare = _packed(weight_hh), _spare(g_bh)
    for t in range(len(y_tbh) - 1, -1, -1):
        _rnn_units_back((gy_tbh[t], g_bh, y_tbh[t]), (d_tbh[t],))
        _multiply(d_tbh[t], recurrent, g_bh, spare)


# --- LSTM: blocks input, forget, new, output -----------------------------------------------------


def _lstm_there(
    i: Lanes, f: Lanes, n: Lanes, o: Lanes, by_i: Lanes, by_f: Lanes, by_n: Lanes, by_o: Lanes,
    before: Lanes,
) -> tuple[Lanes, ...]:  # fmt: skip
    i, f, n, o = sigmoid(i + by_i), sigmoid(f + by_f), tanh(n + by_n), sigmoid(o + by_o)
    c = fma(f, before, i * n)
    return i, f, n, o, c, o * tanh(c)


def _lstm_back(
    gy: Lanes, g: Lanes, gc: Lanes, i: Lanes, f: Lanes, n: Lanes, o: Lanes, before: Lanes, c: Lanes
) -> tuple[Lanes, ...]:
    g_y, s = g + gy, tanh(c)
    g_c = fma(g_y * o, 1 - s * s, gc)
    return (
        g_c * n * i * (1 - i),
        g_c * before * f * (1 - f),
        g_c * i * (1 - n * n),
        g_y * s * o * (1 - o),
        g_c * f,
    )


_lstm_units_there = _sweep(_lstm_there, (4, 4, 1), (4, 1, 1))
_lstm_units_back = _sweep(_lstm_back, (1, 1, 1, 4, 1, 1), (4, 1))


@nb.njit(**_OPTIONS)
def lstm_forward(
    gates_tb4h: Array,
    h_bh: Array,
    c_bh: Array,
    weight_4hh: Array,
    y_tbh: Array,
    c_tbh: Array,
    product_b4h: Array,
) -> None:
    """Turn projections into gates, in place, and fill the outputs and cell states."""
    recurrent, spare = _packed(weight_4hh.T), _spare(product_b4h)
    h_before, c_before = h_bh, c_bh
    for t in range(len(y_tbh)):
        _multiply(h_before, recurrent, product_b4h, spare)
        gates, c, y = gates_tb4h[t], c_tbh[t], y_tbh[t]
        _lstm_units_there((gates, product_b4h, c_before), (gates, c, y))
        h_before, c_before = y, c


@nb.njit(**_OPTIONS)
def lstm_backward(
    gy_tbh: Array,
    g_bh: Array,
    gc_bh: Array,
    gates_tb4h: Array,
    c_tbh: Array,
    c_bh: Array,
    weight_4hh: Array,
    d_tb4h: Array,
) -> None:
    """Gradients `d` by the pre-activations; `g` and `gc` become those by the first states."""
    recurrent, spare = _packed(weight_4hh), _spare(g_bh)
    for t in range(len(gy_tbh) - 1, -1, -1):
        before = c_tbh[t - 1] if t > 0 else c_bh
        sources = (gy_tbh[t], g_bh, gc_bh, gates_tb4h[t], before, c_tbh[t])
        _lstm_units_back(sources, (d_tb4h[t], gc_bh))
        _multiply(d_tb4h[t], recurrent, g_bh, spare)


# --- GRU: blocks reset, update, new; on the way back u (what is reset), reset, update ------------


def _gru_there(
    r: Lanes, z: Lanes, n: Lanes, by_r: Lanes, by_z: Lanes, by_n: Lanes, before: Lanes, bias: Lanes
) -> tuple[Lanes, ...]:
    r, z, u = sigmoid(r + by_r), sigmoid(z + by_z), by_n + bias
    n = tanh(fma(r, u, n))
    return r, z, n, u, fma(z, before - n, n)


def _gru_back(
    gy: Lanes, g: Lanes, r: Lanes, z: Lanes, n: Lanes, u: Lanes, before: Lanes
) -> tuple[Lanes, ...]:
    g_y = g + gy
    by_new = g_y * (1 - z) * (1 - n * n)
    by_u = by_new * r
    return by_u, by_u * u * (1 - r), g_y * (before - n) * z * (1 - z), by_new, g_y * z


def _sum(x: Lanes, y: Lanes) -> tuple[Lanes, ...]:
    return (x + y,)


_gru_units_there = _sweep(_gru_there, (3, 3, 1, 0), (3, 1, 1))
_gru_units_back = _sweep(_gru_back, (1, 1, 3, 1, 1), (3, 1, 1))
_add_units = _sweep(_sum, (1, 1), (1,))


@nb.njit(**_OPTIONS)
def gru_forward(
    gates_tb3h: Array,
    h_bh: Array,
    weight_3hh: Array,
    bias_h: Array,
    y_tbh: Array,
    u_tbh: Array,
    product_b3h: Array,
) -> None:
    """Turn projections into gates, in place, and fill the outputs and `u = U_n h + b_hn`."""
    recurrent, spare = _packed(weight_3hh.T), _spare(product_b3h)
    before = h_bh
    for t in range(len(y_tbh)):
        _multiply(before, recurrent, product_b3h, spare)
        gates, u, y = gates_tb3h[t], u_tbh[t], y_tbh[t]
        _gru_units_there((gates, product_b3h, before, bias_h), (gates, u, y))
        before = y


@nb.njit(**_OPTIONS)
def gru_backward(
    gy_tbh: Array,
    g_bh: Array,
    gates_tb3h: Array,
    u_tbh: Array,
    y_tbh: Array,
    h_bh: Array,
    weight_3hh: Array,
    d_tb3h: Array,
    d_new_tbh: Array,
    product_bh: Array,
) -> None:
    """Gradients by `u` and the gates (`d`) and by the new state's pre-activation (`d_new`)."""
    recurrent, spare = _packed(weight_3hh), _spare(product_bh)
    for t in range(len(gy_tbh) - 1, -1, -1):
        before = y_tbh[t - 1] if t > 0 else h_bh
        sources = (gy_tbh[t], g_bh, gates_tb3h[t], u_tbh[t], before)
        _gru_units_back(sources, (d_tb3h[t], d_new_tbh[t], g_bh))
        _multiply(d_tb3h[t], recurrent, product_bh, spare)
        _add_units((g_bh, product_bh), (g_bh,))


def _compile() -> None:
    """For single precision, here and now, so that processes forked from this one share it."""
    sequence, batch, vector = nb.float32[:, :, ::1], nb.float32[:, ::1], nb.float32[::1]
    for kernel, shapes in (
        (rnn_forward, "tbbb"),
        (rnn_backward, "tbtbt"),
        (lstm_forward, "tbbbttb"),
        (lstm_backward, "tbbttbbt"),
        (gru_forward, "tbbvttb"),
        (gru_backward, "tbtttbbttb"),
    ):
        of = {"t": sequence, "b": batch, "v": vector}
        kernel.compile(tuple(of[shape] for shape in shapes))
    by_columns = nb.float32[::1, :]
    part = nb.float32[:, :]  # some of a matrix's columns, as a GRU's backward pass takes
    factors = ((batch, batch), (batch, by_columns), (by_columns, batch), (part, batch))
    for first, second in factors:
        product.compile((first, second, batch))


_compile()
