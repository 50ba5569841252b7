export type {
  Bus,
  Cause,
  ConnectOptions,
  ConsumeOptions,
  Document,
  Documents,
  EventHandler,
  Handled,
  MessageContext,
  Output,
  PublishOptions,
  PublishReceipt,
  RequestHandler,
  SignalHandler,
  Subscription,
} from './api.ts';
export {
  AskRefusedError,
  AskTimeoutError,
  BusAwayError,
  BusClosedError,
  BusSilentError,
  ConnectError,
  ForbiddenSubjectError,
  InvalidKeyError,
  InvalidMessageError,
  isRetryable,
  MessageTooLargeError,
  NoResponderError,
  PublishRefusedError,
  PublishUnknownError,
  Refusal,
  RevisionConflictError,
  StreamUnavailableError,
  UnreadableDocumentError,
  UnreadableMessageError,
  UnreadableReplyError,
  WiringError,
} from './errors.ts';
export { HEADER } from './headers.ts';
export {
  ACK_WAIT_MS,
  ASK_TIMEOUT_MS,
  CONCURRENCY,
  CONFLICT_RETRIES_MAX,
  DELIVERIES_MAX,
  DRAIN_BUDGET_MS,
  LEASE_MAX_MS,
  WINDOW_IN_FLIGHT_MAX,
} from './limits.ts';
export { connectBus } from './jetstream-bus.ts';
export { connectNode, type NodeBus, type NodeBusOptions, type NodeBusStatus } from './node-bus.ts';
export { redrive, type RedriveOptions, type RedriveReport } from './redrive.ts';
export { WindowedPublisher, type WindowOptions } from './windowed-publisher.ts';
