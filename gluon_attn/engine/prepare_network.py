"""What is done to a network before it trains: parts of it frozen, its batch norms synchronized over processes."""

import re
from collections.abc import Collection, Iterable, Sequence

import mxnet as mx
from mxnet.gluon import HybridBlock, Parameter, nn

from ..nn.params import classifier, few
from ..nn.sync_norm import synchronize
from ..utils.errors import UserError
from ..utils.log import get_logger
from .backend import Backend

#: the pattern for all parameters but the classifier's
FEATURES = "features"


def mark_new(net: HybridBlock, names: Collection[str]) -> None:
    """Say which parameters of a network do not come from its pretrained weights.

    Args:
        net: the network, which keeps it as its attribute `new_parameters`.
        names: structural names.
    """
    net.new_parameters = frozenset(names)


def new_parameters(net: HybridBlock) -> frozenset[str]:
    """The names that `mark_new` got; none of a network without pretrained weights."""
    return getattr(net, "new_parameters", frozenset())


def freeze(net: HybridBlock, pattern: str) -> set[str]:
    """Exclude parameters from training.

    A frozen batch norm computes with its running statistics, as in evaluation, and does not update them. What does not
    come from the pretrained weights is trained all the same: frozen, it would stay as it was drawn at random.

    Args:
        net: the network; its parameters are changed.
        pattern: a regular expression that matches from the start of a parameter's structural name, such as
            `features.[0-4]`; `features` alone means all but the classifier, whatever the names are.

    Returns:
        The structural names of the frozen parameters.

    Raises:
        UserError: the pattern is no regular expression, or matches no parameter or all of them.
    """
    try:
        expression = re.compile(pattern)
    except re.error as error:
        raise UserError(f"option freeze {pattern} is no regular expression ({error})") from None
    params = net._collect_params_with_prefix()
    trained = [name for name, param in params.items() if param.grad_req != "null"]
    found = {name for name in params if expression.match(name)}
    if pattern == FEATURES and not found:
        found = set(params).difference(classifier(net))
    if not found:
        raise UserError(f"option freeze {pattern} matches no parameter; names are such as {', '.join(trained[:3])}")
    if found.issuperset(trained):
        raise UserError(f"option freeze {pattern} matches every parameter: nothing would be trained")
    spared = [name for name in params if name in found & new_parameters(net)]
    if spared:
        get_logger().info("freeze: %s start anew and are trained all the same", few(spared))
    found.difference_update(spared)
    for name in found:
        params[name].grad_req = "null"
    set_global_statistics(net, [params[name] for name in found])
    return found


def set_global_statistics(net: HybridBlock, frozen: Iterable[Parameter]) -> list[HybridBlock]:
    """Let batch norms compute with their running statistics in training, too.

    Args:
        net: the network, not hybridized or to be traced anew.
        frozen: the norms are those whose running mean is among these parameters.

    Returns:
        The norms that did not do so before.
    """
    means = set(map(id, frozen))
    found: list[HybridBlock] = []

    def fix(block: HybridBlock) -> None:
        if isinstance(block, nn.BatchNorm) and id(block.running_mean) in means:
            if not block._kwargs["use_global_stats"]:
                found.append(block)
            block._kwargs["use_global_stats"] = True

    net.apply(fix)
    return found


def synchronize_norms(net: HybridBlock, contexts: Sequence[mx.Context], backend: Backend) -> None:
    """Compute the batch mean and variance of the batch norms of a network over the images of all processes.

    With one process nothing changes.

    Args:
        net: the network; its batch norms are changed.
        contexts: the devices of this process, which must be one.
        backend: the processes of the run.

    Raises:
        UserError: there are several devices in this process, or no batch norm that is trained.
    """
    if len(contexts) > 1:
        raise UserError(
            f"option sync_bn synchronizes processes, here one has {len(contexts)} devices: start one process per "
            "device, with horovodrun"
        )
    if backend.size == 1:
        get_logger().info("sync_bn: there is one process, its statistics are those of all images")
    elif not synchronize(net, backend.allreduce):
        raise UserError("option sync_bn: the network has no batch norm that is trained; leave it out")
