/** A step failed; the message is one line that says what to do. The whole output is in `logPath`. */
export class SetupError extends Error {
  constructor(step, message, logPath) {
    super(message);
    this.name = 'SetupError';
    this.step = step;
    this.logPath = logPath;
  }
}

const PIP_HINT = 'install pip (Debian, Ubuntu: apt-get install python3-pip)';

/** Causes that are told apart by what installers print, each with what to do. First match wins. */
const CAUSES = [
  [/ENOSPC|No space left on device|disk quota/i, 'the disk is full: free some space and run the command again'],
  [/No module named pip\b/, `this Python has no pip: ${PIP_HINT}, or set EDGELOOP_PYTHON to a Python that has it`],
  [
    /do not match the hashes|Hash mismatch|Expected sha(256|512)|EINTEGRITY/i,
    'a downloaded file is not the one that was locked (hash differs): do not use this index or mirror, or try again later',
  ],
  [
    /ENOTFOUND|EAI_AGAIN|ETIMEDOUT|ECONNREFUSED|ECONNRESET|Temporary failure in name resolution|NewConnectionError|dns error|Network is unreachable|error sending request|Connection refused|timed out/i,
    'the package index cannot be reached: check the network, proxy variables and index settings, then run the command again; what was downloaded is kept',
  ],
  [/EACCES|Permission denied/i, 'a file or folder is not writable for you: check who owns the project folder'],
  [
    /No matching distribution|no wheels? with a matching|No solution found/i,
    'there is no package for this Python and system: use Python 3.10 to 3.14 on Linux (x86-64, arm64) or macOS on Apple silicon, and set EDGELOOP_PYTHON to it',
  ],
];

/** What to do about a failed installer, from its output. */
export function explain(output) {
  return CAUSES.find(([pattern]) => pattern.test(output))?.[1] ?? `${lastWords(output)} (the log says more)`;
}

/** Lines of installers that only say where more is said. */
const POINTERS = /complete log of this run|\.log$/;

function lastWords(output) {
  const lines = output
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line && !POINTERS.test(line));
  return lines.findLast((line) => /error/i.test(line)) ?? lines.at(-1) ?? 'it failed without a word';
}
