/**
 * The scopes of a key. `ingest` posts items, `read` reads data and reports, `admin` changes the workspace.
 */
export const SCOPES = ['ingest', 'read', 'admin'] as const;
export type Scope = (typeof SCOPES)[number];

/**
 * `secret`: for servers. `publishable`: for pages, where anybody can read it; it posts events
 * and nothing else.
 */
export const KEY_KINDS = ['secret', 'publishable'] as const;
export type KeyKind = (typeof KEY_KINDS)[number];

/**
 * What one publishable key may record in a UTC day: items; rejected ones among them; conversions that have their goal's
 * default value.
 */
export interface DailyCaps {
  items: number;
  rejections: number;
  default_value_conversions: number;
}

/** For keys that name none: enough for a busy site, and little to invent value with. */
export const DEFAULT_DAILY_CAPS: DailyCaps = {
  items: 100_000,
  rejections: 1000,
  default_value_conversions: 100,
};

/** The entity of a journey or a funnel: one person, or everyone at the account. */
export const REPORT_SCOPES = ['person', 'account'] as const;
export type ReportScope = (typeof REPORT_SCOPES)[number];

/**
 * The reports that a read token can open, by name. `funnel` covers a funnel sent in the body
 * and a saved funnel.
 */
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

/** How identity values are stored: as keyed hashes only, or with the value beside the hash. */
export const IDENTITY_STORAGES = ['hashed', 'plain'] as const;
export type IdentityStorage = (typeof IDENTITY_STORAGES)[number];

/**
 * `conversion`: such as lead, trial, purchase, contract. `cultivation`: such as follow,
 * subscribe, like, join.
 */
export const GOAL_KINDS = ['conversion', 'cultivation'] as const;
export type GoalKind = (typeof GOAL_KINDS)[number];

/** The touchpoints that record a conversion: fields and their accepted values, null for an empty field. */
export interface GoalMatch {
  touchpoints: Record<string, (string | null)[]>[];
}

/**
 * `every`: each conversion counts. `once`: only the entity's first unretracted conversion of the goal counts.
 */
export const COUNTINGS = ['every', 'once'] as const;
export type Counting = (typeof COUNTINGS)[number];

/** `retraction`: cancels a conversion for good. `restatement`: sets its new total value. */
export const ADJUSTMENT_KINDS = ['retraction', 'restatement'] as const;
export type AdjustmentKind = (typeof ADJUSTMENT_KINDS)[number];

/** The resources that can be posted, and so rejected. */
export const RESOURCES = ['touchpoints', 'conversions', 'adjustments', 'people', 'spend'] as const;
export type Resource = (typeof RESOURCES)[number];

/** The resources whose items can assert that identities are one person. */
export type LinkingResource = Exclude<Resource, 'adjustments'>;

/** The source of a membership fact: an item of that resource that names an account, or an e-mail address. */
export const ACCOUNT_FACT_SOURCES = ['touchpoints', 'conversions', 'people', 'email'] as const;
export type AccountFactSource = (typeof ACCOUNT_FACT_SOURCES)[number];
