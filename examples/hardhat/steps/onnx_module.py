"""The conv graph inside an ONNX file, as a torch module whose parameters are the file's own weights.

The graph is walked from the input to the head convolutions (see yolox_graph.py). Every Conv's weight and bias is a
parameter; BatchNormalization, where a file still has it, trains as torch's own. `write_back` puts the trained arrays
into the file again and leaves everything else as it was.
"""

import os

import numpy as np
import onnx
import torch
import torch.nn.functional as functional
from onnx import numpy_helper
from torch import nn

from failures import StepFailure
from yolox_graph import attributes_of, find_heads, nodes_before

BATCH_NORM_MOMENTUM = 0.03


class OnnxModule(nn.Module):
    """forward: [batch, 3, height, width] float32 -> one (box, objectness, classes) triple of raw maps per scale."""

    def __init__(self, model):
        super().__init__()
        self.model = model
        self.heads = find_heads(model)
        self.initializers = {item.name for item in model.graph.initializer}
        constants = constants_of(model)
        steps = nodes_before(model, self.heads, constants)
        self.weights = nn.ParameterDict()
        self.norms = nn.ModuleDict()
        self.stored = {}
        self.steps = fuse_silu([self._prepare(node, constants) for node in steps], {name for head in self.heads for name in head.outputs})
        # Channels last takes a third less processor time in training than torch's usual order, on CPUs.
        self.to(memory_format=torch.channels_last)

    def forward(self, images):
        values = {self.model.graph.input[0].name: images.contiguous(memory_format=torch.channels_last)}
        for step in self.steps:
            values[step["output"]] = self._run(step, [values[name] for name in step["inputs"]])
            for name in step["last_use"]:
                del values[name]
        return [tuple(values[name] for name in head.outputs) for head in self.heads]

    def _prepare(self, node, constants):
        given = attributes_of(node)
        step = {"op": node.op_type, "output": node.output[0], "attributes": given, "constants": {}, "last_use": []}
        if node.op_type == "Conv":
            step["inputs"] = [node.input[0]]
            step["weight"] = self._parameter(node.input[1], constants, node)
            step["bias"] = self._parameter(node.input[2], constants, node) if len(node.input) > 2 else None
            step["padding"], step["pad"] = conv_padding(given)
            return step
        if node.op_type == "BatchNormalization":
            step["inputs"] = [node.input[0]]
            step["norm"] = self._norm(node, constants)
            return step
        step["inputs"] = [name for name in node.input if name and name not in constants]
        step["constants"] = {place: constants[name] for place, name in enumerate(node.input) if name in constants}
        if node.op_type not in OPERATIONS:
            raise StepFailure(
                f"the model's operation {node.op_type} ({node.name or node.output[0]}) cannot be trained; "
                f"supported: Conv, BatchNormalization, {', '.join(sorted(OPERATIONS))}"
            )
        if node.op_type == "MaxPool":
            check_max_pool(node, given)
        return step

    def _check_stored(self, names, node):
        """What is trained must be an initializer: nothing else can be written back into the file."""
        for name in names:
            if name not in self.initializers:
                raise StepFailure(
                    f"weight {name} of {node.op_type} {node.name or node.output[0]} is no initializer of the file, so what it learns could not be "
                    "written back; export the model with constant folding, or turn its Constant nodes into initializers "
                    "(python -m onnxsim model.onnx model.onnx)"
                )

    def _parameter(self, name, constants, node):
        self._check_stored([name], node)
        key = name.replace(".", "__")
        if key not in self.weights:
            self.weights[key] = nn.Parameter(torch.from_numpy(constants[name].astype(np.float32)))
            self.stored[key] = name
        return key

    def _norm(self, node, constants):
        self._check_stored(node.input[1:5], node)
        key = node.output[0].replace(".", "__")
        scale, shift, mean, variance = (torch.from_numpy(constants[name].astype(np.float32)) for name in node.input[1:5])
        norm = nn.BatchNorm2d(len(scale), eps=attributes_of(node).get("epsilon", 1e-5), momentum=BATCH_NORM_MOMENTUM)
        with torch.no_grad():
            norm.weight.copy_(scale), norm.bias.copy_(shift)
            norm.running_mean.copy_(mean), norm.running_var.copy_(variance)
        self.norms[key] = norm
        self.stored[key] = list(node.input[1:5])
        return key

    def _run(self, step, inputs):
        if step["op"] == "Conv":
            given = step["attributes"]
            images = inputs[0] if step["pad"] is None else functional.pad(inputs[0], step["pad"])
            bias = None if step["bias"] is None else self.weights[step["bias"]]
            return functional.conv2d(
                images, self.weights[step["weight"]], bias, given.get("strides", [1, 1]), step["padding"], given.get("dilations", [1, 1]), given.get("group", 1)
            )
        if step["op"] == "BatchNormalization":
            return self.norms[step["norm"]](inputs[0])
        if step["op"] == "Silu":
            return functional.silu(inputs[0])
        return OPERATIONS[step["op"]](step, inputs)


