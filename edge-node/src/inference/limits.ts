/** From the fork of the process to the first answer of the model: a Pi 4 on a slow card takes about ten seconds. */
export const LOAD_DEADLINE_MS = 60_000;

/** From a frame handed over to its answer, the frames ahead of it included: about one second each on a Pi 4. */
export const FRAME_DEADLINE_MS = 30_000;

/** From the request to stop to the end of the process; then it is killed. */
export const STOP_GRACE_MS = 5_000;

/** Frames in one model process at a time. Two keep it busy: one in the model, one being decoded. */
export const FRAMES_IN_FLIGHT_MAX = 4;

/** Bytes of one encoded frame that a model process takes. */
export const FRAME_BYTES_MAX = 32 * 1024 * 1024;

/** Pause between two looks of a model process at its own memory. */
export const MEMORY_CHECK_MS = 1_000;

/** What a model process wrote to stderr, newest kept, for the error of its end. */
export const STDERR_CHARS_MAX = 4_096;

/** Candidates under this score are not looked at: the floor of the telemetry's score histogram. */
export const CANDIDATE_FLOOR = 0.05;

/** Frames that the pipeline keeps in the serving process: one in the model, the next being decoded. */
export const PIPELINE_DEPTH = 2;

/** Processes that a frame may take down before it is given up. */
export const FRAME_ATTEMPTS_MAX = 2;
