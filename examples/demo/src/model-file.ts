import { readFile } from 'node:fs/promises';
import type { AskStartRun, PayloadOf } from '@edgeloop/contracts';
import { inspectOnnx, planModel } from '@edgeloop/vision';
import { UserError } from './user-error.ts';

export type ImportedCard = Extract<PayloadOf<typeof AskStartRun>, { kind: 'import' }>['card'];

/** The model whose line the demo turns. */
export const MODEL_NAME = 'hardhat';
const ALARM_THRESHOLD = 0.4;
const NMS_IOU = 0.5;

export interface ModelFile {
  readonly bytes: Uint8Array;
  readonly card: ImportedCard;
}

/** Reads an ONNX detector and says what an import must know about it. Its classes stand in its metadata (`names`). */
export async function readModelFile(path: string, classesIfSilent: readonly string[] | undefined): Promise<ModelFile> {
  const bytes = await readFile(path).catch((cause: { code?: string }) => {
    throw new UserError(`${path} cannot be read (${cause.code ?? 'unknown'}): give --base an ONNX file`, { cause });
  });
  try {
    const summary = inspectOnnx(bytes);
    const plan = planModel(summary, summary.metadata['names'] === undefined ? { classes: classesIfSilent } : {});
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
    throw new UserError(`${path} cannot be the first model: ${(cause as Error).message}`, { cause });
  }
}
