"""A training folder on disk: images/*.jpg, labels/*.txt (YOLO), classes.txt, split.json, slices.json."""

import json
import math
import os
from collections import namedtuple

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from classes import mapped
from failures import StepFailure

Item = namedtuple("Item", ["name", "image", "boxes"])

PADDING_GREY = 114
PIXELS_MAX = 50_000_000
CLASSES_MIN = 2
FIELDS = ("class", "cx", "cy", "w", "h")


def read_classes(folder):
    path = os.path.join(folder, "classes.txt")
    if not os.path.isfile(path):
        raise StepFailure(f"{path} is missing: write one class name a line, in the order of the class ids")
    with open(path, encoding="utf-8") as file:
        return check_classes([line.strip() for line in file if line.strip()], path)


def check_classes(names, where):
    if len(names) < CLASSES_MIN:
        raise StepFailure(f"{where}: {len(names)} class{'' if len(names) == 1 else 'es'}, a detector needs at least {CLASSES_MIN}; name the classes to tell apart")
    if len(set(names)) != len(names):
        raise StepFailure(f"{where}: a class name stands there twice: {', '.join(names)}")
    return names


def read_labels(path, class_count):
    """[n, 5] float32: class, cx, cy, w, h as shares of the picture. A missing file means a picture without boxes."""
    if not os.path.isfile(path):
        return np.zeros((0, 5), np.float32)
    rows = []
    with open(path, encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            if line.strip():
                rows.append(check_box(line.split(), class_count, f"{path} line {number}"))
    return np.array(rows, np.float32).reshape(-1, 5)


def check_box(fields, class_count, where):
    """The five numbers of one box, or a failure that names where they stand."""
    if len(fields) != len(FIELDS):
        raise StepFailure(f"{where}: {len(fields)} fields, expected 5: {' '.join(FIELDS)}")
    try:
        numbers = [float(field) for field in fields]
    except (TypeError, ValueError):
        raise StepFailure(f"{where}: {fields} are not five numbers") from None
    for name, value in zip(FIELDS, numbers):
        if not math.isfinite(value):
            raise StepFailure(f"{where}: {name} is {value}; correct the label")
    if numbers[0] != int(numbers[0]) or not 0 <= numbers[0] < class_count:
        raise StepFailure(f"{where}: class {fields[0]} is out of range, the dataset has classes 0 to {class_count - 1}")
    if not all(-0.01 <= value <= 1.01 for value in numbers[1:]) or min(numbers[3:]) <= 0:
        raise StepFailure(f"{where}: box {fields[1:]} is not within the picture; numbers are shares of its width and height, 0 to 1")
    return numbers


def open_picture(path):
    """The picture as RGB; a failure that names the file where it cannot be read whole."""
    try:
        with Image.open(path) as picture:
            if picture.width * picture.height > PIXELS_MAX:
                raise StepFailure(f"{path}: {picture.width} x {picture.height} px is more than the limit of {PIXELS_MAX} px")
            return ImageOps.exif_transpose(picture).convert("RGB")
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError) as cause:
        raise StepFailure(f"{path}: not a readable picture ({cause}); replace or remove it") from cause


def letterbox(picture, boxes, height, width):
    """The picture centred on grey, uint8 [height, width, 3]; boxes [n, 5] as class, cx, cy, w, h in px of the result."""
    gain = min(width / picture.width, height / picture.height)
    band = (max(1, round(picture.width * gain)), max(1, round(picture.height * gain)))
    left, top = (width - band[0]) // 2, (height - band[1]) // 2
    canvas = np.full((height, width, 3), PADDING_GREY, np.uint8)
    canvas[top : top + band[1], left : left + band[0]] = np.asarray(picture.resize(band, Image.BILINEAR))
    scaled = boxes * np.array([1, band[0], band[1], band[0], band[1]], np.float32)
    scaled[:, 1:3] += np.array([left, top], np.float32)
    return canvas, scaled


def count_boxes(folder, names, class_count):
    """Boxes per class over the named samples."""
    counts = np.zeros(class_count, int)
    for name in names:
        counts += np.bincount(read_labels(label_path(folder, name), class_count)[:, 0].astype(int), minlength=class_count)
    return counts.tolist()


def load_items(folder, names, size, known):
    """Pictures of the named samples, letterboxed, held in memory (about 0.5 MB each at 416 px).

    known: the model's class id per dataset's class id, -1 for boxes to leave out.
    """
    items = []
    for name in names:
        boxes = mapped(read_labels(label_path(folder, name), len(known)), known)
        image, scaled = letterbox(open_picture(picture_path(folder, name)), boxes, *size)
        items.append(Item(name, image, scaled))
    return items


def label_path(folder, name):
    return os.path.join(folder, "labels", f"{name}.txt")


def picture_path(folder, name):
    for ending in (".jpg", ".jpeg", ".png"):
        path = os.path.join(folder, "images", name + ending)
        if os.path.isfile(path):
            return path
    raise StepFailure(f"{os.path.join(folder, 'images', name)}.jpg is missing; split.json names it")


def read_split(folder):
    """Names of samples by part: train, replay, holdout."""
    path = os.path.join(folder, "split.json")
    try:
        with open(path, encoding="utf-8") as file:
            split = json.load(file)
    except (OSError, ValueError) as cause:
        raise StepFailure(f"{path} cannot be read ({cause}); run the pre-process step first") from cause
    return {part: list(split.get(part, [])) for part in ("train", "replay", "holdout")}
