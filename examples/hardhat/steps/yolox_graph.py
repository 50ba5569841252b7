"""Where a detector's graph ends and its decoding begins, found from its shape and never by names.

A YOLOX head gives, for each scale, three convolutions: boxes (4 maps), objectness (1 map) and classes. Their outputs
(the last two behind a Sigmoid) are joined by one Concat in that order, whatever decoding follows.
"""

from collections import namedtuple

from onnx import helper

from failures import StepFailure

Head = namedtuple("Head", ["boxes", "objectness", "classes", "outputs"])


def attributes_of(node):
    return {item.name: helper.get_attribute_value(item) for item in node.attribute}


def find_heads(model):
    """The heads in the order of the graph, that is from the finest scale to the coarsest."""
    made_by = {name: node for node in model.graph.node for name in node.output}
    heads = []
    for node in model.graph.node:
        if node.op_type == "Concat" and len(node.input) == 3:
            convolutions = [convolution_behind(made_by, name) for name in node.input]
            if is_head(model, made_by, node, convolutions):
                heads.append(Head(*convolutions, outputs=tuple(item.output[0] for item in convolutions)))
    if not heads:
        raise StepFailure(
            "this ONNX file has no YOLOX head (per scale: boxes, objectness and classes joined by one Concat); "
            "bring a YOLOX export, or one made by make_base_model.py"
        )
    return heads


def convolution_behind(made_by, name):
    """The Conv that gives this value, straight or through one Sigmoid; None for anything else."""
    node = made_by.get(name)
    if node is not None and node.op_type == "Sigmoid":
        node = made_by.get(node.input[0])
    return node if node is not None and node.op_type == "Conv" else None


def is_head(model, made_by, concat, convolutions):
    if any(item is None for item in convolutions):
        return False
    gates = [made_by[name].op_type for name in concat.input]
    channels = [output_channels(model, item) for item in convolutions]
    return gates == ["Conv", "Sigmoid", "Sigmoid"] and channels[:2] == [4, 1]


def output_channels(model, convolution):
    for item in model.graph.initializer:
        if item.name == convolution.input[1]:
            return item.dims[0]
    return None


def class_count(model):
    return output_channels(model, find_heads(model)[0].classes)


def nodes_before(model, heads, constants):
    """The nodes that the head convolutions need, in the order of the graph, constants left out."""
    made_by = {name: node for node in model.graph.node for name in node.output}
    needed, open_names = set(), [name for head in heads for name in head.outputs]
    while open_names:
        name = open_names.pop()
        node = made_by.get(name)
        if node is None or name in needed or name in constants:
            continue
        needed.update(node.output)
        open_names.extend(node.input)
    return [node for node in model.graph.node if node.output[0] in needed]
