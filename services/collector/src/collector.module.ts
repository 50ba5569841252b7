import { BASE_CAMPAIGN } from '@edgeloop/contracts';
import type { ServiceDeps } from '@edgeloop/nest-bus';
import { repeat, systemClock, type Repeating } from '@edgeloop/runtime';
import { createSealingKeys, grantsFromConfig, proveWriteOnly, SAMPLES_BUCKET, storeFromConfig } from '@edgeloop/store';
import type { DynamicModule } from '@nestjs/common';
import { BusCampaigns } from './adapters/bus-campaigns.ts';
import { BusLedger } from './adapters/bus-ledger.ts';
import { ChildDecoder } from './adapters/child-decoder.ts';
import { KeptTally } from './adapters/kept-tally.ts';
import { LedgerView } from './adapters/ledger-view.ts';
import { CollectorState, type StoredState } from './adapters/stored-state.ts';
import { AcceptManifest } from './app/accept-manifest.ts';
import { FindOrphans } from './app/find-orphans.ts';
import { GrantUpload } from './app/grant-upload.ts';
import { KeepCampaigns } from './app/keep-campaigns.ts';
import { ProveRights } from './app/prove-rights.ts';
import { CollectorController, USE_CASES, type CollectorUseCases } from './collector.controller.ts';
import { type CollectorConfig, driftPlanOf } from './config.ts';

type Deps = ServiceDeps<CollectorConfig>;

/** The store may be away at start; nodes keep their samples meanwhile. */
const PROVE_EVERY_MS = 3_000;

export async function collectorModule(deps: Deps): Promise<DynamicModule> {
  const parts = await buildParts(deps);
  deps.onStart(async () => {
    await parts.rights.tryNow();
    await parts.keepCampaigns.start(deps.config.COLLECTOR_BASE_POLICY, BASE_CAMPAIGN);
    await parts.counts.catchUp();
  });
  startClocks(deps, parts);
  deps.onStop(() => parts.decoder.close());
  const { acceptManifest, grantUpload, keepCampaigns, ledger, campaigns, counts, tally } = parts;
  const useCases: CollectorUseCases = {
    acceptManifest,
    grantUpload,
    keepCampaigns,
    receipts: { ledger, campaigns },
    views: { campaigns, counts, tally },
  };
  return {
    module: CollectorModule,
    controllers: [CollectorController],
    providers: [{ provide: USE_CASES, useValue: useCases }],
  };
}

type Parts = Awaited<ReturnType<typeof buildParts>>;

async function buildParts(deps: Deps) {
  const { bus, log, config } = deps;
  const documents = await deps.documents<StoredState>('campaigns', CollectorState);
  const store = storeFromConfig(config);
  const grants = grantsFromConfig(config, config.S3_NODES_ENDPOINT);
  const campaigns = new BusCampaigns({ documents, clock: systemClock, plan: driftPlanOf(config.COLLECTOR_CAMPAIGN), log });
  const ledger = new BusLedger(bus, systemClock);
  const counts = new LedgerView(bus);
  const tally = new KeptTally(documents);
  const rights = new ProveRights({ prove: () => proveWriteOnly(grants, store), log });
  const pixelsMax = config.COLLECTOR_PIXELS_MAX;
  const decoder = new ChildDecoder({ pixelsMax, decodeMsMax: config.COLLECTOR_DECODE_MS_MAX });
  const limits = { bucket: SAMPLES_BUCKET, objectBytesMax: config.COLLECTOR_OBJECT_BYTES_MAX, pixelsMax };
  return {
    campaigns,
    ledger,
    counts,
    tally,
    rights,
    decoder,
    keepCampaigns: new KeepCampaigns(campaigns, counts),
    acceptManifest: new AcceptManifest({ store, ledger, decoder, tally, limits, log }),
    grantUpload: new GrantUpload({ campaigns, counts, grants, keys: createSealingKeys(), proved: () => rights.proved, log }),
    orphans: new FindOrphans({ store, bucket: SAMPLES_BUCKET, ledger, log }),
  };
}

function startClocks(deps: Deps, parts: Parts): void {
  const { config, log } = deps;
  const clocks: Repeating[] = [];
  const tick = async (): Promise<void> => {
    await parts.keepCampaigns.tick();
    await parts.tally.save();
  };
  deps.onStart(() => {
    clocks.push(
      repeat({ name: 'campaigns', everyMs: config.COLLECTOR_TICK_MS, run: tick }, log),
      repeat({ name: 'orphans', everyMs: config.COLLECTOR_RECONCILE_MS, run: () => parts.orphans.look(systemClock.now()) }, log),
      repeat({ name: 'rights', everyMs: PROVE_EVERY_MS, run: () => parts.rights.tryNow() }, log),
    );
  });
  deps.onStop(async () => {
    await Promise.all(clocks.map((clock) => clock.stop()));
    await parts.tally.save();
  });
}

class CollectorModule {}
