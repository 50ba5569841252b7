/** What a node needs of a package: to unpack it and to run its golden vectors; nothing that writes one. */
export { checkGoldens, type GoldenVerdict } from './goldens.ts';
export { PackageRefusedError } from './errors.ts';
export { type ExtractedPackage, extractPackage } from './read-package.ts';
