import { AskInvite, AskNodes, NodeId } from '@edgeloop/contracts';
import type { NodeView } from '@edgeloop/contracts';
import type { Command } from 'commander';
import { withBus } from '../connection.ts';
import { ago, show, table } from '../output.ts';
import { asking, idOf, wholeNumber } from './shared.ts';
import type { CommonOptions } from './shared.ts';

/** Thirty days, the most that the fleet grants. */
const VALID_MINUTES_MAX = 30 * 24 * 60;

export function nodesTable(nodes: readonly NodeView[], nowMs: number): string {
  const rows = nodes.map((node) => [
    node.nodeId,
    node.connected ? 'yes' : 'no',
    node.desired.releaseId ?? '-',
    node.reported.outcome ? `${node.reported.releaseId ?? '-'} ${node.reported.outcome}` : '-',
    node.running?.releaseId ?? '-',
    node.phase,
    node.framesPerSecond.toFixed(1),
    ago(node.lastSeen, nowMs),
  ]);
  return table(
    ['node', 'connected', 'desired', 'reported', 'running', 'phase', 'frames/s', 'seen'],
    rows,
    'no node has joined yet: make a join token with "edgeloop nodes invite"',
  );
}

function inviteAdvice(expiresAt: string, nodeId: string | undefined): string {
  return [
    `valid until ${expiresAt}, once, for ${nodeId ?? 'any one node'}; on the device ("npx edgeloop-node --help" lists every setting):`,
    `  EDGELOOP_JOIN_TOKEN=<the token> EDGELOOP_NODE_ID=${nodeId ?? 'cam-1'} EDGELOOP_SOURCE=http://camera/snapshot.jpg npx edgeloop-node`,
    '',
  ].join('\n');
}

export function nodesCommand(program: Command): void {
  const nodes = asking(program.command('nodes').description('the fleet: desired, reported and running release of each node'));
  nodes.action(async (options: CommonOptions) => {
    const { nodes: views } = await withBus(options.data, (bus) => bus.ask(AskNodes, {}));
    show(options, { value: views, text: nodesTable(views, Date.now()) });
  });
  asking(nodes.command('invite').description('makes a one-time join token for a new node'))
    .option('--node <id>', 'the only node that may use it', idOf('the name of a node', NodeId))
    .option('--valid-minutes <n>', 'how long it may be used', wholeNumber(1, VALID_MINUTES_MAX), 60)
    .action(async (_: unknown, command: Command) => {
      const options = command.optsWithGlobals<CommonOptions & { node?: string; validMinutes: number }>();
      const invite = await withBus(options.data, (bus) =>
        bus.ask(AskInvite, { validForMs: options.validMinutes * 60_000, nodeId: options.node }),
      );
      // Alone on standard output: TOKEN=$(edgeloop nodes invite).
      show(options, { value: invite, text: invite.joinToken });
      if (!options.json) process.stderr.write(inviteAdvice(invite.expiresAt, options.node));
    });
}
