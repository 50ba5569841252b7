"""Import-model: brings an ONNX file of your own into the loop -> model.onnx, model.json, as deploy leaves them."""

import argparse

from model_card import write_model
from valohai_runtime import input_file, metadata, run_step


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threshold", type=float, default=0.4, help="score from which a detection raises an alarm")
    parser.add_argument("--nms-iou", type=float, default=0.5)
    given = parser.parse_args()
    card = write_model(input_file("model", [".onnx"]), given.threshold, given.nms_iou, {"imported": True})
    metadata(model_sha256=card["sha256"], classes=len(card["classes"]))


if __name__ == "__main__":
    run_step(main)
