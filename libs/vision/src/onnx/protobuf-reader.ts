import { OnnxUnreadableError } from '../errors.ts';

export type WireType = 0 | 1 | 2 | 5;

/** One field of a message. `bytes` is a view, never a copy. */
export interface Field {
  readonly number: number;
  readonly wire: WireType;
  /** Value of a varint, else 0. Beyond 2^53 it is inexact, which no field of interest reaches. */
  readonly value: number;
  /** Content of a length-delimited field, else empty. */
  readonly bytes: Uint8Array;
}

const NO_BYTES = new Uint8Array(0);
const VARINT_BYTES_MAX = 10;

/**
 * Walks the fields of one message of the protobuf wire format without building anything: memory stays constant whatever
 * lengths the bytes claim.
 * @throws OnnxUnreadableError
 */
export function* fieldsOf(message: Uint8Array): Generator<Field, void, undefined> {
  const cursor = new Cursor(message);
  while (!cursor.done) {
    const tag = cursor.varint();
    const number = Math.floor(tag / 8);
    if (number < 1 || number > 0x1fff_ffff) throw new OnnxUnreadableError(`field number ${number}`);
    yield cursor.field(number, tag % 8);
  }
}

class Cursor {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get done(): boolean {
    return this.#at >= this.#bytes.length;
  }

  field(number: number, wire: number): Field {
    switch (wire) {
      case 0:
        return { number, wire, value: this.varint(), bytes: NO_BYTES };
      case 1:
        this.#skip(8);
        return { number, wire, value: 0, bytes: NO_BYTES };
      case 2:
        return { number, wire, value: 0, bytes: this.#delimited() };
      case 5:
        this.#skip(4);
        return { number, wire, value: 0, bytes: NO_BYTES };
      default:
        throw new OnnxUnreadableError(`wire type ${wire} in field ${number}`);
    }
  }

  varint(): number {
    let value = 0;
    let factor = 1;
    for (let i = 0; i < VARINT_BYTES_MAX; i++) {
      const byte = this.#bytes[this.#at++];
      if (byte === undefined) throw new OnnxUnreadableError('it ends inside a number');
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return value;
      factor *= 128;
    }
    throw new OnnxUnreadableError('a number longer than ten bytes');
  }

  #delimited(): Uint8Array {
    const length = this.varint();
    const from = this.#at;
    this.#skip(length);
    return this.#bytes.subarray(from, this.#at);
  }

  #skip(length: number): void {
    if (length > this.#bytes.length - this.#at) throw new OnnxUnreadableError('it ends early: is the file complete?');
    this.#at += length;
  }
}
