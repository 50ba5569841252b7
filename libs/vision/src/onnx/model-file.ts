import { readFile } from 'node:fs/promises';
import { classNamesOf } from './class-names.ts';
import { inspectOnnx } from './inspect-onnx.ts';
import type { OnnxSummary } from './inspect-onnx.ts';

/** `inspectOnnx` of a file. */
export async function inspectOnnxFile(path: string): Promise<OnnxSummary> {
  return inspectOnnx(await readFile(path));
}

/** Does the model carry class names of its own? */
export async function namesItsClasses(path: string): Promise<boolean> {
  return classNamesOf((await inspectOnnxFile(path)).metadata) !== undefined;
}
