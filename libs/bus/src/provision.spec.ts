import { STATE_BUCKETS, STREAMS } from '@edgeloop/contracts';
import { describe, expect, it } from '@jest/globals';
import { bucketConfig, streamConfig } from './provision.ts';

describe('stream definitions', () => {
  it('never bound a stream of many subjects by a count of messages: it costs two orders of magnitude of rate', () => {
    for (const config of [...STREAMS.map((stream) => streamConfig(stream, '2.15.1')), ...STATE_BUCKETS.map(bucketConfig)])
      expect(config).not.toHaveProperty('max_msgs');
  });

  it('keep nothing for less than the window of duplicate ids, which the server would refuse', () => {
    for (const stream of STREAMS) {
      const { max_age = 0, duplicate_window = 0 } = streamConfig(stream, '2.15.1');
      expect(max_age === 0 || max_age >= duplicate_window).toBe(true);
    }
  });

  it('ask for asynchronous persistence only where facts are none, and only of a server that has it', () => {
    for (const stream of STREAMS) {
      expect(streamConfig(stream, '2.11.0')).not.toHaveProperty('persist_mode');
      expect(streamConfig(stream, '2.12.0').persist_mode).toBe(stream.asyncPersistence === true ? 'async' : undefined);
      expect(stream.asyncPersistence === true && stream.oncePerSubject).toBe(false);
    }
  });
});
