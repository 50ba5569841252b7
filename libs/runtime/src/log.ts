import { pino } from 'pino';
import type { Logger } from 'pino';

export type { Logger } from 'pino';

/** Secrets never reach a log line, whatever object is logged. */
const REDACTED = [
  '*.secretAccessKey',
  '*.sessionToken',
  '*.secret',
  '*.joinToken',
  '*.creds',
  '*.seed',
  'secretAccessKey',
  'sessionToken',
  'secret',
  'joinToken',
];

/** JSON lines on stdout: constant messages, data in fields. A level that is none is `info`: a program's configuration names it. */
export function createLogger(program: string, level: string = process.env['LOG_LEVEL'] ?? 'info'): Logger {
  return pino({
    name: program,
    level: level === 'silent' || level in pino.levels.values ? level : 'info',
    redact: { paths: REDACTED, censor: '[redacted]' },
    timestamp: pino.stdTimeFunctions.isoTime,
    base: { pid: process.pid },
  });
}
