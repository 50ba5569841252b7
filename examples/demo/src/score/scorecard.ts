import Table from 'cli-table3';
import pc from 'picocolors';
import type { TurnReport } from './report.ts';

const score = (value: number | null): string => (value === null ? '-' : value.toFixed(3));

function roundsTable(report: TurnReport): string {
  const table = new Table({
    head: ['round', 'release', 'day mAP50', 'night mAP50', 'labels', 'trained', 'rolled out'],
    style: { head: [], border: [] },
  });
  report.rounds.forEach((round, index) => {
    const waves = round.rollout.waves.map((wave) => wave.nodes.length).join(' + ');
    table.push([
      String(index + 1),
      `before  ${round.incumbent.version}`,
      score(round.incumbent.day),
      score(round.incumbent.night),
      '',
      '',
      '',
    ]);
    table.push([
      '',
      pc.bold(`after   ${round.candidate.version}`),
      pc.bold(score(round.candidate.day)),
      pc.bold(score(round.candidate.night)),
      String(round.labels),
      `${Math.round(round.trainSeconds)} s`,
      round.rollout.halted ? pc.yellow('halted') : `waves of ${waves}`,
    ]);
  });
  return table.toString();
}

function seconds(report: TurnReport): string {
  const arrows = Object.entries(report.seconds.perArrow).map(([arrow, value]) => `${arrow} ${Math.round(value)} s`);
  return `${Math.round(report.seconds.total)} s in all${report.seconds.setup > 0 ? `, ${Math.round(report.seconds.setup)} s of them set-up` : ''}: ${arrows.join(', ')}`;
}

/** The turn on one screen. */
export function scorecard(report: TurnReport): string {
  const { samples, frames, nodes, better, chaos } = report;
  const lines = [
    roundsTable(report),
    `scored on ${frames.day} day and ${frames.night} night frames that were never collected`,
    `samples  ${samples.accepted} accepted, ${samples.lost} lost, ${samples.doubled} doubled, ${samples.quarantined} in quarantine, ${samples.redelivered} redelivered`,
    `nodes    ${nodes.map((node) => `${node.id} runs ${node.running ?? 'nothing'} (${node.frames} frames)`).join(', ')}`,
    `time     ${seconds(report)}`,
    ...(chaos ? [`chaos    killed ${chaos.killed.map((each) => `${each.name} at ${Math.round(each.atSecond)} s`).join(', ')}`] : []),
    better.verdict ? pc.green(`better   yes: ${better.reasons.join('; ')}`) : pc.red(`better   no: ${better.reasons.join('; ')}`),
  ];
  return lines.join('\n');
}
