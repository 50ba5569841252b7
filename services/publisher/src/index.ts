export { publisher } from './publisher.module.ts';
