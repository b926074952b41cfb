import type { Space } from './space.ts';

/** A state of the workspace in which reports are measured. */
export interface State {
  name: string;
  /**
   * Brings the workspace into the state. It is called before the measurements of each read, so it has to be cheap where
   * the workspace is in the state already. Work that goes on meanwhile, such as a writer, is ended by the result.
   */
  make(space: Space): Promise<(() => Promise<void>) | null>;
}

/**
 * Every read is measured in the first state, and those with `is_by_day` in all of them. The statements that are repeated
 * are those which the Worker sent before the first state was made.
 */
export const STATES: readonly [State, ...State[]] = [{ name: 'as loaded', make: async () => null }];
