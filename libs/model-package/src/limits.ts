/** Bytes of a whole archive; a node keeps two of them. */
export const PACKAGE_BYTES_MAX = 256 * 1024 * 1024;
/** `manifest.json` is read into memory before anything of it is believed. */
export const MANIFEST_BYTES_MAX = 1024 * 1024;
/** Bytes of one golden picture. */
export const GOLDEN_PICTURE_BYTES_MAX = 8 * 1024 * 1024;
/** The contract's limit of golden vectors. */
export const GOLDENS_MAX = 16;
/** manifest.json, model.onnx and the golden pictures. */
export const ENTRIES_MAX = 2 + GOLDENS_MAX;
