/** One stored message, as the trace needs it. */
export interface TracedMessage {
  readonly id: string;
  readonly type: string;
  readonly subject: string;
  readonly causationId: string | undefined;
  readonly correlationId: string;
  readonly sentAt: string | undefined;
  readonly payload: unknown;
}

/** A chain longer than this is a circle or a mistake. */
export const TRACE_LENGTH_MAX = 200;

function isAbout(message: TracedMessage, id: string): boolean {
  return message.id === id || message.subject.split('.').includes(id);
}

/** What led to the newest message about `id`, oldest first; empty when nothing is about it. */
export function traceOf(messages: readonly TracedMessage[], id: string): readonly TracedMessage[] {
  const byId = new Map(messages.map((message) => [message.id, message]));
  const chain: TracedMessage[] = [];
  let current = messages.findLast((message) => isAbout(message, id));
  while (current && chain.length < TRACE_LENGTH_MAX && !chain.includes(current)) {
    chain.unshift(current);
    current = current.causationId === undefined ? undefined : byId.get(current.causationId);
  }
  return chain;
}

/** All that happened to `id`, and all of the same turn that it caused; oldest first. */
export function consequencesOf(messages: readonly TracedMessage[], id: string): readonly TracedMessage[] {
  const caused = new Set(messages.filter((message) => isAbout(message, id)).map((message) => message.id));
  return messages.filter((message) => {
    if (message.causationId !== undefined && caused.has(message.causationId)) caused.add(message.id);
    return caused.has(message.id);
  });
}
