"""Gives a detector new classes: its class convolutions start anew, everything else keeps its weights."""

import numpy as np
import onnx
import torch
from onnx import helper, numpy_helper

from model_info import info_of, set_metadata
from onnx_module import OnnxModule, constants_of
from yolox_graph import class_count, find_heads, nodes_before
from yolox_tail import OUTPUT, decode_nodes

INITIAL_DEVIATION = 0.01
# Before the first step every place says each class with this probability (Lin et al., arXiv:1708.02002).
INITIAL_SCORE = 0.01
SEED = 20


def with_classes(model, names):
    """The model itself where its classes are these; else a copy whose class heads are new."""
    info = info_of(model)
    if info.names == names and class_count(model) == len(names):
        return model
    renewed = onnx.ModelProto()
    renewed.CopyFrom(model)
    strides = strides_of(renewed, info)
    heads = find_heads(renewed)
    random = np.random.default_rng(SEED)
    for head in heads:
        replace_convolution(renewed, head.classes, len(names), random)
    attach_decoding(renewed, heads, strides, info, len(names))
    set_metadata(renewed, {"names": repr(dict(enumerate(names))), "imgsz": f"[{info.height}, {info.width}]", "stride": max(strides), "layout": "v5", "task": "detect"})
    onnx.checker.check_model(renewed)
    return renewed


def strides_of(model, info):
    """Px of the input per place, for each scale; from one run on an empty picture."""
    module = OnnxModule(model).eval()
    with torch.no_grad():
        return [info.height // boxes.shape[2] for boxes, _, _ in module(torch.zeros(1, 3, info.height, info.width))]


def replace_convolution(model, convolution, classes, random):
    arrays = {item.name: item for item in model.graph.initializer}
    shape = [classes, *arrays[convolution.input[1]].dims[1:]]
    bias = np.full(classes, -np.log((1 - INITIAL_SCORE) / INITIAL_SCORE), np.float32)
    weight = (random.standard_normal(shape) * INITIAL_DEVIATION).astype(np.float32)
    for name, value in zip(convolution.input[1:3], (weight, bias)):
        arrays[name].CopyFrom(numpy_helper.from_array(value, name))


def attach_decoding(model, heads, strides, info, classes):
    """Cuts the graph after the head convolutions and puts the standard decoding there."""
    graph = model.graph
    constants = {name for name in constants_of(model)}
    kept = nodes_before(model, heads, constants)
    used = {name for node in kept for name in node.input}
    kept = [node for node in graph.node if node.op_type == "Constant" and node.output[0] in used] + kept
    weights = [item for item in graph.initializer if item.name in used]
    scales = [(*head.outputs, stride) for head, stride in zip(heads, strides)]
    nodes, initializers, output = decode_nodes(scales, info.height, info.width, classes)
    rebuilt = helper.make_graph(kept + nodes, graph.name or "detector", list(graph.input)[:1], [output], weights + initializers)
    graph.CopyFrom(rebuilt)
    assert graph.output[0].name == OUTPUT
