import { randomBytes } from 'node:crypto';

/** https://www.w3.org/TR/trace-context/ version 00: `00-<32 hex trace>-<16 hex span>-<2 hex flags>`. */
const TRACEPARENT = /^00-([0-9a-f]{32})-[0-9a-f]{16}-([0-9a-f]{2})$/;
const SPAN_BYTES = 8;
const TRACE_BYTES = 16;
const SAMPLED = '01';

/** A new span below the given one, or the first of a new trace when there is none (or it is malformed). */
export function childTraceparent(parent: string | undefined): string {
  const known = parent === undefined ? null : TRACEPARENT.exec(parent);
  const span = randomBytes(SPAN_BYTES).toString('hex');
  return known === null ? `00-${randomBytes(TRACE_BYTES).toString('hex')}-${span}-${SAMPLED}` : `00-${known[1]}-${span}-${known[2]}`;
}
