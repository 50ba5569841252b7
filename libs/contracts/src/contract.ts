import type { z } from 'zod';
import type { StreamName } from './streams.ts';
import { buildSubject, parseSubject, subjectPattern } from './subject.ts';

/**
 * How a message travels.
 * - `event`: stored in a stream, at least once, acknowledged by the handler.
 * - `signal`: core publish, not stored, may be lost; never carries the only copy of anything.
 * - `request`: one question, one answer, not stored.
 */
export type MessageKind = 'event' | 'signal' | 'request';

interface Common<P extends z.ZodType> {
  /** `<family>.<what-happened>`, for example `rollout.wave-started`. */
  readonly type: string;
  /** A change of meaning is a new version; a new optional field is not. */
  readonly v: number;
  /** `family.v1.{field}.event`: each `{field}` is a field of the payload and becomes one subject token. */
  readonly subject: string;
  /** One sentence for the reader of `docs/contracts.md`. */
  readonly says: string;
  readonly payload: P;
}

export interface EventContract<P extends z.ZodType = z.ZodType> extends Common<P> {
  readonly kind: 'event';
  readonly stream: StreamName;
}
export interface SignalContract<P extends z.ZodType = z.ZodType> extends Common<P> {
  readonly kind: 'signal';
}
export interface RequestContract<P extends z.ZodType = z.ZodType, R extends z.ZodType = z.ZodType> extends Common<P> {
  readonly kind: 'request';
  readonly reply: R;
}

export type Contract = EventContract | SignalContract | RequestContract;
export type PayloadOf<C extends { payload: z.ZodType }> = z.output<C['payload']>;
export type ReplyOf<C extends { reply: z.ZodType }> = z.output<C['reply']>;

export function event<P extends z.ZodType>(declaration: Omit<EventContract<P>, 'kind'>): EventContract<P> {
  return { kind: 'event', ...declaration };
}

export function signal<P extends z.ZodType>(declaration: Omit<SignalContract<P>, 'kind'>): SignalContract<P> {
  return { kind: 'signal', ...declaration };
}

export function request<P extends z.ZodType, R extends z.ZodType>(declaration: Omit<RequestContract<P, R>, 'kind'>): RequestContract<P, R> {
  return { kind: 'request', ...declaration };
}

/** The identity of a message type on the wire: `rollout.wave-started.v1`. */
export function typeId(contract: Contract): string {
  return `${contract.type}.v${contract.v}`;
}

/** The subject of one message; throws `InvalidSubjectTokenError` when a field cannot be a token. */
export function subjectOf(contract: Contract, payload: unknown): string {
  return buildSubject(contract.subject, payload as Record<string, unknown>);
}

/** The wildcard subject under which all messages of this contract arrive. */
export function patternOf(contract: Contract): string {
  return subjectPattern(contract.subject);
}

/** The fields that the broker vouches for: identity is taken from the subject, never from the body. */
export function tokensOf(contract: Contract, subject: string): Readonly<Record<string, string>> | undefined {
  return parseSubject(contract.subject, subject);
}
