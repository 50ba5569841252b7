"""YOLOX: decoding of the raw maps, SimOTA assignment and the loss (Ge et al., arXiv:2107.08430)."""

from collections import namedtuple

import torch
import torch.nn.functional as functional

BOX_WEIGHT = 5.0
CENTRE_RADIUS = 2.5
CANDIDATES_PER_BOX = 10
IOU_COST = 3.0
OUTSIDE_COST = 1e5
EXPONENT_MAX = 8.0

Predictions = namedtuple("Predictions", ["boxes", "objectness", "classes", "centres", "strides"])
Assignment = namedtuple("Assignment", ["places", "targets", "overlaps"])


def decode(maps, height):
    """Raw maps -> boxes [batch, n, 4] as cx, cy, w, h in input px, objectness [batch, n] and classes [batch, n, c] as logits."""
    boxes, objectness, classes, centres, strides = [], [], [], [], []
    for raw_boxes, raw_objectness, raw_classes in maps:
        rows, columns = raw_boxes.shape[2:]
        stride = height / rows
        grid = grid_of(rows, columns, raw_boxes)
        flat = raw_boxes.flatten(2).transpose(1, 2)
        boxes.append(torch.cat([(flat[..., :2] + grid) * stride, flat[..., 2:].clamp(max=EXPONENT_MAX).exp() * stride], dim=2))
        objectness.append(raw_objectness.flatten(1))
        classes.append(raw_classes.flatten(2).transpose(1, 2))
        centres.append((grid + 0.5) * stride)
        strides.append(torch.full((rows * columns,), stride, dtype=raw_boxes.dtype, device=raw_boxes.device))
    return Predictions(*(torch.cat(part, dim=1) for part in (boxes, objectness, classes)), torch.cat(centres), torch.cat(strides))


def grid_of(rows, columns, like):
    ys = torch.arange(rows, dtype=like.dtype, device=like.device).repeat_interleave(columns)
    xs = torch.arange(columns, dtype=like.dtype, device=like.device).repeat(rows)
    return torch.stack([xs, ys], dim=1)


def yolox_loss(predictions, labels):
    """labels: per picture a tensor [n, 5] of class, cx, cy, w, h in input px. Returns the loss and its parts as floats."""
    batch, count = predictions.objectness.shape
    wanted = torch.zeros(batch, count, device=predictions.boxes.device)
    box_losses, class_losses, positives = [], [], 0
    for index, truth in enumerate(labels):
        if len(truth) == 0:
            continue
        found = assign(predictions, index, truth)
        if len(found.places) == 0:
            continue
        wanted[index, found.places] = 1.0
        positives += len(found.places)
        chosen = truth[found.targets]
        box_losses.append((1 - generalised_iou(predictions.boxes[index, found.places], chosen[:, 1:])).sum())
        class_losses.append(class_loss(predictions.classes[index, found.places], chosen[:, 0].long(), found.overlaps))
    scale = 1.0 / max(positives, 1)
    parts = {
        "box": BOX_WEIGHT * scale * sum(box_losses, torch.zeros(())),
        "objectness": scale * functional.binary_cross_entropy_with_logits(predictions.objectness, wanted, reduction="sum"),
        "class": scale * sum(class_losses, torch.zeros(())),
    }
    return sum(parts.values()), {name: float(value.detach()) for name, value in parts.items()}


def class_loss(logits, wanted, overlaps):
    """Each positive should score its own class as high as its box overlaps the truth."""
    targets = functional.one_hot(wanted, logits.shape[1]).to(logits.dtype) * overlaps.unsqueeze(1)
    return functional.binary_cross_entropy_with_logits(logits, targets, reduction="sum")


@torch.no_grad()
def assign(predictions, index, truth):
    """SimOTA: each true box takes as many of its cheapest places as its best overlaps add up to; a place serves one box."""
    inside, central = near(predictions.centres, predictions.strides, truth[:, 1:])
    places = (inside | central).any(dim=0).nonzero().squeeze(1)
    if len(places) == 0:
        return Assignment(places, places, truth.new_zeros(0))
    overlaps = pairwise_iou(truth[:, 1:], predictions.boxes[index, places])
    cost = class_cost(predictions, index, places, truth) - IOU_COST * torch.log(overlaps + 1e-8)
    cost = cost + OUTSIDE_COST * (~(inside & central)[:, places]).to(cost.dtype)
    taken = cheapest(cost, overlaps)
    serving = taken.any(dim=0)
    targets = taken[:, serving].to(torch.int8).argmax(dim=0)
    return Assignment(places[serving], targets, overlaps[:, serving].gather(0, targets.unsqueeze(0)).squeeze(0))


