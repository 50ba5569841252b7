"""mAP50 while training, to show progress. Releases are judged by the product's own evaluator (evaluate.py), not by this."""

import numpy as np
import torch

from augment import to_tensor
from yolox_loss import decode, pairwise_iou

SCORE_MIN = 0.01
NMS_IOU = 0.5
MATCH_IOU = 0.5
BOXES_PER_CLASS_MAX = 200
BATCH = 8


@torch.no_grad()
def map50(module, items, height, class_count):
    """Mean over the classes that have a true box; None where none has."""
    was_training = module.training
    module.eval()
    found = [[] for _ in range(class_count)]
    for start in range(0, len(items), BATCH):
        part = items[start : start + BATCH]
        predictions = decode(module(torch.stack([to_tensor(item.image) for item in part])), height)
        scores = predictions.objectness.sigmoid().unsqueeze(2) * predictions.classes.sigmoid()
        for offset, item in enumerate(part):
            for class_id in range(class_count):
                found[class_id] += matched(predictions.boxes[offset], scores[offset, :, class_id], item.boxes[item.boxes[:, 0] == class_id])
    module.train(was_training)
    truths = [sum(int((item.boxes[:, 0] == class_id).sum()) for item in items) for class_id in range(class_count)]
    precisions = [average_precision(rows, count) for rows, count in zip(found, truths) if count > 0]
    return float(np.mean(precisions)) if precisions else None


def matched(boxes, scores, truth):
    """(score, is it right) of every box that survives non-maximum suppression on one picture and class."""
    kept = (scores > SCORE_MIN).nonzero().squeeze(1)
    kept = kept[scores[kept].argsort(descending=True)][:BOXES_PER_CLASS_MAX]
    kept = kept[suppress(boxes[kept])]
    if len(truth) == 0 or len(kept) == 0:
        return [(float(score), False) for score in scores[kept]]
    overlaps = pairwise_iou(boxes[kept], torch.from_numpy(truth[:, 1:])).numpy()
    free = np.ones(len(truth), bool)
    rows = []
    for score, row in zip(scores[kept].tolist(), overlaps):
        best = int(np.argmax(np.where(free, row, -1.0)))
        right = bool(free[best] and row[best] >= MATCH_IOU)
        free[best] &= not right
        rows.append((score, right))
    return rows


def suppress(boxes):
    """Places of the boxes to keep; boxes come best first."""
    overlaps = pairwise_iou(boxes, boxes).numpy() > NMS_IOU
    alive = np.ones(len(boxes), bool)
    for index in range(len(boxes)):
        if alive[index]:
            alive[index + 1 :] &= ~overlaps[index, index + 1 :]
    return torch.from_numpy(alive.nonzero()[0])


def average_precision(rows, truths):
    """Area under the precision envelope over every point of recall."""
    right = np.array([hit for _, hit in sorted(rows, key=lambda row: -row[0])], dtype=float)
    hits = np.cumsum(right)
    recall = np.concatenate([[0.0], hits / truths])
    precision = np.concatenate([hits / np.arange(1, len(right) + 1), [0.0]])
    envelope = np.maximum.accumulate(precision[::-1])[::-1]
    return float(np.sum(np.diff(recall) * envelope[:-1])) if len(right) else 0.0
