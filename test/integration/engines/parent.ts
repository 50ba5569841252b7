/** A program that starts a bus and a stubborn child under the guard, says their process ids in one line, and waits to be killed. */
import { spawnGuarded, startEngines } from '@edgeloop/engines';

const engines = await startEngines({ dataDir: process.argv[2] as string, only: 'nats' });
// It ignores SIGTERM and starts a child of its own in a group of its own: the guard must get both.
const script = `
const grandchild = require('node:child_process').spawn('sleep', ['600'], { detached: true, stdio: 'ignore' });
process.on('SIGTERM', () => {});
console.log(grandchild.pid);
setInterval(() => {}, 1000);`;
const stubborn = await spawnGuarded({
  command: process.execPath,
  args: ['-e', script],
  env: { PATH: process.env.PATH },
  stdio: ['ignore', 'pipe', 'ignore'],
});
const grandchild = await new Promise<number>((resolve) =>
  stubborn.child.stdout?.once('data', (line: Buffer) => resolve(Number(line.toString()))),
);
process.stdout.write(`${JSON.stringify([engines.nats?.process.pid, stubborn.pid, grandchild])}\n`);
setInterval(() => undefined, 1_000);
