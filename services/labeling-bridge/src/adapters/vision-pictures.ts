import { pictureStats, verifyPicture } from '@edgeloop/vision';
import type { PictureReader } from '../ports.ts';

/** The very fingerprint that nodes put into their manifests, so that imported and collected pictures can be compared. */
export class VisionPictures implements PictureReader {
  async dhash(bytes: Uint8Array): Promise<string> {
    await verifyPicture(bytes);
    return (await pictureStats(bytes)).hash;
  }
}
