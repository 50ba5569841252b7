export { trainerService } from './service.ts';
