import { readFile } from 'node:fs/promises';
import type { AskStartRun, PayloadOf } from '@edgeloop/contracts';
import { Detector, inspectOnnx, planModel } from '@edgeloop/vision';
import { UserError } from './user-error.ts';

export type ImportedCard = Extract<PayloadOf<typeof AskStartRun>, { kind: 'import' }>['card'];

/** The model whose line the demo turns. */
export const MODEL_NAME = 'hardhat';
const ALARM_THRESHOLD = 0.4;
const NMS_IOU = 0.5;
const MESSAGE_LENGTH_MAX = 300;

export interface ModelFile {
  readonly bytes: Uint8Array;
  readonly card: ImportedCard;
}

/** Messages of the model runtime can run over many lines. */
const firstLine = (cause: unknown): string => ((cause as Error).message.split('\n')[0] ?? '').slice(0, MESSAGE_LENGTH_MAX);

/** Reads an ONNX detector and says what an import must know about it. Its classes stand in its metadata (`names`). */
export async function readModelFile(path: string, classesIfSilent: readonly string[] | undefined): Promise<ModelFile> {
  const bytes = await readFile(path).catch((cause: { code?: string }) => {
    throw new UserError(
      `${path} cannot be read (${cause.code === 'ENOENT' ? 'there is no such file' : (cause.code ?? 'unknown')}): give --base an ONNX file`,
      { cause },
    );
  });
  try {
    const summary = inspectOnnx(bytes);
    const silent = summary.metadata['names'] === undefined ? { classes: classesIfSilent } : {};
    const plan = planModel(summary, silent);
    // Loaded and run once: operators and outputs that no node could serve are found before anything starts.
    await (await Detector.load({ modelPath: path, ...silent })).close();
    const { width, height, range, order } = plan.input;
    return {
      bytes,
      card: {
        name: MODEL_NAME,
        classes: [...plan.classes],
        input: { width, height, range, order },
        thresholds: plan.classes.map(() => ALARM_THRESHOLD),
        nmsIou: NMS_IOU,
      },
    };
  } catch (cause) {
    throw new UserError(`${path} cannot be the first model (${firstLine(cause)}): give --base an ONNX detector of YOLO's kind`, { cause });
  }
}
