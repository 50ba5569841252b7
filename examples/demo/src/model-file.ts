import { readFile } from 'node:fs/promises';
import type { AskStartRun, PayloadOf } from '@edgeloop/contracts';
import { Detector, inspectOnnx, planModel } from '@edgeloop/vision';
import { withClassNames } from './class-names.ts';
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
  /** What a reader should know about how the file was taken. */
  readonly remarks: readonly string[];
}

/** Messages of the model runtime can run over many lines. */
const firstLine = (cause: unknown): string => ((cause as Error).message.split('\n')[0] ?? '').slice(0, MESSAGE_LENGTH_MAX);

/**
 * Reads an ONNX detector and says what an import must know about it. Its classes stand in its metadata (`names`); one that is
 * silent is given the dataset's.
 * @throws UserError when no node could serve it
 */
export async function readModelFile(path: string, classesIfSilent: readonly string[]): Promise<ModelFile> {
  const bytes = await readFile(path).catch((cause: { code?: string }) => {
    throw new UserError(
      `${path} cannot be read (${cause.code === 'ENOENT' ? 'there is no such file' : (cause.code ?? 'unknown')}): give --base an ONNX file`,
      { cause },
    );
  });
  try {
    const summary = inspectOnnx(bytes);
    const isSilent = summary.metadata['names'] === undefined;
    const declared = isSilent ? { classes: classesIfSilent } : {};
    const plan = planModel(summary, declared);
    // Loaded and run once: operators and outputs that no node could serve are found before anything starts.
    await (await Detector.load({ modelPath: path, ...declared })).close();
    const { width, height, range, order } = plan.input;
    return {
      bytes: isSilent ? withClassNames(bytes, plan.classes) : bytes,
      remarks: isSilent ? [`${path} does not name its classes: taken to be those of classes.txt, ${plan.classes.join(', ')}`] : [],
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
