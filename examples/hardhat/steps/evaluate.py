"""Evaluate: candidate and incumbent on the holdout, scored by the product's own evaluator -> evaluation.json.

The evaluator is `edgeloop-evaluate` of @edgeloop/vision: the same letterbox, decoding and suppression as on the node.
EDGELOOP_EVALUATE is its path, EDGELOOP_NODE the Node that runs it.
"""

import json
import os
import shutil
import subprocess
import tempfile

from dataset import picture_path, read_split
from dataset_archive import open_dataset
from failures import StepFailure
from valohai_runtime import input_file, inputs_dir, metadata, outputs_dir, run_step

HERE = os.path.dirname(os.path.abspath(__file__))
DEFAULT_EVALUATE = os.path.join(HERE, "..", "..", "..", "libs", "vision", "dist", "bin", "evaluate.js")


def main():
    dataset = open_dataset(inputs_dir("dataset"))
    candidate = input_file("model", [".onnx"])
    incumbent = input_file("incumbent", [".onnx"], optional=True)
    folder = tempfile.mkdtemp(prefix="holdout-", dir=os.environ.get("EDGELOOP_WORK_DIR"))
    try:
        frames = write_holdout(dataset, folder)
        metadata(holdout=frames, incumbent=incumbent is not None)
        result = os.path.join(outputs_dir(), "evaluation.json")
        evaluate(candidate, incumbent, folder, result)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    metadata(**told(result))


def write_holdout(dataset, folder):
    """The holdout alone, as a folder that the evaluator reads. Returns the count of pictures."""
    names = read_split(dataset)["holdout"]
    if not names:
        raise StepFailure("the dataset has no holdout; nothing can be judged. Put some samples into the holdout split")
    for part in ("images", "labels"):
        os.makedirs(os.path.join(folder, part))
    for name in names:
        picture = picture_path(dataset, name)
        shutil.copyfile(picture, os.path.join(folder, "images", os.path.basename(picture)))
        shutil.copyfile(os.path.join(dataset, "labels", f"{name}.txt"), os.path.join(folder, "labels", f"{name}.txt"))
    for name in ("classes.txt", "slices.json"):
        shutil.copyfile(os.path.join(dataset, name), os.path.join(folder, name))
    return len(names)


def evaluate(candidate, incumbent, folder, result):
    program = os.environ.get("EDGELOOP_EVALUATE") or DEFAULT_EVALUATE
    if not os.path.isfile(program):
        raise StepFailure(f"the evaluator {program} is missing; build the workspaces (npm run build) or set EDGELOOP_EVALUATE to edgeloop-evaluate's path")
    words = [os.environ.get("EDGELOOP_NODE") or "node", program, "--model", candidate, "--dataset", folder, "--out", result]
    if incumbent:
        words += ["--incumbent", incumbent]
    try:
        done = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False)
    except FileNotFoundError as cause:
        raise StepFailure(f"{words[0]} was not found; set EDGELOOP_NODE to the path of Node 24") from cause
    if done.returncode != 0:
        raise StepFailure(f"the evaluator ended with status {done.returncode}: {done.stderr.strip() or done.stdout.strip()}")


def told(path):
    """candidate_<slice> and incumbent_<slice> mAP50 for the metadata line."""
    with open(path, encoding="utf-8") as file:
        evaluation = json.load(file)
    values = {}
    for who in ("candidate", "incumbent"):
        score = evaluation.get(who)
        if score:
            parts = {"overall": score["overall"], **score["slices"]}
            values.update({f"{who}_{name}": round(part["map50"], 4) for name, part in parts.items() if part["map50"] is not None})
    return values


if __name__ == "__main__":
    run_step(main)
