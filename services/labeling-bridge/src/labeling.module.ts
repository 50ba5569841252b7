import type { Documents } from '@edgeloop/bus';
import type { ServiceDeps } from '@edgeloop/nest-bus';
import { repeat, systemClock, type Repeating } from '@edgeloop/runtime';
import { storeFromConfig } from '@edgeloop/store';
import type { DynamicModule } from '@nestjs/common';
import { AnswerStream } from './adapters/answer-stream.ts';
import { BusDesk, StoredDesk } from './adapters/bus-desk.ts';
import { BusTasks, StoredTask } from './adapters/bus-tasks.ts';
import { LabelingHttp } from './adapters/labeling-http.ts';
import { VisionPictures } from './adapters/vision-pictures.ts';
import { WatchedBoard } from './adapters/watched-board.ts';
import { FreezeDataset } from './app/freeze-dataset.ts';
import { ImportDataset } from './app/import-dataset.ts';
import { KeepDataset } from './app/keep-dataset.ts';
import { LabelTasks } from './app/label-tasks.ts';
import { type LabelingConfig, splitRulesOf } from './config.ts';
import type { Desk } from './domain/desk.ts';
import type { Task } from './domain/task.ts';
import { LabelingController, USE_CASES, type LabelingUseCases } from './labeling.controller.ts';

type Deps = ServiceDeps<LabelingConfig>;

export async function labelingModule(deps: Deps): Promise<DynamicModule> {
  const parts = await buildParts(deps);
  let url = '';
  let clock: Repeating | undefined;
  deps.onStart(async () => {
    await parts.board.start(parts.taskDocuments);
    url = (await parts.driver.start()).url;
    deps.log.info({ url }, 'the labeling API is open');
    clock = repeat({ name: 'snapshots', everyMs: deps.config.LABELING_TICK_MS, run: () => parts.dataset.tick() }, deps.log);
  });
  deps.onStop(async () => {
    await parts.driver.stop();
    await clock?.stop();
    await parts.board.stop();
  });
  const useCases: LabelingUseCases = { tasks: parts.tasks, dataset: parts.dataset, apiUrl: () => url };
  return {
    module: LabelingModule,
    controllers: [LabelingController],
    providers: [{ provide: USE_CASES, useValue: useCases }],
  };
}

async function buildParts(deps: Deps) {
  const { config, bus, log } = deps;
  const taskDocuments: Documents<Task> = await deps.documents<Task>('tasks', StoredTask);
  const store = storeFromConfig(config);
  const tasks = new BusTasks(taskDocuments);
  const board = new WatchedBoard();
  const desk = new BusDesk(await deps.documents<Desk>('datasets', StoredDesk));
  const answers = new AnswerStream(bus);
  const clock = systemClock;
  const { nightBelow } = config.LABELING_SPLIT;
  const classes = config.LABELING_CLASSES;
  const freezer = new FreezeDataset({
    store,
    desk,
    tasks,
    answers,
    clock,
    rules: splitRulesOf(config.LABELING_SPLIT),
    nightBelow,
    classes,
    log,
  });
  const importer = new ImportDataset({ store, desk, freezer, pictures: new VisionPictures() });
  const rules = {
    labelsWanted: config.LABELING_SNAPSHOT_LABELS,
    labelsMin: config.LABELING_SNAPSHOT_LABELS_MIN,
    patienceMs: config.LABELING_PATIENCE_MS,
  };
  const dataset = new KeepDataset({ desk, board, answers, freezer, importer, clock, rules });
  const labelTasks = new LabelTasks({ tasks, board, desk, clock, leaseMs: config.LABELING_CLAIM_MS, classes });
  const http = { host: config.LABELING_HTTP_HOST, port: config.LABELING_HTTP_PORT, token: config.LABELING_API_TOKEN };
  return { taskDocuments, tasks, board, dataset, driver: new LabelingHttp({ ...http, tasks: labelTasks, dataset, store, log }) };
}

class LabelingModule {}
