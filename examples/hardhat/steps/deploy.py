"""Deploy: collects the trained model and what is known about it for the packager -> model.onnx, model.json."""

import argparse
import json

from model_card import write_model
from valohai_runtime import input_file, metadata, run_step


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threshold", type=float, default=0.4, help="score from which a detection raises an alarm")
    parser.add_argument("--nms-iou", type=float, default=0.5)
    given = parser.parse_args()
    origin = {name: told(name) for name in ("training", "evaluation", "about")}
    card = write_model(input_file("model", [".onnx"]), given.threshold, given.nms_iou, origin)
    metadata(model_sha256=card["sha256"], classes=len(card["classes"]))


def told(name):
    """The content of an optional JSON input; null where it was not handed in."""
    path = input_file(name, [".json"], optional=True)
    if path is None:
        return None
    with open(path, encoding="utf-8") as file:
        return json.load(file)


if __name__ == "__main__":
    run_step(main)
