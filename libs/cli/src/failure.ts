import { mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { inspect } from 'node:util';

/** Longer reasons are cut: the whole of them lies in the log. */
const LINE_LENGTH_MAX = 400;
const CAUSE_DEPTH = 8;
const PORT_IN_USE = /EADDRINUSE\b.*?([\w.:[\]]+:\d+)/;
const NO_ROOM = /no space left on device|ENOSPC|disk quota exceeded/i;

/** Errors whose message already says what to do; everything else points to the log. */
const SAYS_WHAT_TO_DO = new Set([
  'UserError',
  'UsageError',
  'InstanceRunningError',
  'EngineNotFoundError',
  'EngineSettingsError',
  'ConnectError',
]);

interface StartFailure {
  readonly message: string;
  readonly name: string;
  readonly program?: string;
  readonly logPath: string;
  readonly lastLines: readonly string[];
}

function isStartFailure(cause: unknown): cause is StartFailure {
  return cause instanceof Error && 'lastLines' in cause && 'logPath' in cause;
}

/** The line itself, or what to do where it is only the system's own words. */
function withAdvice(line: string): string {
  const address = PORT_IN_USE.exec(line)?.[1];
  return address === undefined
    ? line
    : `${line.split(': ')[0]}: ${address} is used by another program: stop that one (find it with "ss -ltnp"), or choose another port`;
}

/** Programs of ours say in their last words what is wrong; engines in the last line of their log. */
function startFailureLine({ message, program, lastLines, logPath }: StartFailure): string {
  const ownWords = program === undefined ? undefined : lastLines.findLast((line) => line.startsWith(`${program}: `));
  if (ownWords !== undefined) return ownWords;
  const reason = (message.split('\n')[0] ?? '').replace(/\. Last lines of .*$/, '');
  return `${reason}; see ${logPath}`;
}

function texts(cause: unknown): string[] {
  if (!(cause instanceof Error)) return [String(cause)];
  const own = [cause.message, ...(isStartFailure(cause) ? cause.lastLines : [])];
  return cause.cause === undefined ? own : [...own, ...texts(cause.cause)];
}

/** One line that says what went wrong and what to do. */
export function failureLine(cause: unknown, home?: string): string {
  if (texts(cause).some((text) => NO_ROOM.test(text)))
    return `the disk${home === undefined ? '' : ` of ${home}`} is full: make room there, or name a folder on another disk, and start again`;
  const line = isStartFailure(cause) ? startFailureLine(cause) : cause instanceof Error ? cause.message : String(cause);
  return withAdvice(line)
    .trim()
    .replaceAll(/\s*\n\s*/g, ' ')
    .slice(0, LINE_LENGTH_MAX);
}

/** Keeps the whole cause for whoever has to look deeper. Resolves with the line to show; never fails itself. */
export async function recordFailure(cause: unknown, places: { readonly home: string; readonly logPath: string }): Promise<string> {
  const line = failureLine(cause, places.home);
  const written = await mkdir(dirname(places.logPath), { recursive: true })
    .then(() => writeFile(places.logPath, `${new Date().toISOString()} ${inspect(cause, { depth: CAUSE_DEPTH })}\n`))
    .then(
      () => true,
      () => false,
    );
  const pointed = written && !(cause instanceof Error && SAYS_WHAT_TO_DO.has(cause.name));
  return pointed ? `${line} (the whole cause: ${places.logPath})` : line;
}
