import { WiringError } from '@edgeloop/bus';
import { type Contract, typeId } from '@edgeloop/contracts';
import type { Declared } from './decorators.ts';

const DECORATOR_OF = { event: '@OnEvent', signal: '@OnSignal', request: '@OnRequest' } as const;

/**
 * One handler for each contract that a service says it consumes: none missing, none double, none unknown.
 * @throws WiringError naming every problem and what to change
 */
export function verifyWiring(service: string, consumes: readonly Contract[], handlers: readonly Declared[]): void {
  const problems = [...missing(consumes, handlers), ...double(handlers), ...unknown(consumes, handlers)];
  if (problems.length > 0)
    throw new WiringError(
      `${service} does not start, its handlers do not match what it consumes:\n${problems.map((problem) => `  - ${problem}`).join('\n')}`,
    );
}

function missing(consumes: readonly Contract[], handlers: readonly Declared[]): string[] {
  const handled = new Set(handlers.map((declared) => typeId(declared.contract)));
  return consumes
    .filter((contract) => !handled.has(typeId(contract)))
    .map(
      (contract) =>
        `nobody handles ${typeId(contract)}: add a method with ${DECORATOR_OF[contract.kind]} to a controller, or take it out of \`consumes\``,
    );
}

function double(handlers: readonly Declared[]): string[] {
  const byType = Map.groupBy(handlers, (declared) => typeId(declared.contract));
  return [...byType]
    .filter(([, same]) => same.length > 1)
    .map(([type, same]) => `${same.map((declared) => declared.handler).join(' and ')} handle ${type}: keep one`);
}

function unknown(consumes: readonly Contract[], handlers: readonly Declared[]): string[] {
  const wanted = new Set(consumes.map(typeId));
  return handlers
    .filter((declared) => !wanted.has(typeId(declared.contract)))
    .map(
      (declared) =>
        `${declared.handler} handles ${typeId(declared.contract)}, which the service does not consume: add it to \`consumes\`, or remove the method`,
    );
}
