/** Wait for the stream's receipt of one publish attempt. */
export const PUBLISH_TIMEOUT_MS = 5_000;
/** Attempts of one publish, all under the same id; together they outlive a restart of the server. */
export const PUBLISH_ATTEMPTS_MAX = 8;
/** Pause between attempts. */
export const PUBLISH_BACKOFF = { firstMs: 100, maxMs: 3_000 };
/** Messages of a windowed publisher that wait for their receipt. */
export const WINDOW_IN_FLIGHT_MAX = 1_024;

/** Wait for an answer. */
export const ASK_TIMEOUT_MS = 5_000;
/** Questions that one responder works on at once; more are refused as `busy`. */
export const REQUESTS_RUNNING_MAX = 256;
/** Signals that one listener works on at once; more are dropped and counted. A burst is read in one go, so it must be large. */
export const SIGNALS_RUNNING_MAX = 16_384;

/** Silence after which the server hands a message to somebody else. Renewed while it is held. */
export const ACK_WAIT_MS = 10_000;
export const LEASE_RENEW_MS = 3_000;
/** A handler that runs longer than this loses its lease: its signal is aborted and the message is delivered again. */
export const LEASE_MAX_MS = 15 * 60_000;
export const CONCURRENCY = 16;
/** Messages that a durable consumer hands out unsettled, as a multiple of the handlers that run at once. */
export const ACK_PENDING_PER_HANDLER = 16;
export const DELIVERIES_MAX = 8;
/** Unsettled deliveries after which a message is taken to kill its handler's process: buried unread. */
export const CRASHES_MAX_FACTOR = 2;
/** Delay of a failed message before its next delivery. */
export const REDELIVERY_BACKOFF = { firstMs: 500, maxMs: 30_000 };
/** How much longer than the delay an order key waits for its failed message to come back. */
export const PARK_GRACE_MS = 2_000;
/** Order keys that are remembered while nothing of them is held. */
export const LANES_KEPT_MAX = 4_096;
/** Time-to-live of one pull request; also how long a consumer may be blind after a restart of the server. */
export const PULL_EXPIRES_MS = 5_000;
/** How often a consumer's position is compared with its stream. */
export const CONSUMER_AUDIT_MS = 60_000;
/** Pause before intake is opened again after the server closed it. */
export const REOPEN_BACKOFF = { firstMs: 200, maxMs: 5_000 };

/** Time that running handlers get when a program stops. */
export const DRAIN_BUDGET_MS = 7_000;
/** Time that they get after their signal was aborted. */
export const ABORT_GRACE_MS = 500;

/** Attempts of load -> decide -> save when somebody else writes first. */
export const CONFLICT_RETRIES_MAX = 10;
export const CONFLICT_BACKOFF = { firstMs: 5, maxMs: 200 };

/** Wait for the first connection. */
export const CONNECT_BUDGET_MS = 30_000;
export const RECONNECT_WAIT_MS = 250;
export const RECONNECT_JITTER_MS = 500;
export const PING_INTERVAL_MS = 10_000;
export const PINGS_OUT_MAX = 2;

/** Letters that carry their bytes themselves; larger originals stay in their stream and are read from there. */
export const LETTER_DATA_BYTES_MAX = 600_000;
