import { describe, expect, it } from '@jest/globals';
import { Screen } from './screen.ts';
import { tellStory } from './story.ts';

function paper(isTTY: boolean) {
  const written: string[] = [];
  return { written, out: { isTTY, columns: 100, write: (text: string) => written.push(text) } };
}

describe('the screen', () => {
  it('tells the same progress at most a few times where there is no terminal', () => {
    const { out, written } = paper(false);
    const screen = new Screen(out, () => 0);
    for (let step = 0; step <= 500; step += 1) screen.progress({ arrow: 'train', label: 'train', done: step, total: 500, note: '' });
    expect(written.length).toBeLessThanOrEqual(6);
    expect(written.at(-1)).toContain('100 %');
  });

  it('draws a line under the bar on a terminal, and the bar again under the line', () => {
    const { out, written } = paper(true);
    const screen = new Screen(out, () => 0);
    screen.progress({ arrow: 'train', label: 'train', done: 1, total: 2, note: '' });
    screen.line('hello');
    expect(written.join('')).toMatch(/hello\n.* 50 %/s);
    expect(written.at(-1)).toContain(' 50 %');
  });

  it('never writes a bar wider than the terminal', () => {
    const { out, written } = paper(true);
    new Screen(out, () => 0).progress({ arrow: 'train', label: 'train', done: 1, total: 2, note: 'x'.repeat(500) });
    expect(written.every((text) => text.length < 100)).toBe(true);
  });
});

describe('the story', () => {
  it('says what a gate refused, with its numbers', () => {
    const told = tellStory('run.judged', { runId: 'r', gate: { verdict: 'refused', reasons: ['day: 0.3 against 0.7'], evaluation: null } });
    expect(told).toEqual({ said: { arrow: 'train', tone: 'bad', text: 'offline gate refused: day: 0.3 against 0.7' } });
  });

  it('turns metadata with steps into progress, and keeps silent about the rest', () => {
    const progressed = (metadata: Record<string, number>) => tellStory('run.progressed', { runId: 'r', step: 'train', at: '', metadata });
    expect(progressed({ step: 3, steps: 9, loss: 0.5 })).toEqual({
      progress: { arrow: 'train', label: 'train', done: 3, total: 9, note: 'loss 0.500' },
    });
    expect(progressed({ loss: 1 })).toBeUndefined();
    expect(tellStory('fleet.desired-set', {})).toBeUndefined();
  });
});
