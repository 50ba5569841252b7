/** Base of every error of this package: tells a caller at once whether trying again can help. */
export abstract class VisionError extends Error {
  /** True only where the same call with the same input may succeed later. */
  abstract readonly retryable: boolean;

  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
  }
}

/** The bytes are no JPEG or PNG that can be decoded. */
export class UnreadablePictureError extends VisionError {
  readonly retryable = false;
  readonly reason: string;

  constructor(reason: string, options?: ErrorOptions) {
    super(`unreadable picture: ${reason}; give a complete JPEG or PNG`, options);
    this.reason = reason;
  }
}

/** The picture would decode to more pixels than the limit allows. */
export class PictureTooLargeError extends VisionError {
  readonly retryable = false;
  readonly width: number;
  readonly height: number;
  readonly pixelsMax: number;

  constructor(width: number, height: number, pixelsMax: number) {
    super(`picture of ${width} x ${height} pixels passes the limit of ${pixelsMax} pixels; send a smaller one`);
    this.width = width;
    this.height = height;
    this.pixelsMax = pixelsMax;
  }
}

/** The output tensor fits none of the known layouts, or contradicts the class names. */
export class LayoutMismatchError extends VisionError {
  readonly retryable = false;
  readonly outputDims: readonly (number | string)[];
  readonly classCount: number;

  constructor(reason: string, outputDims: readonly (number | string)[], classCount: number) {
    super(`output [${outputDims.join(',')}] does not fit ${classCount} class(es): ${reason}`);
    this.outputDims = outputDims;
    this.classCount = classCount;
  }
}

/** The tensor handed to the decoder is not of the size that its shape says. */
export class TensorSizeError extends VisionError {
  readonly retryable = false;
  readonly expected: number;
  readonly actual: number;

  constructor(expected: number, actual: number) {
    super(`tensor holds ${actual} values, its shape says ${expected}`);
    this.expected = expected;
    this.actual = actual;
  }
}

/** More candidate rows than the decoder sorts: no detector of a sane input size has that many. */
export class TooManyRowsError extends VisionError {
  readonly retryable = false;
  readonly rows: number;
  readonly rowsMax: number;

  constructor(rows: number, rowsMax: number) {
    super(`output has ${rows} candidate rows, at most ${rowsMax} are decoded; export the model with a smaller input`);
    this.rows = rows;
    this.rowsMax = rowsMax;
  }
}

/** Text that should be a Python literal (ONNX metadata `names`) is not one. */
export class PythonLiteralError extends VisionError {
  readonly retryable = false;
  readonly offset: number;

  constructor(reason: string, offset: number) {
    super(`not a Python literal: ${reason} at offset ${offset}`);
    this.offset = offset;
  }
}

/** The bytes are no complete ONNX model. */
export class OnnxUnreadableError extends VisionError {
  readonly retryable = false;
  readonly reason: string;

  constructor(reason: string) {
    super(`not a readable ONNX model: ${reason}`);
    this.reason = reason;
  }
}

/** The model keeps weights outside of its file, which a package can neither digest nor sign. */
export class OnnxExternalDataError extends VisionError {
  readonly retryable = false;
  readonly tensor: string;

  constructor(tensor: string) {
    super(`tensor '${tensor}' keeps its data outside of the model file; export with all weights inside (save_as_external_data=False)`);
    this.tensor = tensor;
  }
}

/** The model's inputs, outputs or names are not those of a detector that this package can run. */
export class ModelShapeError extends VisionError {
  readonly retryable = false;

  constructor(reason: string, options?: ErrorOptions) {
    super(`model cannot be served: ${reason}`, options);
  }
}

/** The runtime refused to load or run the model. */
export class ModelRunError extends VisionError {
  readonly retryable = false;

  constructor(reason: string, options?: ErrorOptions) {
    super(`model runtime failed: ${reason}`, options);
  }
}

/** One line of a YOLO label file is wrong. */
export class LabelLineError extends VisionError {
  readonly retryable = false;
  readonly file: string;
  readonly line: number;
  readonly reason: string;

  constructor(file: string, line: number, reason: string) {
    super(`${file}:${line}: ${reason}`);
    this.file = file;
    this.line = line;
    this.reason = reason;
  }
}

/** A dataset folder misses a part or contradicts itself. */
export class DatasetFolderError extends VisionError {
  readonly retryable = false;
  readonly path: string;

  constructor(path: string, reason: string, options?: ErrorOptions) {
    super(`${path}: ${reason}`, options);
    this.path = path;
  }
}

/** The model's classes and the dataset's have no name in common. */
export class ClassMismatchError extends VisionError {
  readonly retryable = false;
  readonly modelClasses: readonly string[];
  readonly datasetClasses: readonly string[];

  constructor(modelClasses: readonly string[], datasetClasses: readonly string[]) {
    super(
      `the model knows [${modelClasses.join(', ')}], the dataset [${datasetClasses.join(', ')}]: no class in common; use the names of classes.txt`,
    );
    this.modelClasses = modelClasses;
    this.datasetClasses = datasetClasses;
  }
}
