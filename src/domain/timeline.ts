/** What a history is made of. A link is an item that said that identities are one person. */
export const TIMELINE_TYPES = ['touchpoint', 'conversion', 'link'] as const;
export type TimelineType = (typeof TIMELINE_TYPES)[number];
