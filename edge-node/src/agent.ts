import { connectNode } from '@edgeloop/bus/node';
import { isoOf } from '@edgeloop/runtime';
import type { Program } from '@edgeloop/runtime';
import { withoutUser } from './adapters/enrollment.ts';
import { SequenceBlocks } from './adapters/spool/sequence-blocks.ts';
import { Beat } from './app/beat.ts';
import type { Heartbeat } from './app/beat.ts';
import { phaseOf } from './domain/plan.ts';
import type { FrameOutcome } from './inference/pipeline.ts';
import { machine, rhythmOf, wireCollecting, wireServing, wireSight, wireUpdating } from './wiring.ts';
import type { Ground } from './wiring.ts';

type Parts = ReturnType<typeof wireSight> &
  ReturnType<typeof wireServing> &
  ReturnType<typeof wireUpdating> &
  ReturnType<typeof wireCollecting>;

/** Starts everything on this node. It needs nobody to run: what was proven serves, whether the bus answers or not. */
export function startAgent(given: Omit<Ground, 'bus'>): Program {
  const { config, identity, keys } = given;
  const url = config.NATS_URL ?? identity.url;
  const bus = connectNode({ url, nodeId: identity.nodeId, creds: { jwt: identity.userJwt, seed: keys.seed } });
  const ground: Ground = { ...given, bus };
  const parts = wire(ground);
  const heartbeats = new SequenceBlocks(ground.folder.database, 'heartbeat');
  const beat = new Beat(bus, () => observe(ground, parts, heartbeats.next()), rhythmOf(config.EDGELOOP_HEARTBEAT_MS));
  ground.bus.onStatus((status) => ground.log.info({ url: withoutUser(url), ...status }, 'bus'));
  return run(ground, parts, beat);
}

function wire(ground: Ground): Parts {
  const sight = wireSight(ground, () => updating.runner.state.node.epoch);
  const serving = wireServing(ground, () => ({
    onOutcome: (outcome) => take(parts, outcome),
    onModelLost: (model) => void updating.runner.generationLost(model.release.packageDigest),
    bands: () => collecting.desk.bands(),
  }));
  const updating = wireUpdating(ground, { models: serving.models, probe: sight.probe });
  const collecting = wireCollecting(ground, { runner: updating.runner, telemetry: sight.telemetry, probe: sight.probe });
  const parts: Parts = { ...sight, ...serving, ...updating, ...collecting };
  return parts;
}

function take({ desk, models }: Parts, outcome: FrameOutcome): void {
  desk.take(outcome, outcome.ok ? models.releaseOf(outcome.by) : models.serving);
}

/** What is true now, seen rather than remembered: the weights are those that the process says it loaded. */
function observe({ identity }: Ground, parts: Parts, sequence: number): Heartbeat {
  const { node } = parts.runner.state;
  return {
    nodeId: identity.nodeId,
    epoch: node.epoch,
    sequence,
    at: isoOf(machine.clock.now()),
    running: parts.models.serving?.running ?? null,
    phase: phaseOf(parts.runner.state),
    desiredGeneration: node.desired?.generation ?? 0,
    policyVersion: node.desired?.policy.version ?? 0,
    ...parts.desk.counts,
    framesPerSecond: parts.telemetry.framesPerSecond,
    spool: parts.spool.stats(),
    metadataStaleSince: parts.metadata.staleSince(),
  };
}

function run(ground: Ground, parts: Parts, beat: Beat): Program {
  const { folder, bus, log } = ground;
  const stopping = new AbortController();
  const { sync, metadata, sendReports, sendTelemetry, sendSamples, telemetry, runner, pipeline, models } = parts;
  const lasting = [sync, metadata, sendReports, sendTelemetry, sendSamples, telemetry, beat].map((duty) => duty.run(stopping.signal));
  const updating = runner.run();
  // Told before `stopping`: what sends goes on until the last frame is answered.
  let ending = false;
  const frames = pipeline.run().then(() => {
    if (!ending) log.warn('there are no more frames: the source has ended');
  });
  for (const part of [...lasting, updating, frames]) part.catch((cause: unknown) => fail(log, cause));
  return {
    stop: async () => {
      ending = true;
      runner.stop();
      await pipeline.stop();
      await updating;
      stopping.abort();
      await Promise.all(lasting);
      await models.stopAllBut(undefined);
      await bus.close();
      folder.close();
    },
  };
}

/** A part that must last has ended: a fault of the program. Better to be started again than to live on in part; a crash loses nothing. */
function fail(log: Ground['log'], cause: unknown): void {
  log.fatal({ err: cause }, 'the agent cannot go on');
  process.exit(1);
}
