/** One subject token: no dots, no wildcards, no spaces, so that permissions can name it. */
export const SUBJECT_TOKEN = /^[A-Za-z0-9][A-Za-z0-9_-]{0,127}$/;

export class InvalidSubjectTokenError extends Error {
  override readonly name = 'InvalidSubjectTokenError';
  readonly retryable = false;
  readonly template: string;
  readonly field: string;
  constructor(template: string, field: string, value: unknown) {
    super(`${JSON.stringify(value)} cannot be the token {${field}} of subject ${template}: use letters, digits, "-" and "_", at most 128`);
    this.template = template;
    this.field = field;
  }
}

const PLACEHOLDER = /^\{(\w+)\}$/;

export function buildSubject(template: string, fields: Readonly<Record<string, unknown>>): string {
  return template
    .split('.')
    .map((token) => {
      const field = PLACEHOLDER.exec(token)?.[1];
      if (field === undefined) return token;
      const value = fields[field];
      if (typeof value !== 'string' || !SUBJECT_TOKEN.test(value)) throw new InvalidSubjectTokenError(template, field, value);
      return value;
    })
    .join('.');
}

export function subjectPattern(template: string): string {
  return template
    .split('.')
    .map((token) => (PLACEHOLDER.test(token) ? '*' : token))
    .join('.');
}

/** Field values by name, or undefined when the subject does not fit the template. */
export function parseSubject(template: string, subject: string): Readonly<Record<string, string>> | undefined {
  const expected = template.split('.');
  const actual = subject.split('.');
  if (expected.length !== actual.length) return undefined;
  const fields: Record<string, string> = {};
  for (const [index, token] of expected.entries()) {
    const value = actual[index] ?? '';
    const field = PLACEHOLDER.exec(token)?.[1];
    if (field !== undefined) fields[field] = value;
    else if (token !== value) return undefined;
  }
  return fields;
}