def near(centres, strides, boxes):
    """[boxes, places]: is the place's centre inside the box; is it within the radius of the box's middle."""
    away = (centres.unsqueeze(0) - boxes[:, None, :2]).abs()
    inside = (away < boxes[:, None, 2:] / 2).all(dim=2)
    central = (away < CENTRE_RADIUS * strides[None, :, None]).all(dim=2)
    return inside, central


def class_cost(predictions, index, places, truth):
    scores = (predictions.classes[index, places].sigmoid() * predictions.objectness[index, places].sigmoid().unsqueeze(1)).sqrt()
    wanted = functional.one_hot(truth[:, 0].long(), scores.shape[1]).to(scores.dtype)
    shape = (len(truth), len(places), scores.shape[1])
    costs = functional.binary_cross_entropy(scores.unsqueeze(0).expand(shape), wanted.unsqueeze(1).expand(shape), reduction="none")
    return costs.sum(dim=2)


def cheapest(cost, overlaps):
    """[boxes, places] bool. Where two boxes want one place, the cheaper gets it."""
    best = overlaps.topk(min(CANDIDATES_PER_BOX, overlaps.shape[1]), dim=1).values
    counts = best.sum(dim=1).int().clamp(min=1)
    taken = torch.zeros_like(cost, dtype=torch.bool)
    for row, count in enumerate(counts.tolist()):
        taken[row, cost[row].topk(min(count, cost.shape[1]), largest=False).indices] = True
    contested = taken.sum(dim=0) > 1
    if contested.any():
        winner = cost[:, contested].argmin(dim=0)
        taken[:, contested] = False
        taken[winner, contested.nonzero().squeeze(1)] = True
    return taken


def pairwise_iou(a, b):
    """[n, 4] and [m, 4] as cx, cy, w, h -> [n, m]."""
    low = torch.maximum((a[:, :2] - a[:, 2:] / 2).unsqueeze(1), (b[:, :2] - b[:, 2:] / 2).unsqueeze(0))
    high = torch.minimum((a[:, :2] + a[:, 2:] / 2).unsqueeze(1), (b[:, :2] + b[:, 2:] / 2).unsqueeze(0))
    common = (high - low).clamp(min=0).prod(dim=2)
    return common / (a[:, 2:].prod(dim=1).unsqueeze(1) + b[:, 2:].prod(dim=1).unsqueeze(0) - common + 1e-9)


def generalised_iou(a, b):
    """Row by row (Rezatofighi et al., arXiv:1902.09630), -1..1."""
    a_low, a_high = a[:, :2] - a[:, 2:] / 2, a[:, :2] + a[:, 2:] / 2
    b_low, b_high = b[:, :2] - b[:, 2:] / 2, b[:, :2] + b[:, 2:] / 2
    common = (torch.minimum(a_high, b_high) - torch.maximum(a_low, b_low)).clamp(min=0).prod(dim=1)
    union = a[:, 2:].prod(dim=1) + b[:, 2:].prod(dim=1) - common + 1e-9
    hull = (torch.maximum(a_high, b_high) - torch.minimum(a_low, b_low)).prod(dim=1) + 1e-9
    return common / union - (hull - union) / hull


def distillation_loss(predictions, taught, kept):
    """What the teacher sees on some pictures (`kept`, bool per picture of the batch), the student should see there too.

    Scores everywhere, boxes where the teacher is at least half sure. taught: the teacher's predictions on those pictures alone.
    """
    objectness, classes, boxes = predictions.objectness[kept], predictions.classes[kept], predictions.boxes[kept]
    sure = taught.objectness.sigmoid()
    places = sure > 0.5
    wanted = taught.classes[places].sigmoid()
    loss = soft_loss(objectness, sure) + soft_loss(classes[places], wanted)
    loss = loss + BOX_WEIGHT * (1 - generalised_iou(boxes[places], taught.boxes[places])).sum()
    return loss / sure.sum().clamp(min=1)


def soft_loss(logits, shares):
    """Cross-entropy above its least value: 0 where the student agrees."""
    cross = functional.binary_cross_entropy_with_logits(logits, shares, reduction="sum")
    return cross - functional.binary_cross_entropy(shares, shares, reduction="sum")
