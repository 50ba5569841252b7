import { BOXES_PER_PICTURE_MAX, LabelBox } from '@edgeloop/contracts';
import { z } from 'zod';

const annotator = z.string().trim().min(1).max(100);

/** Tasks of one page. */
export const LIST_LIMIT_MAX = 500;

export const ListQuery = z.object({
  status: z.enum(['open', 'claimed', 'answered', 'skipped']).default('open'),
  limit: z.coerce.number().int().positive().max(LIST_LIMIT_MAX).default(50),
});
export const DatasetsQuery = z.object({ limit: z.coerce.number().int().positive().max(LIST_LIMIT_MAX).default(50) });
export const ClaimBody = z.strictObject({ annotator });
export const SkipBody = z.strictObject({ annotator });
/** Fractions of the picture; a number that JSON cannot carry arrives as null and is named in the refusal. */
export const AnswerBody = z.strictObject({ annotator, boxes: z.array(z.strictObject(LabelBox.shape)).max(BOXES_PER_PICTURE_MAX) });
export const TaskParams = z.object({ id: z.string().regex(/^[0-9a-f]{32}$/, 'expected the 32 hex digits of a task id') });

const PROBLEMS_NAMED_MAX = 5;

/** All problems in one line. */
export function problemsOf(error: z.ZodError): string {
  const named = error.issues.slice(0, PROBLEMS_NAMED_MAX).map((issue) => `${issue.path.join('.') || 'body'}: ${issue.message}`);
  const others = error.issues.length - named.length;
  return named.join('; ') + (others > 0 ? `; and ${others} more` : '');
}
