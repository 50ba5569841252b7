import { z } from 'zod';
import { ALL_CONTRACTS } from '../all-contracts.ts';
import { type Contract, typeId } from '../contract.ts';
import { STATE_BUCKETS, type StreamDefinition, STREAMS } from '../streams.ts';
import { SUBJECT_TOKEN } from '../subject.ts';

/** A JSON schema as far as this page draws it. */
interface Shape {
  readonly type?: string;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly pattern?: string;
  readonly format?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly default?: unknown;
  readonly properties?: Readonly<Record<string, Shape>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: Shape | boolean;
  readonly items?: Shape;
  readonly anyOf?: readonly Shape[];
  readonly oneOf?: readonly Shape[];
}

const TITLES = { event: 'Events', signal: 'Signals', request: 'Requests' } as const;
const KINDS = {
  event: 'Stored in a stream, delivered at least once, acknowledged by its handler.',
  signal: 'Published once to whoever listens, not stored; never carries the only copy of anything.',
  request: 'One question, one answer, not stored.',
} as const;

/** `docs/contracts.md`: every message, stream and bucket, from their declarations. */
export function contractsPage(): string {
  const sections = [introduction(), streams(), buckets(), ...(['event', 'signal', 'request'] as const).map(kindSection)];
  return `${sections.join('\n\n')}\n`;
}

function introduction(): string {
  return `# Contracts

Generated from \`libs/contracts\` by \`npm run docs\`; do not edit. Every message is declared once; this page, streams, handlers and checks derive from
that declaration. A \`token\` is what can stand in a subject: letters, digits, "-" and "_", at most 128. \`{field}\` in a subject is the payload's field of that name, and the subject's word counts: a body that contradicts it is refused.

A message travels with the headers \`Nats-Msg-Id\` (its deterministic id), \`Edgeloop-Type\`, \`Edgeloop-Correlation-Id\`, \`Edgeloop-Causation-Id\`,
\`Edgeloop-Sent-At\` and \`traceparent\` (W3C). A refused question is answered with \`Edgeloop-Error-Code\` and \`Edgeloop-Error-Words\` (URI-encoded).`;
}

function streams(): string {
  const rows = STREAMS.map((stream) =>
    row([stream.name, stream.subjects.map(code).join(' '), keptFor(stream), stream.oncePerSubject ? 'one' : 'any', stream.keeps]),
  );
  return `## Streams\n\n${[table(['stream', 'subjects', 'kept', 'messages of a subject', 'what']), ...rows].join('\n')}`;
}

function keptFor(stream: StreamDefinition): string {
  const age = stream.maxAgeDays === undefined ? 'for ever' : `${stream.maxAgeDays} days`;
  return stream.asyncPersistence === true ? `${age}, acknowledged before the disk has it` : age;
}

function buckets(): string {
  return `## State buckets\n\nOne document an aggregate, written by revision: ${STATE_BUCKETS.map(code).join(', ')}.`;
}

function kindSection(kind: Contract['kind']): string {
  const contracts = ALL_CONTRACTS.filter((contract) => contract.kind === kind);
  return [`## ${TITLES[kind]}`, KINDS[kind], ...contracts.map(contractSection)].join('\n\n');
}

function contractSection(contract: Contract): string {
  const place = contract.kind === 'event' ? `${code(contract.subject)} in stream ${contract.stream}` : code(contract.subject);
  const reply = contract.kind === 'request' ? ['Reply:', block(contract.reply, 'output')] : [];
  return [
    `### ${typeId(contract)}`,
    contract.says,
    place,
    block(contract.payload, contract.kind === 'request' ? 'input' : 'output'),
    ...reply,
  ].join('\n\n');
}

function block(schema: z.ZodType, io: 'input' | 'output'): string {
  return ['```ts', draw(z.toJSONSchema(schema, { io, unrepresentable: 'any' }) as Shape, ''), '```'].join('\n');
}

function draw(shape: Shape, indent: string): string {
  const choices = shape.anyOf ?? shape.oneOf;
  if (choices !== undefined) return choices.map((choice) => draw(choice, indent)).join(' | ');
  if (shape.const !== undefined) return JSON.stringify(shape.const);
  if (shape.enum !== undefined) return shape.enum.map((value) => JSON.stringify(value)).join(' | ');
  if (shape.type === 'array') return `Array<${draw(shape.items ?? {}, indent)}>${comment(count(shape.minItems, shape.maxItems, 'items'))}`;
  if (shape.type === 'object') return drawObject(shape, indent);
  return scalar(shape);
}

function drawObject(shape: Shape, indent: string): string {
  if (shape.properties === undefined)
    return `Record<string, ${typeof shape.additionalProperties === 'object' ? draw(shape.additionalProperties, indent) : 'unknown'}>`;
  const deeper = `${indent}  `;
  const fields = Object.entries(shape.properties).map(
    ([name, field]) => `${deeper}${name}${shape.required?.includes(name) === true ? '' : '?'}: ${draw(field, deeper)}`,
  );
  return fields.length === 0 ? '{}' : `{\n${fields.join('\n')}\n${indent}}`;
}

/** A number or a string with its bounds as a comment. */
function scalar(shape: Shape): string {
  const words = [
    shape.format ?? patternWords(shape.pattern),
    range(shape),
    count(shape.minLength, shape.maxLength, 'characters'),
    shape.default === undefined ? undefined : `default ${JSON.stringify(shape.default)}`,
  ].filter((word) => word !== undefined);
  return `${shape.type ?? 'unknown'}${comment(words.length === 0 ? undefined : words.join(', '))}`;
}

function range(shape: Shape): string | undefined {
  const from = shape.exclusiveMinimum === undefined ? shape.minimum : `above ${shape.exclusiveMinimum}`;
  const to = shape.maximum === undefined || Math.abs(shape.maximum) === Number.MAX_SAFE_INTEGER ? undefined : shape.maximum;
  const low = from === Number.MIN_SAFE_INTEGER ? undefined : from;
  if (low === undefined && to === undefined) return undefined;
  if (to === undefined) return `${typeof low === 'string' ? low : `from ${low}`}`;
  return low === undefined ? `up to ${to}` : `${low} to ${to}`;
}

function count(low: number | undefined, high: number | undefined, unit: string): string | undefined {
  if (high !== undefined) return low === undefined || low === 0 ? `up to ${high} ${unit}` : `${low} to ${high} ${unit}`;
  return low === undefined || low === 0 ? undefined : `at least ${low} ${unit}`;
}

function comment(words: string | undefined): string {
  return words === undefined ? '' : ` /* ${words} */`;
}

function patternWords(pattern: string | undefined): string | undefined {
  if (pattern === undefined) return undefined;
  return pattern === SUBJECT_TOKEN.source ? 'token' : `/${pattern}/`;
}

function table(heads: readonly string[]): string {
  return `${row(heads)}\n${row(heads.map(() => '---'))}`;
}

function row(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`;
}

function code(text: string): string {
  return `\`${text}\``;
}
