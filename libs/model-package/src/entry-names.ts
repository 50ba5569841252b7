export const MANIFEST_FILE = 'manifest.json';
export const MODEL_FILE = 'model.onnx';
export const GOLDEN_FOLDER = 'golden/';

/** Lower-case ASCII, one folder at most, no dot at the start: nothing that two file systems could understand differently. */
const SAFE_NAME = /^[a-z0-9][a-z0-9._-]{0,63}(\/[a-z0-9][a-z0-9._-]{0,63})?$/;

export function isSafeName(name: string): boolean {
  return SAFE_NAME.test(name);
}

/** Name of the n-th golden picture. */
export function goldenName(index: number, format: 'jpeg' | 'png'): string {
  return `${GOLDEN_FOLDER}${String(index).padStart(2, '0')}.${format === 'jpeg' ? 'jpg' : 'png'}`;
}
