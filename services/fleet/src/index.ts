export { FleetConfig } from './config.ts';
export { fleetService } from './fleet.module.ts';
