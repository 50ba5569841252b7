import { Command } from 'commander';
import pc from 'picocolors';
import { deadCommand } from './commands/dead.ts';
import { labelCommand } from './commands/label.ts';
import { nodesCommand } from './commands/nodes.ts';
import { releasesCommand } from './commands/releases.ts';
import { rolloutCommand } from './commands/rollout.ts';
import { runCommand } from './commands/run.ts';
import { samplesCommand } from './commands/samples.ts';
import { statusCommand } from './commands/status.ts';
import { traceCommand } from './commands/trace.ts';
import { upCommand } from './commands/up.ts';
import { failureLine } from './failure.ts';
import { usageErrorLine } from './output.ts';

export function buildProgram(): Command {
  const program = new Command('edgeloop')
    .description('a self-hosted loop for machine learning at the edge')
    .version('0.1.0')
    .configureOutput({ outputError: (text, write) => write(`${usageErrorLine(text)} (see "edgeloop --help")\n`) })
    .configureHelp({ showGlobalOptions: true });
  for (const add of [
    upCommand,
    statusCommand,
    nodesCommand,
    releasesCommand,
    rolloutCommand,
    samplesCommand,
    labelCommand,
    runCommand,
    traceCommand,
    deadCommand,
  ])
    add(program);
  return program;
}

/** Errors are one line on stderr and exit status 1; `DEBUG=edgeloop` shows the whole cause. */
export async function main(argv: readonly string[]): Promise<void> {
  try {
    await buildProgram().parseAsync([...argv]);
  } catch (cause) {
    process.stderr.write(`${pc.red('edgeloop:')} ${failureLine(cause)}\n`);
    if (process.env['DEBUG'] === 'edgeloop') console.error(cause);
    process.exitCode = 1;
  }
}
