#!/usr/bin/env node
/**
 * npm drops from package-lock.json the optional packages of other systems when the registry that wrote the lock did not have
 * them, and `npm ci` then refuses that lock everywhere. This puts them back, by the versions that their owners ask for.
 * Usage: node scripts/complete-lock.mjs [--check]
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const SYSTEMS = ['darwin', 'linux', 'win32', 'freebsd', 'android', 'openharmony', 'aix', 'sunos', 'netbsd', 'openbsd'];
const PROCESSORS = ['x64', 'arm64', 'arm', 'ia32', 'ppc64', 's390x', 'riscv64', 'loong64', 'mips64el', 'wasm32'];
const EXACT = /^\d+\.\d+\.\d+(-[\w.]+)?$/;

/** The optional packages that others ask for and the lock lacks: lock path -> entry. */
export function missingOptionals(lock) {
  const found = {};
  for (const [owner, entry] of Object.entries(lock.packages)) {
    for (const [name, version] of Object.entries(entry.optionalDependencies ?? {})) {
      const path = `node_modules/${name}`;
      const isThere = lock.packages[path] || lock.packages[`${owner}/${path}`];
      const system = systemOf(name);
      if (!isThere && system && EXACT.test(version))
        found[path] = { version, ...system, optional: true, ...(entry.dev ? { dev: true } : {}) };
    }
  }
  return found;
}

/** What system a package of binaries is for, read from its name; undefined when it does not say. */
export function systemOf(name) {
  const words = name.split(/[-/]/).flatMap((word) => (word === 'linuxmusl' ? ['linux', 'musl'] : [word]));
  const os = SYSTEMS.find((system) => words.includes(system));
  const cpu = PROCESSORS.find((processor) => words.includes(processor));
  if (!os || !cpu) return undefined;
  const libc =
    os !== 'linux'
      ? undefined
      : words.some((word) => word.startsWith('musl'))
        ? 'musl'
        : words.some((word) => word.startsWith('gnu'))
          ? 'glibc'
          : undefined;
  return { cpu: [cpu], os: [os], ...(libc ? { libc: [libc] } : {}) };
}

function main() {
  const path = new URL('../package-lock.json', import.meta.url);
  const lock = JSON.parse(readFileSync(path, 'utf8'));
  const missing = missingOptionals(lock);
  const count = Object.keys(missing).length;
  process.stdout.write(`${count} optional package(s) of other systems missing in package-lock.json\n`);
  if (process.argv.includes('--check')) process.exitCode = count === 0 ? 0 : 1;
  else if (count > 0) {
    lock.packages = Object.fromEntries(Object.entries({ ...lock.packages, ...missing }).sort(([a], [b]) => a.localeCompare(b, 'en')));
    writeFileSync(path, `${JSON.stringify(lock, null, 2)}\n`);
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) main();
