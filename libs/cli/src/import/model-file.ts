import { readFile } from 'node:fs/promises';
import type { AskStartRun, PayloadOf } from '@edgeloop/contracts';
import { Detector, inspectOnnx, planModel } from '@edgeloop/vision';
import { UsageError } from '../errors.ts';
import { withClassNames } from './class-names.ts';

export type ImportedCard = Extract<PayloadOf<typeof AskStartRun>, { kind: 'import' }>['card'];

const ALARM_THRESHOLD = 0.4;
const NMS_IOU = 0.5;
const MESSAGE_LENGTH_MAX = 300;

export interface ModelFile {
  readonly bytes: Uint8Array;
  readonly card: ImportedCard;
  /** What a reader should know about how the file was taken. */
  readonly remarks: readonly string[];
}

export interface ModelReading {
  /** Taken where the file does not name its classes, and whose they are. */
  readonly ifSilent: { readonly classes: readonly string[]; readonly from: string };
  /** The model line that the file becomes a version of. */
  readonly name: string;
  /** Begins the advice of an error: `give`, or `give --base`. */
  readonly give: string;
}

/** Messages of the model runtime can run over many lines. */
const firstLine = (cause: unknown): string => ((cause as Error).message.split('\n')[0] ?? '').slice(0, MESSAGE_LENGTH_MAX);

async function readBytes(path: string, give: string): Promise<Uint8Array> {
  const why: Readonly<Record<string, string>> = { ENOENT: 'there is no such file', EISDIR: 'it is a folder' };
  return readFile(path).catch((cause: { code?: string }) => {
    throw new UsageError(`${path} cannot be read (${why[cause.code ?? ''] ?? cause.code ?? 'unknown'}): ${give} an ONNX file`, { cause });
  });
}

/**
 * Reads an ONNX detector and says what an import must know about it. Its classes stand in its metadata (`names`); one that is
 * silent is given `ifSilent`.
 * @throws UsageError when no node could serve it
 */
export async function readModelFile(path: string, { ifSilent, name, give }: ModelReading): Promise<ModelFile> {
  const bytes = await readBytes(path, give);
  try {
    const summary = inspectOnnx(bytes);
    const isSilent = summary.metadata['names'] === undefined;
    const declared = isSilent ? { classes: ifSilent.classes } : {};
    const plan = planModel(summary, declared);
    // Loaded and run once: operators and outputs that no node could serve are found before anything starts.
    await (await Detector.load({ modelPath: path, ...declared })).close();
    const { width, height, range, order } = plan.input;
    return {
      bytes: isSilent ? withClassNames(bytes, plan.classes) : bytes,
      remarks: isSilent ? [`${path} does not name its classes: taken to be those of ${ifSilent.from}, ${plan.classes.join(', ')}`] : [],
      card: {
        name,
        classes: [...plan.classes],
        input: { width, height, range, order },
        thresholds: plan.classes.map(() => ALARM_THRESHOLD),
        nmsIou: NMS_IOU,
      },
    };
  } catch (cause) {
    throw new UsageError(`${path} cannot be the first model (${firstLine(cause)}): ${give} an ONNX detector of YOLO's kind`, { cause });
  }
}
