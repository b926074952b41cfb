export { startOnPostgres as setup } from './world.ts';
