"""One side of a comparison of inference, see `process`: a mapping builds, "infer" computes one batch in memory.

    python -m benchmarks.lib.deployed write|ours|eager|compiled|runtime|openvino

write {"name", "size", "folder"}: our export targets and the file exported from PyTorch go to the folder, nothing is
timed. Others {"name", "size", "folder", "batch", "target", "dtype"}; "parameters" counts, where that is known.
"""

import os
import sys
from pathlib import Path

import numpy as np

from benchmarks.lib.networks import DEPLOYED
from benchmarks.lib.process import serve

THREADS = int(os.environ.get("OMP_NUM_THREADS", 1))


class Write:
    """Our export targets, of random weights with statistics of noise; int8 calibrated with noise."""

    def __init__(self, name, size, folder):
        import gluon_attn  # noqa: I001 - before MXNet: it sets threads and malloc
        import mxnet as mx

        from gluon_attn.config.card import Card
        from gluon_attn.deploy.predictor import graph_inputs, random_images
        from gluon_attn.deploy.targets import all_targets
        from gluon_attn.deploy.write import write_optimized

        net = gluon_attn.get_model(DEPLOYED[name].model, 1000, input_size=size)
        net.initialize(mx.init.MSRAPrelu())
        card = Card(**net.recipe, input_shape=(3, size, size))
        inputs = graph_inputs(card, random_images(card, 8))
        net(mx.nd.array(inputs[:1]))
        self.errors = {}
        for target in all_targets():
            (Path(folder) / str(target)).mkdir(parents=True)
            try:
                write_optimized(target, net, card, Path(folder) / str(target) / "net", inputs)
            except Exception as error:  # the table says so
                self.errors[str(target)] = f"{type(error).__name__}: {error}"[:100]

    def problems(self):
        return self.errors


class Export:
    """PyTorch's ONNX file, for the engines beside it."""

    def __init__(self, name, size, folder):
        import torch

        from benchmarks.lib.torch_nets import network

        net, free = network(name, size).eval(), {"data": {0: "N"}, "logits": {0: "N"}}
        names = {"input_names": ["data"], "output_names": ["logits"], "dynamic_axes": free}
        images = torch.randn(1, 3, size, size)
        torch.onnx.export(net, images, f"{folder}/torch.onnx", dynamo=False, opset_version=17, **names)


class Side:
    """The images; `run` computes them."""

    def __init__(self, size, batch):
        self.images = np.random.default_rng(0).standard_normal((batch, 3, size, size), np.float32)

    def infer(self):
        self.run(self.images)


class Ours(Side):
    """A target of ours, or "live": the hybridized network."""

    def __init__(self, name, size, folder, batch, target, dtype):
        super().__init__(size, batch)
        import gluon_attn  # noqa: F401 - before MXNet
        from gluon_attn.deploy import measure, predictor

        if target == "live":
            found = measure.open_target(DEPLOYED[name].model)
        else:
            (path,) = (p for p in Path(folder, target).iterdir() if p.name in ("net-symbol.json", "net.onnx", "net.xml"))
            found = predictor.load(path)
        self.run = found.forward


class Eager(Side):
    """PyTorch, channels last; bfloat16 by autocast."""

    compiled = False

    def __init__(self, name, size, folder, batch, target, dtype):
        super().__init__(size, batch)
        import torch

        from benchmarks.lib.torch_nets import network

        torch.set_num_threads(THREADS)
        self.torch, self.low = torch, dtype == "bfloat16"
        self.net = network(name, size).eval().to(memory_format=torch.channels_last)
        self.images = torch.from_numpy(self.images).contiguous(memory_format=torch.channels_last)
        if self.compiled:
            import torch._inductor.config as settings

            settings.freezing = True
            self.net = torch.compile(self.net)

    def run(self, images):
        with self.torch.no_grad(), self.torch.autocast("cpu", self.torch.bfloat16, enabled=self.low):
            self.net(images)


class Compiled(Eager):
    """After torch.compile, frozen."""

    compiled = True


class Runtime(Side):
    """ONNX Runtime on PyTorch's file."""

    def __init__(self, name, size, folder, batch, target, dtype):
        super().__init__(size, batch)
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads, options.inter_op_num_threads = THREADS, 1
        session = onnxruntime.InferenceSession(f"{folder}/torch.onnx", options, providers=["CPUExecutionProvider"])
        self.run = lambda images: session.run(None, {"data": images})


class OpenVINO(Side):
    """OpenVINO on PyTorch's file."""

    def __init__(self, name, size, folder, batch, target, dtype):
        super().__init__(size, batch)
        import openvino

        kind = {"float32": "f32", "bfloat16": "bf16"}[dtype]
        options = {"INFERENCE_NUM_THREADS": THREADS, "PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": kind}
        model = openvino.Core().compile_model(openvino.convert_model(f"{folder}/torch.onnx"), "CPU", options)
        request = model.create_infer_request()
        self.run = lambda images: request.infer([images])


if __name__ == "__main__":
    sides = {"write": Write, "export": Export, "ours": Ours, "eager": Eager, "compiled": Compiled}
    serve({**sides, "runtime": Runtime, "openvino": OpenVINO}[sys.argv[1]])
