#!/usr/bin/env node
import { startBuilt } from '../../runtime/bin/start-built.mjs';

await startBuilt({
  command: 'edgeloop-worksite-export',
  wrapper: import.meta.url,
  built: new URL('../dist/export-main.js', import.meta.url),
});
