"""What an ONNX file says about itself in its metadata: classes, input size, stride."""

import ast
from collections import namedtuple

from failures import StepFailure

ModelInfo = namedtuple("ModelInfo", ["names", "height", "width", "stride", "metadata"])

DEFAULT_STRIDE = 32


def info_of(model):
    """Names from the metadata; the size from the metadata or, where it is silent, from the input's shape."""
    metadata = {item.key: item.value for item in model.metadata_props}
    height, width = size_of(model, metadata)
    return ModelInfo(names_of(metadata), height, width, int(metadata.get("stride", DEFAULT_STRIDE)), metadata)


def names_of(metadata):
    """Class names by id; None where the file does not say."""
    if "names" not in metadata:
        return None
    try:
        names = ast.literal_eval(metadata["names"])
    except (ValueError, SyntaxError) as cause:
        raise StepFailure(f"the model's metadata field names is {metadata['names']!r}, not a dictionary of class names") from cause
    return [names[key] for key in sorted(names)] if isinstance(names, dict) else list(names)


def size_of(model, metadata):
    if "imgsz" in metadata:
        size = ast.literal_eval(metadata["imgsz"])
        return (int(size), int(size)) if isinstance(size, int) else (int(size[0]), int(size[1]))
    dims = [item.dim_value for item in model.graph.input[0].type.tensor_type.shape.dim]
    if len(dims) != 4 or dims[1] != 3 or min(dims[2:]) <= 0:
        raise StepFailure(f"the model's input must have the shape [batch, 3, height, width] with a fixed size, got {dims}")
    return dims[2], dims[3]


def set_metadata(model, fields):
    """Adds or replaces fields, keeps the others."""
    for key, value in fields.items():
        for item in model.metadata_props:
            if item.key == key:
                item.value = str(value)
                break
        else:
            model.metadata_props.add(key=key, value=str(value))
