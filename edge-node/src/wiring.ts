import { performance } from 'node:perf_hooks';
import type { NodeBus } from '@edgeloop/bus/node';
import { systemClock } from '@edgeloop/runtime';
import type { Clock, Logger } from '@edgeloop/runtime';
import { TufClient } from '@edgeloop/trust';
import { Downloader } from './adapters/downloader.ts';
import type { Identity, NodeKeys } from './adapters/identity.ts';
import type { NodeFolder } from './adapters/node-folder.ts';
import { ReportSpool } from './adapters/spool/report-spool.ts';
import { SampleSpool } from './adapters/spool/sample-spool.ts';
import { recallLimiter } from './adapters/spool/sampling-memory.ts';
import { SequenceBlocks } from './adapters/spool/sequence-blocks.ts';
import { FrameDesk } from './app/frame-desk.ts';
import { Grants } from './app/grants.ts';
import { MetadataWatch } from './app/metadata-watch.ts';
import { Models } from './app/models.ts';
import type { LoadedRelease } from './app/models.ts';
import { reportOf } from './app/node-reports.ts';
import { ProbeDesk } from './app/probe-desk.ts';
import type { Rhythm } from './app/repeat.ts';
import { SendReports } from './app/send-reports.ts';
import { SendSamples } from './app/send-samples.ts';
import { SendTelemetry } from './app/send-telemetry.ts';
import { SettleSamples } from './app/settle-samples.ts';
import { SyncDuty } from './app/sync-duty.ts';
import { TelemetryDesk } from './app/telemetry-desk.ts';
import { UpdateRunner } from './app/update-runner.ts';
import { UploadSamples } from './app/upload-samples.ts';
import type { NodeConfig } from './config.ts';
import { execute } from './executors/table.ts';
import { Generation } from './inference/generation.ts';
import { FramePipeline } from './inference/pipeline.ts';
import type { FrameOutcome } from './inference/pipeline.ts';
import type { FrameSource } from './ports.ts';

/** What everything on the node works with. */
export interface Ground {
  readonly config: NodeConfig;
  readonly identity: Identity;
  readonly keys: NodeKeys;
  readonly folder: NodeFolder;
  readonly source: FrameSource;
  readonly bus: NodeBus;
  readonly log: Logger;
}

/** Time and chance of this machine. */
export const machine: { readonly clock: Clock; readonly monotonicMs: () => number; readonly chance: () => number } = {
  clock: systemClock,
  monotonicMs: () => performance.now(),
  chance: () => Math.random(),
};

/** Nodes that were started together must not come together. */
const JITTER = 0.2;
/** A median below this is never too slow; one above it may be so many times that of the proven model. */
const PROBE_LATENCY = { latencyAlwaysGoodMs: 250, latencyTimesMax: 4 };

export function rhythmOf(intervalMs: number): Rhythm {
  return { intervalMs, jitter: JITTER, chance: machine.chance };
}

/** Looks at frames and tells what was seen. `epoch` names this life of the folder. */
export function wireSight({ config, identity, folder, bus, log }: Ground, epoch: () => string) {
  const { nodeId } = identity;
  const sendTelemetry = new SendTelemetry({ bus, nodeId, chance: machine.chance, log });
  const windows = new SequenceBlocks(folder.database, 'telemetry');
  const telemetry = new TelemetryDesk({
    windowMs: config.EDGELOOP_TELEMETRY_WINDOW_MS,
    clock: machine.clock,
    monotonicMs: machine.monotonicMs,
    identify: () => ({ nodeId, epoch: epoch(), sequence: windows.next() }),
    send: (window) => sendTelemetry.add(window),
  });
  const probe = new ProbeDesk(
    {
      framesMin: config.EDGELOOP_PROBE_FRAMES,
      durationMinMs: config.EDGELOOP_PROBE_MS,
      failuresMax: config.EDGELOOP_PROBE_FAILURES,
      ...PROBE_LATENCY,
    },
    machine.monotonicMs,
  );
  return { sendTelemetry, telemetry, probe };
}

