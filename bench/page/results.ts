/** Everything that one run measured; the page is made from it, and from nothing else. Times are in milliseconds. */
export interface PageResults {
  /** When the run began. */
  at: string;
  seconds: number;
  command: string;
  /** The id of the commit, and whether the checkout differed from it. */
  commit: string;
  is_changed: boolean;
  is_quick: boolean;
  machine: Machine;
  effort: Effort;
  workspaces: WorkspaceFacts[];
  /** In the order in which they were made. */
  states: string[];
  /** The one that the page shows, of reads that were measured in it. */
  main_state: string;
  reads: ReadResult[];
  writes: WriteResult[];
}

export interface Machine {
  cpu: string;
  cpus: number;
  memory_gib: number;
  /** Of one minute, before and after the run. */
  load_before: number;
  load_after: number;
  node: string;
  postgres: string;
  settings: Record<string, string>;
}

/** How often a statement runs. */
export interface Effort {
  /** Blocks, and the runs of one contender in a block, if a run takes less than `slow_ms`. */
  blocks: number;
  runs: number;
  slow_ms: number;
  /** Blocks of one run each for the others. */
  slow_blocks: number;
  /** Runs with cold buffers of a statement that is not slow. */
  cold_runs: number;
  /** Batches of each way of writing, and single events. */
  batches: number;
  events: number;
}

export interface WorkspaceFacts {
  size: string;
  load_seconds: number;
  /** Whether an earlier run loaded it. */
  is_copy: boolean;
  touchpoints: number;
  people: number;
  people_with_touchpoints: number;
  /** Quantiles of touchpoints of a person who has any. */
  median_of_person: number;
  p99_of_person: number;
  most_of_person: number;
  threads: number;
  accounts: number;
  purchases: number;
  cultivations: number;
  adjustments: number;
  /** Purchases of the last month and year of the log. */
  purchases_in_month: number;
  purchases_in_year: number;
  /** The share of purchases of the last year whose journey has a touchpoint, and how many such a journey has. */
  with_journey: number;
  touches_of_journey: number;
  tables: TableSize[];
}

/** In bytes. */
export interface TableSize {
  table: string;
  rows: number;
  heap: number;
  indexes: number;
}

export type RangeName = 'month' | 'year';

/** One question to one workspace in one state. */
export interface ReadResult {
  read: string;
  /** Null for lists and single rows. */
  range: RangeName | null;
  size: string;
  state: string;
  /** Null if it was cancelled by the time-out of reports. */
  statement: Timing | null;
  /** The usual SQL for the same question. */
  usual: UsualTiming | null;
  /** The statement under row level security, relative to the same without it. */
  locked_ratio: number | null;
  plan: PlanFacts | null;
  /** In the largest workspace only. */
  cold: ColdTiming | null;
  worker: WorkerTiming | null;
}

export interface Timing {
  median_ms: number;
  runs: number;
  /** The median of each block, in the order of time: blocks of the same number ran next to each other. */
  blocks: number[];
}

export interface UsualTiming extends Timing {
  /** How many times as long it takes: the median over the blocks. Null if the statement was cancelled. */
  ratio: number | null;
  /** The greatest relative difference between its figures and those of the report; null if it asks for less. */
  difference: number | null;
}

export interface PlanFacts {
  planning_ms: number;
  /** Buffers of 8 kiB that were found in, and read into, the server's shared buffers; and written to disk by sorts. */
  hit: number;
  read: number;
  spilled: number;
  /** Tables of which every row was read, and how many rows. */
  whole: { table: string; rows: number }[];
}

export interface ColdTiming {
  median_ms: number;
  runs: number;
}

export interface WorkerTiming {
  median_ms: number;
  runs: number;
  calls: number;
  /** Of the process of the Worker, per request; null where the system does not tell. */
  cpu_ms: number | null;
  response_bytes: number;
  /** Parts of the Server-Timing header besides the number of calls, by name. */
  server_timing: Record<string, string>;
}

/** The same rows through the Worker and by its SQL through `pg`, in turns. */
export interface WriteResult {
  write: string;
  size: string;
  items: number;
  runs: number;
  worker_ms: number;
  direct_ms: number;
  /** Worker / direct: the median over the turns. */
  ratio: number;
  calls: number;
  cpu_ms: number | null;
}
