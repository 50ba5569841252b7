import { z } from 'zod';

/**
 * A program's settings do not let it start. The message is one line, as whoever supervises it shows the last line of its log, and does
 * not name the program: whoever prints it does.
 */
export class InvalidConfigError extends Error {
  override readonly name = 'InvalidConfigError';
  readonly retryable = false;
  readonly program: string;
  readonly problems: readonly string[];
  constructor(program: string, problems: readonly string[]) {
    super(`cannot start: ${problems.join('; ')}`);
    this.program = program;
    this.problems = problems;
  }
}

/** Reads and checks environment variables by a zod object; every problem is named at once. Empty strings count as unset. */
export function readConfig<S extends z.ZodObject>(program: string, schema: S, environment: NodeJS.ProcessEnv = process.env): z.output<S> {
  const given = Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== undefined && value !== ''));
  const parsed = schema.safeParse(given);
  if (parsed.success) return parsed.data;
  throw new InvalidConfigError(
    program,
    parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`),
  );
}

/** A variable that must be set. `what` goes on after "set", for example `the folder of the signing keys`. */
export function required(what: string): z.ZodString {
  return z.string({ error: `set ${what}` });
}

/** Variables that every service reads. */
export const BusConfig = z.object({
  NATS_URL: required('the address of the bus, for example nats://127.0.0.1:4222'),
  NATS_CREDS: z.string().optional(),
  LOG_LEVEL: z.enum(['trace', 'debug', 'info', 'warn', 'error']).default('info'),
});
export const StoreConfig = z.object({
  S3_ENDPOINT: z.url('set the address of the S3 store, for example http://127.0.0.1:8333'),
  S3_REGION: z.string().default('us-east-1'),
  S3_ACCESS_KEY_ID: required('the id of an access key of the S3 store'),
  S3_SECRET_ACCESS_KEY: required('the secret of that access key'),
});
export const StsConfig = z.object({
  STS_ENDPOINT: z.url('set the address of the STS server, for example http://127.0.0.1:8333'),
  STS_ACCESS_KEY_ID: required('the id of an access key that may assume STS_ROLE_ARN'),
  STS_SECRET_ACCESS_KEY: required('the secret of that access key'),
  STS_ROLE_ARN: required('the ARN of the role that upload rights are made of'),
});
