import Table from 'cli-table3';
import pc from 'picocolors';
import type { RoundReport, TurnReport } from './report.ts';

const score = (value: number | null): string => (value === null ? '-' : value.toFixed(3));

function afterCells({ candidate, labels, trainSeconds, rollout }: RoundReport): string[] {
  const trained = [String(labels), `${Math.round(trainSeconds)} s`];
  if (candidate === null) return [pc.yellow('refused by the gate'), '', '', ...trained, ''];
  const waves = rollout.waves.map((wave) => wave.nodes.length).join(' + ');
  const scores = [`after   ${candidate.version}`, score(candidate.day), score(candidate.night)].map((text) => pc.bold(text));
  return [...scores, ...trained, rollout.halted ? pc.yellow('halted') : `waves of ${waves}`];
}

function roundsTable(report: TurnReport): string {
  const table = new Table({
    head: ['round', 'release', 'day mAP50', 'night mAP50', 'labels', 'trained', 'rolled out'],
    style: { head: [], border: [] },
  });
  report.rounds.forEach((round, index) => {
    const { version, day, night } = round.incumbent;
    table.push([String(index + 1), `before  ${version}`, score(day), score(night), '', '', '']);
    table.push(['', ...afterCells(round)]);
  });
  return table.toString();
}

function seconds({ seconds: { setup, total, perArrow } }: TurnReport): string {
  const arrows = Object.entries(perArrow);
  const rest = total - setup - arrows.reduce((sum, [, value]) => sum + value, 0);
  const parts = [...arrows, ['first model, baseline and scoring', rest] as const].map(([what, value]) => `${what} ${Math.round(value)} s`);
  return `${Math.round(total)} s in all: ${setup > 0 ? `set-up ${Math.round(setup)} s, ` : ''}${parts.join(', ')}`;
}

/** The turn on one screen. */
export function scorecard(report: TurnReport): string {
  const { samples, releases, frames, nodes, better, chaos } = report;
  const lines = [
    roundsTable(report),
    `scored on ${frames.day} day and ${frames.night} night frames that were never collected`,
    `samples  ${samples.accepted} accepted, ${samples.lost} lost, ${samples.doubled} doubled, ${samples.quarantined} in quarantine, ${samples.redelivered} redelivered`,
    `releases ${releases.published} published, ${releases.lost} lost, ${releases.doubled} doubled`,
    `nodes    ${nodes.map((node) => `${node.id} runs ${node.running ?? 'nothing'} (${node.frames} frames)`).join(', ')}`,
    `time     ${seconds(report)}`,
    ...(chaos ? [`chaos    killed ${chaos.killed.map((each) => `${each.name} at ${Math.round(each.atSecond)} s`).join(', ')}`] : []),
    better.verdict ? pc.green(`better   yes: ${better.reasons.join('; ')}`) : pc.red(`better   no: ${better.reasons.join('; ')}`),
  ];
  return lines.join('\n');
}
