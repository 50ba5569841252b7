import { type EventContract, patternOf, tokensOf } from '@edgeloop/contracts';
import type { Handled } from './api.ts';
import { type ContractReader, readerOf } from './contract-reader.ts';
import { WiringError } from './errors.ts';

export interface Route extends Handled {
  readonly typeId: string;
  readonly tokens: Readonly<Record<string, string>>;
}

interface Candidate extends Handled {
  readonly reader: ContractReader;
}

/** Finds the handler of a subject. Contracts are few for each first token, so a short list is faster than a tree. */
export class Routes {
  readonly #byFamily = new Map<string, Candidate[]>();
  readonly patterns: readonly string[];

  constructor(handlers: readonly Handled[]) {
    if (handlers.length === 0) throw new WiringError('a consumer needs at least one handler');
    for (const handled of handlers) this.#add(handled);
    this.patterns = handlers.map((handled) => patternOf(handled.contract)).toSorted();
  }

  find(subject: string): Route | undefined {
    for (const { contract, handle, reader } of this.#byFamily.get(familyOf(subject)) ?? []) {
      const tokens = reader.tokens(subject);
      if (tokens !== undefined) return { contract, handle, typeId: reader.typeId, tokens };
    }
    return undefined;
  }

  #add(handled: Handled): void {
    const reader = readerOf(handled.contract);
    const family = familyOf(handled.contract.subject);
    const siblings = this.#byFamily.get(family) ?? [];
    if (siblings.some((sibling) => sibling.reader.typeId === reader.typeId)) {
      throw new WiringError(`two handlers for ${reader.typeId}: keep one, and let it do both`);
    }
    this.#byFamily.set(family, [...siblings, { ...handled, reader }]);
  }
}

function familyOf(subject: string): string {
  const end = subject.indexOf('.');
  return end === -1 ? subject : subject.slice(0, end);
}

/** The contract of a subject among those given; for readers of whole streams. */
export function contractOf(contracts: readonly EventContract[], subject: string): EventContract | undefined {
  return contracts.find((contract) => tokensOf(contract, subject) !== undefined);
}
