"""Augmentation: geometry (flip, zoom, shift, mosaic) and light (brightness, colour, contrast, blur, noise).

The light jitter is generic and wide. It imitates no particular weather or hour; what a slice looks like, the labelled
frames of that slice teach.
"""

import functools

import numpy as np
import torch
import torch.nn.functional as functional

from dataset import PADDING_GREY

ZOOM = (0.75, 1.3)
SHIFT = 0.1
MOSAIC_ZOOM = (0.5, 1.0)
BOX_SIDE_MIN_PX = 3.0
VISIBLE_SHARE_MIN = 0.35
LUMA = (0.299, 0.587, 0.114)
# Range of the exposure of randomly lit pictures, as a factor.
DARKEST, BRIGHTEST = 0.12, 1.3
# Numbers in the strip that noise is cut from, beyond one picture's worth.
NOISE_STRIP = 1 << 21
NOISE_SEED = 11


def to_tensor(image):
    """uint8 [h, w, 3] -> float32 [3, h, w] in 0..1."""
    return torch.from_numpy(np.ascontiguousarray(image.transpose(2, 0, 1))).float().div_(255.0)


def zoom_shift_flip(image, boxes, random):
    """One random crop-or-shrink, maybe mirrored. image [3, h, w], boxes [n, 5] in px."""
    height, width = image.shape[1:]
    zoom = random.uniform(*ZOOM)
    sign = -1.0 if random.random() < 0.5 else 1.0
    shift_x, shift_y = random.uniform(-SHIFT, SHIFT, 2)
    # affine_grid maps result to source: x_source = (x_result - shift) / zoom, in units of half the side.
    turn = torch.tensor([[sign / zoom, 0, -2 * shift_x * sign / zoom], [0, 1 / zoom, -2 * shift_y / zoom]], dtype=torch.float32)
    grid = functional.affine_grid(turn.unsqueeze(0), [1, 3, height, width], align_corners=False)
    grey = PADDING_GREY / 255.0
    moved = functional.grid_sample((image - grey).unsqueeze(0), grid, mode="bilinear", padding_mode="zeros", align_corners=False)[0] + grey
    result = boxes.copy()
    result[:, 1] = width / 2 + (boxes[:, 1] - width / 2) * zoom * sign + shift_x * width
    result[:, 2] = height / 2 + (boxes[:, 2] - height / 2) * zoom + shift_y * height
    result[:, 3:] *= zoom
    return moved, clip_boxes(result, width, height)


def clip_boxes(boxes, width, height):
    """Boxes cut at the border; those of which too little is left are dropped."""
    low = np.maximum(boxes[:, 1:3] - boxes[:, 3:] / 2, 0)
    high = np.minimum(boxes[:, 1:3] + boxes[:, 3:] / 2, [width, height])
    sides = np.maximum(high - low, 0)
    kept = (sides.min(axis=1, initial=np.inf) >= BOX_SIDE_MIN_PX) & (sides.prod(axis=1) >= VISIBLE_SHARE_MIN * boxes[:, 3:].prod(axis=1))
    return np.concatenate([boxes[:, :1], (low + high) / 2, sides], axis=1).astype(np.float32)[kept]


