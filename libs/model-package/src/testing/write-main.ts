import { createHash } from 'node:crypto';
import { writePackage } from '../write-package.ts';
import { sampleParts } from './sample-parts.ts';

// Run as a process of its own: writes the sample package and prints its digest.
const bytes = await writePackage(sampleParts());
process.stdout.write(createHash('sha256').update(bytes).digest('hex'));
