import { BucketArtifactRepository, MemoryArtifactRepository } from '@edgeloop/publisher';
import { MemoryObjectStore } from '@edgeloop/store';
import { describeArtifactRepository } from './artifact-repository-suite.ts';

const memory = new MemoryArtifactRepository();
const bucket = new BucketArtifactRepository(new MemoryObjectStore(), 'releases');

// The third, a bucket of a real server, runs with the publisher's tests.
describeArtifactRepository('memory', () => memory);
describeArtifactRepository('bucket of a store in memory', () => bucket);
