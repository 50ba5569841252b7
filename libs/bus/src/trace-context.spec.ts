import { describe, expect, it } from '@jest/globals';
import { childTraceparent } from './trace-context.ts';

const PARENT = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00';

describe('trace context', () => {
  it('keeps trace and flags, and makes a new span', () => {
    const child = childTraceparent(PARENT);
    expect(child).toMatch(/^00-4bf92f3577b34da6a3ce929d0e0e4736-[0-9a-f]{16}-00$/);
    expect(child).not.toBe(PARENT);
    expect(childTraceparent(PARENT)).not.toBe(child);
  });

  it.each([undefined, '', 'garbage', '00-short-00f067aa0ba902b7-01', `${PARENT}-more`])('begins a new trace after %p', (parent) => {
    expect(childTraceparent(parent)).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/);
  });
});
