const METADATA_PROPS = 14;
const ENTRY = { key: 1, value: 2 } as const;
const LENGTH_DELIMITED = 2;

function varint(value: number): number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...varint(Math.floor(value / 0x80))];
}

function field(number: number, content: Uint8Array): Uint8Array {
  return Buffer.concat([Buffer.from([...varint((number << 3) | LENGTH_DELIMITED), ...varint(content.byteLength)]), content]);
}

/**
 * The same ONNX model with the metadata property `names`, as exporters write it. Entries of a repeated field may stand
 * anywhere in a protobuf message, so one is appended and nothing else is touched.
 */
export function withClassNames(onnx: Uint8Array, classes: readonly string[]): Uint8Array {
  const names = `{${classes.map((name, index) => `${index}: ${JSON.stringify(name)}`).join(', ')}}`;
  const entry = Buffer.concat([field(ENTRY.key, Buffer.from('names')), field(ENTRY.value, Buffer.from(names))]);
  return Buffer.concat([onnx, field(METADATA_PROPS, entry)]);
}
