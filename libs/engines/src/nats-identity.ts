import {
  type Account,
  createAccount,
  createOperator,
  createUser,
  decode,
  encodeAccount,
  encodeOperator,
  encodeUser,
  fromSeed,
  type KeyPair,
} from '@nats-io/jwt';
import { credsText, joinUserCreds } from '@edgeloop/trust/node-user';
import { access, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { keptSecret, writeSecret } from './secret-files.ts';

/** Seeds of everything the bus trusts; made once per data folder. */
interface NatsSeeds {
  readonly operator: string;
  readonly sys: string;
  readonly core: string;
  readonly nodes: string;
  /** Signs node users; the only one of these that a service gets to see. */
  readonly nodesSigning: string;
}

/** Who may do what on the bus, as the server and the clients need it. */
export interface NatsIdentity {
  readonly operatorJwt: string;
  readonly systemAccount: string;
  /** Account JWTs by public key. */
  readonly accounts: Readonly<Record<string, string>>;
  readonly nodesAccount: string;
  readonly coreCredsPath: string;
  readonly sysCredsPath: string;
  readonly joinCredsPath: string;
  readonly nodesSigningSeedPath: string;
}

/** Missing limits count as zero in a JWT, so each account names all of them. */
const OPEN_LIMITS = {
  conn: -1,
  leaf: 0,
  subs: -1,
  data: -1,
  payload: -1,
  imports: -1,
  exports: -1,
  wildcards: true,
  disallow_bearer: true,
};
const JETSTREAM_LIMITS = {
  mem_storage: -1,
  disk_storage: -1,
  streams: -1,
  consumer: -1,
  mem_max_stream_bytes: 0,
  disk_max_stream_bytes: 0,
  max_bytes_required: false,
};

const NODE_FACTS = 'node.v1.>';
const ENROLMENTS = 'enroll.v1.>';
const DOORBELLS = 'bell.v1.>';

/** Makes the keys on first use, keeps them (mode 0600), and mints what the server and the clients need from them. */
export async function natsIdentity(keysDir: string, jwtDir: string): Promise<NatsIdentity> {
  const seeds = await keptSecret(join(keysDir, 'seeds.json'), makeSeeds);
  const operator = keyOf(seeds.operator);
  const core = keyOf(seeds.core);
  const nodes = keyOf(seeds.nodes);
  const sys = keyOf(seeds.sys);
  const accounts = [
    { name: 'SYS', key: sys, claims: { limits: OPEN_LIMITS } },
    { name: 'CORE', key: core, claims: coreClaims() },
    { name: 'NODES', key: nodes, claims: nodesClaims(core.getPublicKey(), keyOf(seeds.nodesSigning).getPublicKey()) },
  ];
  const minted = await Promise.all(
    accounts.map(async (account) => [account.key.getPublicKey(), await accountJwt(account, operator, jwtDir)] as const),
  );
  return {
    operatorJwt: await encodeOperator('edgeloop', operator, { system_account: sys.getPublicKey() }),
    systemAccount: sys.getPublicKey(),
    accounts: Object.fromEntries(minted),
    nodesAccount: nodes.getPublicKey(),
    coreCredsPath: await keptCreds(join(keysDir, 'core.creds'), () => accountUserCreds('core', core)),
    sysCredsPath: await keptCreds(join(keysDir, 'sys.creds'), () => accountUserCreds('sys', sys)),
    ...(await nodesFiles(keysDir, { account: nodes.getPublicKey(), seed: seeds.nodesSigning })),
  };
}

async function nodesFiles(
  keysDir: string,
  signingKey: { account: string; seed: string },
): Promise<{ nodesSigningSeedPath: string; joinCredsPath: string }> {
  const nodesSigningSeedPath = join(keysDir, 'nodes-signing.json');
  await keptSecret(nodesSigningSeedPath, () => signingKey);
  return { nodesSigningSeedPath, joinCredsPath: await keptCreds(join(keysDir, 'join.creds'), () => joinUserCreds({ signingKey })) };
}

function makeSeeds(): NatsSeeds {
  return {
    operator: seedOf(createOperator()),
    sys: seedOf(createAccount()),
    core: seedOf(createAccount()),
    nodes: seedOf(createAccount()),
    nodesSigning: seedOf(createAccount()),
  };
}

/** Services live here: JetStream, and everything that nodes say or ask arrives here. */
function coreClaims(): Partial<Account> {
  return {
    limits: { ...OPEN_LIMITS, ...JETSTREAM_LIMITS },
    exports: [
      { name: 'node-facts', subject: NODE_FACTS, type: 'service' },
      { name: 'enrolments', subject: ENROLMENTS, type: 'service' },
      { name: 'doorbells', subject: DOORBELLS, type: 'stream' },
    ],
  };
}

/** Nodes live here: no JetStream, and no way to CORE but these three. */
function nodesClaims(core: string, signingKey: string): Partial<Account> {
  return {
    limits: OPEN_LIMITS,
    signing_keys: [signingKey],
    imports: [
      { name: 'node-facts', subject: NODE_FACTS, account: core, type: 'service' },
      { name: 'enrolments', subject: ENROLMENTS, account: core, type: 'service' },
      { name: 'doorbells', subject: DOORBELLS, account: core, type: 'stream' },
    ],
  };
}

interface AccountDraft {
  readonly name: string;
  readonly key: KeyPair;
  readonly claims: Partial<Account>;
}

/** The server preloads what we mint over what it keeps, so revocations pushed since the last start are carried over. */
async function accountJwt(account: AccountDraft, operator: KeyPair, jwtDir: string): Promise<string> {
  const kept = await readFile(join(jwtDir, `${account.key.getPublicKey()}.jwt`), 'utf8').catch(() => undefined);
  const revocations = kept === undefined ? undefined : decode<Account>(kept).nats.revocations;
  const claims = revocations === undefined ? account.claims : { ...account.claims, revocations };
  return encodeAccount(account.name, account.key, claims, { signer: operator });
}

async function accountUserCreds(name: string, account: KeyPair): Promise<string> {
  const user = createUser();
  const jwt = await encodeUser(name, user, account, { subs: -1, data: -1, payload: -1 });
  return credsText(jwt, seedOf(user));
}

async function keptCreds(path: string, make: () => Promise<string>): Promise<string> {
  const kept = await access(path).then(
    () => true,
    () => false,
  );
  if (!kept) await writeSecret(path, await make());
  return path;
}

function seedOf(key: KeyPair): string {
  return new TextDecoder().decode(key.getSeed());
}

function keyOf(seed: string): KeyPair {
  return fromSeed(new TextEncoder().encode(seed));
}
