import type { FunnelEntry, FunnelOrder } from './funnel.ts';
import type { FunnelCount } from './funnel-report.ts';
import type { ReportScope } from './settings.ts';
import type { Dimension, Direction, Kind, Stage } from './touchpoint-fields.ts';

/** Fields whose values are a closed set. */
interface ClosedFields {
  kind: Kind;
  direction: Direction;
  stage: Stage;
}

/** Which touchpoints: fields and the values that each may have, null for an empty field. */
type TouchpointFields = {
  [D in Dimension]?: ((D extends keyof ClosedFields ? ClosedFields[D] : string) | null)[];
};

/** One of the two. */
interface DefinedFilter {
  touchpoint?: TouchpointFields;
  conversion?: { goal: string[] };
}

/** A funnel as it is sent and saved, defaults filled in: all but its name and the time that is asked about. */
export interface FunnelDefinition {
  steps: (DefinedFilter & { name?: string | null })[];
  order: FunnelOrder;
  window_seconds: number;
  entry: FunnelEntry;
  count: FunnelCount;
  scope: ReportScope;
  hold: Dimension[];
  exclude: (DefinedFilter & { after_step?: number | null; before_step?: number | null })[];
  breakdown?: { by: Dimension[]; at_step: number } | null;
  /** The currency of all values; default the workspace's. */
  currency?: string | null;
}
