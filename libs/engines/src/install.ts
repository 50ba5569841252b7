/** Finds or installs both engines and prints their paths as one line of JSON; a failure is one line that says what to do. */
import { resolveEngine } from './resolve-engine.ts';

try {
  // One after the other: the first brings both into the cache.
  const nats = await resolveEngine('nats-server');
  const weed = await resolveEngine('weed');
  process.stdout.write(`${JSON.stringify({ 'nats-server': nats, weed })}\n`);
} catch (cause) {
  process.stdout.write(`${(cause as Error).message.replaceAll('\n', ' ')}\n`);
  process.exitCode = 1;
}