def write_back(module, target):
    """Stores the module's arrays in a copy of its ONNX file. The file on disk appears whole or not at all."""
    model = onnx.ModelProto()
    model.CopyFrom(module.model)
    arrays = trained_arrays(module)
    for initializer in model.graph.initializer:
        if initializer.name in arrays:
            initializer.CopyFrom(numpy_helper.from_array(arrays[initializer.name], initializer.name))
    onnx.checker.check_model(model)
    partial = f"{target}.partial"
    onnx.save_model(model, partial)
    os.replace(partial, target)
    return model


def trained_arrays(module):
    """Name of the initializer -> float32 array."""
    arrays = {module.stored[key]: np.ascontiguousarray(value.detach().cpu().numpy()) for key, value in module.weights.items()}
    for key, norm in module.norms.items():
        for name, value in zip(module.stored[key], (norm.weight, norm.bias, norm.running_mean, norm.running_var)):
            arrays[name] = value.detach().cpu().numpy()
    return arrays


def constants_of(model):
    """Initializers and Constant nodes by name, as numpy arrays."""
    constants = {item.name: numpy_helper.to_array(item) for item in model.graph.initializer}
    for node in model.graph.node:
        if node.op_type == "Constant":
            value = attributes_of(node).get("value")
            if value is not None:
                constants[node.output[0]] = numpy_helper.to_array(value)
    return constants


def conv_padding(given):
    """Torch pads both sides alike; an uneven ONNX padding is done by a pad of its own."""
    if given.get("auto_pad", b"NOTSET") not in (b"NOTSET", b"VALID"):
        raise StepFailure("the model pads a convolution with auto_pad; export it with explicit pads")
    top, left, bottom, right = given.get("pads", [0, 0, 0, 0])
    if (top, left) == (bottom, right):
        return (top, left), None
    return (0, 0), (left, right, top, bottom)


def fuse_silu(steps, kept):
    """x * sigmoid(x) as one operation (less memory, less time), and the last use of every value, so that memory is given back."""
    uses = {}
    for step in steps:
        for name in step["inputs"]:
            uses[name] = uses.get(name, 0) + 1
    sigmoids = {step["output"]: step["inputs"][0] for step in steps if step["op"] == "Sigmoid"}
    fused = set()
    for step in steps:
        if step["op"] != "Mul" or len(step["inputs"]) != 2:
            continue
        for gate, value in (step["inputs"], step["inputs"][::-1]):
            if sigmoids.get(gate) == value and uses[gate] == 1 and gate not in kept:
                step.update(op="Silu", inputs=[value])
                fused.add(gate)
                break
    left = [step for step in steps if step["output"] not in fused]
    seen = set(kept)
    for step in reversed(left):
        step["last_use"] = [name for name in dict.fromkeys(step["inputs"]) if name not in seen]
        seen.update(step["inputs"])
    return left


def binary(operation):
    def run(step, inputs):
        sides = list(inputs)
        for place, value in sorted(step["constants"].items()):
            sides.insert(place, torch.from_numpy(np.array(value)).to(inputs[0].device))
        return operation(sides[0], sides[1])

    return run


def check_max_pool(node, given):
    """Torch rounds and spreads the window in ways of its own: only what both do alike is trained."""
    for name, plain in (("ceil_mode", 0), ("dilations", [1, 1])):
        if given.get(name, plain) != plain:
            raise StepFailure(
                f"MaxPool {node.name or node.output[0]} has {name} {given[name]}, which cannot be trained; export the model with {name} {plain} there"
            )


def max_pool(step, inputs):
    given = step["attributes"]
    padding, pad = conv_padding(given)
    images = inputs[0] if pad is None else functional.pad(inputs[0], pad, value=float("-inf"))
    return functional.max_pool2d(images, given["kernel_shape"], given.get("strides", [1, 1]), padding)


def resize(step, inputs):
    mode = step["attributes"].get("mode", b"nearest")
    scales = step["constants"].get(2)
    if mode != b"nearest" or scales is None or len(scales) != 4:
        raise StepFailure("the model resizes in another way than nearest neighbour with constant scales; export it so")
    return functional.interpolate(inputs[0], scale_factor=[float(scales[2]), float(scales[3])], mode="nearest")


def slice_of(step, inputs):
    starts, ends, axes, strides = (step["constants"].get(place) for place in (1, 2, 3, 4))
    value = inputs[0]
    axes = range(len(starts)) if axes is None else axes
    strides = [1] * len(starts) if strides is None else strides
    place = [slice(None)] * value.dim()
    for start, end, axis, stride in zip(starts, ends, axes, strides):
        place[int(axis)] = slice(int(start), min(int(end), value.shape[int(axis)]) if int(end) > 0 else int(end), int(stride))
    return value[tuple(place)]


def concat(step, inputs):
    return torch.cat(list(inputs), dim=step["attributes"]["axis"])


OPERATIONS = {
    "Add": binary(torch.add),
    "Concat": concat,
    "LeakyRelu": lambda step, inputs: functional.leaky_relu(inputs[0], step["attributes"].get("alpha", 0.01)),
    "MaxPool": max_pool,
    "Mul": binary(torch.mul),
    "Relu": lambda step, inputs: functional.relu(inputs[0]),
    "Resize": resize,
    "Sigmoid": lambda step, inputs: torch.sigmoid(inputs[0]),
    "Slice": slice_of,
}
