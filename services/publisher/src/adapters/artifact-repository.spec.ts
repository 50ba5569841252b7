import { MemoryObjectStore } from '@edgeloop/store';
import { describeArtifactRepository } from '../testing/artifact-repository-suite.ts';
import { BucketArtifactRepository } from './bucket-repository.ts';
import { MemoryArtifactRepository } from './memory-repository.ts';

const memory = new MemoryArtifactRepository();
const bucket = new BucketArtifactRepository(new MemoryObjectStore(), 'releases');

// The third, a bucket of a real server, runs with the integration tests.
describeArtifactRepository('memory', () => memory);
describeArtifactRepository('bucket of a store in memory', () => bucket);
