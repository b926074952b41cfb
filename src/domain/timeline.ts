/** The types of timeline entries. A `link` is an item that asserted that identities are one person. */
export const TIMELINE_TYPES = ['touchpoint', 'conversion', 'link'] as const;
export type TimelineType = (typeof TIMELINE_TYPES)[number];
