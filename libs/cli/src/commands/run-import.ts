import type { Bus } from '@edgeloop/bus';
import { AskStartRun, RunCompleted, RunStarted } from '@edgeloop/contracts';
import { StoreConfig, readConfig } from '@edgeloop/runtime';
import { RUNS_BUCKET, contentKey, digestOf, storeFromConfig } from '@edgeloop/store';
import { withBus } from '../connection.ts';
import { UsageError } from '../errors.ts';
import { readModelFile } from '../import/model-file.ts';
import type { ModelFile } from '../import/model-file.ts';
import { newestDataset, picturesOf } from '../import/newest-dataset.ts';
import type { FrozenDataset } from '../import/newest-dataset.ts';
import { classesOfFile } from '../import/photo-folder.ts';
import { withProgress } from '../progress.ts';
import type { CommonOptions } from './shared.ts';

/** Pictures that every node must see the same in before it serves the model. */
const GOLDEN_PICTURES = 4;

export interface RunImportOptions extends CommonOptions {
  readonly classes?: string;
  readonly name: string;
  readonly reason: string;
}

export interface RunImported {
  readonly runId: string;
  /** A model file that came in before is `completed` at once. */
  readonly status: 'running' | 'completed';
  /** Null: what was said of the run is no longer kept. */
  readonly version: string | null;
  readonly classes: readonly string[];
  readonly datasetId: string;
  /** How the file was taken. */
  readonly remarks: readonly string[];
}

async function requireDataset(bus: Bus): Promise<FrozenDataset> {
  const dataset = await newestDataset(bus);
  if (dataset === undefined)
    throw new UsageError(
      'there is no dataset yet to try the model on: bring labelled pictures in with "edgeloop label import DIR" first, then import the model',
    );
  return dataset;
}

/** Training goes on from a model only where the dataset names all its classes. */
function requireNamed(path: string, { card }: ModelFile, dataset: FrozenDataset): void {
  const missing = card.classes.filter((name) => !dataset.classes.includes(name));
  if (missing.length > 0)
    throw new UsageError(
      `${path} knows ${missing.join(', ')}, and the dataset does not (it names ${dataset.classes.join(', ')}), so no next model could be trained: give a model of these classes, or begin anew ("edgeloop up --data another/folder") with a classes.txt that names them too`,
    );
}

async function readModel(path: string, options: RunImportOptions, dataset: FrozenDataset): Promise<ModelFile> {
  const ifSilent =
    options.classes === undefined
      ? { classes: dataset.classes, from: `dataset ${dataset.datasetId}` }
      : { classes: await classesOfFile(options.classes), from: options.classes };
  const model = await readModelFile(path, { ifSilent, name: options.name, give: 'give' });
  if (options.classes !== undefined && model.card.classes.join('\n') !== ifSilent.classes.join('\n'))
    throw new UsageError(
      `${path} names its own classes (${model.card.classes.join(', ')}), and they are not those of ${options.classes}: leave --classes out`,
    );
  requireNamed(path, model, dataset);
  return model;
}

/** From what was said of the run: a list of runs may leave one out that changes while it is read. */
async function standingOf(bus: Bus, runId: string): Promise<Pick<RunImported, 'status' | 'version'>> {
  const [started, completed] = await Promise.all([bus.lastOf(RunStarted, { runId }), bus.lastOf(RunCompleted, { runId })]);
  return { status: completed === undefined ? 'running' : 'completed', version: started?.payload.model.version ?? null };
}

/** Brings an ONNX detector into the running loop as its model. The same file again is the same run. @throws UsageError */
export function importModel(path: string, options: RunImportOptions): Promise<RunImported> {
  return withProgress((progress) =>
    withBus(options.data, async (bus, environment) => {
      const store = storeFromConfig(readConfig('edgeloop run import', StoreConfig, { ...environment }));
      const dataset = await requireDataset(bus);
      progress.tell(`${path} is tried`);
      const { bytes, card, remarks } = await readModel(path, options, dataset);
      progress.tell(`${path} is stored`);
      const model = await store.put({ bucket: RUNS_BUCKET, key: contentKey('imported', digestOf(bytes), 'onnx') }, bytes);
      const goldenPictures = await picturesOf(store, dataset, GOLDEN_PICTURES);
      const { runId } = await bus.ask(AskStartRun, { kind: 'import', model, card, goldenPictures, reason: options.reason });
      return { runId, ...(await standingOf(bus, runId)), classes: card.classes, datasetId: dataset.datasetId, remarks };
    }),
  );
}
