import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { NodeId } from '@edgeloop/contracts';
import { InvalidConfigError, readConfig } from '@edgeloop/runtime';
import { z } from 'zod';

const ms = (standard: number, max: number) => z.coerce.number().int().min(10).max(max).default(standard);
const count = (standard: number, max: number) => z.coerce.number().int().min(1).max(max).default(standard);
const HOUR_MS = 3_600_000;

/** Every variable, with what `--help` says of it. A flag `--node-dir` sets `EDGELOOP_NODE_DIR`. */
export const NodeConfig = z.object({
  EDGELOOP_NODE_DIR: z
    .string()
    .default('.edgeloop/node')
    .describe('folder of this node: identity, state, slots, spool; below the working folder unless absolute'),
  EDGELOOP_NODE_ID: NodeId.optional().describe('name of this node; needed at the first start'),
  EDGELOOP_SOURCE: z
    .string('say where frames come from, for example http://camera/snapshot.jpg')
    .describe('folder:/path | folder-once:/path | scene:<seed>/<camera>[/day|night|0..1] | http(s)://camera/snapshot.jpg'),
  EDGELOOP_JOIN_TOKEN: z
    .string()
    .optional()
    .describe('one-time join token, or the path of a file that holds it; needed at the first start'),
  NATS_URL: z.string().optional().describe('address of the bus; default: the one in the join token'),
  EDGELOOP_ATTRIBUTES: z.string().optional().describe('facts about this node for queries, for example site=berlin,floor=2'),
  EDGELOOP_FPS: z.coerce.number().min(0.01).max(60).default(2).describe('frames per second to look at, at most'),
  EDGELOOP_HEARTBEAT_MS: ms(2_000, HOUR_MS).describe('between heartbeats'),
  EDGELOOP_TELEMETRY_WINDOW_MS: ms(10_000, HOUR_MS).describe('length of a telemetry window'),
  EDGELOOP_SYNC_MS: ms(30_000, HOUR_MS).describe('between questions for the desired state, beside the doorbell'),
  EDGELOOP_METADATA_REFRESH_MS: ms(600_000, 24 * HOUR_MS).describe('between refreshes of the signed metadata'),
  EDGELOOP_UPLOAD_POLL_MS: ms(1_000, HOUR_MS).describe('between rounds of uploads and receipts while there are samples'),
  EDGELOOP_PROBE_FRAMES: count(20, 10_000).describe('live frames that a new model must answer before it is proven'),
  EDGELOOP_PROBE_MS: ms(10_000, HOUR_MS).describe('and for how long'),
  EDGELOOP_PROBE_FAILURES: z.coerce.number().int().min(0).max(1_000).default(2).describe('failed inferences that a trial may have'),
  EDGELOOP_SPOOL_BYTES: count(256 * 1_048_576, 1e12).describe('bytes of kept frames, at most'),
  EDGELOOP_SPOOL_ITEMS: count(5_000, 1_000_000).describe('kept frames, at most'),
  EDGELOOP_MODEL_THREADS: count(1, 64).describe('threads of the model runtime'),
  EDGELOOP_MODEL_MEMORY_BYTES: z.coerce.number().int().positive().optional().describe('resident bytes of a model process, at most'),
  LOG_LEVEL: z.enum(['trace', 'debug', 'info', 'warn', 'error']).default('info').describe('how much is logged'),
});
export type NodeConfig = z.output<typeof NodeConfig>;

const PROGRAM = 'edgeloop-node';

/** `EDGELOOP_NODE_DIR` -> `node-dir`. */
function flagOf(variable: string): string {
  return variable
    .replace(/^EDGELOOP_/, '')
    .toLowerCase()
    .replaceAll('_', '-');
}

export function helpText(): string {
  const lines = Object.entries(NodeConfig.shape).map(([variable, schema]) => {
    const standard = schema instanceof z.ZodDefault ? ` (default ${String(schema.def.defaultValue)})` : '';
    return `  --${flagOf(variable).padEnd(20)} ${variable.padEnd(30)} ${schema.description ?? ''}${standard}`;
  });
  return [
    `${PROGRAM} - the agent on the camera: runs the desired model, watches it, keeps the frames it was unsure of.`,
    '',
    'Each setting is a flag or an environment variable; the flag wins.',
    ...lines,
    '  --help                                              this text',
    '',
  ].join('\n');
}

/** Flags over environment. Undefined: help was asked for. @throws InvalidConfigError */
export function readNodeConfig(args: readonly string[], environment: NodeJS.ProcessEnv): NodeConfig | undefined {
  const variables = Object.keys(NodeConfig.shape);
  const options = Object.fromEntries([
    ['help', { type: 'boolean' }],
    ...variables.map((name) => [flagOf(name), { type: 'string' }]),
  ]) as Record<string, { type: 'boolean' | 'string' }>;
  const { values } = parsed(args, options);
  if (values['help'] === true) return undefined;
  const flags = variables.flatMap((name) => (values[flagOf(name)] === undefined ? [] : [[name, values[flagOf(name)]]]));
  const config = readConfig(PROGRAM, NodeConfig, { ...environment, ...Object.fromEntries(flags) });
  // Whole, so that a line about this folder says which one it is.
  return { ...config, EDGELOOP_NODE_DIR: resolve(config.EDGELOOP_NODE_DIR) };
}

function parsed(args: readonly string[], options: Record<string, { type: 'boolean' | 'string' }>): { values: Record<string, unknown> } {
  try {
    return parseArgs({ args: [...args], options, strict: true, allowPositionals: false });
  } catch (cause) {
    throw new InvalidConfigError(PROGRAM, [`${(cause as Error).message}; see --help`]);
  }
}

/** `site=berlin,floor=2`; anything else in there is left out. */
export function attributesOf(text: string | undefined): Record<string, string> {
  const pairs = (text ?? '').split(',').map((pair) => /^\s*([^=]{1,64})=(.{0,256})$/.exec(pair));
  return Object.fromEntries(pairs.flatMap((pair) => (pair === null ? [] : [[pair[1] ?? '', pair[2] ?? '']])));
}
