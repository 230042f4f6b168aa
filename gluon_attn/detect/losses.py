"""The losses of both stages, as weighted sums over what was sampled; the weights hold every normalization.

`F`-agnostic: `mx.nd` and `mx.sym`. All of an array are summed; padding has weight 0.
"""

from typing import Any

#: of the smooth L1 losses, where they become linear: torchvision's; MMDetection's plain L1 has 0
BETA = 1 / 9


def objectness_loss(F: Any, logits: Any, targets: Any, weights: Any) -> Any:
    """Binary cross-entropy of logits (...) with targets from 0 to 1, times weights, summed: (1,)."""
    return F.sum(_cross_entropy(F, logits, targets) * weights)


def _cross_entropy(F, logits, targets):
    return F.Activation(logits, act_type="softrelu") - logits * targets  # whose gradient is right at 0, too


def box_loss(F: Any, deltas: Any, targets: Any, weights: Any, beta: float = BETA) -> Any:
    """Smooth L1 of deltas (n,4), times weights (n,), summed: (1,).

    Args:
        F: `mx.nd` or `mx.sym`.
        deltas: what was predicted.
        targets: what should have been.
        weights: of each box.
        beta: below this distance the loss is quadratic; 0: plain L1.
    """
    distance = deltas - targets
    losses = F.smooth_l1(distance, scalar=beta**-0.5) if beta else F.abs(distance)
    return F.sum(F.broadcast_mul(losses, F.expand_dims(weights, axis=1)))


def class_loss(F: Any, logits: Any, labels: Any, weights: Any) -> Any:
    """Cross-entropy of logits (n,classes) with labels (n,), times weights (n,), summed: (1,)."""
    picked = F.pick(F.log_softmax(logits, axis=1), labels, axis=1)
    return -F.sum(picked * weights)


def mask_loss(F: Any, logits: Any, rows: Any, targets: Any, weights: Any) -> Any:
    """Binary cross-entropy of the map of each roi's own class, mean over its pixels, times weights, summed: (1,).

    Args:
        F: `mx.nd` or `mx.sym`.
        logits: (n,classes,h,w).
        rows: of each roi n * classes + its class, (n,).
        targets: (n,h,w), from 0 to 1.
        weights: of each roi, (n,).
    """
    own = F.take(F.reshape(logits, shape=(-3, 0, 0)), rows)
    return F.sum(F.mean(_cross_entropy(F, own, targets), axis=(1, 2)) * weights)
