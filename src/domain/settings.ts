/** What a key may do. `ingest` posts, `read` reads data and reports, `admin` changes the workspace. */
export const SCOPES = ['ingest', 'read', 'admin'] as const;
export type Scope = (typeof SCOPES)[number];

/** `secret`: for servers. `publishable`: for pages, where anyone can read it; posts events and nothing else. */
export const KEY_KINDS = ['secret', 'publishable'] as const;
export type KeyKind = (typeof KEY_KINDS)[number];

/** Whose touchpoints make a journey or a funnel: one person's, or those of everyone at the company. */
export const REPORT_SCOPES = ['person', 'account'] as const;
export type ReportScope = (typeof REPORT_SCOPES)[number];

/** The reports that a read token can open, by name. `funnel` is both a funnel that is sent and a saved one. */
export const REPORTS = [
  'attribution',
  'explanation',
  'journeys',
  'funnel',
  'lifecycle',
  'conversations',
  'cultivation',
  'advocacy',
  'roi',
  'overview',
] as const;
export type ReportName = (typeof REPORTS)[number];

/** How identity values are kept: as keyed hashes only, or with the value beside the hash. */
export const IDENTITY_STORAGES = ['hashed', 'plain'] as const;
export type IdentityStorage = (typeof IDENTITY_STORAGES)[number];

/** `conversion`: lead, trial, purchase, contract. `cultivation`: follow, subscribe, like, join. */
export const GOAL_KINDS = ['conversion', 'cultivation'] as const;
export type GoalKind = (typeof GOAL_KINDS)[number];

/** Of touchpoints that record a conversion: fields and the values that each may have, null for an empty field. */
export interface GoalMatch {
  touchpoints: Record<string, (string | null)[]>[];
}

/** `once`: only a person's first unretracted conversion of the goal counts. */
export const COUNTINGS = ['every', 'once'] as const;
export type Counting = (typeof COUNTINGS)[number];

/** `retraction` takes a conversion back for good; `restatement` gives its new total value. */
export const ADJUSTMENT_KINDS = ['retraction', 'restatement'] as const;
export type AdjustmentKind = (typeof ADJUSTMENT_KINDS)[number];

/** What can be posted, and so rejected. */
export const RESOURCES = ['touchpoints', 'conversions', 'adjustments', 'people', 'spend'] as const;
export type Resource = (typeof RESOURCES)[number];

/** What can say that identities are one person. */
export type LinkingResource = Exclude<Resource, 'adjustments'>;

/** Where a membership fact comes from: an item of that resource that names an account, or an e-mail address. */
export const ACCOUNT_FACT_SOURCES = ['touchpoints', 'conversions', 'people', 'email'] as const;
export type AccountFactSource = (typeof ACCOUNT_FACT_SOURCES)[number];
