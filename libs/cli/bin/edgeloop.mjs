#!/usr/bin/env node
const [major] = process.versions.node.split('.').map(Number);
if (major < 24) {
  // The system's Node may be older than the one this project brings along.
  const { spawnSync } = await import('node:child_process');
  const { fileURLToPath } = await import('node:url');
  const node = fileURLToPath(new URL('../../../node_modules/node/bin/node', import.meta.url));
  const ended = spawnSync(node, [fileURLToPath(import.meta.url), ...process.argv.slice(2)], { stdio: 'inherit' });
  if (ended.error) console.error(`edgeloop needs Node 24: run "npm ci" in the project first (${ended.error.message})`);
  process.exit(ended.status ?? 1);
}
const { main } = await import('../dist/main.js').catch((cause) => {
  console.error(`edgeloop is not built yet: run "npm run setup" in the project first (${cause.message})`);
  process.exit(1);
});
await main(process.argv);
