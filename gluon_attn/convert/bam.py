"""BAM as its authors' code calls its layers; Att-DARTS and Echo have them from there.

Layers are counted through in ours; there each has a name of its own.
"""

from mxnet.gluon import nn


def bam_names(block, channel, space):
    """The table of a BAM block. channel, space: what stands before the names of the two branches."""
    hidden, dilated = _count(block.channel) - 1, _count(block.space) - 2
    dense = [f"fc_{i}" for i in range(hidden)] + ["fc_final"]
    dense_norms = [f"bn_{i + 1}" for i in range(hidden)] + ["bn_final"]
    steps = ["reduce0", *(f"di_{i}" for i in range(dilated)), "final"]
    return {
        **_row("channel", block.channel, channel, dense, dense_norms),
        **_row("space", block.space, space, [f"conv_{step}" for step in steps], [f"bn_{step}" for step in steps]),
    }


def _row(name, layers, prefix, convolutions, norms):
    """Our path of each convolution and of the norm behind it -> theirs."""
    names, step = {}, -1
    for i, layer in enumerate(layers):
        convolution = isinstance(layer, nn.Conv2D)
        step += convolution
        if not isinstance(layer, nn.Activation):
            names[f"{name}.{i}"] = prefix + (convolutions if convolution else norms)[step]
    return names


def _count(layers):
    return sum(isinstance(layer, nn.Conv2D) for layer in layers)
