export { publisherService } from './publisher.service.ts';
