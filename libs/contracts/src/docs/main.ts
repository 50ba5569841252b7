import { contractsPage } from './contracts-page.ts';

process.stdout.write(contractsPage());
