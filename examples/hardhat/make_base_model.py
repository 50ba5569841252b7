"""Makes the untrained base model of the drawn worksite: a small YOLOX-style detector as an ONNX file with random weights.

    python make_base_model.py --out random.onnx --seed 1
    python make_base_model.py --fold trained.onnx --out worksite-base.onnx --version 1

The first call builds the graph (Conv, BatchNormalization, Relu; strides 8, 16, 32). Train it with steps/train.py, which
trains any such file; then the second call folds the normalisation into the convolutions. models/README.md has the
whole recipe.
"""

import argparse
import os
import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "steps"))

from fold_norms import fold_norms  # noqa: E402
from model_info import set_metadata  # noqa: E402
from yolox_tail import decode_nodes  # noqa: E402

HEIGHT, WIDTH = 256, 320
NAMES = ["helmet", "head"]
STRIDES = (8, 16, 32)
STEM, STAGES, BLOCKS = 16, (32, 64, 96, 128), (1, 2, 2, 0)
NECK, HEAD = 48, 40
OPSET, IR_VERSION = 13, 7
# Before the first step every place says "something is here" with this probability (Lin et al., arXiv:1708.02002).
INITIAL_SCORE = 0.01


class Graph:
    """Collects nodes and weights; every method returns the name of its output."""

    def __init__(self, seed):
        self.random = np.random.default_rng(seed)
        self.nodes, self.weights, self.count = [], [], 0

    def _name(self, kind):
        self.count += 1
        return f"{kind}_{self.count}"

    def _weight(self, name, value):
        self.weights.append(numpy_helper.from_array(value.astype(np.float32), name))
        return name

    def conv(self, source, channels, size, stride=1):
        """channels: (in, out). He initialisation."""
        name = self._name("conv")
        deviation = np.sqrt(2.0 / (channels[0] * size * size))
        weight = self._weight(f"{name}.weight", self.random.standard_normal((channels[1], channels[0], size, size)) * deviation)
        bias = self._weight(f"{name}.bias", np.zeros(channels[1]))
        pad = size // 2
        self.nodes.append(helper.make_node("Conv", [source, weight, bias], [name], kernel_shape=[size, size], strides=[stride] * 2, pads=[pad] * 4))
        return name

    def block(self, source, channels, size, stride=1):
        """Conv, BatchNormalization, Relu."""
        raw = self.conv(source, channels, size, stride)
        name = self._name("norm")
        initial = {"scale": np.ones, "shift": np.zeros, "mean": np.zeros, "variance": np.ones}
        parts = [self._weight(f"{name}.{part}", make(channels[1])) for part, make in initial.items()]
        self.nodes.append(helper.make_node("BatchNormalization", [raw, *parts], [name], epsilon=1e-3))
        return self.simple("Relu", [name])

    def simple(self, operation, sources, **attributes):
        name = self._name(operation.lower())
        self.nodes.append(helper.make_node(operation, sources, [name], **attributes))
        return name

    def residual(self, source, channels):
        inner = self.block(source, (channels, channels // 2), 1)
        return self.simple("Add", [source, self.block(inner, (channels // 2, channels), 3)])

    def double(self, source):
        scales = self._weight(self._name("scales"), np.array([1, 1, 2, 2]))
        return self.simple("Resize", [source, "", scales], mode="nearest", coordinate_transformation_mode="asymmetric", nearest_mode="floor")

    def prediction(self, source, channels, bias):
        name = self.conv(source, channels, 1)
        weight, offset = self.weights[-2:]
        weight.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(weight) * np.float32(0.1), weight.name))
        offset.CopyFrom(numpy_helper.from_array(np.full(channels[1], bias, np.float32), offset.name))
        return name


def backbone(graph):
    """Feature maps at strides 8, 16 and 32."""
    value, channels, maps = graph.block("images", (3, STEM), 3, 2), STEM, []
    for wide, blocks in zip(STAGES, BLOCKS):
        value = graph.block(value, (channels, wide), 3, 2)
        for _ in range(blocks):
            value = graph.residual(value, wide)
        channels = wide
        maps.append(value)
    pooled = [maps[-1], *(graph.simple("MaxPool", [maps[-1]], kernel_shape=[side, side], strides=[1, 1], pads=[side // 2] * 4) for side in (3, 5))]
    maps[-1] = graph.block(graph.simple("Concat", pooled, axis=1), (3 * STAGES[-1], STAGES[-1]), 1)
    return maps[1:]


def neck(graph, maps):
    """Features of all scales told to each other: down from the coarse to the fine, then up again."""
    sides = [graph.block(value, (wide, NECK), 1) for value, wide in zip(maps, STAGES[1:])]
    join = lambda a, b: graph.block(graph.simple("Concat", [a, b], axis=1), (2 * NECK, NECK), 3)  # noqa: E731
    middle = join(graph.double(sides[2]), sides[1])
    fine = join(graph.double(middle), sides[0])
    middle = join(graph.block(fine, (NECK, NECK), 3, 2), middle)
    return [fine, middle, join(graph.block(middle, (NECK, NECK), 3, 2), sides[2])]


def heads(graph, features):
    """Per scale: names of the box, objectness and class maps, and the stride."""
    low = -float(np.log((1 - INITIAL_SCORE) / INITIAL_SCORE))
    found = []
    for value, stride in zip(features, STRIDES):
        stem = graph.block(value, (NECK, HEAD), 1)
        classes = graph.prediction(graph.block(stem, (HEAD, HEAD), 3), (HEAD, len(NAMES)), low)
        place = graph.block(stem, (HEAD, HEAD), 3)
        found.append((graph.prediction(place, (HEAD, 4), 0.0), graph.prediction(place, (HEAD, 1), low), classes, stride))
    return found


def random_model(seed):
    graph = Graph(seed)
    nodes, initializers, output = decode_nodes(heads(graph, neck(graph, backbone(graph))), HEIGHT, WIDTH, len(NAMES))
    source = helper.make_tensor_value_info("images", TensorProto.FLOAT, [1, 3, HEIGHT, WIDTH])
    built = helper.make_graph(graph.nodes + nodes, "worksite", [source], [output], graph.weights + initializers)
    model = helper.make_model(built, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION, producer_name="edgeloop")
    fields = {"names": repr(dict(enumerate(NAMES))), "imgsz": f"[{HEIGHT}, {WIDTH}]", "stride": max(STRIDES), "layout": "v5", "task": "detect", "version": "0"}
    set_metadata(model, {**fields, "license": "Apache-2.0"})
    onnx.checker.check_model(model)
    return model


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", required=True)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--fold", help="fold this trained model instead of building one")
    parser.add_argument("--version", default="1")
    given = parser.parse_args()
    model = random_model(given.seed)
    if given.fold:
        model = fold_norms(onnx.load(given.fold))
        set_metadata(model, {"version": given.version})
    onnx.save_model(model, given.out)
    count = sum(int(np.prod(item.dims)) for item in model.graph.initializer)
    print(f"{given.out}: {count} numbers, {os.path.getsize(given.out)} bytes")


if __name__ == "__main__":
    main()
