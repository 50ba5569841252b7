import { type Contract, typeId } from '@edgeloop/contracts';
import { type ExactFit, exactFit } from './exact-fit.ts';

export type Tokens = Readonly<Record<string, string>>;

/** What is worked out of a contract once, not for every message. */
export interface ContractReader {
  readonly typeId: string;
  readonly fits: ExactFit;
  /** Of the reply, for requests. */
  readonly replyFits: ExactFit;
  /** Names of the subject's fields. */
  readonly fields: readonly string[];
  /** The fields of a subject; undefined when it is none of this contract's. */
  tokens(subject: string): Tokens | undefined;
}

const readers = new WeakMap<Contract, ContractReader>();

export function readerOf(contract: Contract): ContractReader {
  const known = readers.get(contract);
  if (known !== undefined) return known;
  const names = contract.subject.split('.').map((token) => /^\{(\w+)\}$/.exec(token)?.[1]);
  const reader = {
    typeId: typeId(contract),
    fits: exactFit(contract.payload),
    replyFits: contract.kind === 'request' ? exactFit(contract.reply) : () => false,
    fields: names.filter((name) => name !== undefined),
    tokens: tokenReader(contract.subject.split('.'), names),
  };
  readers.set(contract, reader);
  return reader;
}

function tokenReader(template: readonly string[], names: readonly (string | undefined)[]): (subject: string) => Tokens | undefined {
  return (subject) => {
    const actual = subject.split('.');
    if (actual.length !== template.length) return undefined;
    const tokens: Record<string, string> = {};
    for (let index = 0; index < actual.length; index++) {
      const name = names[index];
      if (name !== undefined) tokens[name] = actual[index] ?? '';
      else if (template[index] !== actual[index]) return undefined;
    }
    return tokens;
  };
}
