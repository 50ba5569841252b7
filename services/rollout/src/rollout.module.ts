import type { ServiceDeps } from '@edgeloop/nest-bus';
import { repeat, systemClock } from '@edgeloop/runtime';
import type { DynamicModule } from '@nestjs/common';
import { BusFleet } from './adapters/bus-fleet.ts';
import { BusReleaseCatalog } from './adapters/bus-release-catalog.ts';
import { randomIds } from './adapters/random-ids.ts';
import { recallTelemetry } from './adapters/telemetry-recall.ts';
import { BeginRollout } from './app/begin-rollout.ts';
import { CommandRollout } from './app/command-rollout.ts';
import { Field } from './app/field.ts';
import { OrderRollout } from './app/order-rollout.ts';
import { RolloutDocument } from './app/rollout-document.ts';
import { Rollouts } from './app/rollouts.ts';
import { TakeReport } from './app/take-report.ts';
import { WatchRollouts } from './app/watch-rollouts.ts';
import type { RolloutConfig } from './config.ts';
import { ROLLOUT_APP } from './rollout-app.ts';
import type { RolloutApp } from './rollout-app.ts';
import { RolloutController } from './rollout.controller.ts';

type Deps = ServiceDeps<RolloutConfig>;

async function wire(deps: Deps): Promise<RolloutApp> {
  const { bus, log, config } = deps;
  const documents = await deps.documents('rollouts', RolloutDocument);
  const [rollouts, field, clock] = [new Rollouts(documents), new Field(), systemClock];
  const [fleet, releases] = [new BusFleet(bus), new BusReleaseCatalog(bus)];
  const begin = new BeginRollout({ rollouts, fleet, releases, field, clock, log });
  const limits = { heartbeatStaleMs: config.ROLLOUT_HEARTBEAT_STALE_MS, inferenceStaleMs: config.ROLLOUT_INFERENCE_STALE_MS };
  const watch = new WatchRollouts({ rollouts, begin, fleet, field, limits, clock, log });
  deps.onStart(async () => {
    const [newest] = await rollouts.newestFirst();
    await recallTelemetry(bus, Object.keys(newest?.nodes ?? {}), ({ nodeId, windows }) => field.watched(nodeId, windows));
    const changes = await documents.watch((rolloutId, document) => watch.changed(rolloutId, document?.state));
    const looks = repeat({ name: 'look at rollouts', everyMs: config.ROLLOUT_LOOK_MS, startsAtOnce: true, run: () => watch.look() }, log);
    deps.onStop(() => changes.drain());
    deps.onStop(() => looks.stop());
  });
  return {
    orders: new OrderRollout({ rollouts, releases, fleet, ids: randomIds, auto: config.ROLLOUT_AUTO, clock, log }),
    commands: new CommandRollout(rollouts, clock),
    reports: new TakeReport(rollouts, clock, log),
    field,
    clock,
  };
}

class RolloutModule {}

export async function rolloutModule(deps: Deps): Promise<DynamicModule> {
  const app = await wire(deps);
  return { module: RolloutModule, controllers: [RolloutController], providers: [{ provide: ROLLOUT_APP, useFactory: () => app }] };
}
