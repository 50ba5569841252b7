"""model.json beside model.onnx: what the packager must know about a model, and what it came from."""

import hashlib
import os
import shutil

import onnx

from failures import StepFailure
from model_info import info_of
from valohai_runtime import outputs_dir, write_json

LAYOUTS = {"v5": "yolov5", "v8": "yolov8", "end2end": "end-to-end"}


def write_model(source, threshold, nms_iou, origin):
    """Copies the model to the outputs and writes its card. origin: whatever should be told about the training."""
    model = load(source)
    info = info_of(model)
    if not info.names:
        raise StepFailure(f"{source} does not name its classes; add a metadata field names such as {{0: 'helmet', 1: 'head'}}")
    card = {
        "classes": info.names,
        "input": {"width": info.width, "height": info.height, "range": "0..1", "order": "RGB"},
        "thresholds": [threshold] * len(info.names),
        "nmsIou": nms_iou,
        "origin": origin,
        "sha256": digest_of(source),
    }
    layout = LAYOUTS.get(info.metadata.get("layout", ""))
    if layout:
        card["layout"] = layout
    shutil.copyfile(source, os.path.join(outputs_dir(), "model.onnx"))
    write_json(os.path.join(outputs_dir(), "model.json"), card)
    return card


def load(path):
    """The model without its weights' files; refuses weights that lie outside of it."""
    model = parsed(path, lambda: onnx.load(path, load_external_data=False))
    outside = [item.name for item in model.graph.initializer if item.data_location == onnx.TensorProto.EXTERNAL]
    if outside:
        raise StepFailure(f"{path} keeps {len(outside)} weights in another file; save it as one file (onnx.save_model without external data)")
    parsed(path, lambda: onnx.checker.check_model(model))
    return model


def parsed(path, attempt):
    try:
        return attempt()
    except Exception as cause:  # protobuf and onnx fail with types of their own in each version
        raise StepFailure(f"{path} is not a valid ONNX model ({(str(cause) or type(cause).__name__).splitlines()[0]})") from cause


def digest_of(path):
    with open(path, "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()
