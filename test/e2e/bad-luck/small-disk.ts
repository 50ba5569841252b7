import { execFileSync } from 'node:child_process';
import { mkdtemp, rm, statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const MIB = 1024 * 1024;

/** A disk of its own whose size can be changed while it is in use, so that it fills without a byte being written. */
export class SmallDisk {
  readonly path: string;

  private constructor(path: string) {
    this.path = path;
  }

  /** Undefined, with a line that says so, where this user may not mount one. */
  static async mount(mebibytes: number): Promise<SmallDisk | undefined> {
    const path = await mkdtemp(join(tmpdir(), 'edgeloop-disk-'));
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${mebibytes}m`, 'tmpfs', path], { stdio: 'ignore' });
      return new SmallDisk(path);
    } catch {
      await rm(path, { recursive: true });
      process.stderr.write('skipped: a full disk cannot be tried, this user may not mount one\n');
      return undefined;
    }
  }

  /** From now on so much is free; what lies there stays. */
  async leaveFree(mebibytes: number): Promise<void> {
    const { blocks, bfree, bsize } = await statfs(this.path);
    const used = (blocks - bfree) * bsize;
    execFileSync('mount', ['-o', `remount,size=${used + mebibytes * MIB}`, this.path], { stdio: 'ignore' });
  }

  async unmount(): Promise<void> {
    execFileSync('umount', ['-l', this.path], { stdio: 'ignore' });
    await rm(this.path, { recursive: true, force: true });
  }
}
