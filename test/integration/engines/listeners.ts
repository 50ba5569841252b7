import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

export interface Listener {
  readonly address: string;
  readonly port: number;
}

const LISTEN = '0A';

/** Listening TCP sockets of a process, read from /proc (Linux). */
export function listenersOf(pid: number): Listener[] {
  const inodes = new Set(socketInodes(pid));
  return ['tcp', 'tcp6'].flatMap((family) => listening(family).filter(({ inode }) => inodes.has(inode)));
}

function socketInodes(pid: number): string[] {
  return readdirSync(`/proc/${pid}/fd`).flatMap((descriptor) => {
    try {
      return /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${descriptor}`))?.[1] ?? [];
    } catch {
      return []; // closed meanwhile
    }
  });
}

function listening(family: string): (Listener & { inode: string })[] {
  const rows = readFileSync(`/proc/net/${family}`, 'utf8').trim().split('\n').slice(1);
  return rows
    .map((row) => row.trim().split(/\s+/))
    .filter((fields) => fields[3] === LISTEN)
    .map((fields) => ({ ...local(fields[1] ?? ''), inode: fields[9] ?? '' }));
}

/** `0100007F:1F90` is 127.0.0.1:8080: the address is in the machine's byte order. Longer ones are left as they are. */
function local(field: string): Listener {
  const [hex = '', port = ''] = field.split(':');
  const bytes = hex.match(/../g) ?? [];
  const address =
    bytes.length === 4
      ? bytes
          .reverse()
          .map((byte) => Number.parseInt(byte, 16))
          .join('.')
      : hex;
  return { address, port: Number.parseInt(port, 16) };
}
