import { describe, expect, it } from '@jest/globals';
import { consequencesOf, idsMeant, traceOf } from './trace.ts';
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

  it('takes the beginning of an id of eight characters or more for it', () => {
    const sample = { ...message('m1', undefined, 'sample.v1.cam-1.0123456789abcdef'), type: 'sample.accepted' };
    const others = [sample, { ...message('m2', undefined, 'sample.v1.cam-1.01234567ffff'), type: 'sample.accepted' }];
    expect(idsMeant(others, '0123456789abcdef')).toEqual(['0123456789abcdef']);
    expect(idsMeant(others, '012345678')).toEqual(['0123456789abcdef']);
    expect(idsMeant(others, '01234567')).toEqual(['0123456789abcdef', '01234567ffff']);
    expect(idsMeant(others, '0123456')).toEqual([]);
    expect(idsMeant(others, '99999999')).toEqual([]);
  });

  it('takes the name of an event for no id, and the beginning of a message id only where no subject has it', () => {
    const frozen = { ...message('ds-00001111-frozen', undefined, 'dataset.v1.ds-00001111.snapshotted'), type: 'dataset.snapshotted' };
    expect(idsMeant([frozen], 'snapshot')).toEqual([]);
    expect(idsMeant([frozen], 'ds-00001')).toEqual(['ds-00001111']);
    expect(idsMeant([frozen], 'ds-00001111-fro')).toEqual(['ds-00001111-frozen']);
  });

  it('knows what followed', () => {
    expect(consequencesOf(messages, 'campaign').map((each) => each.id)).toEqual(['campaign', 'run', 'release']);
  });
});
