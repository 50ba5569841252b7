import { describe, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { ALL_CONTRACTS } from '../all-contracts.ts';
import { typeId } from '../contract.ts';
import { contractsPage } from './contracts-page.ts';

const PAGE = new URL('../../../../docs/contracts.md', import.meta.url);

describe('docs/contracts.md', () => {
  it('is what the contracts say now; if not, run `npm run build && npm run docs`', () => {
    expect(readFileSync(PAGE, 'utf8')).toBe(contractsPage());
  });

  it('has every message once', () => {
    const headings = contractsPage()
      .split('\n')
      .filter((line) => line.startsWith('### '));
    expect(headings.toSorted()).toEqual(ALL_CONTRACTS.map((contract) => `### ${typeId(contract)}`).toSorted());
  });
});
