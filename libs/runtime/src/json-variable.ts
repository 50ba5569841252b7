import { z } from 'zod';

/**
 * A variable that holds JSON of the given shape, for example `{"samplesTotal": 50}`; `fallback`, JSON too, stands for an unset one.
 * What does not fit is named by its path, so that the writer of a long value finds the place.
 */
export function jsonVariable<S extends z.ZodType>(schema: S, fallback = '{}'): z.ZodType<z.output<S>, string | undefined> {
  return z
    .string()
    .default(fallback)
    .transform((text, context): unknown => {
      try {
        return JSON.parse(text);
      } catch (cause) {
        context.addIssue(`is no JSON (${(cause as SyntaxError).message})`);
        return z.NEVER;
      }
    })
    .pipe(schema as unknown as z.ZodType<z.output<S>>);
}
