export { FleetConfig } from './config.ts';
export { fleetService } from './fleet.service.ts';
