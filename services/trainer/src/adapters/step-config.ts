import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { hexOf } from '@edgeloop/store';
import type { ExecutionRequest } from '../ports.ts';

/** One file of `inputs.json`, with Valohai's keys. */
interface ConfigFile {
  readonly name: string;
  readonly uri: string;
  readonly path: string;
  /** Bytes. */
  readonly size: number;
  readonly checksums: { readonly sha256: string };
  readonly metadata: Readonly<Record<string, never>>;
  readonly datum_id: null;
}

/** Every declared input with the files that fill it; none for an optional one that stays empty. */
function inputsJson(request: ExecutionRequest, inputsFolder: string): Record<string, { input_id: string; files: ConfigFile[] }> {
  const filesOf = (input: string): ConfigFile[] =>
    request.inputs
      .filter((file) => file.input === input)
      .map(({ name, object }) => ({
        name,
        uri: `s3://${object.bucket}/${object.key}`,
        path: join(inputsFolder, input, name),
        size: object.bytes,
        checksums: { sha256: hexOf(object.digest) },
        metadata: {},
        datum_id: null,
      }));
  return Object.fromEntries(
    request.step.inputs.map(({ name }) => [name, { input_id: `${request.runId}-${request.node}-${name}`, files: filesOf(name) }]),
  );
}

/** Writes what Valohai writes below `VH_CONFIG_DIR`: `inputs.json`, `parameters.json` (name -> value) and `execution.json`. */
export async function writeStepConfig(configFolder: string, inputsFolder: string, request: ExecutionRequest): Promise<void> {
  const write = (file: string, value: unknown): Promise<void> => writeFile(join(configFolder, file), JSON.stringify(value));
  await write('inputs.json', inputsJson(request, inputsFolder));
  await write('parameters.json', request.parameters);
  await write('execution.json', {
    'valohai.execution-id': `${request.runId}-${request.node}`,
    'valohai.execution-title': request.step.name,
  });
}
