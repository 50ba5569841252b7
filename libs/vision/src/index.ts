export {
  ClassMismatchError,
  DatasetFolderError,
  LabelLineError,
  LayoutMismatchError,
  ModelRunError,
  ModelShapeError,
  OnnxExternalDataError,
  OnnxUnreadableError,
  PictureTooLargeError,
  PythonLiteralError,
  TensorSizeError,
  TooManyRowsError,
  UnreadablePictureError,
  VisionError,
} from './errors.ts';

export { DEFAULT_THRESHOLDS, Detector } from './detector.ts';
export type { DetectResult, Detection, DetectorOptions, StepTimings } from './detector.ts';
export type { ModelDeclaration, ModelPlan } from './model-plan.ts';
export { INPUT_SIDE_MAX, planModel } from './model-plan.ts';

export { CANDIDATES_MAX, DETECTIONS_MAX, Decoder } from './decode/decoder.ts';
export type { CandidateQuestion, CandidateSummary, Decoded, InputDetection, ScoreBand, Thresholds } from './decode/decoder.ts';
export { END_TO_END_ROWS_MAX, detectLayout } from './decode/detect-layout.ts';
export type { LayoutQuestion } from './decode/detect-layout.ts';
export { columnsOf } from './decode/layout.ts';
export type { OutputLayout, OutputShape } from './decode/layout.ts';

export { classNamesOf } from './onnx/class-names.ts';
export type { TensorValue } from './onnx/graph-walk.ts';
export { inspectOnnx } from './onnx/inspect-onnx.ts';
export type { OnnxSummary } from './onnx/inspect-onnx.ts';
export { inspectOnnxFile } from './onnx/model-file.ts';
export { parsePythonLiteral } from './onnx/python-literal.ts';
export type { PythonValue } from './onnx/python-literal.ts';

export { drawDetections } from './picture/draw-detections.ts';
export type { DrawOptions, DrawnBox } from './picture/draw-detections.ts';
export { intersectionOverUnion, planLetterbox, toInput, toPicture } from './picture/geometry.ts';
export type { Corners, LetterboxGeometry, Size } from './picture/geometry.ts';
export { PADDING_GREY, TensorWriter, decodeBand, letterbox } from './picture/letterbox.ts';
export type { ChannelOrder, ChannelRange, InputFormat, PictureBand } from './picture/letterbox.ts';
export { NIGHT, encodeJpeg, nightOf } from './picture/night.ts';
export { bandStats, pictureStats } from './picture/picture-stats.ts';
export type { PictureStats } from './picture/picture-stats.ts';
export {
  PICTURE_PIXELS_MAX,
  PICTURE_SIDE_MAX,
  decodePicture,
  lockDownPictureLoaders,
  pictureFormat,
  readPictureHeader,
  verifyPicture,
} from './picture/read-picture.ts';
export type { PictureFormat, PictureHeader, PictureInput, RawPicture } from './picture/read-picture.ts';

export {
  LABEL_LINES_MAX,
  formatYoloLabels,
  parseClassNames,
  parseYoloLabelLines,
  parseYoloLabels,
  toCorners,
  toFractions,
} from './labels/yolo-labels.ts';
export type { LabelSource, LabelledBox } from './labels/yolo-labels.ts';

export { AveragePrecisionMeter, MATCH_IOU, meanAveragePrecision } from './evaluation/average-precision.ts';
export type { ClassScore, JudgedFrame, MapScore, ScoredBox, TruthBox } from './evaluation/average-precision.ts';
export { DEFAULT_SLICE, framesOf, openDatasetFolder } from './evaluation/dataset-folder.ts';
export type { DatasetFolder, FrameReading } from './evaluation/dataset-folder.ts';
export { JUDGE_THRESHOLDS, evaluateModel } from './evaluation/evaluate-model.ts';
export type { Evaluation, EvaluationRequest, LabelledFrame } from './evaluation/evaluate-model.ts';
