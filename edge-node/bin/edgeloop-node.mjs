#!/usr/bin/env node
import { startBuilt } from '../../libs/runtime/bin/start-built.mjs';

await startBuilt({ command: 'edgeloop-node', wrapper: import.meta.url, built: new URL('../dist/main.js', import.meta.url) });
