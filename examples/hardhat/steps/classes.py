"""Which classes a model learns, and what the dataset's class ids mean to it."""

import numpy as np

from failures import StepFailure

# Fewer boxes than this teach a class nothing; a new model leaves such a class out.
BOXES_PER_CLASS_MIN = 30


def classes_for(dataset_names, box_counts, base_names, keep_base):
    """Class names of the model to train.

    keep_base: the base is a model in service. It keeps its classes, and the dataset must know them all; classes that only
    the dataset knows are left out. Otherwise the model learns the dataset's classes that have boxes enough.
    """
    if keep_base and base_names is not None:
        missing = [name for name in base_names if name not in dataset_names]
        if missing:
            raise StepFailure(
                f"the base model's classes ({', '.join(base_names)}) don't match the dataset's ({', '.join(dataset_names)}): "
                f"{', '.join(missing)} missing in classes.txt; rename the dataset's classes, or train a first model with --replace-classes"
            )
        return base_names
    names = [name for name, count in zip(dataset_names, box_counts) if count >= BOXES_PER_CLASS_MIN]
    if len(names) < 2:
        told = ", ".join(f"{name} {count}" for name, count in zip(dataset_names, box_counts))
        raise StepFailure(f"fewer than two classes have {BOXES_PER_CLASS_MIN} training boxes or more ({told}); label more pictures")
    return names


def class_map(dataset_names, model_names):
    """Model's class id per dataset's class id; -1 where the model does not know the class."""
    return np.array([model_names.index(name) if name in model_names else -1 for name in dataset_names], np.int64)


def mapped(boxes, ids):
    """Boxes [n, 5] with the model's class ids; boxes of unknown classes are left out."""
    changed = boxes.copy()
    changed[:, 0] = ids[boxes[:, 0].astype(np.int64)]
    return changed[changed[:, 0] >= 0]
