#!/usr/bin/env node
import { startBuilt } from '../../runtime/bin/start-built.mjs';

await startBuilt({ command: 'edgeloop-evaluate', wrapper: import.meta.url, built: new URL('../dist/bin/evaluate.js', import.meta.url) });
