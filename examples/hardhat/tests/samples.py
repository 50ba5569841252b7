"""Little labelled pictures for the tests: coloured discs on grey, one colour a class."""

import hashlib
import json
import os

import numpy as np
from PIL import Image, ImageDraw

HERE = os.path.dirname(os.path.abspath(__file__))
BASE = os.path.join(HERE, "..", "models", "worksite-base.onnx")
STEPS = os.path.join(HERE, "..", "steps")
COLOURS = ((240, 200, 20), (150, 60, 30))
SIZE = (320, 256)


def picture(seed):
    """A picture and its boxes [n, 5] as class, cx, cy, w, h in shares."""
    random = np.random.default_rng(seed)
    image = Image.new("RGB", SIZE, (120, 130, 140))
    draw = ImageDraw.Draw(image)
    boxes = []
    for class_id, colour in enumerate(COLOURS):
        side = int(random.integers(24, 60))
        left, top = int(random.integers(0, 90)) + class_id * 150, int(random.integers(0, SIZE[1] - side))
        draw.ellipse([left, top, left + side, top + side], fill=colour)
        boxes.append([class_id, (left + side / 2) / SIZE[0], (top + side / 2) / SIZE[1], side / SIZE[0], side / SIZE[1]])
    return image, np.array(boxes, np.float32)


def write_training_folder(folder, count, names=("helmet", "head")):
    """images/, labels/, classes.txt, split.json: half new, a quarter replay, a quarter holdout."""
    for part in ("images", "labels"):
        os.makedirs(os.path.join(folder, part))
    listed = [f"p{index:02d}" for index in range(count)]
    for index, name in enumerate(listed):
        image, boxes = picture(index)
        image.save(os.path.join(folder, "images", f"{name}.jpg"), quality=95)
        with open(os.path.join(folder, "labels", f"{name}.txt"), "w", encoding="utf-8") as file:
            file.writelines(f"{int(box[0])} " + " ".join(f"{value:.6f}" for value in box[1:]) + "\n" for box in boxes)
    with open(os.path.join(folder, "classes.txt"), "w", encoding="utf-8") as file:
        file.writelines(f"{name}\n" for name in names)
    half, rest = count // 2, count - count // 4
    split = {"train": listed[:half], "replay": listed[half:rest], "holdout": listed[rest:]}
    with open(os.path.join(folder, "split.json"), "w", encoding="utf-8") as file:
        json.dump(split, file)
    return split


def write_snapshot(folder, count):
    """inputs of pre-process: snapshot/snapshot.json and samples/<sha256>.jpg. Returns the snapshot."""
    for part in ("snapshot", "samples"):
        os.makedirs(os.path.join(folder, part))
    items = []
    for index in range(count):
        image, boxes = picture(index)
        partial = os.path.join(folder, "samples", "partial.jpg")
        image.save(partial, quality=95)
        with open(partial, "rb") as file:
            content = file.read()
        digest = hashlib.sha256(content).hexdigest()
        os.replace(partial, os.path.join(folder, "samples", f"{digest}.jpg"))
        keys = ("classId", "cx", "cy", "w", "h")
        items.append(
            {
                "sampleId": f"s{index}",
                "picture": {"bucket": "datasets", "key": f"{digest}.jpg", "digest": f"sha256:{digest}", "bytes": len(content)},
                "label": {"digest": "sha256:" + "0" * 64, "boxes": [{**dict(zip(keys, map(float, box))), "classId": int(box[0])} for box in boxes]},
                "split": "holdout" if index % 4 == 0 else "train",
                "origin": "collected" if index % 2 else "imported",
                "slice": "night" if index % 2 else "day",
                "nodeId": None,
                "capturedAt": None,
            }
        )
    snapshot = {"datasetId": "d1", "version": 1, "parent": None, "classes": ["helmet", "head"], "items": items}
    save_snapshot(folder, snapshot)
    return snapshot


def save_snapshot(folder, snapshot):
    with open(os.path.join(folder, "snapshot", "snapshot.json"), "w", encoding="utf-8") as file:
        json.dump(snapshot, file)
