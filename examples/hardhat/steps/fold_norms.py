"""Folds each BatchNormalization into the convolution before it: the same function in fewer operations."""

import numpy as np
import onnx
from onnx import numpy_helper

from yolox_graph import attributes_of


def fold_norms(model):
    """A copy without BatchNormalization nodes. Each must follow a Conv that nothing else reads."""
    folded = onnx.ModelProto()
    folded.CopyFrom(model)
    graph = folded.graph
    arrays = {item.name: numpy_helper.to_array(item) for item in graph.initializer}
    made_by = {name: node for node in graph.node for name in node.output}
    kept, gone = [], set()
    for node in graph.node:
        if node.op_type != "BatchNormalization":
            kept.append(node)
            continue
        convolution = made_by[node.input[0]]
        scale, shift, mean, variance = (arrays[name] for name in node.input[1:5])
        factor = scale / np.sqrt(variance + attributes_of(node).get("epsilon", 1e-5))
        weight, bias = convolution.input[1], convolution.input[2]
        arrays[weight] = (arrays[weight] * factor.reshape(-1, 1, 1, 1)).astype(np.float32)
        arrays[bias] = ((arrays[bias] - mean) * factor + shift).astype(np.float32)
        convolution.output[0] = node.output[0]
        gone.update(node.input[1:5])
    del graph.node[:]
    graph.node.extend(kept)
    names = [item.name for item in graph.initializer if item.name not in gone]
    del graph.initializer[:]
    graph.initializer.extend(numpy_helper.from_array(arrays[name], name) for name in names)
    onnx.checker.check_model(folded)
    return folded
