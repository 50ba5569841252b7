import type { LabelledPhoto } from '@edgeloop/cli';
import { UserError } from '../user-error.ts';

/**
 * Labelled boxes that a class needs before a first model learns it. The training step asks for 30 among what it trains on; a part of
 * the photos is held out, and boxes are not spread evenly over photos.
 */
export const FIRST_CLASS_BOXES_MIN = 60;
/** The training steps tell classes apart. */
export const MODEL_CLASSES_MIN = 2;

/** The classes that a first model, trained on these photos, learns. @throws UserError when they are too few */
export function learnableClasses(photos: readonly LabelledPhoto[], classes: readonly string[]): readonly string[] {
  const counts = classes.map((_, classId) =>
    photos.reduce((sum, photo) => sum + photo.boxes.filter((box) => box.classId === classId).length, 0),
  );
  const learnable = classes.filter((_, classId) => (counts[classId] ?? 0) >= FIRST_CLASS_BOXES_MIN);
  if (learnable.length >= MODEL_CLASSES_MIN) return learnable;
  const told = classes.map((name, classId) => `${name} ${counts[classId]}`).join(', ');
  throw new UserError(
    `a first model needs ${MODEL_CLASSES_MIN} classes with ${FIRST_CLASS_BOXES_MIN} labelled boxes or more, and of ${photos.length} photos to train on there are: ${told}; label more, or give a --base that knows these classes`,
  );
}