export interface ServingHooks {
  readonly onOutcome: (outcome: FrameOutcome) => void;
  readonly onModelLost: (model: LoadedRelease) => void;
  readonly bands: FrameDesk['bands'];
}

/** Frames and the models that answer them. */
export function wireServing({ config, source, log }: Ground, hooks: () => ServingHooks) {
  const pipeline = new FramePipeline<LoadedRelease>({
    source,
    onOutcome: (outcome) => hooks().onOutcome(outcome),
    onModelLost: (model, error) => {
      log.warn({ releaseId: model.release.releaseId, err: error }, 'the model that served is lost');
      hooks().onModelLost(model);
    },
    bands: () => hooks().bands(),
  });
  const options = { threads: config.EDGELOOP_MODEL_THREADS, memoryBytesMax: config.EDGELOOP_MODEL_MEMORY_BYTES };
  const models = new Models({ pipeline, start: (modelDir, signal) => Generation.start({ modelDir, ...options }, signal), log });
  return { pipeline, models };
}

/** The update flow, and what asks for it. */
export function wireUpdating({ config, identity, folder, bus, log }: Ground, parts: { models: Models; probe: ProbeDesk }) {
  const { nodeId, trust } = identity;
  const { clock, chance } = machine;
  const reports = new ReportSpool(folder.database);
  const sendReports = new SendReports({ bus, spool: reports, chance, log });
  const tuf = new TufClient({ folder: folder.metadataFolder, shippedRoot: trust.tufRoot });
  const clockFloorMs = (): number => runner.state.node.clockFloorMs;
  const runner: UpdateRunner = new UpdateRunner({
    state: folder.state,
    store: folder.stateFile,
    execute: (step, signal) => execute(step, { ...tools, links: sync }, signal),
    spoolReports: (pending) => {
      const about = { nodeId, epoch: runner.state.node.epoch, running: parts.models.serving?.running ?? null };
      reports.put(pending.map((report) => reportOf(report, about)));
      sendReports.ring();
    },
    clock,
    chance,
    log,
  });
  const { stagingFolder, slots } = folder;
  const tools = { stagingFolder, slots, downloader: new Downloader(), tuf, ...parts, clock, clockFloorMs };
  const sync = new SyncDuty({ bus, nodeId, trust, runner, rhythm: rhythmOf(config.EDGELOOP_SYNC_MS), log });
  const rhythm = rhythmOf(config.EDGELOOP_METADATA_REFRESH_MS);
  const metadata = new MetadataWatch({ tuf, links: sync, clock, clockFloorMs, rhythm, log });
  return { runner, sync, metadata, sendReports };
}

/** What is kept of the frames, and how it gets home. */
export function wireCollecting(ground: Ground, parts: { runner: UpdateRunner; telemetry: TelemetryDesk; probe: ProbeDesk }) {
  const { config, identity, keys, folder, bus, log } = ground;
  const { clock, monotonicMs, chance } = machine;
  const { nodeId } = identity;
  const { runner, telemetry, probe } = parts;
  const spool = new SampleSpool(folder.database, { bytesMax: config.EDGELOOP_SPOOL_BYTES, itemsMax: config.EDGELOOP_SPOOL_ITEMS });
  const grants = new Grants({ bus, nodeId, sealing: keys.sealing, clock, monotonicMs, log });
  const epoch = (): string => runner.state.node.epoch;
  const sendSamples = new SendSamples({
    bus,
    uploads: new UploadSamples({ spool, grants, monotonicMs, log }),
    receipts: new SettleSamples({ bus, nodeId, epoch, spool, grants, log }),
    isEmpty: () => spool.stats().items === 0,
    pollMs: config.EDGELOOP_UPLOAD_POLL_MS,
    chance,
    log,
  });
  const desk = new FrameDesk({
    desired: () => runner.state.node.desired,
    spool,
    recall: (collecting) => recallLimiter(folder.database, collecting, { wallMs: clock.now(), monotonicMs: monotonicMs() }),
    rights: grants,
    telemetry,
    probe,
    onKept: () => sendSamples.ring(),
    onAnswered: () => runner.servedWell(),
    monotonicMs,
    chance,
    log,
  });
  return { spool, sendSamples, desk };
}
