export { BucketArtifactRepository } from './adapters/bucket-repository.ts';
export { MemoryArtifactRepository } from './adapters/memory-repository.ts';
export {
  ArtifactConflictError,
  ArtifactMissingError,
  ArtifactTooLargeError,
  type ArtifactInfo,
  type ArtifactRepository,
  type ArtifactWrite,
} from './ports.ts';
export { publisherService } from './publisher.service.ts';
