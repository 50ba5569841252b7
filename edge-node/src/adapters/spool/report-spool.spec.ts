import { describe, expect, it } from '@jest/globals';
import type { Report } from '../../ports.ts';
import { tempFolders } from '../temp-folder.spec-kit.ts';
import { REPORTS_MAX, ReportSpool } from './report-spool.ts';
import { spoolIn } from './spool.spec-kit.ts';

const folder = tempFolders();

describe('the spool of reports', () => {
  const report = (sequence: number, outcome: Report['outcome'] = null): Report => ({
    nodeId: 'node-1',
    epoch: 'epoch-12345',
    sequence,
    at: '2026-01-01T00:00:00.000Z',
    generation: 1,
    rolloutId: null,
    releaseId: 'm-v1',
    phase: 'idle',
    outcome,
    reason: null,
    detail: null,
    running: null,
  });

  it('keeps them in order until they are forgotten, each once', async () => {
    const { database } = spoolIn(await folder());
    const reports = new ReportSpool(database);
    reports.put([report(2), report(1)]);
    reports.put([report(2, 'failed')]);
    expect(reports.pending(10)).toEqual([report(1), report(2)]);
    reports.forget(1);
    expect(reports.pending(10)).toEqual([report(2)]);
  });

  it('lets progress go before outcomes when the bus is away for very long', async () => {
    const { database } = spoolIn(await folder());
    const reports = new ReportSpool(database);
    reports.put([report(0, 'committed')]);
    reports.put(Array.from({ length: REPORTS_MAX }, (_, index) => report(index + 1)));
    const left = reports.pending(REPORTS_MAX * 2);
    expect(left).toHaveLength(REPORTS_MAX);
    expect(left[0]).toMatchObject({ sequence: 0, outcome: 'committed' });
    expect(left[1]).toMatchObject({ sequence: 2 });
  });
});
