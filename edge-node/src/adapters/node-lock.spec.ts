import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import { lockNodeFolder, NodeFolderInUseError } from './node-lock.ts';
import { tempFolders } from './temp-folder.spec-kit.ts';

const folder = tempFolders();

describe('the lock of a node folder', () => {
  it('lets one in, tells the second who holds it, and lets the next in afterwards', async () => {
    const at = await folder();
    const lock = await lockNodeFolder(at);
    await expect(lockNodeFolder(at)).rejects.toThrow(NodeFolderInUseError);
    await expect(lockNodeFolder(at)).rejects.toThrow(new RegExp(`process ${process.pid}`));
    lock.release();
    (await lockNodeFolder(at)).release();
  });

  it('is gone with a holder that was killed', async () => {
    const at = await folder();
    const module = fileURLToPath(new URL('./node-lock.ts', import.meta.url));
    const script = `const { lockNodeFolder } = await import(${JSON.stringify(module)}); globalThis.lock = await lockNodeFolder(${JSON.stringify(at)}); console.log('held'); setInterval(() => {}, 1000)`;
    const holder = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
    await once(holder.stdout, 'data');
    await expect(lockNodeFolder(at)).rejects.toThrow(new RegExp(`process ${holder.pid}`));
    holder.kill('SIGKILL');
    await once(holder, 'exit');
    (await lockNodeFolder(at)).release();
  });
});
