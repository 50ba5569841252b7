import { describe, expect, it } from '@jest/globals';
import { consequencesOf, traceOf } from './trace.ts';
import type { TracedMessage } from './trace.ts';

const message = (id: string, causationId?: string, subject = `x.v1.${id}.happened`): TracedMessage => ({
  id,
  type: 'x',
  subject,
  causationId,
  correlationId: 'c',
  sentAt: undefined,
  payload: {},
});

describe('a trace', () => {
  const messages = [
    message('drift'),
    message('campaign', 'drift'),
    message('other'),
    message('run', 'campaign'),
    message('release', 'run'),
  ];

  it('walks from the effect to its first cause', () => {
    expect(traceOf(messages, 'release').map((each) => each.id)).toEqual(['drift', 'campaign', 'run', 'release']);
  });

  it('finds a message by a token of its subject, and the newest of several', () => {
    const reports = [message('r1', undefined, 'node.v1.cam-1.report'), message('r2', undefined, 'node.v1.cam-1.report')];
    expect(traceOf(reports, 'cam-1').map((each) => each.id)).toEqual(['r2']);
  });

  it('is empty for what nobody spoke of, ends at a cause that is not stored, and survives a circle', () => {
    expect(traceOf(messages, 'nothing')).toEqual([]);
    expect(traceOf([message('a', 'gone')], 'a').map((each) => each.id)).toEqual(['a']);
    expect(traceOf([message('a', 'b'), message('b', 'a')], 'b').map((each) => each.id)).toEqual(['a', 'b']);
  });

  it('knows what followed', () => {
    expect(consequencesOf(messages, 'campaign').map((each) => each.id)).toEqual(['campaign', 'run', 'release']);
  });
});
