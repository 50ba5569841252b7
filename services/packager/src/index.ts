export { packager } from './packager.module.ts';
