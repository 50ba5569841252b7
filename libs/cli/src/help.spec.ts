import { describe, expect, it } from '@jest/globals';
import type { Command } from 'commander';
import { buildProgram } from './main.ts';

/** Every command with the words that call it. */
function commandsOf(parent: Command, words: readonly string[] = []): [string, Command][] {
  return parent.commands.flatMap((command) => {
    const called = [...words, command.name()];
    return [[called.join(' '), command] as [string, Command], ...commandsOf(command, called)];
  });
}

const COMMANDS = commandsOf(buildProgram());

describe('edgeloop --help', () => {
  it('knows the commands of the loop', () => {
    expect(COMMANDS.map(([name]) => name)).toEqual(
      expect.arrayContaining(
        ['up', 'status', 'nodes', 'releases', 'samples', 'label', 'run', 'trace', 'label import', 'run import'].concat(
          ['start', 'show', 'pause', 'resume', 'abort'].map((verb) => `rollout ${verb}`),
        ),
      ),
    );
  });

  it.each(COMMANDS)('%s says how it is called and what it does', (name, command) => {
    const help = command.helpInformation();
    expect(help).toContain(`Usage: edgeloop ${name}`);
    expect(command.description()).not.toBe('');
  });

  it.each(COMMANDS.filter(([name]) => name !== 'up'))('%s prints JSON when asked to', (_, command) => {
    expect(command.options.map((option) => option.long)).toContain('--json');
  });
});
