export { DEFAULT_STRATEGY, RolloutConfig } from './config.ts';
export { rolloutService } from './rollout.service.ts';
