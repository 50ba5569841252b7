import './small-heap.ts';
import { createLogger, endFailedStart, InvalidConfigError, runProgram } from '@edgeloop/runtime';
import type { Logger, Program } from '@edgeloop/runtime';
import { systemClock } from '@edgeloop/runtime';
import { performance } from 'node:perf_hooks';
import { enroll, readJoinToken } from './adapters/enrollment.ts';
import { IdentityFiles } from './adapters/identity.ts';
import type { Identity } from './adapters/identity.ts';
import { openNodeFolder } from './adapters/node-folder.ts';
import { openSource } from './adapters/sources/open-source.ts';
import { startAgent } from './agent.ts';
import { attributesOf, helpText, readNodeConfig } from './config.ts';
import type { NodeConfig } from './config.ts';

const PROGRAM = 'edgeloop-node';

async function start(config: NodeConfig, log: Logger): Promise<Program> {
  const folder = await openNodeFolder(config.EDGELOOP_NODE_DIR, systemClock.now(), log);
  const files = new IdentityFiles(config.EDGELOOP_NODE_DIR);
  const source = await openSource(config.EDGELOOP_SOURCE, {
    framesPerSecond: config.EDGELOOP_FPS,
    clocks: { now: () => systemClock.now(), monotonicMs: () => performance.now() },
  });
  const identity = await identityOf(config, files, log);
  return startAgent({ config, identity, keys: await files.keys(), folder, source, log: log.child({ nodeId: identity.nodeId }) });
}

async function identityOf(config: NodeConfig, files: IdentityFiles, log: Logger): Promise<Identity> {
  const { EDGELOOP_NODE_ID: nodeId, EDGELOOP_JOIN_TOKEN: token, EDGELOOP_NODE_DIR: folder } = config;
  const known = await files.load();
  if (known !== undefined) {
    if (nodeId === undefined || nodeId === known.nodeId) return known;
    throw new InvalidConfigError(PROGRAM, [
      `EDGELOOP_NODE_ID: the folder ${folder} belongs to ${known.nodeId}, not to ${nodeId}; give ${nodeId} one of its own (EDGELOOP_NODE_DIR)`,
    ]);
  }
  if (nodeId === undefined || token === undefined) {
    throw new InvalidConfigError(PROGRAM, [
      `this node (${folder}) has no identity yet: set EDGELOOP_NODE_ID and EDGELOOP_JOIN_TOKEN ("edgeloop nodes invite" prints one)`,
    ]);
  }
  const attributes = attributesOf(config.EDGELOOP_ATTRIBUTES);
  return enroll({
    nodeId,
    token: readJoinToken(token),
    url: config.NATS_URL,
    attributes,
    files,
    log,
    signal: new AbortController().signal,
  });
}

function main(): void {
  let config: NodeConfig | undefined;
  try {
    config = readNodeConfig(process.argv.slice(2), process.env);
  } catch (cause) {
    endFailedStart(PROGRAM, createLogger(PROGRAM), cause);
  }
  if (config === undefined) {
    process.stdout.write(helpText());
    return;
  }
  const log = createLogger(PROGRAM, config.LOG_LEVEL);
  const settings = config;
  void runProgram(PROGRAM, log, () => start(settings, log));
}

main();
