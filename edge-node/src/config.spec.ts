import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { attributesOf, helpText, NodeConfig, readNodeConfig } from './config.ts';

const COMPLETE = { EDGELOOP_NODE_DIR: '/var/lib/edgeloop', EDGELOOP_SOURCE: 'folder:/frames' };

describe('the configuration of a node', () => {
  it('needs a source, and has a sane value for everything else', () => {
    expect(readNodeConfig([], { EDGELOOP_SOURCE: 'folder:/frames' })).toMatchObject({
      EDGELOOP_NODE_DIR: join(process.cwd(), '.edgeloop', 'node'),
      EDGELOOP_FPS: 2,
      EDGELOOP_HEARTBEAT_MS: 2_000,
      LOG_LEVEL: 'info',
    });
    expect(helpText()).toMatch(/EDGELOOP_NODE_DIR .*\(default \.edgeloop\/node\)/);
  });

  it('keeps the state where it is told to', () => {
    expect(readNodeConfig([], COMPLETE)).toMatchObject({ EDGELOOP_NODE_DIR: '/var/lib/edgeloop' });
    expect(readNodeConfig(['--node-dir', 'cam'], COMPLETE)).toMatchObject({ EDGELOOP_NODE_DIR: join(process.cwd(), 'cam') });
  });

  it('names every problem at once, and what to do', () => {
    const read = () => readNodeConfig([], { EDGELOOP_FPS: 'many' });
    expect(read).toThrow(/EDGELOOP_SOURCE: say where frames come from/);
    expect(read).toThrow(/EDGELOOP_FPS/);
  });

  it('takes flags over the environment', () => {
    expect(readNodeConfig(['--fps', '5', '--source=http://cam/s.jpg'], { ...COMPLETE, EDGELOOP_FPS: '3' })).toMatchObject({
      EDGELOOP_FPS: 5,
      EDGELOOP_SOURCE: 'http://cam/s.jpg',
    });
  });

  it('refuses flags that it does not know, and points to the help', () => {
    expect(() => readNodeConfig(['--speed', '5'], COMPLETE)).toThrow(/--help/);
  });

  it('tells of every setting in its help', () => {
    expect(readNodeConfig(['--help'], {})).toBeUndefined();
    const help = helpText();
    for (const [variable, schema] of Object.entries(NodeConfig.shape)) {
      expect(help).toContain(variable);
      expect(schema.description).toBeTruthy();
    }
  });

  it('reads attributes, leaving out what is none', () => {
    expect(attributesOf('site=berlin, floor=2,nonsense,=x')).toEqual({ site: 'berlin', floor: '2' });
    expect(attributesOf(undefined)).toEqual({});
  });
});
