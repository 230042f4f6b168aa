"""The forms of a block agree: imperative, hybridized, exported, in ONNX, saved and loaded."""

import math
import tempfile
from pathlib import Path
from typing import Any

import mxnet as mx
import numpy as np
from mxnet.gluon import HybridBlock, nn

from ...config.card import Card
from ...deploy.graph import Graph, trace
from ...deploy.onnx import open_session, write_onnx
from ...nn import fast
from ...nn.params import load_params, save_params
from ...utils.errors import UserError
from ...utils.optional import require
from .case import BATCHES, Case, CheckFailed, NotChecked, same

#: float32 in another library, relative to the largest value
_OTHER_ENGINE = 1e-4


def shape_and_dtype(case: Case) -> None:
    """The output has the shape and dtype that it should have, imperative and hybridized, for any batch."""
    block = case.make()
    for hybrid in (False, True):
        block.hybridize(hybrid)
        for batch in BATCHES:
            y = block(case.image(batch))
            if not isinstance(y, mx.nd.NDArray):
                raise CheckFailed(f"gives a {type(y).__name__}, not one array")
            if y.shape != case.output(batch):
                raise CheckFailed(f"gives the shape {y.shape}, not {case.output(batch)}")
            if np.dtype(y.dtype) != np.float32:
                raise CheckFailed(f"gives {np.dtype(y.dtype).name} for float32")


def imperative_is_hybrid_is_symbol(case: Case) -> float:
    """Hybridized, exported and loaded, and written with plain operators: each for one image and for several.

    Args:
        case: what is checked.

    Returns:
        The largest difference.

    Raises:
        CheckFailed: two of them differ.
    """
    block, images = case.make(), [case.image(batch) for batch in BATCHES]
    imperative = [block(x) for x in images]
    with fast.plain_operators():
        plain = block(mx.sym.var("data"))
    block.hybridize()
    first = _same(case, block(images[0]), imperative[0], "hybridized")
    loaded = _exported(block)
    plain = mx.gluon.SymbolBlock(plain, mx.sym.var("data"), block.collect_params())
    forms = {"hybridized": block, "exported": loaded, "written with plain operators": plain}
    return max(
        first,
        *(_same(case, form(x), y, what) for x, y in zip(images, imperative, strict=True)
          for what, form in forms.items()),
    )  # fmt: skip


def any_batch(case: Case) -> float:
    """One graph takes any batch, and each image is for itself; returns the largest difference."""
    block = case.make()
    block.hybridize(static_alloc=True)
    x = case.image(5)
    whole = block(x).copy()
    parts = ((0, 1), (1, 4), (4, 5))
    return max(_same(case, block(x[a:b]), whole[a:b], "an image with others than before") for a, b in parts)


def onnx(case: Case) -> float:
    """ONNX Runtime agrees, for one image and for several; returns the largest difference.

    Raises:
        NotChecked: onnx or onnxruntime is missing.
    """
    try:
        require("onnx"), require("onnxruntime")
    except UserError as error:
        raise NotChecked(str(error)) from None
    block, images = case.make(), [case.image(batch) for batch in BATCHES]
    wanted = [block(x).asnumpy() for x in images]
    with tempfile.TemporaryDirectory() as folder:
        session, _ = open_session(write_onnx(traced(case, block, plain=True), Path(folder) / "block.onnx"))
    found = [session.run(None, {"data": x.asnumpy()})[0] for x in images]
    return max(
        same(y.reshape(w.shape), w, "ONNX Runtime", case.rtol, _OTHER_ENGINE * abs(w).max())
        for y, w in zip(found, wanted, strict=True)
    )


def traced(case: Case, block: HybridBlock, plain: bool = False) -> Graph:
    """The float32 graph of a block as exports take it, its output as rows.

    Args:
        case: what is checked.
        block: of the case.
        plain: whether it has plain operators.
    """
    flat = nn.HybridSequential(prefix="")
    flat.add(block, nn.Flatten())
    card = Card(model=case.name, classes=math.prod(case.output(1)), input_shape=case.image().shape[1:])
    return trace(flat, card, plain)


def saved_and_loaded(case: Case) -> float:
    """A parameter file gives the same weights and the same output, bit for bit.

    Raises:
        CheckFailed: it does not.
    """
    block, again, x = case.make(), case.make(), case.image(2)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "block.params"
        save_params(block, path)
        load_params(again, path)
    ours, theirs = block._collect_params_with_prefix(), again._collect_params_with_prefix()
    if list(ours) != list(theirs):
        raise CheckFailed("two of it have other parameter names")
    for key in ours:
        if not (ours[key].data().asnumpy() == theirs[key].data().asnumpy()).all():
            raise CheckFailed(f"{key} is another after saving and loading")
    return same(again(x), block(x), "with loaded weights", 0, 0)


def _same(case: Case, got: Any, wanted: Any, what: str) -> float:
    return same(got, wanted, what, case.rtol, case.atol)


def _exported(block: HybridBlock) -> mx.gluon.SymbolBlock:
    """A hybridized block after `export` and `SymbolBlock.imports`."""
    with tempfile.TemporaryDirectory() as folder:
        prefix = Path(folder) / "block"
        block.export(str(prefix))
        params = [f"{prefix}-0000.params"] if block.collect_params() else []
        return mx.gluon.SymbolBlock.imports(f"{prefix}-symbol.json", ["data"], *params)
