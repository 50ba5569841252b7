const MARKER_START = 0xff;
const SOI = 0xd8;
const COM = 0xfe;
const SOS = 0xda;
const EOI = 0xd9;
const LENGTH_BYTES = 2;
const COMMENT_BYTES_MAX = 65_533;

/** The JPEG with one comment segment (ITU T.81 B.2.4.5) right after its start. */
export function withComment(jpeg: Uint8Array, comment: string): Buffer {
  const text = Buffer.from(comment, 'utf8');
  if (text.length > COMMENT_BYTES_MAX) throw new RangeError(`a JPEG comment holds at most ${COMMENT_BYTES_MAX} bytes, got ${text.length}`);
  const head = Buffer.from([MARKER_START, COM, 0, 0]);
  head.writeUInt16BE(text.length + LENGTH_BYTES, 2);
  return Buffer.concat([jpeg.subarray(0, 2), head, text, jpeg.subarray(2)]);
}

/** The first comment segment's text; null where there is none or the bytes are no JPEG. */
export function commentOf(jpeg: Uint8Array): string | null {
  const bytes = Buffer.from(jpeg.buffer, jpeg.byteOffset, jpeg.byteLength);
  if (bytes.length < 4 || bytes[0] !== MARKER_START || bytes[1] !== SOI) return null;
  for (let at = 2; at + 4 <= bytes.length && bytes[at] === MARKER_START;) {
    const marker = bytes[at + 1];
    if (marker === SOS || marker === EOI) return null;
    const length = bytes.readUInt16BE(at + 2);
    if (length < LENGTH_BYTES || at + 2 + length > bytes.length) return null;
    if (marker === COM) return bytes.toString('utf8', at + 4, at + 2 + length);
    at += 2 + length;
  }
  return null;
}
