export { trainerService } from './trainer.service.ts';
