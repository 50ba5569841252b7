import { setFlagsFromString } from 'node:v8';

/**
 * A device shares its memory with others: the heap stays small and is collected more often. Imported before anything else, so that
 * it holds for every module that is loaded, however the process was started.
 */
setFlagsFromString('--optimize-for-size');
setFlagsFromString('--semi-space-growth-factor=1');
