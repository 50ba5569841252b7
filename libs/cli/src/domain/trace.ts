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

/** A shorter beginning of an id fits too many. */
export const PREFIX_LENGTH_MIN = 8;

/** Ids that a message is about: the tokens of its subject after `aggregate.version`, without the event's own name at the end. */
function idsOf({ subject, type }: TracedMessage): readonly string[] {
  return subject
    .split('.')
    .slice(2)
    .filter((token) => !type.endsWith(`.${token}`));
}

/** The ids that `text` can mean: itself where a message is about it, else those that begin with it. */
export function idsMeant(messages: readonly TracedMessage[], text: string): readonly string[] {
  if (messages.some((message) => isAbout(message, text))) return [text];
  if (text.length < PREFIX_LENGTH_MIN) return [];
  const beginsWith = (id: string): boolean => id.startsWith(text);
  const named = new Set(messages.flatMap(idsOf).filter(beginsWith));
  return [...(named.size > 0 ? named : new Set(messages.map(({ id }) => id).filter(beginsWith)))];
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
