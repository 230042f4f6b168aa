"""A network that stays in the process, as fast as MXNet computes it there."""

import threading
from functools import partial

import mxnet as mx
import numpy as np

from ..analyze.graph import check_input
from ..config.card import Card
from ..deploy import symbol
from ..deploy.graph import Graph, check_weights, trace
from ..deploy.mxnet_form import BATCH, graph_for_mxnet
from ..engine.precision import usable_dtype
from ..models.detection.detector import Detector
from ..models.factory import model_info
from ..utils import cpu
from ..utils.checks import positive
from ..utils.errors import UserError
from ..utils.progress import Progress
from ..utils.seed import generator

#: what `optimize_for_inference` computes in
DTYPES = ("float32", "bfloat16")
_one_at_a_time = threading.Lock()  # tracing sets the names of a network's blocks


class OptimizedNetwork(mx.gluon.Block):
    """A frozen network for images of one size: (N,3,H,W) float32 -> (N,classes) float32. It has no gradients.

    Args:
        graph: its graph, with the weights.

    Attributes:
        symbol: what is computed.
    """

    symbol: mx.sym.Symbol

    def __init__(self, graph: Graph) -> None:
        super().__init__()
        self.symbol, self._shape = graph.symbol, graph.card.input_shape
        self._computing = symbol.block(graph)

    def forward(self, images: mx.nd.NDArray) -> mx.nd.NDArray:
        """Compute logits.

        Args:
            images: (N,3,H,W) of the height and width that the network was optimized for.
        """
        if images.shape[1:] != self._shape:
            made, given = ("x".join(map(str, shape)) for shape in (self._shape, images.shape[1:]))
            raise UserError(f"the network was optimized for images of {made}, got {given}: optimize it for these, too")
        with mx.autograd.pause():  # fused operators have no gradients, or wrong ones
            return self._computing(images)


def optimize_for_inference(
    net: mx.gluon.HybridBlock, input_size: int | None = None, dtype: str = "float32", batch_size: int = 1
) -> OptimizedNetwork:
    """Make a copy of a network that computes the same logits faster, on this machine's CPU, without gradients.

    May be called in several threads, which then take turns.

    Batch norms are folded into convolutions, and oneDNN fuses what follows these. Of several formulations, compiled
    operators among them, it takes the one that is the fastest when tried here. For other programs and machines, and
    for int8, export the network.

    Args:
        net: A network of `get_model`, with weights, on the CPU. It stays as it is, and may be trained further; the copy
            keeps the weights of now.
        input_size: Height and width of the images (default: the network's own). The copy takes no others.
        dtype: "float32" (default) or "bfloat16", which a processor without it computes in float32, with a warning.
        batch_size: Images of a pass that the choice is made for (default 1; at most 8 are tried); others go as well.

    Returns:
        The copy, (N,3,H,W) float32 -> (N,classes) float32.

    Raises:
        UserError: The network is none of `get_model`, has no weights, is on a GPU or does not take such images.
    """
    if dtype not in DTYPES:
        raise UserError(f"optimize_for_inference computes in {' or '.join(DTYPES)}, not in {dtype!r}")
    recipe = getattr(net, "recipe", None)
    if not recipe or isinstance(net, Detector):
        raise UserError("optimize_for_inference takes a classifier of get_model")
    own = recipe["options"].get("input_size", model_info(recipe["model"]).input_size)
    side, count = positive("input_size", own if input_size is None else input_size), positive("batch_size", batch_size)
    card = Card(**recipe, input_shape=(3, side, side))
    dtype = usable_dtype(dtype, _cpus(net), cpu.has_bfloat16(cpu.Host()))
    images = generator(0).standard_normal((min(count, BATCH), *card.input_shape), np.float32)
    with _one_at_a_time, Progress("choosing the fastest formulation"):
        check_input(net, card.input_shape)
        return OptimizedNetwork(graph_for_mxnet(dtype, partial(trace, net, card), images, compiled=True))


def _cpus(net: mx.gluon.HybridBlock) -> list[mx.Context]:
    """The devices of a network; `UserError` if it has none yet, or one that is no CPU."""
    parameters = net.collect_params().values()
    check_weights(parameters)
    found = {device for parameter in parameters for device in parameter.list_ctx()}
    if any(device.device_type != "cpu" for device in found):
        raise UserError("optimize_for_inference is for the CPU: net.reset_ctx(mx.cpu()) moves a network there")
    return list(found)
