import { TestEnvironment } from 'jest-environment-node';

/**
 * Node's environment with the typed arrays of the outer realm. Native modules make those, and onnxruntime-node refuses
 * any other Float32Array.
 */
export default class NativeArraysEnvironment extends TestEnvironment {
  constructor(config, context) {
    super(config, context);
    Object.assign(this.global, {
      Float32Array,
      Float64Array,
      Int8Array,
      Int16Array,
      Int32Array,
      Uint16Array,
      Uint32Array,
      BigInt64Array,
      BigUint64Array,
    });
  }
}
