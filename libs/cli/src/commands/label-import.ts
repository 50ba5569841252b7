import type { Bus } from '@edgeloop/bus';
import { AskDatasets, AskImportDataset } from '@edgeloop/contracts';
import { StoreConfig, readConfig } from '@edgeloop/runtime';
import { storeFromConfig } from '@edgeloop/store';
import { withBus } from '../connection.ts';
import { importDataset } from '../import/dataset-import.ts';
import type { ImportQuestion } from '../import/dataset-import.ts';
import { classesOf, readPhotoFolder } from '../import/photo-folder.ts';
import { withProgress } from '../progress.ts';
import type { Progress } from '../progress.ts';
import type { CommonOptions } from './shared.ts';

/** The labeling bridge reads every picture before it answers. */
const BRIDGE_LIMIT_MS = 15 * 60_000;

export interface LabelImportOptions extends CommonOptions {
  readonly skipBad: boolean;
  readonly slice: string;
  readonly reason: string;
}

export interface LabelImported {
  readonly datasetId: string;
  readonly version: number;
  /** Different pictures that the folder holds. */
  readonly pictures: number;
  readonly boxes: number;
  readonly classes: readonly string[];
  /** Pictures of the whole dataset that models are judged on, not trained on. */
  readonly holdout: number;
  /** What was left out, and why. */
  readonly remarks: readonly string[];
}

async function askBridge(bus: Bus, question: ImportQuestion, progress: Progress): Promise<{ datasetId: string; version: number }> {
  progress.tell('the labeling bridge reads them');
  return bus.ask(AskImportDataset, question, { timeoutMs: BRIDGE_LIMIT_MS });
}

async function holdoutOf(bus: Bus, datasetId: string): Promise<number> {
  const { datasets } = await bus.ask(AskDatasets, {});
  return datasets.find((each) => each.datasetId === datasetId)?.holdout ?? 0;
}

/** Brings a folder of labelled photos into the running loop. The same folder again is the same dataset. @throws UsageError */
export function importLabels(folder: string, options: LabelImportOptions): Promise<LabelImported> {
  return withProgress(async (progress) => {
    const classes = await classesOf(folder);
    return withBus(options.data, async (bus, environment) => {
      const store = storeFromConfig(readConfig('edgeloop label import', StoreConfig, { ...environment }));
      const onRead = (done: number, total: number): void => progress.tell(`photos read: ${done} of ${total}`);
      const { photos, remarks } = await readPhotoFolder(folder, classes, { skipBad: options.skipBad, onRead });
      const onUploaded = (done: number, total: number): void => progress.tell(`photos stored: ${done} of ${total}`);
      const { datasetId, version, pictures } = await importDataset(
        { store, ask: (question) => askBridge(bus, question, progress), onUploaded },
        { photos, classes, slice: options.slice, reason: options.reason },
      );
      return {
        datasetId,
        version,
        pictures: new Set(pictures.map(({ digest }) => digest)).size,
        boxes: photos.reduce((sum, { boxes }) => sum + boxes.length, 0),
        classes,
        holdout: await holdoutOf(bus, datasetId),
        remarks,
      };
    });
  });
}