def mosaic(pictures, random):
    """Four pictures round one random point. pictures: four (image, boxes)."""
    height, width = pictures[0][0].shape[1:]
    middle_x, middle_y = int(width * random.uniform(0.35, 0.65)), int(height * random.uniform(0.35, 0.65))
    canvas = torch.full((3, height, width), PADDING_GREY / 255.0)
    parts = []
    for corner, (image, boxes) in enumerate(pictures):
        zoom = random.uniform(*MOSAIC_ZOOM)
        small = functional.interpolate(image.unsqueeze(0), scale_factor=zoom, mode="bilinear", align_corners=False, recompute_scale_factor=True)[0]
        left = middle_x if corner % 2 else middle_x - small.shape[2]
        top = middle_y if corner // 2 else middle_y - small.shape[1]
        area = (0 if corner % 2 == 0 else middle_x, 0 if corner // 2 == 0 else middle_y, middle_x if corner % 2 == 0 else width, middle_y if corner // 2 == 0 else height)
        paste(canvas, small, left, top, area)
        moved = boxes * np.array([1, zoom, zoom, zoom, zoom], np.float32) + np.array([0, left, top, 0, 0], np.float32)
        parts.append(clip_to(moved, area))
    return canvas, np.concatenate(parts)


def paste(canvas, image, left, top, area):
    x1, y1 = max(area[0], left), max(area[1], top)
    x2, y2 = min(area[2], left + image.shape[2]), min(area[3], top + image.shape[1])
    if x2 > x1 and y2 > y1:
        canvas[:, y1:y2, x1:x2] = image[:, y1 - top : y2 - top, x1 - left : x2 - left]


def clip_to(boxes, area):
    """Boxes cut to a part of the canvas."""
    offset = np.array([0, area[0], area[1], 0, 0], np.float32)
    return clip_boxes(boxes - offset, area[2] - area[0], area[3] - area[1]) + offset


def mild_light(image, random):
    """What any camera does from hour to hour: a little brighter or darker, a little more or less colour."""
    return colour(image, random.uniform(0.5, 1.4)).mul_(random.uniform(0.75, 1.25)).clamp_(0, 1)


def wide_light(image, random):
    """Anything a camera may meet, each to its own random degree: glare and dusk, pale colours, a soft lens, a noisy sensor.

    Like real sensors, darker pictures are paler and noisier on the whole.
    """
    exposure = float(np.exp(random.uniform(np.log(DARKEST), np.log(BRIGHTEST))))
    darkness = float(np.clip(-np.log(exposure) / -np.log(DARKEST), 0, 1))
    image = colour(image, random.uniform(0.0, 1.3 - 0.9 * darkness)) * exposure
    image = blur(image, random.uniform(0.0, 1.8))
    deviation = random.uniform(0.0, 6.0 + 10.0 * darkness) / 255.0
    return (image + noise(image.shape, random) * deviation).clamp_(0, 1)


def noise(shape, random):
    """Normal noise of deviation 1, cut from a long strip at a random place: drawing half a million numbers anew takes longer."""
    count = int(np.prod(shape))
    start = int(random.integers(0, NOISE_STRIP))
    return noise_strip(count)[start : start + count].view(tuple(shape))


@functools.lru_cache(maxsize=1)
def noise_strip(count):
    return torch.from_numpy(np.random.default_rng(NOISE_SEED).standard_normal(NOISE_STRIP + count, dtype=np.float32))


def colour(image, share):
    """0 = grey, 1 = as it is."""
    grey = (image * torch.tensor(LUMA).view(3, 1, 1)).sum(dim=0, keepdim=True)
    return grey + (image - grey) * share


def blur(image, deviation):
    """Gaussian blur; `deviation` in px."""
    if deviation < 0.3:
        return image
    reach = max(1, int(deviation * 2.5 + 0.5))
    weights = np.exp(-0.5 * (np.arange(-reach, reach + 1) / deviation) ** 2)
    weights = (weights / weights.sum()).tolist()
    height, width = image.shape[1:]
    padded = functional.pad(image.unsqueeze(0), (reach, reach, reach, reach), mode="replicate")[0]
    # Sums of shifted pictures: several times faster than a convolution with so few channels.
    across = weighted_sum([padded[:, :, place : place + width] for place in range(2 * reach + 1)], weights)
    return weighted_sum([across[:, place : place + height] for place in range(2 * reach + 1)], weights)


def weighted_sum(parts, weights):
    total = parts[0] * weights[0]
    for part, weight in zip(parts[1:], weights[1:]):
        total.add_(part, alpha=weight)
    return total
