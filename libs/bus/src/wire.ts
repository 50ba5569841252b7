import { type Contract, type PayloadOf, subjectOf, typeId } from '@edgeloop/contracts';
import type { z } from 'zod';
import { readerOf, type Tokens } from './contract-reader.ts';
import { InvalidMessageError, UnreadableMessageError, wordsOf } from './errors.ts';

const encoder = new TextEncoder();
const decoder = new TextDecoder();
const PROBLEMS_MAX = 5;

/** Strict, before sending: the payload fits its contract and has no field that the contract does not declare. */
export function encodeMessage<C extends Contract>(contract: C, payload: unknown): { subject: string; data: Uint8Array } {
  if (readerOf(contract).fits(payload)) return { subject: subjectOf(contract, payload), data: encodeJson(payload) };
  const parsed = contract.payload.safeParse(payload);
  if (!parsed.success) throw new InvalidMessageError(contract, problemsOf(parsed.error));
  const stray = undeclaredField(payload, parsed.data, '');
  if (stray !== undefined) throw new InvalidMessageError(contract, [`${stray}: not a field of ${typeId(contract)}`]);
  return { subject: subjectOf(contract, parsed.data), data: encodeJson(parsed.data) };
}

/** What the receiver knows of a message beside its body. */
export interface Received {
  /** Fields of the subject, where they were read already. */
  readonly tokens?: Tokens;
  /** The sender's word for what it sent; undefined when it comes from a plain NATS tool. Asked only when the body does not fit at once. */
  readonly sentType?: string | undefined;
}

/**
 * Tolerant, after receiving: unknown fields are dropped, so that an old program survives a new one.
 * Identity is the subject's: a body that names somebody else is refused.
 * @throws UnreadableMessageError
 */
export function decodeMessage<C extends Contract>(contract: C, subject: string, data: Uint8Array, received: Received = {}): PayloadOf<C> {
  const reader = readerOf(contract);
  const tokens = received.tokens ?? reader.tokens(subject);
  if (tokens === undefined) throw new UnreadableMessageError(subject, `not a subject of ${reader.typeId}`);
  const body = decodeJson(subject, data);
  const payload = (reader.fits(body) ? body : parsedBody(contract, { subject, body, type: received.sentType })) as Record<string, unknown>;
  for (const field of reader.fields) {
    if (payload[field] !== tokens[field]) {
      throw new UnreadableMessageError(
        subject,
        `the body says ${field} is ${JSON.stringify(payload[field])}, the subject says ${JSON.stringify(tokens[field])}`,
      );
    }
  }
  return payload as PayloadOf<C>;
}

/** A body that needs a second look: from another version of the type it must not be read as this one. */
function parsedBody(contract: Contract, message: { subject: string; body: unknown; type: string | undefined }): unknown {
  const { subject, body, type } = message;
  const expected = typeId(contract);
  if (type !== undefined && type !== '' && type !== expected)
    throw new UnreadableMessageError(subject, `type ${type}, expected ${expected}`);
  const parsed = contract.payload.safeParse(body);
  if (!parsed.success) throw new UnreadableMessageError(subject, problemsOf(parsed.error).join('; '));
  return parsed.data;
}

export function encodeJson(value: unknown): Uint8Array {
  return encoder.encode(JSON.stringify(value));
}

export function decodeJson(subject: string, data: Uint8Array): unknown {
  try {
    return JSON.parse(decoder.decode(data)) as unknown;
  } catch (cause) {
    throw new UnreadableMessageError(subject, `no JSON (${wordsOf(cause)})`);
  }
}

/** `path: message` for each problem, the first few. */
export function problemsOf(error: z.ZodError): string[] {
  return error.issues.slice(0, PROBLEMS_MAX).map((issue) => `${issue.path.join('.') || 'body'}: ${issue.message}`);
}

/** Zod objects drop what they do not know; a sender must not rely on that. Returns the path of the first dropped field. */
function undeclaredField(given: unknown, kept: unknown, path: string): string | undefined {
  if (typeof given !== 'object' || given === null || typeof kept !== 'object' || kept === null) return undefined;
  for (const [key, value] of Object.entries(given)) {
    if (value === undefined) continue;
    if (!(key in kept)) return `${path}${key}`;
    const deeper = undeclaredField(value, (kept as Record<string, unknown>)[key], `${path}${key}.`);
    if (deeper !== undefined) return deeper;
  }
  return undefined;
}
