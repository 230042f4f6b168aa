"""Batch norms over all images of a step."""

from ..nn.sync_norm import synchronize
from ..utils.errors import UserError
from ..utils.log import get_logger


def synchronize_norms(net, contexts, backend):
    """Let the batch norms of a network, on `contexts`, take their statistics over all processes.

    Several devices in one process, or a network without a norm that is trained, are a `UserError`; where there is one
    process, nothing changes.
    """
    if len(contexts) > 1:
        raise UserError(
            f"--sync-bn goes over processes, here one has {len(contexts)} devices: start one for each, with horovodrun"
        )
    if backend.size == 1:
        get_logger().info("--sync-bn: there is one process, its statistics are those of all images")
    elif not synchronize(net, backend.combined):
        raise UserError("--sync-bn: the network has no batch norm that is trained; leave it out")
