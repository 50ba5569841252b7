import { type EventContract, patternOf, tokensOf, typeId } from '@edgeloop/contracts';
import type { Handled } from './api.ts';
import { WiringError } from './errors.ts';

export interface Route extends Handled {
  readonly typeId: string;
  readonly tokens: Readonly<Record<string, string>>;
}

interface Candidate extends Handled {
  readonly typeId: string;
  readonly tokenNames: readonly (string | undefined)[];
  readonly literals: readonly string[];
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
    const actual = subject.split('.');
    for (const candidate of this.#byFamily.get(actual[0] ?? '') ?? []) {
      const tokens = fit(candidate, actual);
      if (tokens !== undefined) return { contract: candidate.contract, handle: candidate.handle, typeId: candidate.typeId, tokens };
    }
    return undefined;
  }

  #add(handled: Handled): void {
    const candidate = candidateOf(handled);
    const family = candidate.literals[0] ?? '';
    const siblings = this.#byFamily.get(family) ?? [];
    if (siblings.some((sibling) => sibling.typeId === candidate.typeId)) {
      throw new WiringError(`two handlers for ${candidate.typeId}: keep one, and let it do both`);
    }
    this.#byFamily.set(family, [...siblings, candidate]);
  }
}

function candidateOf(handled: Handled): Candidate {
  const template = handled.contract.subject.split('.');
  const tokenNames = template.map((token) => /^\{(\w+)\}$/.exec(token)?.[1]);
  return { ...handled, typeId: typeId(handled.contract), tokenNames, literals: template };
}

function fit(candidate: Candidate, actual: readonly string[]): Readonly<Record<string, string>> | undefined {
  if (actual.length !== candidate.literals.length) return undefined;
  const tokens: Record<string, string> = {};
  for (let index = 0; index < actual.length; index++) {
    const name = candidate.tokenNames[index];
    if (name !== undefined) tokens[name] = actual[index] ?? '';
    else if (candidate.literals[index] !== actual[index]) return undefined;
  }
  return tokens;
}

/** The contract of a subject among those given; for readers of whole streams. */
export function contractOf(contracts: readonly EventContract[], subject: string): EventContract | undefined {
  return contracts.find((contract) => tokensOf(contract, subject) !== undefined);
}
