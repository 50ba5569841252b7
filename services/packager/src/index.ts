export { packagerService } from './packager.service.ts';
