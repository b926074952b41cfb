export { startOnPglite as setup } from './world.ts';
