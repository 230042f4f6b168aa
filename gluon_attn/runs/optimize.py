"""A network that stays in the process, as fast as MXNet computes it there."""

from functools import partial

import mxnet as mx
import numpy as np

from ..analyze.graph import check_input
from ..config.card import Card
from ..deploy import symbol
from ..deploy.graph import trace
from ..deploy.mxnet_form import graph_for_mxnet
from ..engine.precision import usable_dtype
from ..models.detection.detector import Detector
from ..models.factory import model_info
from ..utils import cpu
from ..utils.errors import UserError
from ..utils.progress import Progress
from ..utils.seed import generator

#: what `optimize_for_inference` computes in
DTYPES = ("float32", "bfloat16")


def optimize_for_inference(
    net: mx.gluon.HybridBlock, input_size: int | None = None, dtype: str = "float32", batch_size: int = 1
) -> mx.gluon.SymbolBlock:
    """Make a copy of a network that computes the same logits faster, on this machine's CPU, for inference only.

    Batch norms are folded into convolutions, and oneDNN fuses what follows these. Of several formulations, compiled
    operators among them, it takes the one that is the fastest when tried here. For other programs and machines, and
    for int8, export the network.

    Args:
        net: A network of `get_model`, with weights, on the CPU. It stays as it is, and may be trained further; the copy
            keeps the weights of now.
        input_size: Height and width of the images (default: the model's own). Others go as well if the network takes
            them; this is what the choice is made for.
        dtype: "float32" (default) or "bfloat16", which a processor without it computes in float32, with a warning.
        batch_size: Images of a pass that the choice is made for (default 1); others go as well.

    Returns:
        A hybridized block, (N,3,H,W) float32 -> (N,classes) float32.

    Raises:
        UserError: The network is none of `get_model`, has no weights, is on a GPU or does not take such images.
    """
    if dtype not in DTYPES:
        raise UserError(f"optimize_for_inference computes in {' or '.join(DTYPES)}, not in {dtype!r}")
    for name, value in (("input_size", input_size), ("batch_size", batch_size)):
        if value is not None and (not isinstance(value, int) or value < 1):
            raise UserError(f"{name} of optimize_for_inference must be a whole number from 1, not {value!r}")
    recipe = getattr(net, "recipe", None)
    if not recipe or isinstance(net, Detector):
        raise UserError("optimize_for_inference takes a classifier of get_model")
    side = input_size or model_info(recipe["model"]).input_size
    card = Card(**recipe, input_shape=(3, side, side))
    check_input(net, card.input_shape)
    dtype = usable_dtype(dtype, _cpus(net), cpu.has_bfloat16(cpu.Host()))
    images = generator(0).standard_normal((batch_size, *card.input_shape), np.float32)
    with Progress("choosing the fastest formulation"):
        return symbol.block(graph_for_mxnet(dtype, partial(trace, net, card), images, compiled=True))


def _cpus(net: mx.gluon.HybridBlock) -> list[mx.Context]:
    """The devices of a network; `UserError` if it has none yet, or one that is no CPU."""
    try:
        found = {device for parameter in net.collect_params().values() for device in parameter.list_ctx()}
    except RuntimeError:
        raise UserError("the network has no weights yet: initialize it or load a parameter file") from None
    if any(device.device_type != "cpu" for device in found):
        raise UserError("optimize_for_inference is for the CPU: net.reset_ctx(mx.cpu()) moves a network there")
    return list(found)
