import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = fileURLToPath(import.meta.url);

/** A module of this folder, as source or compiled, as this module itself is. */
export function moduleBeside(name: string): URL {
  return new URL(`./${name}${extname(here)}`, import.meta.url);
}

/** Node flags under which a child process resolves the packages of this repository as this process did. */
export const childFlags: readonly string[] = extname(here) === '.ts' ? ['--conditions=@edgeloop/source'] : [];
