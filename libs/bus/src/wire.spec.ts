import { NodeTelemetry, RunStepStarted, SampleAccepted } from '@edgeloop/contracts';
import { describe, expect, it } from '@jest/globals';
import { InvalidMessageError, UnreadableMessageError } from './errors.ts';
import { decodeMessage, encodeMessage } from './wire.ts';

const encode = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value));
const step = { runId: 'r1', step: 'train', attempt: 1 };

describe('before sending', () => {
  it('builds subject and body', () => {
    const { subject, data } = encodeMessage(RunStepStarted, step);
    expect(subject).toBe('run.v1.r1.step-started');
    expect(JSON.parse(new TextDecoder().decode(data))).toEqual(step);
  });

  it('lets a declared field that is undefined pass, and refuses an undeclared one', () => {
    expect(() => encodeMessage(RunStepStarted, { ...step, note: undefined })).not.toThrow();
    expect(() => encodeMessage(RunStepStarted, { ...step, note: 'x' })).toThrow(InvalidMessageError);
  });

  it('refuses an id that cannot be a subject token', () => {
    expect(() => encodeMessage(RunStepStarted, { ...step, runId: 'a.b' })).toThrow(/runId/);
  });
});

describe('after receiving', () => {
  it('drops fields that it does not know', () => {
    expect(decodeMessage(RunStepStarted, 'run.v1.r1.step-started', encode({ ...step, later: 1 }))).toEqual(step);
  });

  it.each([
    ['no JSON', 'run.v1.r1.step-started', new TextEncoder().encode('{')],
    ['an empty body', 'run.v1.r1.step-started', new Uint8Array()],
    ['a broken field', 'run.v1.r1.step-started', encode({ ...step, attempt: 'one' })],
    ['another subject', 'run.v1.r1.started', encode(step)],
    ['a body that names somebody else', 'run.v1.r2.step-started', encode(step)],
  ])('refuses %s', (_what, subject, data) => {
    expect(() => decodeMessage(RunStepStarted, subject, data)).toThrow(UnreadableMessageError);
  });

  it('checks every token of the subject', () => {
    expect(SampleAccepted.subject).toBe('sample.v1.{nodeId}.{sampleId}');
    const telemetry = { nodeId: 'n1', windows: [] };
    expect(() => decodeMessage(NodeTelemetry, 'node.v1.n1.telemetry', encode(telemetry))).toThrow(/windows/);
  });
});
