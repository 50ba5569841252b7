import { type Contract, type PayloadOf, tokensOf, subjectOf, typeId } from '@edgeloop/contracts';
import type { z } from 'zod';
import { InvalidMessageError, UnreadableMessageError, wordsOf } from './errors.ts';

const encoder = new TextEncoder();
const decoder = new TextDecoder();
const PROBLEMS_MAX = 5;

/** Strict, before sending: the payload fits its contract and has no field that the contract does not declare. */
export function encodeMessage<C extends Contract>(contract: C, payload: unknown): { subject: string; data: Uint8Array } {
  const parsed = contract.payload.safeParse(payload);
  if (!parsed.success) throw new InvalidMessageError(contract, problemsOf(parsed.error));
  const stray = undeclaredField(payload, parsed.data, '');
  if (stray !== undefined) throw new InvalidMessageError(contract, [`${stray}: not a field of ${typeId(contract)}`]);
  return { subject: subjectOf(contract, parsed.data), data: encodeJson(parsed.data) };
}

/**
 * Tolerant, after receiving: unknown fields are dropped, so that an old program survives a new one.
 * Identity is the subject's: a body that names somebody else is refused.
 * @throws UnreadableMessageError
 */
export function decodeMessage<C extends Contract>(contract: C, subject: string, data: Uint8Array): PayloadOf<C> {
  const parsed = contract.payload.safeParse(decodeJson(subject, data));
  if (!parsed.success) throw new UnreadableMessageError(subject, problemsOf(parsed.error).join('; '));
  const tokens = tokensOf(contract, subject);
  if (tokens === undefined) throw new UnreadableMessageError(subject, `not a subject of ${typeId(contract)}`);
  const fields = parsed.data as Record<string, unknown>;
  for (const field in tokens) {
    if (fields[field] !== tokens[field]) {
      throw new UnreadableMessageError(
        subject,
        `the body says ${field} is ${JSON.stringify(fields[field])}, the subject says ${JSON.stringify(tokens[field])}`,
      );
    }
  }
  return parsed.data as PayloadOf<C>;
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
