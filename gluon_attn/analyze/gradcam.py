"""Grad-CAM: which parts of an image speak for a class. Selvaraju et al. 2017, https://arxiv.org/abs/1610.02391

w_k = mean over the pixels of d(logit of the class) / d(A_k); map = relu(sum_k w_k A_k), divided by its maximum, A the
last feature map, which the network's last global pooling takes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import mxnet as mx
import numpy as np

from ..nn.recording import hooks


@dataclass(frozen=True)
class Pooling:
    """One call in a pass of a network: of `block`, after `earlier` calls of the same block."""

    block: mx.gluon.Block
    earlier: int


def last_pooling(net: mx.gluon.HybridBlock, images: mx.nd.NDArray) -> Pooling | None:
    """Find the global pooling before a network's classifier by what goes in and out, whatever its name.

    It is the block without children and parameters that turns (N,C,H,W) into (N,C,1,1) after the last block that gave a
    map of several pixels. Where the last map has one pixel it is the last block that gives (N,C,1,1).

    Args:
        net: The network; no longer hybridized afterwards.
        images: Its input, (N,3,H,W).

    Returns:
        The pooling; None if no block is one.
    """
    found: list[Pooling] = []
    several: list[bool] = []
    calls: dict[int, int] = {}

    def seen(block: mx.gluon.Block, inputs: tuple, output: Any) -> None:
        earlier = calls.get(id(block), 0)
        calls[id(block)] = earlier + 1
        if not isinstance(output, mx.nd.NDArray) or output.ndim != 4:
            return
        if output.shape[2] * output.shape[3] > 1:
            found.clear()
            several.clear()
        elif _is_pooling(block, inputs, output):
            found.append(Pooling(block, earlier))
            several.append(inputs[0].shape[2] * inputs[0].shape[3] > 1)

    net.hybridize(False)
    with hooks(net, None, seen):
        net(images)
    return found[several.index(True) if any(several) else -1] if found else None


def grad_cam(net: mx.gluon.HybridBlock, images: mx.nd.NDArray, classes: Sequence[int], pooling: Pooling) -> np.ndarray:
    """Compute the maps of some images.

    Args:
        net: The network, which gives logits (N,classes); no longer hybridized afterwards.
        images: Its input, (N,3,H,W).
        classes: Index of the class that is asked about, one per image.
        pooling: Of the network, from `last_pooling`.

    Returns:
        (N,h,w) float32 from 0 to 1, h and w of the last feature map; 0 everywhere for an image in which nothing speaks
        for the class.
    """
    feature_maps: list[mx.nd.NDArray] = []
    calls = [0]

    def enter(_: mx.gluon.Block, inputs: tuple) -> None:
        if calls[0] == pooling.earlier:
            inputs[0].attach_grad()  # from here on the graph of the gradient begins
            feature_maps.append(inputs[0])
        calls[0] += 1

    net.hybridize(False)
    handle = pooling.block.register_forward_pre_hook(enter)
    try:
        with mx.autograd.record(train_mode=False):
            logits = net(images)
            score = mx.nd.pick(logits, mx.nd.array(list(classes), ctx=logits.context)).sum()
        score.backward()
    finally:
        handle.detach()
    return weighted_map(feature_maps[0].asnumpy(), feature_maps[0].grad.asnumpy())


def weighted_map(features: np.ndarray, gradients: np.ndarray) -> np.ndarray:
    """relu(sum_k w_k A_k) over its maximum, w_k the mean gradient; both (N,C,h,w), gives (N,h,w) float32."""
    weights = gradients.astype(np.float64).mean((2, 3), keepdims=True)
    maps = np.maximum((weights * features).sum(1), 0)
    largest = maps.max((1, 2), keepdims=True)
    return (maps / np.where(largest > 0, largest, 1)).astype(np.float32)


def _is_pooling(block: mx.gluon.Block, inputs: tuple, output: mx.nd.NDArray) -> bool:
    given = inputs[0]
    plain = not block._children and not block._reg_params
    return plain and isinstance(given, mx.nd.NDArray) and given.ndim == 4 and given.shape[1] == output.shape[1]
