"""What tests of traced graphs need: inputs, operators, and how far a graph is from the network."""

import json

import mxnet as mx
import numpy as np

from gluon_attn.data.transforms import normalize
from gluon_attn.deploy import predictor, symbol


def inputs(card, count=4):
    """N,C,H,W of random images."""
    return normalize(predictor.random_images(card, count), card.mean, card.std)


def operators(graph):
    """Names of the operators of a `deploy.graph.Graph`."""
    return [node["op"] for node in json.loads(graph.symbol.tojson())["nodes"]]


def distance(graph, x, expected):
    """Largest difference of the graph's logits, relative to the largest expected one."""
    found = symbol.block(graph)(mx.nd.array(x)).asnumpy()
    return abs(found - np.asarray(expected)).max() / abs(expected).max()
