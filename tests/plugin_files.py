"""What the tests of plugins share: files of plugins, and registries that are put back after a test."""

import importlib
import sys

from gluon_attn import plugins
from gluon_attn.attention.factory import ATTENTIONS
from gluon_attn.data.factory import DATASETS
from gluon_attn.models.factory import MODELS  # the factories, so that the package's own names are there

#: a plugin with an attention, a data set and a model
WHOLE = '''
import numpy as np

import gluon_attn


@gluon_attn.register_attention("half", "Half")
class Half(gluon_attn.Attention):
    """Half of the input."""

    def hybrid_forward(self, F, x):
        return 0.5 * x


@gluon_attn.register_dataset("stripes")
def stripes(cfg, seed):
    """Two classes of 16x16 images: stripes across, stripes along."""
    across = np.tile(np.array([0, 255], np.uint8)[:, None, None], (8, 16, 3))
    images = np.stack([across, across.transpose(1, 0, 2)] * 8)
    part = gluon_attn.ArraySet(images, np.array([0, 1] * 8, np.int32))
    return gluon_attn.Dataset("stripes", part, part, ("across", "along"), (0.5,) * 3, (0.5,) * 3, flip=True)


@gluon_attn.register_model("tiny", input_size=16, stages=1, classes=2, blocks=(1,))
def tiny(plan, classes, *, input_size=16, width=4):
    from mxnet.gluon import nn

    plan = plan.bind([1], ("post",), head=False)
    net = nn.HybridSequential()
    with net.name_scope():
        net.add(nn.Conv2D(width, 3, 2, 1, in_channels=3), nn.BatchNorm(in_channels=width))
        attention = plan.make("post", 1, 0, width, input_size // 2)
        if attention:
            net.add(attention)
        net.add(nn.GlobalAvgPool2D(), nn.Flatten(), nn.Dense(classes, in_units=width))
    return net
'''


def forget_plugins(monkeypatch):
    """No plugin is loaded and none is installed; what a test loads and registers is forgotten after it."""
    for registry in (ATTENTIONS, DATASETS, MODELS):
        importlib.import_module(plugins.OWN[registry.kind])  # before the copies, which are forgotten with what they got
        for table in ("_makers", "_aliases", "_origins"):
            monkeypatch.setattr(registry, table, dict(getattr(registry, table)))
    monkeypatch.setattr(plugins, "_loaded", set())
    monkeypatch.setattr(plugins, "_complete", False)
    monkeypatch.setattr(plugins, "installed", list)
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.setenv(plugins.VARIABLE, "")
