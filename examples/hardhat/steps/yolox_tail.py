"""The decoding tail of a YOLOX model as ONNX nodes: raw head maps -> output0 [1, places, 5 + classes] in the YOLOv5 layout.

Columns: cx, cy, w, h in px of the input, objectness, one score per class; all scores through their Sigmoid.
"""

import numpy as np
from onnx import TensorProto, helper, numpy_helper

OUTPUT = "output0"
PREFIX = "decode_"


def decode_nodes(heads, height, width, class_count):
    """heads: per scale (names of the box, objectness and class maps, stride). Returns (nodes, initializers, output)."""
    nodes, initializers = [], [constant("shape", np.array([0, 0, -1], np.int64))]
    for index, (boxes, objectness, classes, _) in enumerate(heads):
        gates = [f"{PREFIX}objectness_{index}", f"{PREFIX}classes_{index}"]
        nodes += [helper.make_node("Sigmoid", [name], [gate]) for name, gate in zip((objectness, classes), gates)]
        nodes.append(helper.make_node("Concat", [boxes, *gates], [f"{PREFIX}scale_{index}"], axis=1))
        nodes.append(helper.make_node("Reshape", [f"{PREFIX}scale_{index}", f"{PREFIX}shape"], [f"{PREFIX}flat_{index}"]))
    flat = [f"{PREFIX}flat_{index}" for index in range(len(heads))]
    nodes.append(helper.make_node("Concat", flat, [f"{PREFIX}all"], axis=2))
    nodes.append(helper.make_node("Transpose", [f"{PREFIX}all"], [f"{PREFIX}rows"], perm=[0, 2, 1]))
    grid, strides = places(heads, height, width)
    initializers += [constant("grid", grid), constant("strides", strides)]
    for part, (start, end) in {"centre": (0, 2), "size": (2, 4), "scores": (4, 5 + class_count)}.items():
        bounds = {"from": start, "to": end, "axis": 2}
        initializers += [constant(f"{part}_{name}", np.array([value], np.int64)) for name, value in bounds.items()]
        nodes.append(helper.make_node("Slice", [f"{PREFIX}rows", *(f"{PREFIX}{part}_{name}" for name in bounds)], [f"{PREFIX}{part}"]))
    nodes += [
        helper.make_node("Add", [f"{PREFIX}centre", f"{PREFIX}grid"], [f"{PREFIX}moved"]),
        helper.make_node("Mul", [f"{PREFIX}moved", f"{PREFIX}strides"], [f"{PREFIX}xy"]),
        helper.make_node("Exp", [f"{PREFIX}size"], [f"{PREFIX}exp"]),
        helper.make_node("Mul", [f"{PREFIX}exp", f"{PREFIX}strides"], [f"{PREFIX}wh"]),
        helper.make_node("Concat", [f"{PREFIX}xy", f"{PREFIX}wh", f"{PREFIX}scores"], [OUTPUT], axis=2),
    ]
    output = helper.make_tensor_value_info(OUTPUT, TensorProto.FLOAT, [1, len(grid[0]), 5 + class_count])
    return nodes, initializers, output


def places(heads, height, width):
    """grid [1, n, 2] (column, row) and strides [1, n, 1] of all places, scale by scale."""
    grids, strides = [], []
    for *_, stride in heads:
        rows, columns = np.mgrid[0 : height // stride, 0 : width // stride]
        grids.append(np.stack([columns.ravel(), rows.ravel()], axis=1))
        strides.append(np.full((grids[-1].shape[0], 1), stride))
    return np.concatenate(grids)[None].astype(np.float32), np.concatenate(strides)[None].astype(np.float32)


def constant(name, value):
    return numpy_helper.from_array(value, PREFIX + name)
